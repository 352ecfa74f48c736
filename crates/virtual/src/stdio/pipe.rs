//! Bytes on their way between a guest and its host.

use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use wasi_host_core::wait::{Notify, Wait};
use wasi_host_core::{Errno, Result};

/// A pipe that holds up to `bound` bytes, at least one.
pub(super) fn pipe(bound: usize) -> (Writer, Reader) {
    let pipe = Arc::new(Pipe { bound: bound.max(1), ..Pipe::default() });
    (Writer(pipe.clone()), Reader(pipe))
}

/// The end that is written to. The other end is told when it is dropped.
#[derive(Debug)]
pub(super) struct Writer(Arc<Pipe>);

/// The end that is read.
#[derive(Debug)]
pub(super) struct Reader(Arc<Pipe>);

#[derive(Debug, Default)]
struct Pipe {
    bound: usize,
    state: Mutex<State>,
    /// There are bytes, or no more are to come.
    filled: Notify,
    /// There is room, or nobody reads any more.
    taken: Notify,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    no_writer: bool,
    no_reader: bool,
}

impl std::fmt::Debug for State {
    /// Without what is on its way.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("held", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Writer {
    /// How much may be put in now.
    ///
    /// # Errors
    ///
    /// `Pipe` if nobody reads.
    pub(super) fn room(&self) -> Result<usize> {
        let state = self.0.state.lock();
        if state.no_reader { Err(Errno::Pipe) } else { Ok(self.0.bound.saturating_sub(state.bytes.len())) }
    }

    /// Puts in what there is room for; how much that was.
    pub(super) fn put_some(&self, src: &[u8]) -> Result<usize> {
        self.put(|held| {
            let n = src.len().min(self.0.bound.saturating_sub(held));
            Ok(&src[..n])
        })
    }

    /// Puts in all of `src`, for which there was room when the writer looked. If others have come first, there may be
    /// twice as much in the pipe as it holds.
    ///
    /// # Errors
    ///
    /// `NoBufs` if there would be more than that.
    pub(super) fn put_all(&self, src: &[u8]) -> Result<()> {
        let most = self.0.bound.saturating_mul(2);
        self.put(|held| if src.len() <= most.saturating_sub(held) { Ok(src) } else { Err(Errno::NoBufs) })?;
        Ok(())
    }

    fn put<'a>(&self, what: impl FnOnce(usize) -> Result<&'a [u8]>) -> Result<usize> {
        let mut state = self.0.state.lock();
        if state.no_reader {
            return Err(Errno::Pipe);
        }
        let src = what(state.bytes.len())?;
        if src.is_empty() {
            return Ok(0);
        }
        state.bytes.extend(src);
        drop(state);
        self.0.filled.notify();
        Ok(src.len())
    }

    /// Ends when there is room.
    pub(super) fn wait(&self) -> Wait<'_> {
        let taken = self.0.taken.watch();
        if self.room() == Ok(0) { Wait::Notify(taken) } else { Wait::Ready }
    }

    pub(super) async fn ready(&self) {
        if let Wait::Notify(taken) = self.wait() {
            taken.wait().await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.state.lock().no_writer = true;
        self.0.filled.notify();
    }
}

impl Reader {
    /// All that there is, nothing if it is still to come; `None` at the end.
    pub(super) fn take_all(&self) -> Option<Bytes> {
        self.take(|bytes| Vec::from(std::mem::take(bytes)).into())
    }

    /// Moves what there is to `dst`; how much that was, `None` at the end.
    pub(super) fn take_into(&self, dst: &mut [u8]) -> Option<usize> {
        self.take(|bytes| {
            let n = dst.len().min(bytes.len());
            let (front, back) = bytes.as_slices();
            let split = n.min(front.len());
            dst[..split].copy_from_slice(&front[..split]);
            dst[split..n].copy_from_slice(&back[..n - split]);
            bytes.drain(..n);
            n
        })
    }

    /// How many bytes there are; `None` at the end.
    pub(super) fn held(&self) -> Option<usize> {
        let state = self.0.state.lock();
        let ended = state.bytes.is_empty() && state.no_writer;
        (!ended).then_some(state.bytes.len())
    }

    fn take<T>(&self, f: impl FnOnce(&mut VecDeque<u8>) -> T) -> Option<T> {
        let mut state = self.0.state.lock();
        if state.bytes.is_empty() && state.no_writer {
            return None;
        }
        let before = state.bytes.len();
        let taken = f(&mut state.bytes);
        let fewer = state.bytes.len() < before;
        drop(state);
        if fewer {
            self.0.taken.notify();
        }
        Some(taken)
    }

    /// Ends when there are bytes, or no more are to come.
    pub(super) fn wait(&self) -> Wait<'_> {
        let filled = self.0.filled.watch();
        if self.held() == Some(0) { Wait::Notify(filled) } else { Wait::Ready }
    }

    pub(super) async fn ready(&self) {
        if let Wait::Notify(filled) = self.wait() {
            filled.wait().await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.no_reader = true;
        state.bytes = VecDeque::new();
        drop(state);
        self.0.taken.notify();
    }
}
