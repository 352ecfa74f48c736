//! Clocks and randomness.

use super::same;
use std::time::Duration;
use wasi_host_core::clock::{HostTimezone, Utc, ZoneDisplay};
use wasi_host_core::random::RngCore;
use wasi_host_core::wait::Wait;
use wasi_host_native::clock::{MonotonicClock, WallClock};
use wasi_host_native::random::thread_rng;

#[test]
fn time_and_chance_come_again() {
    same(|tape| {
        let (wall, monotonic) =
            (tape.wall_clock(Box::new(WallClock)), tape.monotonic_clock(Box::<MonotonicClock>::default()));
        let (zone, mut random) = (tape.timezone(Box::new(Utc)), tape.random(thread_rng(), "chance"));
        let mut bytes = [0; 1000];
        random.try_fill_bytes(&mut bytes).unwrap();
        random.fill_bytes(&mut bytes[..3]);
        let now = monotonic.now();
        let waits = (
            matches!(monotonic.wait_until(0), Wait::Ready),
            matches!(monotonic.wait_until(u64::MAX), Wait::Ready),
        );
        assert_eq!(waits, (true, false));
        let shown: ZoneDisplay = zone.display(Duration::from_secs(1));
        (
            wall.now(),
            wall.resolution(),
            now,
            monotonic.resolution(),
            shown,
            bytes,
            random.next_u32(),
            random.next_u64(),
        )
    });
}
