//! Writing what a task brings out.

use super::End;
use crate::runtime;
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use wasi_host_core::Errno;
use wasi_host_core::stream::{HostOutputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::{Notify, Wait};

/// A stream for guests over anything that tokio writes.
///
/// Dropped, it leaves its task to bring out what was accepted, and then to shut the writer down.
///
/// ```
/// use wasi_host_core::stream::HostOutputStream;
/// use wasi_host_native::{pipe::AsyncWriteStream, runtime::in_tokio};
/// # use tokio::io::AsyncReadExt;
/// in_tokio(async {
///     let (ours, mut theirs) = tokio::io::duplex(1024);
///     let mut stream = AsyncWriteStream::new(4096, ours);
///     stream.blocking_write_and_flush("hello".into()).await.unwrap();
///     drop(stream);
///     let mut got = String::new();
///     theirs.read_to_string(&mut got).await.unwrap();
///     assert_eq!(got, "hello");
/// });
/// ```
#[derive(Debug)]
pub struct AsyncWriteStream {
    pub(super) writer: Arc<Writer>,
}

impl AsyncWriteStream {
    /// Has a task write to `writer`; up to `write_budget` bytes are accepted before it has.
    ///
    /// # Panics
    ///
    /// If the system gives no thread or descriptor for our runtime.
    pub fn new(write_budget: usize, writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        let shared = Arc::new(Writer {
            // Without any it could never be written to.
            budget: write_budget.max(1),
            state: Mutex::default(),
            given: Notify::default(),
            done: Notify::default(),
        });
        runtime::ours().spawn(bring_out(writer, Ending(shared.clone())));
        Self { writer: shared }
    }
}

impl Drop for AsyncWriteStream {
    fn drop(&mut self) {
        self.writer.state().abandoned = true;
        self.writer.given.notify();
    }
}

#[async_trait::async_trait]
impl Subscribe for AsyncWriteStream {
    async fn ready(&mut self) {
        self.writer.ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.writer.wait()
    }
}

#[async_trait::async_trait]
impl HostOutputStream for AsyncWriteStream {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.writer.check_write()
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        self.writer.write(src, 0)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.writer.flush()
    }
}

/// What is accepted beyond the budget at most, however many streams were permitted something: in bytes.
const BEYOND: usize = 1 << 20;

/// What a task and the streams over it share.
#[derive(Debug)]
pub(super) struct Writer {
    budget: usize,
    state: Mutex<State>,
    given: Notify,
    done: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Accepted, and not in the task's hand yet. Copied together, so that many small writes take no more than they are.
    accepted: Vec<u8>,
    /// How much the task has in its hand.
    in_hand: usize,
    flush: bool,
    /// Nobody writes any more.
    abandoned: bool,
    end: End,
}

impl State {
    fn room(&self, budget: usize) -> usize {
        if self.flush { 0 } else { self.room_in(budget) }
    }

    fn room_in(&self, budget: usize) -> usize {
        budget.saturating_sub(self.accepted.len() + self.in_hand)
    }
}

impl Writer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_write(&self) -> StreamResult<usize> {
        let mut state = self.state();
        state.end.tell()?;
        Ok(state.room(self.budget))
    }

    /// Accepts all of `src`, if there is room or a permit for it.
    pub(super) fn write(&self, src: &[u8], permit: usize) -> StreamResult<()> {
        let mut state = self.state();
        state.end.tell()?;
        if src.is_empty() {
            return Ok(());
        }
        if src.len() > state.room(self.budget) {
            if src.len() > permit {
                return Err(StreamError::trap("written more than was permitted"));
            }
            if src.len() > state.room_in(self.budget.saturating_add(BEYOND)) {
                return Err(Errno::NoBufs.into());
            }
        }
        state.accepted.extend_from_slice(src);
        drop(state);
        self.given.notify();
        Ok(())
    }

    pub(super) fn flush(&self) -> StreamResult<()> {
        let mut state = self.state();
        state.end.tell()?;
        state.flush = true;
        drop(state);
        self.given.notify();
        Ok(())
    }

    pub(super) fn wait(&self) -> Wait<'_> {
        let done = self.done.watch();
        let state = self.state();
        if state.end.is_open() && state.room(self.budget) == 0 { Wait::Notify(done) } else { Wait::Ready }
    }

    pub(super) async fn ready(&self) {
        if let Wait::Notify(done) = self.wait() {
            done.wait().await;
        }
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        state.accepted = Vec::new();
        if state.end.is_open() {
            state.end = end;
        }
        drop(state);
        self.done.notify();
    }

    /// Waits until there is something to do. What there is to write comes into `hand`, which is empty.
    async fn next(&self, hand: &mut Vec<u8>) -> Next {
        loop {
            let given = self.given.watch();
            {
                let mut state = self.state();
                if !state.accepted.is_empty() {
                    std::mem::swap(&mut state.accepted, hand);
                    state.in_hand = hand.len();
                    return Next::Write;
                }
                if state.flush {
                    return Next::Flush;
                }
                if state.abandoned {
                    return Next::Stop;
                }
            }
            given.wait().await;
        }
    }

    fn did(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.done.notify();
    }
}

enum Next {
    Write,
    Flush,
    Stop,
}

/// Held by the task. However that ends, whoever waits for it is told.
struct Ending(Arc<Writer>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(End::Closed);
    }
}

async fn bring_out(mut to: impl AsyncWrite + Unpin, writer: Ending) {
    if let Err(e) = bring_all_out(&mut to, &writer.0).await {
        writer.0.end(End::Failed(e));
    }
}

async fn bring_all_out(to: &mut (impl AsyncWrite + Unpin), writer: &Writer) -> io::Result<()> {
    let mut hand = Vec::new();
    loop {
        match writer.next(&mut hand).await {
            Next::Write => {
                to.write_all(&hand).await?;
                hand.clear();
                writer.did(|state| state.in_hand = 0);
            }
            Next::Flush => {
                to.flush().await?;
                writer.did(|state| state.flush = false);
            }
            Next::Stop => return to.shutdown().await,
        }
    }
}
