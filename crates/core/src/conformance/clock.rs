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
use std::time::{Duration, Instant};

/// So long is waited for what is to come.
const AHEAD: Duration = Duration::from_millis(2);

/// So long in real time until a wait that does not end is taken for one that never will: nobody told of the time that has come.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// A waiter that gives up in time.
#[derive(Clone, Copy)]
struct Patient<'w> {
    waiter: &'w dyn Waiter,
    patience: Duration,
}

impl Patient<'_> {
    /// Waits as a guest does, which looks again. `case` is what the clock must do.
    #[track_caller]
    fn wait_until<'c>(self, case: &str, shows: impl Fn() -> bool, what: impl Fn() -> Wait<'c>) {
        for _ in 0..ROUNDS {
            if shows() {
                return;
            }
            self.wait(case, &[what()]);
        }
        panic!("{case}: {:?} has ended {ROUNDS} times, and still it is not so late", what());
    }

    /// Whether it ends without waiting.
    #[track_caller]
    fn is_over(self, what: Wait<'_>) -> bool {
        self.wait("whether it is over", &[what, Wait::Ready]).iter().any(|event| event.index == 0)
    }

    #[track_caller]
    fn wait(self, case: &str, list: &[Wait<'_>]) -> Vec<Event> {
        let (mut ended, began) = (Vec::new(), Instant::now());
        let within = [list, &[Wait::For(self.patience)]].concat();
        let waited = self.waiter.any(&within, &mut [], &mut ended);
        assert_eq!(waited, Ok(()), "{case}: the waiter cannot wait for {within:?}");
        assert!(!ended.is_empty(), "{case}: the waiter returned with nothing from {within:?}");
        ended.retain(|event| event.index < list.len());
        let waited = began.elapsed();
        assert!(!ended.is_empty(), "{case}: nothing of {list:?} has ended in {waited:?}");
        ended
    }
}

/// What a monotonic clock must do, with a waiter that can wait by it. Some milliseconds of its time go by.
///
/// # Panics
///
/// If it does not; the message says what.
#[track_caller]
pub fn monotonic(clock: &dyn HostMonotonicClock, waiter: &dyn Waiter) {
    monotonic_with(clock, Patient { waiter, patience: PATIENCE });
}

#[track_caller]
fn monotonic_with(clock: &dyn HostMonotonicClock, waiter: Patient<'_>) {
    assert!(clock.resolution() > 0, "the monotonic clock's resolution is 0");
    let readings: Vec<_> = (0..1000).flat_map(|_| [clock.now(), clock.read()]).collect();
    assert!(readings.is_sorted(), "the monotonic clock went back: {readings:?}");

    let now = clock.now();
    for past in [0, now / 2, now] {
        assert!(waiter.is_over(clock.wait_until(past)), "at {now} a wait until {past} goes on");
    }
    assert!(!waiter.is_over(clock.wait_until(u64::MAX)), "a wait for the end of time is over at {now}");

    let ahead = u64::try_from(AHEAD.as_nanos()).unwrap_or(u64::MAX).max(clock.resolution());
    for span in [1, ahead, ahead] {
        let when = clock.now() + span;
        waiter.wait_until("a monotonic moment comes", || clock.now() >= when, || clock.wait_until(when));
        let after = clock.now();
        assert!(waiter.is_over(clock.wait_until(when)), "at {after} a wait until {when} goes on");
    }

    // Of several the first is enough.
    let (first, later) = (clock.now() + ahead, u64::MAX - 1);
    let shows = || clock.now() >= first;
    for _ in 0..ROUNDS {
        if shows() {
            return;
        }
        waiter.wait("the first of two moments comes", &[clock.wait_until(later), clock.wait_until(first)]);
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
    wall_with(clock, Patient { waiter, patience: PATIENCE });
}

#[track_caller]
fn wall_with(clock: &dyn HostWallClock, waiter: Patient<'_>) {
    assert!(clock.resolution() > Duration::ZERO, "the wall clock's resolution is 0");
    let now = clock.now();
    assert!(
        i64::try_from(now.as_secs()).is_ok(),
        "the wall clock shows {now:?}, which no file's time can be"
    );
    for past in [Duration::ZERO, now / 2, now] {
        assert!(waiter.is_over(clock.wait_until(past)), "at {now:?} a wait until {past:?} goes on");
    }
    for never in [Duration::from_nanos(u64::MAX) * 2, Duration::MAX] {
        assert!(!waiter.is_over(clock.wait_until(never)), "a wait until {never:?} is over at {now:?}");
    }
    let when = clock.now() + AHEAD.max(clock.resolution());
    if matches!(clock.wait_until(when), Wait::Forever) {
        return assert_eq!(clock.now(), now, "a wall clock whose time never comes has not stopped");
    }
    waiter.wait_until("a moment on the wall comes", || clock.now() >= when, || clock.wait_until(when));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::stream::Parker;
    use crate::wait::Notify;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Goes by the system's time, and tells nobody unless `tells`.
    struct Silent {
        began: Instant,
        changed: Notify,
        tells: bool,
    }

    impl Silent {
        fn until(&self, left: Option<Duration>) -> Wait<'_> {
            match left {
                None => Wait::Ready,
                Some(left) if self.tells => Wait::For(left),
                Some(_) => Wait::Notify(self.changed.watch()),
            }
        }
    }

    impl HostMonotonicClock for Silent {
        fn resolution(&self) -> u64 {
            1
        }

        fn now(&self) -> u64 {
            self.began.elapsed().as_nanos() as u64
        }

        fn wait_until(&self, when: u64) -> Wait<'_> {
            let left = when.checked_sub(HostMonotonicClock::now(self)).filter(|left| *left > 0);
            self.until(left.map(Duration::from_nanos))
        }
    }

    impl HostWallClock for Silent {
        fn resolution(&self) -> Duration {
            Duration::from_nanos(1)
        }

        fn now(&self) -> Duration {
            self.began.elapsed()
        }

        fn wait_until(&self, when: Duration) -> Wait<'_> {
            self.until(when.checked_sub(HostWallClock::now(self)).filter(|left| *left > Duration::ZERO))
        }
    }

    fn said(suite: impl FnOnce()) -> Option<String> {
        catch_unwind(AssertUnwindSafe(suite)).err().map(|e| *e.downcast::<String>().unwrap())
    }

    #[test]
    fn a_clock_that_tells_nobody_does_not_conform() {
        let waiter = Patient { waiter: &Parker, patience: Duration::from_millis(50) };
        let clock = Silent { began: Instant::now(), changed: Notify::default(), tells: false };
        let monotonic = said(|| monotonic_with(&clock, waiter)).unwrap();
        assert!(monotonic.starts_with("a monotonic moment comes: nothing of"), "{monotonic}");
        let wall = said(|| wall_with(&clock, waiter)).unwrap();
        assert!(wall.starts_with("a moment on the wall comes: nothing of"), "{wall}");
    }

    #[test]
    fn one_that_tells_does() {
        let clock = Silent { began: Instant::now(), changed: Notify::default(), tells: true };
        all(&clock, &clock, &Parker);
    }
}
