//! What shows a virtual time.

use super::VirtualTime;
use std::time::Duration;
use wasi_host_core::clock::{HostMonotonicClock, HostWallClock};
use wasi_host_core::wait::Wait;

/// The monotonic clock of a [`VirtualTime`].
#[derive(Clone, Debug)]
pub struct Monotonic(pub(super) VirtualTime);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.now()
    }

    fn read(&self) -> u64 {
        self.0.step()
    }

    fn wait_until(&self, when: u64) -> Wait<'_> {
        self.0.wait_until(when)
    }
}

/// The wall clock of a [`VirtualTime`].
#[derive(Clone, Debug)]
pub struct Wall(pub(super) VirtualTime);

impl Wall {
    /// What it shows so many nanoseconds after the beginning.
    fn shows(&self, now: u64) -> Duration {
        self.0.0.start.saturating_add(Duration::from_nanos(now))
    }
}

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.shows(self.0.now())
    }

    fn read(&self) -> Duration {
        self.shows(self.0.step())
    }

    fn wait_until(&self, when: Duration) -> Wait<'_> {
        let since_start = when.saturating_sub(self.0.0.start).as_nanos();
        self.0.wait_until(u64::try_from(since_start).unwrap_or(u64::MAX))
    }
}

/// A wall clock that has stopped, at so long after 1970-01-01 00:00 UTC.
///
/// ```
/// use std::time::Duration;
/// use wasi_host_core::clock::HostWallClock;
/// use wasi_host_virtual::time::Frozen;
/// let noon = Frozen(Duration::from_secs(12 * 3600));
/// assert_eq!(noon.now(), noon.now());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen(pub Duration);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0
    }

    fn wait_until(&self, when: Duration) -> Wait<'_> {
        if when <= self.0 { Wait::Ready } else { Wait::Forever }
    }
}
