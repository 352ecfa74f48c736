//! Reading what a task has read ahead.

use super::End;
use crate::runtime;
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;
use wasi_host_core::stream::{HostInputStream, StreamResult, Subscribe};
use wasi_host_core::wait::{Notify, Wait};

/// What the task reads at a time, at most. It holds two of these at most: one to be taken, one in its hand.
const CHUNK: usize = 64 << 10;

/// Less room than that is not worth a read.
const LITTLE: usize = 4096;

/// A stream for guests over anything that tokio reads. Dropped, it ends the task that reads.
///
/// ```
/// use wasi_host_core::stream::HostInputStream;
/// use wasi_host_native::{pipe::AsyncReadStream, runtime::in_tokio};
/// in_tokio(async {
///     let mut stream = AsyncReadStream::new(&b"hello"[..]);
///     assert_eq!(stream.blocking_read(100).await.unwrap(), "hello");
/// });
/// ```
#[derive(Debug)]
pub struct AsyncReadStream {
    pub(super) reader: Arc<Reader>,
    task: JoinHandle<()>,
}

impl AsyncReadStream {
    /// Has a task read `reader` ahead, no more than 128 KiB.
    ///
    /// # Panics
    ///
    /// If the system gives no thread or descriptor for our runtime.
    pub fn new(reader: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let shared = Arc::new(Reader::default());
        let task = runtime::ours().spawn(read_ahead(reader, Ending(shared.clone())));
        Self { reader: shared, task }
    }
}

impl Drop for AsyncReadStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait::async_trait]
impl Subscribe for AsyncReadStream {
    async fn ready(&mut self) {
        self.reader.ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.reader.wait()
    }
}

#[async_trait::async_trait]
impl HostInputStream for AsyncReadStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.reader.read(size)
    }

    async fn cancel(&mut self) {
        self.task.abort();
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }
}

/// What a task and the streams over it share.
#[derive(Debug, Default)]
pub(super) struct Reader {
    state: Mutex<State>,
    filled: Notify,
    taken: Notify,
}

#[derive(Debug, Default)]
struct State {
    ahead: BytesMut,
    /// Told when all has been taken.
    end: End,
}

impl Reader {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, size: usize) -> StreamResult<Bytes> {
        let mut state = self.state();
        if state.ahead.is_empty() {
            return state.end.tell().map(|()| Bytes::new());
        }
        let n = size.min(state.ahead.len());
        let bytes = state.ahead.split_to(n).freeze();
        drop(state);
        self.taken.notify();
        Ok(bytes)
    }

    pub(super) fn wait(&self) -> Wait<'_> {
        let filled = self.filled.watch();
        let state = self.state();
        if state.ahead.is_empty() && state.end.is_open() { Wait::Notify(filled) } else { Wait::Ready }
    }

    pub(super) async fn ready(&self) {
        if let Wait::Notify(filled) = self.wait() {
            filled.wait().await;
        }
    }

    /// Puts down what was read once there is room for it.
    async fn put(&self, chunk: BytesMut) {
        loop {
            let taken = self.taken.watch();
            {
                let mut state = self.state();
                if state.ahead.is_empty() || state.ahead.len() + chunk.len() <= CHUNK {
                    // As a rule they lie side by side.
                    state.ahead.unsplit(chunk);
                    break;
                }
            }
            taken.wait().await;
        }
        self.filled.notify();
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        if state.end.is_open() {
            state.end = end;
        }
        drop(state);
        self.filled.notify();
    }
}

/// Held by the task. However that ends, whoever waits for it is told.
struct Ending(Arc<Reader>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(End::Closed);
    }
}

async fn read_ahead(mut from: impl AsyncRead + Unpin, reader: Ending) {
    let mut buffer = BytesMut::new();
    loop {
        if buffer.capacity() < LITTLE {
            buffer.reserve(CHUNK);
        }
        match from.read_buf(&mut (&mut buffer).limit(CHUNK)).await {
            Ok(0) => return,
            Ok(_) => reader.0.put(buffer.split()).await,
            Err(e) => return reader.0.end(End::Failed(e)),
        }
    }
}
