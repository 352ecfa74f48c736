//! Clocks and randomness.

use super::same;
use std::time::Duration;
use wasi_host_core::clock::{Utc, ZoneDisplay};
use wasi_host_core::random::RngCore;
use wasi_host_core::wait::Wait;
use wasi_host_native::clock::{MonotonicClock, WallClock};
use wasi_host_native::random::thread_rng;
use wasi_host_virtual::time::VirtualTime;

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
        let waits = [0, now + 1_000_000_000, u64::MAX].map(|when| match monotonic.wait_until(when) {
            Wait::Ready => "ready",
            Wait::For(_) | Wait::Until(_) => "a time",
            Wait::Forever => "for ever",
            _ => "something else",
        });
        let shown: ZoneDisplay = zone.display(Duration::from_secs(1));
        let times = (wall.now(), wall.resolution(), now, monotonic.resolution());
        (waits, times, shown, bytes, random.next_u32(), random.next_u64())
    });
}

/// Not by real time, which the clock may know nothing of.
#[test]
fn a_wall_clock_says_itself_how_to_wait_for_it() {
    let by_its_own = same(|tape| {
        let time = VirtualTime::new();
        let wall = tape.wall_clock(Box::new(time.wall()));
        matches!(wall.wait_until(wall.now() + Duration::from_secs(3600)), Wait::Clock(..))
    });
    assert!(by_its_own);
}
