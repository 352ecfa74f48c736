//! Clocks that an embedder may replace.

use crate::wait::Wait;
use std::time::Duration;

/// The clock on the wall. It may be set, and so jump.
///
/// ```
/// use std::time::Duration;
/// use wasi_host_core::clock::HostWallClock;
///
/// /// It has stopped.
/// struct Stopped(Duration);
///
/// impl HostWallClock for Stopped {
///     fn resolution(&self) -> Duration {
///         Duration::from_nanos(1)
///     }
///     fn now(&self) -> Duration {
///         self.0
///     }
/// }
///
/// let midnight_of_2000 = Stopped(Duration::from_secs(946_684_800));
/// assert_eq!(midnight_of_2000.now().as_secs() % 86_400, 0);
/// ```
pub trait HostWallClock: Send {
    /// The distance between two ticks.
    fn resolution(&self) -> Duration;
    /// The time since 1970-01-01 00:00 UTC.
    fn now(&self) -> Duration;

    /// What a guest is told. It differs from `now` only where a guest's look moves the clock; a clock around another passes it
    /// on.
    fn read(&self) -> Duration {
        self.now()
    }

    /// How to wait until this clock shows `when`. The provided one believes that the clock runs at the pace of real
    /// time; another answers as [`HostMonotonicClock::wait_until`] may.
    fn wait_until(&self, when: Duration) -> Wait<'_> {
        match when.saturating_sub(self.now()) {
            Duration::ZERO => Wait::Ready,
            left => Wait::For(left),
        }
    }
}

/// A clock that never goes back. Its zero means nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use wasi_host_core::clock::HostMonotonicClock;
/// use wasi_host_core::wait::{Notify, Wait};
///
/// /// A clock that the host drives by hand. A guest that sleeps by it is woken when it is told to go on.
/// #[derive(Clone, Default)]
/// struct ByHand(Arc<(AtomicU64, Notify)>);
///
/// impl ByHand {
///     fn advance(&self, nanoseconds: u64) {
///         self.0.0.fetch_add(nanoseconds, Ordering::AcqRel);
///         self.0.1.notify();
///     }
/// }
///
/// impl HostMonotonicClock for ByHand {
///     fn resolution(&self) -> u64 {
///         1
///     }
///     fn now(&self) -> u64 {
///         self.0.0.load(Ordering::Acquire)
///     }
///     fn wait_until(&self, when: u64) -> Wait<'_> {
///         let advanced = self.0.1.watch();
///         if self.now() >= when { Wait::Ready } else { Wait::Notify(advanced) }
///     }
/// }
///
/// let clock = ByHand::default();
/// assert!(matches!(clock.wait_until(1_000), Wait::Notify(_)));
/// clock.advance(1_000);
/// assert!(matches!(clock.wait_until(1_000), Wait::Ready));
/// ```
pub trait HostMonotonicClock: Send {
    /// The distance between two ticks, in nanoseconds.
    fn resolution(&self) -> u64;
    /// Nanoseconds since some fixed point.
    fn now(&self) -> u64;

    /// What a guest is told. It differs from `now` only where a guest's look moves the clock; a clock around another passes it
    /// on.
    fn read(&self) -> u64 {
        self.now()
    }

    /// How to wait until this clock shows `when`. The provided one believes that the clock runs at the pace of
    /// real time; a clock that is driven by hand answers with a [`Wait::Notify`] of its own, or with a [`Wait::Clock`].
    fn wait_until(&self, when: u64) -> Wait<'_> {
        match when.saturating_sub(self.now()) {
            0 => Wait::Ready,
            left => Wait::For(Duration::from_nanos(left)),
        }
    }
}

/// Where the guest's wall clock hangs (`wasi:clocks/timezone`, which is unstable).
///
/// ```
/// use std::time::Duration;
/// use wasi_host_core::clock::{HostTimezone, ZoneDisplay};
///
/// struct Tokyo;
///
/// impl HostTimezone for Tokyo {
///     fn display(&self, _: Duration) -> ZoneDisplay {
///         ZoneDisplay { utc_offset: 9 * 3600, name: "JST".to_owned(), daylight_saving: false }
///     }
/// }
/// ```
pub trait HostTimezone: Send {
    /// What a clock there shows besides the time itself, at `when` since 1970-01-01 00:00 UTC.
    fn display(&self, when: Duration) -> ZoneDisplay;
}

/// What a wall clock shows besides the time itself.
///
/// [`HostTimezone`] has an example.
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
///
/// ```
/// use std::time::Duration;
/// use wasi_host_core::clock::{HostTimezone, Utc};
/// assert_eq!(Utc.display(Duration::ZERO).utc_offset, 0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Utc;

impl HostTimezone for Utc {
    fn display(&self, _: Duration) -> ZoneDisplay {
        ZoneDisplay { utc_offset: 0, name: "UTC".to_owned(), daylight_saving: false }
    }
}
