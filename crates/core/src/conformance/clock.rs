//! What clocks must do, and the waits that they give.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use wasi_host_native::wait::Poller;
//! use wasi_host_virtual::time::VirtualTime;
//!
//! let time = VirtualTime::new();
//! let waiter = time.waiter(Arc::new(Poller::default()));
//! wasi_host_core::conformance::clock::all(&time.monotonic(), &time.wall(), &waiter);
//! ```

use crate::clock::{HostMonotonicClock, HostWallClock};
use crate::wait::{Event, Wait, Waiter};
use std::time::Duration;

/// So long is waited for what is to come.
const AHEAD: Duration = Duration::from_millis(2);

/// A wait that ends too early is no fault, but one that ends so often is.
const ROUNDS: usize = 10_000;

/// [`monotonic`] and [`wall`].
///
/// # Panics
///
/// As these.
#[track_caller]
pub fn all(monotonic_clock: &dyn HostMonotonicClock, wall_clock: &dyn HostWallClock, waiter: &dyn Waiter) {
    monotonic(monotonic_clock, waiter);
    wall(wall_clock, waiter);
}

/// What a monotonic clock must do, with a waiter that can wait by it. Some milliseconds of its time go by.
///
/// # Panics
///
/// If it does not; the message says what.
#[track_caller]
pub fn monotonic(clock: &dyn HostMonotonicClock, waiter: &dyn Waiter) {
    assert!(clock.resolution() > 0, "the monotonic clock's resolution is 0");
    let readings: Vec<_> = (0..1000).map(|_| clock.now()).collect();
    assert!(readings.is_sorted(), "the monotonic clock went back: {readings:?}");

    let now = clock.now();
    for past in [0, now / 2, now] {
        assert!(is_over(clock.wait_until(past), waiter), "at {now} a wait until {past} goes on");
    }
    assert!(!is_over(clock.wait_until(u64::MAX), waiter), "a wait for the end of time is over at {now}");

    let ahead = u64::try_from(AHEAD.as_nanos()).unwrap_or(u64::MAX).max(clock.resolution());
    for span in [1, ahead, ahead] {
        let when = clock.now() + span;
        wait_until(|| clock.now() >= when, || clock.wait_until(when), waiter);
        let after = clock.now();
        assert!(is_over(clock.wait_until(when), waiter), "at {after} a wait until {when} goes on");
    }

    // Of several the first is enough.
    let (first, later) = (clock.now() + ahead, u64::MAX - 1);
    let shows = || clock.now() >= first;
    for _ in 0..ROUNDS {
        if shows() {
            return;
        }
        wait(&[clock.wait_until(later), clock.wait_until(first)], waiter);
    }
    panic!("waits until {first} and {later} have ended {ROUNDS} times, and it is {}", clock.now());
}

/// What a wall clock must do, with a waiter that can wait by it. It may have stopped; if not some milliseconds of its
/// time go by.
///
/// # Panics
///
/// If it does not; the message says what.
#[track_caller]
pub fn wall(clock: &dyn HostWallClock, waiter: &dyn Waiter) {
    assert!(clock.resolution() > Duration::ZERO, "the wall clock's resolution is 0");
    let now = clock.now();
    assert!(
        i64::try_from(now.as_secs()).is_ok(),
        "the wall clock shows {now:?}, which no file's time can be"
    );
    for past in [Duration::ZERO, now / 2, now] {
        assert!(is_over(clock.wait_until(past), waiter), "at {now:?} a wait until {past:?} goes on");
    }
    for never in [Duration::from_nanos(u64::MAX) * 2, Duration::MAX] {
        assert!(!is_over(clock.wait_until(never), waiter), "a wait until {never:?} is over at {now:?}");
    }
    let when = clock.now() + AHEAD.max(clock.resolution());
    if matches!(clock.wait_until(when), Wait::Forever) {
        return assert_eq!(clock.now(), now, "a wall clock whose time never comes has not stopped");
    }
    wait_until(|| clock.now() >= when, || clock.wait_until(when), waiter);
}

/// Waits as a guest does, which looks again.
#[track_caller]
fn wait_until<'c>(shows: impl Fn() -> bool, what: impl Fn() -> Wait<'c>, waiter: &dyn Waiter) {
    for _ in 0..ROUNDS {
        if shows() {
            return;
        }
        wait(&[what()], waiter);
    }
    panic!("{:?} has ended {ROUNDS} times, and still it is not so late", what());
}

/// Whether it ends without waiting.
#[track_caller]
fn is_over(what: Wait<'_>, waiter: &dyn Waiter) -> bool {
    wait(&[what, Wait::Ready], waiter).iter().any(|event| event.index == 0)
}

#[track_caller]
fn wait(list: &[Wait<'_>], waiter: &dyn Waiter) -> Vec<Event> {
    let mut ended = Vec::new();
    let waited = waiter.any(list, &mut [], &mut ended);
    assert_eq!(waited, Ok(()), "the waiter cannot wait for {list:?}");
    assert!(!ended.is_empty(), "the waiter returned with nothing from {list:?}");
    ended
}
