//! Connections that wait to be accepted.

use super::tcp::Connection;
use super::time::Time;
use parking_lot::Mutex;
use std::collections::VecDeque;
use wasi_host_core::wait::{Notify, Wait};
use wasi_host_core::{Errno, Result};

/// So many at most.
const LONGEST: u32 = 128;

/// The queue of a socket that listens.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    /// How many bytes the sockets that are accepted may have waiting.
    pub(super) capacity: usize,
}

#[derive(Debug)]
struct Waiting {
    /// Each with the time when it is here.
    come: VecDeque<(u64, Connection)>,
    most: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(backlog: u32, capacity: usize) -> Self {
        let waiting = Waiting { come: VecDeque::new(), most: most(backlog), closed: false };
        Self { waiting: waiting.into(), changed: Notify::default(), capacity }
    }

    pub(super) fn set_backlog(&self, backlog: u32) -> Result<()> {
        let mut waiting = self.waiting.lock();
        waiting.most = most(backlog);
        if waiting.closed { Err(Errno::Inval) } else { Ok(()) }
    }

    /// Whether one more may come; `ConnRefused` if none may.
    pub(super) fn has_room(&self) -> Result<bool> {
        let waiting = self.waiting.lock();
        if waiting.closed { Err(Errno::ConnRefused) } else { Ok(waiting.come.len() < waiting.most) }
    }

    /// One comes. It is turned away if there is no room by now.
    pub(super) fn add(&self, when: u64, connection: Connection) {
        let mut waiting = self.waiting.lock();
        if waiting.closed || waiting.come.len() >= waiting.most {
            drop(waiting);
            return connection.reset();
        }
        let place = waiting.come.partition_point(|(earlier, _)| *earlier <= when);
        waiting.come.insert(place, (when, connection));
        drop(waiting);
        self.changed.notify();
    }

    pub(super) fn accept(&self, time: &Time) -> Result<Connection> {
        let mut waiting = self.waiting.lock();
        match waiting.come.front() {
            _ if waiting.closed => Err(Errno::Inval),
            Some((when, _)) if time.is(*when) => {
                waiting.come.pop_front().map(|(_, connection)| connection).ok_or(Errno::Again)
            }
            _ => Err(Errno::Again),
        }
    }

    /// Nobody accepts any more: those who wait are told.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        let come = std::mem::take(&mut waiting.come);
        drop(waiting);
        self.changed.notify();
        come.into_iter().for_each(|(_, connection)| connection.reset());
    }

    pub(super) fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }

    pub(super) fn wait<'a>(&'a self, time: &'a Time) -> Wait<'a> {
        let watch = self.changed.watch();
        let waiting = self.waiting.lock();
        match waiting.come.front() {
            _ if waiting.closed => Wait::Ready,
            Some((when, _)) => time.wait_until(*when, watch),
            None => Wait::Notify(watch),
        }
    }
}

fn most(backlog: u32) -> usize {
    backlog.clamp(1, LONGEST) as usize
}
