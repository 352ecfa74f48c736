//! Streams that the test fills and empties by hand.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use wasi_host::wait::{Notify, Wait};
use wasi_host::{
    Errno, HostInputStream, HostOutputStream, InputStream, OutputStream, StdinStream, StdoutStream,
    StreamError, StreamResult, Subscribe, async_trait,
};

/// One end of a pipe of bytes; clones are the same.
#[derive(Clone, Default)]
pub struct Pipe(Arc<(Mutex<State>, Notify)>);

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    /// How many may be written.
    room: usize,
    closed: bool,
    failed: Option<Errno>,
    /// How many streams have been dropped.
    dropped: usize,
    /// `wait` says `Future`, as a user's stream does.
    opaque: bool,
}

impl Pipe {
    /// One of which nobody knows what it waits for.
    pub fn opaque() -> Self {
        let pipe = Self::default();
        pipe.change(|s| s.opaque = true);
        pipe
    }

    fn change<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let r = f(&mut self.0.0.lock().unwrap());
        self.0.1.notify();
        r
    }

    fn look<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        f(&self.0.0.lock().unwrap())
    }

    pub fn push(&self, bytes: &[u8]) {
        self.change(|s| s.bytes.extend(bytes));
    }

    pub fn close(&self) {
        self.change(|s| s.closed = true);
    }

    pub fn fail(&self, e: Errno) {
        self.change(|s| s.failed = Some(e));
    }

    /// Lets so many more bytes be written.
    pub fn allow(&self, n: usize) {
        self.change(|s| s.room += n);
    }

    /// What is in it.
    pub fn contents(&self) -> Vec<u8> {
        self.look(|s| s.bytes.iter().copied().collect())
    }

    pub fn dropped(&self) -> usize {
        self.look(|s| s.dropped)
    }

    async fn until(&self, ready: impl Fn(&State) -> bool) {
        loop {
            let changed = self.0.1.watch();
            if self.look(&ready) {
                return;
            }
            changed.wait().await;
        }
    }

    fn wait(&self, ready: impl Fn(&State) -> bool) -> Wait<'_> {
        let changed = self.0.1.watch();
        match self.look(|s| (s.opaque, ready(s))) {
            (true, _) => Wait::Future,
            (_, true) => Wait::Ready,
            (_, false) => Wait::Notify(changed),
        }
    }
}

pub struct Input(Pipe);

fn readable(s: &State) -> bool {
    !s.bytes.is_empty() || s.closed || s.failed.is_some()
}

#[async_trait]
impl Subscribe for Input {
    async fn ready(&mut self) {
        self.0.until(readable).await;
    }

    fn wait(&self) -> Wait<'_> {
        self.0.wait(readable)
    }
}

impl HostInputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.0.change(|s| {
            if s.bytes.is_empty() {
                return match s.failed {
                    Some(e) => Err(e.into()),
                    None if s.closed => Err(StreamError::Closed),
                    None => Ok(Bytes::new()),
                };
            }
            let n = size.min(s.bytes.len());
            Ok(s.bytes.drain(..n).collect())
        })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.0.change(|s| s.dropped += 1);
    }
}

pub struct Output(Pipe);

fn writable(s: &State) -> bool {
    s.room > 0 || s.closed || s.failed.is_some()
}

#[async_trait]
impl Subscribe for Output {
    async fn ready(&mut self) {
        self.0.until(writable).await;
    }

    fn wait(&self) -> Wait<'_> {
        self.0.wait(writable)
    }
}

impl HostOutputStream for Output {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.0.look(|s| match s.failed {
            Some(e) => Err(e.into()),
            None if s.closed => Err(StreamError::Closed),
            None => Ok(s.room),
        })
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.change(|s| {
            s.room = s.room.checked_sub(bytes.len()).expect("a permit");
            s.bytes.extend(bytes);
        });
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.0.change(|s| s.dropped += 1);
    }
}

impl StdinStream for Pipe {
    fn stream(&self) -> InputStream {
        Box::new(Input(self.clone()))
    }

    fn isatty(&self) -> bool {
        false
    }
}

impl StdoutStream for Pipe {
    fn stream(&self) -> OutputStream {
        Box::new(Output(self.clone()))
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// As many as anybody wants.
pub struct Zeros;

#[async_trait]
impl Subscribe for Zeros {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostInputStream for Zeros {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        Ok(vec![0; size].into())
    }
}
