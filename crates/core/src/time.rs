//! Points in time as filesystems keep them.

use std::time::{Duration, SystemTime};

/// A point in time: seconds since 1970-01-01 00:00 UTC, which may be negative, and nanoseconds counted forward
/// from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

const BILLION: u32 = 1_000_000_000;

impl Timestamp {
    /// `None` if `nanoseconds` is a second or more.
    pub fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        (nanoseconds < BILLION).then_some(Self { seconds, nanoseconds })
    }

    /// Nanoseconds since 1970, as WASI 0.1 counts. Every `u64` is a valid time.
    #[inline]
    pub fn from_nanos(nanos: u64) -> Self {
        let (s, n) = (nanos / u64::from(BILLION), nanos % u64::from(BILLION));
        Self { seconds: s as i64, nanoseconds: n as u32 }
    }

    /// Nanoseconds since 1970; times before that are 0, times after 2554 are `u64::MAX`.
    #[inline]
    pub fn as_nanos(self) -> u64 {
        let Ok(s) = u64::try_from(self.seconds) else { return 0 };
        s.checked_mul(u64::from(BILLION))
            .and_then(|n| n.checked_add(u64::from(self.nanoseconds)))
            .unwrap_or(u64::MAX)
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// The nanoseconds after [`seconds`](Self::seconds), below a thousand million.
    pub fn subsec_nanos(self) -> u32 {
        self.nanoseconds
    }
}

impl From<Duration> for Timestamp {
    /// The time that lies this long after 1970.
    fn from(d: Duration) -> Self {
        Self { seconds: i64::try_from(d.as_secs()).unwrap_or(i64::MAX), nanoseconds: d.subsec_nanos() }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(t: SystemTime) -> Self {
        match t.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(d) => d.into(),
            Err(before) => {
                let d = before.duration();
                let s = i64::try_from(d.as_secs()).map_or(i64::MIN, |s| -s);
                match d.subsec_nanos() {
                    0 => Self { seconds: s, nanoseconds: 0 },
                    n => Self { seconds: s.saturating_sub(1), nanoseconds: BILLION - n },
                }
            }
        }
    }
}

/// A time to set: the current one, whatever it will be by then, or a given one.
///
/// ```
/// use wasi_host_core::time::{SetTime, SystemTimeSpec};
/// assert_eq!(SetTime::from(SystemTimeSpec::SymbolicNow), SetTime::Now);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemTimeSpec {
    /// The time at which it is set.
    SymbolicNow,
    /// This time.
    Absolute(SystemTime),
}

impl From<SystemTimeSpec> for SetTime {
    fn from(time: SystemTimeSpec) -> Self {
        match time {
            SystemTimeSpec::SymbolicNow => Self::Now,
            SystemTimeSpec::Absolute(time) => Self::At(time.into()),
        }
    }
}

/// What to do with one of a file's times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SetTime {
    /// Leave it as it is.
    #[default]
    Keep,
    /// The current time.
    Now,
    /// This time.
    At(Timestamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_saturate() {
        assert_eq!(Timestamp::new(0, BILLION), None);
        assert_eq!(Timestamp::new(-1, 999_999_999).unwrap().as_nanos(), 0);
        assert_eq!(Timestamp::new(i64::MAX, 0).unwrap().as_nanos(), u64::MAX);
        assert_eq!(Timestamp::from_nanos(u64::MAX).as_nanos(), u64::MAX);
    }

    #[test]
    fn before_1970_counts_forward_from_a_lower_second() {
        let t = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        assert_eq!(Timestamp::from(t), Timestamp::new(-2, 500_000_000).unwrap());
    }
}
