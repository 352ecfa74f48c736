//! The clocks of the operating system.

use rustix::time::{ClockId, clock_getres};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};
use wasi_host_core::clock::{HostMonotonicClock, HostWallClock};
use wasi_host_core::wait::Wait;

/// The clock on the host's wall (`CLOCK_REALTIME`). Before 1970 it shows 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        resolution(ClockId::Realtime)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

/// The host's monotonic clock (`CLOCK_MONOTONIC`), in nanoseconds.
///
/// The default one counts from when this process first asked for one, so that guests of one process agree and none
/// learns how long the machine has been up.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    base: Instant,
}

impl MonotonicClock {
    /// A clock that shows 0 at `base`, and before.
    pub fn since(base: Instant) -> Self {
        Self { base }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);
        Self::since(*BASE)
    }
}

impl HostMonotonicClock for MonotonicClock {
    fn resolution(&self) -> u64 {
        nanoseconds(resolution(ClockId::Monotonic))
    }

    fn now(&self) -> u64 {
        nanoseconds(self.base.elapsed())
    }

    fn wait_until(&self, when: u64) -> Wait<'_> {
        // The waiter reads the clock; here that would be done twice.
        self.base.checked_add(Duration::from_nanos(when)).map_or(Wait::Forever, Wait::Until)
    }
}

fn resolution(clock: ClockId) -> Duration {
    Duration::try_from(clock_getres(clock)).unwrap_or(Duration::from_nanos(1))
}

/// In 64 bits: enough for 584 years.
fn nanoseconds(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasi_host_core::wait::Waiter;

    #[test]
    fn clocks_of_one_process_agree_and_go_forward() {
        let (a, b) = (MonotonicClock::default(), MonotonicClock::default());
        let times = [a.now(), b.now(), a.now()];
        assert!(times.is_sorted(), "{times:?}");
        assert!(times[2] < 1_000_000_000 * 3600, "not the machine's own time");
        assert!(a.resolution() > 0 && WallClock.resolution() > Duration::ZERO);
        assert!(WallClock.now() > Duration::from_secs(1_600_000_000));
    }

    #[test]
    fn waiting_until_a_time_shows_that_time() {
        let clock = MonotonicClock::default();
        let when = clock.now() + 2_000_000;
        crate::wait::Poller::default().any(&[clock.wait_until(when)], &mut [], &mut Vec::new()).unwrap();
        assert!(clock.now() >= when);
        assert!(matches!(clock.wait_until(u64::MAX), Wait::Until(_) | Wait::Forever));
    }

    #[test]
    fn a_clock_does_not_go_below_zero() {
        assert_eq!(MonotonicClock::since(Instant::now() + Duration::from_secs(60)).now(), 0);
    }
}
