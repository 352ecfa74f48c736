//! By what time things arrive.

use crate::time::VirtualTime;
use std::time::{Duration, Instant};
use wasi_host_core::wait::Wait;

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
