//! Datagrams that wait to be received.

use super::time::Time;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::net::SocketAddr;
use wasi_host_core::wait::{Notify, Wait};
use wasi_host_core::{Errno, Result};

/// What one counts beside its bytes, so that empty ones have a bound, too.
const OVERHEAD: usize = 128;

/// A socket's queue, which drops what it has no room for.
#[derive(Debug)]
pub(super) struct Mailbox {
    post: Mutex<Post>,
    come: Notify,
}

#[derive(Debug)]
struct Post {
    waiting: VecDeque<Letter>,
    size: usize,
    capacity: usize,
    /// Nothing from anybody else is taken.
    peer: Option<SocketAddr>,
    /// What the peer's host answered.
    failed: Option<Errno>,
    closed: bool,
}

#[derive(Debug)]
struct Letter {
    when: u64,
    from: SocketAddr,
    bytes: Box<[u8]>,
}

impl Mailbox {
    pub(super) fn new(capacity: usize) -> Self {
        let post =
            Post { waiting: VecDeque::new(), size: 0, capacity, peer: None, failed: None, closed: false };
        Self { post: post.into(), come: Notify::default() }
    }

    pub(super) fn deliver(&self, from: SocketAddr, when: u64, bytes: &[u8]) {
        let mut post = self.post.lock();
        let size = post.size + bytes.len() + OVERHEAD;
        // The first one always fits, or a large one never would.
        let full = size > post.capacity && !post.waiting.is_empty();
        if full || post.closed || post.peer.is_some_and(|peer| peer != from) {
            return;
        }
        post.size = size;
        let place = post.waiting.partition_point(|earlier| earlier.when <= when);
        post.waiting.insert(place, Letter { when, from, bytes: bytes.into() });
        drop(post);
        if place == 0 {
            self.come.notify();
        }
    }

    /// The next one, cut to the buffer's length.
    pub(super) fn recv(&self, buf: &mut [u8], time: &Time) -> Result<(usize, SocketAddr)> {
        let mut post = self.post.lock();
        post.check()?;
        if !post.waiting.front().is_some_and(|letter| time.is(letter.when)) {
            return Err(Errno::Again);
        }
        let letter = post.waiting.pop_front().ok_or(Errno::Again)?;
        post.size -= letter.bytes.len() + OVERHEAD;
        drop(post);
        let n = letter.bytes.len().min(buf.len());
        buf[..n].copy_from_slice(&letter.bytes[..n]);
        Ok((n, letter.from))
    }

    /// Fails if something has gone wrong: each time if it was closed, else once.
    pub(super) fn check(&self) -> Result<()> {
        self.post.lock().check()
    }

    pub(super) fn fail(&self, why: Errno) {
        self.post.lock().failed = Some(why);
        self.come.notify();
    }

    /// Who alone may send, from now on.
    pub(super) fn set_peer(&self, peer: Option<SocketAddr>) {
        let mut post = self.post.lock();
        (post.peer, post.failed) = (peer, None);
    }

    pub(super) fn set_capacity(&self, capacity: usize) {
        self.post.lock().capacity = capacity;
    }

    pub(super) fn close(&self) {
        self.post.lock().closed = true;
        self.come.notify();
    }

    pub(super) fn wait<'a>(&'a self, time: &'a Time) -> Wait<'a> {
        let watch = self.come.watch();
        let post = self.post.lock();
        match post.waiting.front() {
            _ if post.closed || post.failed.is_some() => Wait::Ready,
            Some(letter) => time.wait_until(letter.when, watch),
            None => Wait::Notify(watch),
        }
    }
}

impl Post {
    fn check(&mut self) -> Result<()> {
        match self.failed.take() {
            _ if self.closed => Err(Errno::Pipe),
            Some(why) => Err(why),
            None => Ok(()),
        }
    }
}
