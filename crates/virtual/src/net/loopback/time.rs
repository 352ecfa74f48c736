//! By what time things arrive.

use crate::time::VirtualTime;
use std::time::{Duration, Instant};
use wasi_host_core::wait::{Deadline, Wait, Watch};

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

    /// For `when`, unless something changes `sooner`: what is on its way may be overtaken, and who waits for it may be told
    /// to wait no more.
    pub(super) fn wait_until<'a>(&'a self, when: u64, sooner: Watch<'a>) -> Wait<'a> {
        if self.is(when) {
            return Wait::Ready;
        }
        let deadline = match self {
            Self::Real(began) => began.checked_add(Duration::from_nanos(when)).map(Deadline::Until),
            Self::Virtual(time) => match time.wait_until(when) {
                Wait::Ready => return Wait::Ready,
                Wait::Clock(moved, when) => Some(Deadline::Clock(moved, when)),
                _ => None,
            },
        };
        deadline.map_or(Wait::Notify(sooner), |deadline| Wait::NotifyBy(sooner, deadline))
    }
}
