//! One direction of a connection.

use super::time::Time;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use wasi_host_core::wait::{Notify, Wait};
use wasi_host_core::{Errno, Result};

/// So many stretches of bytes that arrive at times of their own are told apart; beyond that they come together.
const STRETCHES: usize = 256;

/// When the end arrives that got lost.
pub(super) const NEVER: u64 = u64::MAX;

/// Bytes from one end to the other, in a bounded buffer.
#[derive(Debug)]
pub(super) struct Pipe {
    flow: Mutex<Flow>,
    readable: Notify,
    writable: Notify,
}

#[derive(Debug, Default)]
struct Flow {
    bytes: VecDeque<u8>,
    /// How many of them have arrived, …
    arrived: usize,
    /// … and when the others do.
    coming: VecDeque<Stretch>,
    capacity: usize,
    /// After the bytes comes the end, at this time.
    end: Option<u64>,
    failure: Failure,
    reader: Reader,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    when: u64,
    len: usize,
}

/// What became of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Failure {
    #[default]
    None,
    /// The end that reads here has not been told yet.
    Untold(Errno),
    Told,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Reader {
    #[default]
    There,
    /// Wants no more, …
    Deaf,
    /// … and sends no more either: what is still sent to it ends the connection.
    Done,
    Gone,
    /// Done or gone, and something was sent to it since.
    Missed,
}

impl Pipe {
    pub(super) fn new(capacity: usize) -> Self {
        let flow = Flow { capacity, ..Flow::default() };
        Self { flow: flow.into(), readable: Notify::default(), writable: Notify::default() }
    }

    /// Takes some of the bytes; `arrival` says for how many when they arrive, and `None` if they never will.
    pub(super) fn send(
        &self,
        bufs: &[IoSlice<'_>],
        arrival: impl FnOnce(usize) -> Option<u64>,
    ) -> Result<usize> {
        let mut flow = self.flow.lock();
        if flow.end.is_some() || flow.reader == Reader::Missed {
            return Err(Errno::Pipe);
        }
        let all: usize = bufs.iter().map(|buf| buf.len()).sum();
        if matches!(flow.reader, Reader::Done | Reader::Gone) && all > 0 {
            // As with a real peer, whose answer that nobody is there comes after this.
            flow.reader = Reader::Missed;
            drop(flow);
            self.fail(Errno::ConnReset);
            return Ok(all);
        }
        let len = all.min(flow.room());
        if len == 0 {
            return if all == 0 { Ok(0) } else { Err(Errno::Again) };
        }
        let when = arrival(len).ok_or(Errno::TimedOut)?;
        let was_empty = flow.bytes.is_empty();
        let mut left = len;
        for buf in bufs {
            let n = buf.len().min(left);
            flow.bytes.extend(&buf[..n]);
            left -= n;
        }
        flow.expect(when, len);
        drop(flow);
        if was_empty {
            self.readable.notify();
        }
        Ok(len)
    }

    /// Gives some of the bytes; 0 is the end. With `peek` they stay.
    pub(super) fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool, time: &Time) -> Result<usize> {
        let mut flow = self.flow.lock();
        flow.arrive(time);
        if flow.arrived == 0 {
            return flow.nothing(time);
        }
        let mut given = 0;
        for buf in bufs {
            let n = buf.len().min(flow.arrived - given);
            copy(&flow.bytes, given, &mut buf[..n]);
            given += n;
        }
        if peek {
            return Ok(given);
        }
        let was_full = flow.room() == 0;
        flow.bytes.drain(..given);
        flow.arrived -= given;
        drop(flow);
        if was_full && given > 0 {
            self.writable.notify();
        }
        Ok(given)
    }

    /// No more is to be sent: the other end learns at `when`, or after the bytes.
    pub(super) fn end(&self, when: u64) {
        let mut flow = self.flow.lock();
        let last = flow.coming.back().map_or(0, |stretch| stretch.when);
        flow.end.get_or_insert(when.max(last));
        drop(flow);
        self.tell();
    }

    /// No more is to be received, though what comes still may be; unless the reader is `done` with the connection.
    pub(super) fn deafen(&self, done: bool) {
        let mut flow = self.flow.lock();
        flow.reader = match flow.reader {
            Reader::There | Reader::Deaf if done => Reader::Done,
            Reader::There => Reader::Deaf,
            other => other,
        };
        drop(flow);
        self.tell();
    }

    pub(super) fn is_deaf(&self) -> bool {
        self.flow.lock().reader != Reader::There
    }

    /// Nobody reads any more. Says whether something is lost by that.
    pub(super) fn abandon(&self) -> bool {
        let mut flow = self.flow.lock();
        if flow.reader != Reader::Missed {
            flow.reader = Reader::Gone;
        }
        let lost = !flow.bytes.is_empty();
        (flow.bytes, flow.coming, flow.arrived) = Default::default();
        drop(flow);
        self.tell();
        lost
    }

    /// The connection has failed: who reads here learns why.
    pub(super) fn fail(&self, why: Errno) {
        let mut flow = self.flow.lock();
        if flow.failure == Failure::None {
            // Who was told that this is the end learns no more than that; but some ends never arrive.
            let told = flow.end.is_some_and(|when| when != NEVER);
            flow.failure = if told { Failure::Told } else { Failure::Untold(why) };
        }
        drop(flow);
        self.tell();
    }

    /// Fails if the connection has: with the reason, once.
    pub(super) fn check(&self) -> Result<()> {
        self.flow.lock().failure.tell().map_or(Ok(()), |why| Err(why.unwrap_or(Errno::Pipe)))
    }

    /// Whether the connection has failed, as far as who reads here could know.
    pub(super) fn has_failed(&self) -> bool {
        self.flow.lock().failure != Failure::None
    }

    /// Whether no more is to be sent.
    pub(super) fn has_end(&self) -> bool {
        self.flow.lock().end.is_some()
    }

    /// Whether nothing goes this way any more.
    pub(super) fn is_over(&self, time: &Time) -> bool {
        let flow = self.flow.lock();
        flow.reader == Reader::Missed || flow.end.is_some_and(|when| time.is(when))
    }

    pub(super) fn set_capacity(&self, capacity: usize) {
        self.flow.lock().capacity = capacity;
        self.writable.notify();
    }

    /// What to wait for before there is something to receive.
    pub(super) fn wait_to_read<'a>(&'a self, time: &'a Time) -> Wait<'a> {
        let watch = self.readable.watch();
        let flow = self.flow.lock();
        if flow.arrived > 0 || flow.failure != Failure::None || flow.reader != Reader::There {
            return Wait::Ready;
        }
        match flow.coming.front().map(|stretch| stretch.when).or(flow.end) {
            Some(when) => time.wait_until(when, watch),
            None => Wait::Notify(watch),
        }
    }

    /// What to wait for before something can be sent.
    pub(super) fn wait_to_write(&self) -> Wait<'_> {
        let watch = self.writable.watch();
        let flow = self.flow.lock();
        let stuck =
            flow.room() == 0 && flow.end.is_none() && matches!(flow.reader, Reader::There | Reader::Deaf);
        if stuck { Wait::Notify(watch) } else { Wait::Ready }
    }

    fn tell(&self) {
        self.readable.notify();
        self.writable.notify();
    }
}

impl Flow {
    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.bytes.len())
    }

    /// What is sent later does not arrive earlier.
    fn expect(&mut self, when: u64, len: usize) {
        let many = self.coming.len() >= STRETCHES;
        match self.coming.back_mut() {
            None if when == 0 => self.arrived += len,
            Some(last) if many || when <= last.when => {
                last.when = last.when.max(when);
                last.len += len;
            }
            _ => self.coming.push_back(Stretch { when, len }),
        }
    }

    fn arrive(&mut self, time: &Time) {
        if self.coming.is_empty() {
            return;
        }
        let now = time.now();
        while let Some(stretch) = self.coming.front().filter(|stretch| stretch.when <= now) {
            self.arrived += stretch.len;
            self.coming.pop_front();
        }
    }

    /// What is received where nothing is there.
    fn nothing(&mut self, time: &Time) -> Result<usize> {
        match self.failure.tell() {
            Some(Some(why)) => return Err(why),
            Some(None) => return Ok(0),
            None => {}
        }
        let ended = self.coming.is_empty() && self.end.is_some_and(|when| time.is(when));
        if ended || self.reader != Reader::There { Ok(0) } else { Err(Errno::Again) }
    }
}

impl Failure {
    /// Whether it has failed, with the reason if nobody was told.
    fn tell(&mut self) -> Option<Option<Errno>> {
        match *self {
            Self::None => None,
            Self::Told => Some(None),
            Self::Untold(why) => {
                *self = Self::Told;
                Some(Some(why))
            }
        }
    }
}

/// Copies from a place in the queue on.
fn copy(from: &VecDeque<u8>, start: usize, to: &mut [u8]) {
    let (front, back) = from.as_slices();
    let first = front.get(start..).unwrap_or_default();
    let n = first.len().min(to.len());
    let (head, tail) = to.split_at_mut(n);
    head.copy_from_slice(&first[..n]);
    let start = start.saturating_sub(front.len());
    tail.copy_from_slice(&back[start..start + tail.len()]);
}
