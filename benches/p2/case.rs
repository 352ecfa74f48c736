//! What is measured, and how it goes through all hosts.

use crate::guest::Measured;
use crate::worlds::World;
use std::ops::RangeInclusive;
use std::time::Duration;
use wasi_host_benches::measure::{Effort, Run, interleaved};
use wasi_host_benches::native;
use wasi_host_benches::table::{self, Bounds, Row};
use wasmtime::Result;

/// The operations of the measured guest (`guests/c/bench_p2.c`).
pub(crate) mod op {
    pub(crate) const NOW: u32 = 1;
    pub(crate) const RANDOM_U64: u32 = 2;
    pub(crate) const RANDOM_BYTES: u32 = 3;
    pub(crate) const ENVIRONMENT: u32 = 4;
    pub(crate) const OPEN: u32 = 5;
    pub(crate) const READ: u32 = 6;
    pub(crate) const WRITE: u32 = 7;
    pub(crate) const STAT: u32 = 8;
    pub(crate) const GET_TYPE: u32 = 9;
    pub(crate) const STAT_AT: u32 = 10;
    pub(crate) const OPEN_AT: u32 = 11;
    pub(crate) const READ_DIRECTORY: u32 = 12;
    pub(crate) const STREAM_BLOCKING: u32 = 13;
    pub(crate) const STREAM_POLLED: u32 = 14;
    pub(crate) const STREAM_FLUSHED: u32 = 15;
    pub(crate) const STREAM_CHECKED: u32 = 16;
    pub(crate) const STDOUT_CHECK: u32 = 17;
    pub(crate) const STDOUT_WRITE: u32 = 18;
    pub(crate) const STDOUT_FLUSHED: u32 = 19;
    pub(crate) const STDOUT_SUBSCRIBE: u32 = 20;
    pub(crate) const STDIN_READ: u32 = 21;
    pub(crate) const STDIN_BLOCKING: u32 = 22;
    pub(crate) const BLOCK: u32 = 23;
    pub(crate) const IS_READY: u32 = 24;
    pub(crate) const SUBSCRIBE: u32 = 25;
    pub(crate) const POLL: u32 = 26;
    pub(crate) const TCP_CONNECT: u32 = 27;
    pub(crate) const TCP_OPEN: u32 = 28;
    pub(crate) const TCP_ECHO: u32 = 29;
    pub(crate) const TCP_SEND: u32 = 30;
    pub(crate) const TCP_RECEIVE: u32 = 31;
    pub(crate) const UDP_OPEN: u32 = 32;
    pub(crate) const UDP_ECHO: u32 = 33;
    pub(crate) const UDP_SEND: u32 = 34;
}

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
    b: u32,
    count: RangeInclusive<u32>,
    bounds: Bounds,
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
        self.inline_sync(times).inline_async(times)
    }

    pub(crate) fn inline_sync(mut self, times: f64) -> Self {
        self.bounds.inline = self.bounds.inline.map(|b| (times, b.1));
        self
    }

    pub(crate) fn inline_async(mut self, times: f64) -> Self {
        self.bounds.inline = self.bounds.inline.map(|b| (b.0, times));
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

    /// How it is done in each of `guests`.
    pub(crate) fn times(&self, effort: Effort, dir: &str, guests: &mut [Box<dyn Measured>]) -> Vec<f64> {
        let mut runs: Vec<Run<'_>> = vec![Box::new(|n| (self.native)(dir, n))];
        for guest in guests {
            let a = self.on.prepare(&mut **guest);
            runs.push(Box::new(move |n| guest.run(self.op, n, a, self.b).1));
        }
        // A whole file needs no repetition to be told from noise.
        let rounds = if *self.count.start() > 1 { effort.rounds.min(5) } else { effort.rounds };
        interleaved(Effort { rounds, ..effort }, self.count.clone(), &mut runs)
    }
}

/// Whether what a call costs is as near to the floor as it is to be.
pub(crate) fn is_near(ours: f64, floor: f64) -> bool {
    ours <= floor * 1.2
}

/// Prints those of `cases` that `filter` leaves, in all hosts.
pub(crate) fn print(title: &str, effort: Effort, filter: &str, cases: &[Case]) -> Result<()> {
    let cases: Vec<_> = cases.iter().filter(|c| c.name.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let world = World::new(true)?;
    let mut guests = [
        world.floor(false)?,
        world.floor(true)?,
        world.ours(false)?,
        world.ours(true)?,
        world.peer(false, true)?,
        world.peer(true, true)?,
        world.peer(false, false)?,
        world.peer(true, false)?,
    ];
    println!("{title}\n\n{}", table::HEAD);
    for case in cases {
        let t = case.times(effort, &world.dir, &mut guests);
        let row = Row {
            native: t[0],
            floor: [t[1], t[2]],
            ours: [t[3], t[4]],
            peer_inline: [t[5], t[6]],
            peer: [t[7], t[8]],
        };
        table::print(&case.name, &row, case.bounds, is_near);
    }
    Ok(())
}
