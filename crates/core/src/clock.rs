//! Clocks that an embedder may replace.

use crate::wait::Wait;
use std::time::Duration;

/// The clock on the wall. It may be set, and so jump.
pub trait HostWallClock: Send {
    /// The distance between two ticks.
    fn resolution(&self) -> Duration;
    /// The time since 1970-01-01 00:00 UTC.
    fn now(&self) -> Duration;
}

/// A clock that never goes back. Its zero means nothing.
pub trait HostMonotonicClock: Send {
    /// The distance between two ticks, in nanoseconds.
    fn resolution(&self) -> u64;
    /// Nanoseconds since some fixed point.
    fn now(&self) -> u64;

    /// How to wait until this clock shows `when`. The provided one believes that the clock runs at the pace of
    /// real time; a clock that is driven by hand answers with a [`Wait::Notify`] of its own.
    fn wait_until(&self, when: u64) -> Wait<'_> {
        match when.saturating_sub(self.now()) {
            0 => Wait::Ready,
            left => Wait::For(Duration::from_nanos(left)),
        }
    }
}
