//! By what time things arrive.

use crate::time::VirtualTime;
use std::time::{Duration, Instant};
use wasi_host_core::wait::{Wait, Watch};

/// Nanoseconds since something.
#[derive(Debug)]
pub(super) enum Time {
    Real(Instant),
    Virtual(VirtualTime),
}

impl Time {
    pub(super) fn now(&self) -> u64 {
        match self {
            Self::Real(began) => super::link::nanoseconds(began.elapsed()),
            Self::Virtual(time) => time.now(),
        }
    }

    /// Whether it is `when`. At 0 things happen at once, and the clock is not asked.
    pub(super) fn is(&self, when: u64) -> bool {
        when == 0 || self.now() >= when
    }

    /// How to wait for what comes then. What comes at the end of time never does, but something else may happen before,
    /// which `changed` tells.
    pub(super) fn wait_for<'a>(&'a self, when: u64, changed: Watch<'a>) -> Wait<'a> {
        match when {
            u64::MAX if !self.is(when) => Wait::Notify(changed),
            _ => self.wait_until(when),
        }
    }

    pub(super) fn wait_until(&self, when: u64) -> Wait<'_> {
        if self.is(when) {
            return Wait::Ready;
        }
        match self {
            Self::Real(began) => {
                began.checked_add(Duration::from_nanos(when)).map_or(Wait::Forever, Wait::Until)
            }
            Self::Virtual(time) => time.wait_until(when),
        }
    }
}
