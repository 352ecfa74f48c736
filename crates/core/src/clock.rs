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

/// Where the guest's wall clock hangs (`wasi:clocks/timezone`, which is unstable).
pub trait HostTimezone: Send {
    /// What a clock there shows besides the time itself, at `when` since 1970-01-01 00:00 UTC.
    fn display(&self, when: Duration) -> ZoneDisplay;
}

/// What a wall clock shows besides the time itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneDisplay {
    /// Seconds ahead of UTC; less than a day either way.
    pub utc_offset: i32,
    /// The zone's abbreviation, "UTC" for one.
    pub name: String,
    /// Whether it is summer time.
    pub daylight_saving: bool,
}

/// No zone but UTC: where the host is is nobody's business.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utc;

impl HostTimezone for Utc {
    fn display(&self, _: Duration) -> ZoneDisplay {
        ZoneDisplay { utc_offset: 0, name: "UTC".to_owned(), daylight_saving: false }
    }
}
