//! So many bytes, and no more.

use super::room::{Full, Room};
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// Another output, of which a guest gets so many bytes. All clones and streams share them.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_virtual::stdio::{Captured, Full, Limited};
///
/// let log = Captured::new(1 << 20, Full::Truncate);
/// let stdout = Limited::new(log.clone(), 5, Full::Fail);
/// let mut stream = stdout.stream();
/// stream.write("hello".into()).unwrap();
/// assert!(stream.write("!".into()).is_err());
/// assert_eq!(log.contents(), "hello");
/// ```
#[derive(Clone, Debug)]
pub struct Limited<S> {
    inner: S,
    room: Arc<Mutex<Room>>,
}

impl<S> Limited<S> {
    /// Up to `bytes` bytes go to `inner`. `full` says what becomes of more.
    pub fn new(inner: S, bytes: usize, full: Full) -> Self {
        Self { inner, room: Arc::new(Mutex::new(Room::new(bytes, full))) }
    }

    /// How many bytes were lost because they were too many. None where writing fails instead.
    pub fn lost(&self) -> u64 {
        self.room.lock().lost()
    }
}

impl<S: StdoutStream> StdoutStream for Limited<S> {
    fn stream(&self) -> OutputStream {
        Box::new(Stream { inner: self.inner.stream(), room: self.room.clone() })
    }

    fn isatty(&self) -> bool {
        self.inner.isatty()
    }
}

struct Stream {
    inner: OutputStream,
    room: Arc<Mutex<Room>>,
}

impl Stream {
    /// Has as many of `len` bytes written as there is room for, and `write` say how many it took; then how many there was
    /// room for. What was not taken leaves its room to others.
    fn within(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut OutputStream, usize) -> StreamResult<usize>,
    ) -> StreamResult<(usize, usize)> {
        let room = self.room.lock().take(len);
        // Not asked to write nothing: it may fail, which is of no importance any more.
        let taken = if room == 0 { Ok(0) } else { write(&mut self.inner, room) };
        self.room.lock().give_back(room - taken.as_ref().map_or(0, |n| *n));
        Ok((taken?, room))
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
    /// As a full disk does, it lets the guest find out by writing.
    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let write = |inner: &mut OutputStream, n| inner.write(bytes.slice(..n)).map(|()| n);
        let (kept, _) = self.within(bytes.len(), write)?;
        Ok(self.room.lock().all(kept, bytes.len())?)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        let (kept, _) = self.within(src.len(), |inner, n| inner.write_from(&src[..n]).map(|()| n))?;
        Ok(self.room.lock().all(kept, src.len())?)
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let (kept, room) = self.within(src.len(), |inner, n| inner.write_some(&src[..n]))?;
        if kept < room {
            return Ok(kept);
        }
        Ok(self.room.lock().some(kept, src.len())?)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn end(&mut self) -> StreamResult<()> {
        self.inner.end()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
