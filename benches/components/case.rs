//! What is measured, and how it goes through all hosts.

use crate::guest::Measured;
use crate::op;
use std::ops::RangeInclusive;
use std::time::Duration;
use wasi_host_benches::measure::{Effort, Run, interleaved};
use wasi_host_benches::native;
use wasi_host_benches::table::Bounds;

/// What an operation is applied to: its first argument.
#[derive(Clone, Copy)]
pub(crate) enum On {
    Number(u32),
    /// A file or directory that is opened first: its path, open flags and descriptor flags.
    Opened(&'static str, u32, u32),
    Path(&'static str),
    /// A server that is connected to first, with this operation; and a number.
    Server(u32, u16, u32),
}

impl On {
    fn prepare(self, guest: &mut dyn Measured) -> u32 {
        match self {
            Self::Number(n) => n,
            Self::Opened(path, open, flags) => {
                guest.set_path(path);
                guest.run(op::OPEN, 1, open, flags).0 as u32
            }
            Self::Path(path) => {
                guest.set_path(path);
                0
            }
            Self::Server(open, port, n) => {
                guest.run(open, 1, port.into(), 0);
                n
            }
        }
    }
}

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    op: u32,
    on: On,
    pub(crate) b: u32,
    count: RangeInclusive<u32>,
    pub(crate) bounds: Bounds,
    native: fn(&str, u32) -> Duration,
}

impl Case {
    /// One that is done any number of times, and is to be no more than 5 % slower than the peer.
    pub(crate) fn new(name: impl Into<String>, op: u32, on: On, b: u32) -> Self {
        let bounds = Bounds { inline: Some((0.95, 0.95)), default: Some(0.95) };
        Self { name: name.into(), op, on, b, count: 1..=20_000_000, bounds, native: native::nothing }
    }

    /// So many times at least and at most.
    pub(crate) fn count(self, count: RangeInclusive<u32>) -> Self {
        Self { count, ..self }
    }

    /// So many times as fast as the peer on the calling thread.
    pub(crate) fn inline(self, times: f64) -> Self {
        let mut case = self.inline_sync(times);
        case.bounds.inline = case.bounds.inline.map(|b| (b.0, times));
        case
    }

    /// The same, in a synchronous host.
    pub(crate) fn inline_sync(mut self, times: f64) -> Self {
        self.bounds.inline = self.bounds.inline.map(|b| (times, b.1));
        self
    }

    /// So many times as fast as the peer by its default.
    pub(crate) fn default(mut self, times: f64) -> Self {
        self.bounds.default = Some(times);
        self
    }

    /// Beside this system call.
    pub(crate) fn native(self, native: fn(&str, u32) -> Duration) -> Self {
        Self { native, ..self }
    }

    /// How it is done in each of `guests`, behind the system call.
    pub(crate) fn times(&self, effort: Effort, dir: &str, guests: &mut [Box<dyn Measured>]) -> Vec<f64> {
        let mut runs: Vec<Run<'_>> = vec![Box::new(|n| (self.native)(dir, n))];
        for guest in guests {
            let a = self.on.prepare(&mut **guest);
            runs.push(Box::new(move |n| guest.run(self.op, n, a, self.b).1));
        }
        // A whole file needs no repetition to be told from noise.
        let rounds = if *self.count.start() > 1 { effort.rounds.min(9) } else { effort.rounds };
        interleaved(Effort { rounds, ..effort }, self.count.clone(), &mut runs)
    }
}

/// Whether what a call costs is as near to the floor as it is to be.
pub(crate) fn is_near(ours: f64, floor: f64) -> bool {
    ours <= floor * 1.2
}
