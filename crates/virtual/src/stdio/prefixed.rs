//! Something before each line.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// What one write may become with the prefixes in it, in bytes.
const MOST: usize = 64 << 10;

/// Another output, to which each line goes with a prefix. Nothing is held back until its line is complete: the prefix goes
/// before the first byte of a line, and that when it is written.
///
/// Where `inner` has less room than a prefix takes, the rest of one is kept for it, and lost if the stream is dropped before
/// there is room.
///
/// All clones and streams write to the same line. Where several guests, or standard output and standard error, go to one
/// `inner`, the line that one has begun another may continue; whole lines alone are given by
/// [`Callback::lines`](super::Callback::lines).
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_virtual::stdio::{Captured, Full, Prefixed};
///
/// let log = Captured::new(1 << 20, Full::Truncate);
/// let stdout = Prefixed::new(log.clone(), "> ");
/// let mut stream = stdout.stream();
/// stream.write("one\nt".into()).unwrap();
/// stream.write("wo\n\n".into()).unwrap();
/// assert_eq!(log.contents(), "> one\n> two\n> \n");
/// ```
#[derive(Clone, Debug)]
pub struct Prefixed<S> {
    inner: S,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    prefix: Bytes,
    /// Its prefix has been written.
    begun: AtomicBool,
}

impl<S> Prefixed<S> {
    /// Output to `inner`, with `prefix` before each line.
    pub fn new(inner: S, prefix: impl Into<Bytes>) -> Self {
        Self { inner, line: Arc::new(Line { prefix: prefix.into(), begun: AtomicBool::new(false) }) }
    }
}

impl<S: StdoutStream> StdoutStream for Prefixed<S> {
    fn stream(&self) -> OutputStream {
        Box::new(Stream {
            inner: self.inner.stream(),
            line: self.line.clone(),
            rest: Vec::new(),
            then: Then::Nothing,
        })
    }

    fn isatty(&self) -> bool {
        self.inner.isatty()
    }
}

impl Line {
    /// Puts lines of `src` with their prefixes into `to`, until that holds `most` bytes, or a prefix and a byte more; how
    /// many bytes of `src` that took.
    fn prefix(&self, src: &[u8], to: &mut Vec<u8>, most: usize) -> usize {
        let mut begun = self.begun.load(Ordering::Relaxed);
        let mut taken = 0;
        while taken < src.len() && to.len() < most {
            if !begun {
                to.extend_from_slice(&self.prefix);
            }
            let src = &src[taken..];
            let line = src.iter().position(|byte| *byte == b'\n').map_or(src.len(), |end| end + 1);
            let n = line.min(most.saturating_sub(to.len()).max(1));
            to.extend_from_slice(&src[..n]);
            begun = src[n - 1] != b'\n';
            taken += n;
        }
        self.begun.store(begun, Ordering::Relaxed);
        taken
    }

    /// How much of a guest's text is sure to become no more than `room` bytes; one byte may.
    fn within(&self, room: usize) -> usize {
        (room.min(MOST) / (self.prefix.len() + 1)).max(1)
    }
}

struct Stream {
    inner: OutputStream,
    line: Arc<Line>,
    /// Accepted, with its prefixes, and more than there was room for: as a rule nothing.
    rest: Vec<u8>,
    /// What is to be done when nothing is left of that.
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Flush,
    End,
}

impl Stream {
    /// Brings on what was accepted; whether that was all.
    fn settle(&mut self) -> StreamResult<bool> {
        let settled = self.bring_on();
        if settled.is_err() {
            // There is nobody to bring it to.
            self.rest = Vec::new();
        }
        settled
    }

    fn bring_on(&mut self) -> StreamResult<bool> {
        let mut done = 0;
        while done < self.rest.len() {
            match self.inner.write_some(&self.rest[done..])? {
                0 => {
                    self.rest.drain(..done);
                    return Ok(false);
                }
                n => done += n,
            }
        }
        self.rest.clear();
        match std::mem::replace(&mut self.then, Then::Nothing) {
            Then::Nothing => {}
            Then::Flush => self.inner.flush()?,
            Then::End => self.inner.end()?,
        }
        Ok(true)
    }

    /// How much `inner` permits, once it has what was accepted before.
    fn room(&mut self) -> StreamResult<usize> {
        if self.settle()? { self.inner.check_write() } else { Ok(0) }
    }
}

#[async_trait::async_trait]
impl Subscribe for Stream {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.inner.wait()
    }
}

#[async_trait::async_trait]
impl HostOutputStream for Stream {
    /// So much that `inner` takes all of it with its prefixes, if that is anything.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(match self.room()? {
            0 => 0,
            room => self.line.within(room),
        })
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        let settled = self.settle()?;
        if src.is_empty() {
            return Ok(());
        }
        if !settled || src.len() > self.line.within(MOST) {
            return Err(StreamError::trap("more is written than check-write has permitted"));
        }
        self.line.prefix(src, &mut self.rest, usize::MAX);
        self.settle().map(drop)
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let room = self.room()?.min(MOST);
        let n = self.line.prefix(src, &mut self.rest, room);
        self.settle()?;
        Ok(n)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.then = Then::Flush;
        self.settle().map(drop)
    }

    fn end(&mut self) -> StreamResult<()> {
        self.then = Then::End;
        self.settle().map(drop)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A last try.
        let _ = self.settle();
    }
}
