//! Bytes accepted are delivered.

use super::Shutdown;
use super::tcp::Open;
use crate::fs::Interest;
use crate::stream::{StreamError, StreamResult};
use crate::wait::{Notify, Wait, Watch};
use crate::{Errno, Result};
use smallvec::SmallVec;
use std::fmt;
use std::io::IoSlice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The sending half of a connection. It outlives the stream and the socket for as long as bytes are left.
pub struct Outgoing {
    open: Arc<Open>,
    left: Mutex<Left>,
    list: Weak<List>,
    /// Told when nothing is left.
    cleared: Notify,
}

#[derive(Default)]
struct Left {
    bytes: Vec<u8>,
    /// So many of them the network has.
    sent: usize,
    /// No more is to come: said by the guest, and carried out when nothing is left.
    ended: bool,
    /// What became of the connection, until the stream is told.
    failed: Option<Errno>,
}

/// How far [`Outgoing::drain`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nothing is left.
    Done,
    /// There is more: wait, and come again.
    More,
    /// The connection failed, and what was left is lost.
    Failed,
}

impl Outgoing {
    pub(super) fn new(open: Arc<Open>, undelivered: &Undelivered) -> Arc<Self> {
        let list = Arc::downgrade(&undelivered.0);
        Arc::new(Self { open, left: Mutex::default(), list, cleared: Notify::default() })
    }

    /// Hands on what the network takes now.
    pub fn drain(&self) -> Drained {
        let mut left = self.left();
        self.push(&mut left);
        match (left.failed, left.is_empty()) {
            (Some(_), _) => Drained::Failed,
            (None, true) => Drained::Done,
            (None, false) => Drained::More,
        }
    }

    /// What to wait for before that is worth doing.
    pub fn wait(&self) -> Wait<'_> {
        if self.left().is_empty() { Wait::Ready } else { self.writable() }
    }

    /// What the stream waits for: that nothing is left. Whoever delivers sees to that.
    pub(super) fn clear(&self) -> Wait<'_> {
        let watch = self.cleared.watch();
        if self.left().is_empty() { Wait::Ready } else { Wait::Notify(watch) }
    }

    pub(super) fn writable(&self) -> Wait<'_> {
        self.open.socket.wait(Interest::Write)
    }

    /// Whether the stream may bring more. One that has `ended` is told so when nothing is left.
    pub(super) fn is_clear(&self, ended: bool) -> StreamResult<bool> {
        let mut left = self.left();
        self.push(&mut left);
        if ended && left.failed.is_none() && !left.is_empty() {
            return Ok(false);
        }
        left.check()?;
        Ok(left.is_empty())
    }

    /// Sends nothing more, and fails with that, once.
    pub(super) fn abort(&self) -> StreamResult<()> {
        let mut left = self.left();
        let all_sent = left.is_empty() && left.failed.is_none();
        if left.ended && all_sent {
            return Err(StreamError::Closed);
        }
        left.sent = left.bytes.len();
        self.push(&mut left);
        left.failed = None;
        left.fail(Errno::ConnAborted)
    }

    /// Sends what goes at once and keeps the rest.
    pub(super) fn send(self: &Arc<Self>, src: &[u8]) -> StreamResult<()> {
        let mut left = self.left();
        left.check()?;
        if !left.is_empty() {
            left.bytes.extend_from_slice(src);
            return Ok(());
        }
        let done = self.send_now(src).or_else(|e| left.fail(e))?;
        if done == src.len() {
            return Ok(());
        }
        left.bytes.extend_from_slice(&src[done..]);
        // Listed before anybody else can find that nothing is left.
        let Some(list) = self.list.upgrade() else { return Ok(()) };
        list.add(self.clone());
        drop(left);
        list.added.notify();
        Ok(())
    }

    /// Sends what goes at once; 0 is "nothing yet".
    pub(super) fn send_some(&self, src: &[u8]) -> StreamResult<usize> {
        let mut left = self.left();
        self.push(&mut left);
        left.check()?;
        if left.is_empty() { self.send_now(src).or_else(|e| left.fail(e)) } else { Ok(0) }
    }

    fn send_now(&self, src: &[u8]) -> Result<usize> {
        if src.is_empty() {
            return Ok(0);
        }
        match self.open.socket.send(&[IoSlice::new(src)]) {
            Err(Errno::Again) => Ok(0),
            done => done,
        }
    }

    /// No more is to come: what is left goes first.
    pub(super) fn end(&self) -> Result<()> {
        let mut left = self.left();
        if left.ended {
            return Ok(());
        }
        left.ended = true;
        if left.is_empty() { self.open.socket.shutdown(Shutdown::Send) } else { Ok(()) }
    }

    /// The same at the stream's word, which learns with the next look if that was no connection any more.
    pub(super) fn end_of_stream(&self) {
        if self.end().is_err() {
            self.fail(&mut self.left());
        }
    }

    fn fail(&self, left: &mut Left) {
        // Asked to send nothing, a system still says why it cannot.
        let why = || self.open.socket.send(&[IoSlice::new(&[])]).err().unwrap_or(Errno::Pipe);
        left.failed.get_or_insert_with(why);
    }

    fn push(&self, left: &mut Left) {
        while !left.is_empty() {
            match self.send_now(&left.bytes[left.sent..]) {
                Ok(0) => return,
                Ok(n) => left.sent += n,
                Err(e) => {
                    left.failed = Some(e);
                    left.sent = left.bytes.len();
                }
            }
        }
        if left.sent == 0 {
            return;
        }
        left.bytes.clear();
        left.sent = 0;
        if left.ended && self.open.socket.shutdown(Shutdown::Send).is_err() {
            self.fail(left);
        }
        if let Some(list) = self.list.upgrade() {
            list.remove(self);
        }
        self.cleared.notify();
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Left {
    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Tells what became of the connection, once; after that, or after the end, there is no writing.
    fn check(&mut self) -> StreamResult<()> {
        match self.failed.take() {
            // What was accepted is lost, be it that the other side has just gone.
            Some(e) => {
                self.ended = true;
                Err(e.into())
            }
            None if self.ended => Err(StreamError::Closed),
            None => Ok(()),
        }
    }

    fn fail<T>(&mut self, e: Errno) -> StreamResult<T> {
        self.ended = true;
        Err(if e == Errno::Pipe { StreamError::Closed } else { e.into() })
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.left();
        f.debug_struct("Outgoing").field("left", &(left.bytes.len() - left.sent)).finish_non_exhaustive()
    }
}

/// The connections of one context with bytes left to deliver. Clones are the same list.
///
/// Whoever hosts the guest has them drained while the guest does other things, and after it has ended: with each wait of
/// a synchronous host, in a task of its own in an asynchronous one.
///
/// ```
/// # use wasi_host_core::{net::Undelivered, wait::{Wait, Waiter}};
/// fn deliver(undelivered: &Undelivered, waiter: &dyn Waiter) {
///     while !undelivered.is_empty() {
///         let pending = undelivered.pending();
///         let waits: Vec<Wait<'_>> = pending.iter().map(|outgoing| outgoing.wait()).collect();
///         let mut ended = Vec::new();
///         waiter.any(&waits, &mut [], &mut ended).unwrap();
///         for event in ended {
///             pending[event.index].drain();
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Undelivered(Arc<List>);

#[derive(Debug, Default)]
struct List {
    len: AtomicUsize,
    pending: Mutex<Vec<Arc<Outgoing>>>,
    added: Notify,
}

impl Undelivered {
    /// Whether all has been delivered; costs next to nothing.
    pub fn is_empty(&self) -> bool {
        self.0.len.load(Ordering::Acquire) == 0
    }

    /// The connections that have bytes left.
    pub fn pending(&self) -> SmallVec<[Arc<Outgoing>; 4]> {
        self.0.pending().iter().cloned().collect()
    }

    /// Changes when one more is pending; to be taken before looking at those that are.
    pub fn watch(&self) -> Watch<'_> {
        self.0.added.watch()
    }
}

impl List {
    fn add(&self, outgoing: Arc<Outgoing>) {
        let mut pending = self.pending();
        pending.push(outgoing);
        self.len.store(pending.len(), Ordering::Release);
    }

    fn remove(&self, outgoing: &Outgoing) {
        let mut pending = self.pending();
        if let Some(place) = pending.iter().position(|o| std::ptr::eq(&**o, outgoing)) {
            // Whoever drains it holds it too, so this is not the last.
            pending.swap_remove(place);
        }
        self.len.store(pending.len(), Ordering::Release);
    }

    fn pending(&self) -> MutexGuard<'_, Vec<Arc<Outgoing>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
