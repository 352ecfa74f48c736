//! Output that is kept.

use super::PERMIT;
use super::room::{Full, Room};
use bytes::Bytes;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// Keeps what a guest writes, up to a bound. All clones keep it in one place, in the order of writing: standard output
/// and standard error may share one.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_virtual::stdio::{Captured, Full};
///
/// let stdout = Captured::new(8, Full::Truncate);
/// stdout.stream().write("hello, world".into()).unwrap();
/// assert_eq!(stdout.contents(), "hello, w");
/// assert_eq!(stdout.lost(), 4);
///
/// let stdout = Captured::new(8, Full::Fail);
/// let error = stdout.stream().write("hello, world".into()).unwrap_err();
/// assert_eq!(error.number().unwrap(), wasi_host_core::Errno::NoSpc);
/// assert_eq!(stdout.contents(), "hello, w");
/// ```
///
/// [`MemoryOutputPipe`](wasi_host_core::pipe::MemoryOutputPipe) is another: full, it ends the stream.
#[derive(Clone)]
pub struct Captured(Arc<Mutex<Kept>>);

struct Kept {
    bytes: Vec<u8>,
    room: Room,
}

impl Kept {
    /// Keeps what there is room for; how much that is.
    fn keep(&mut self, src: &[u8]) -> usize {
        let n = self.room.take(src.len());
        self.bytes.extend_from_slice(&src[..n]);
        n
    }
}

impl Captured {
    /// Keeps up to `bound` bytes. `full` says what becomes of more.
    pub fn new(bound: usize, full: Full) -> Self {
        Self(Arc::new(Mutex::new(Kept { bytes: Vec::new(), room: Room::new(bound, full) })))
    }

    /// A copy of what is kept.
    pub fn contents(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0.lock().bytes)
    }

    /// What is kept, which makes room for as much.
    pub fn take(&self) -> Bytes {
        let mut kept = self.0.lock();
        let bytes = std::mem::take(&mut kept.bytes);
        kept.room.give_back(bytes.len());
        bytes.into()
    }

    /// How many bytes were lost because there was no room for them, all in all. None where writing fails instead.
    pub fn lost(&self) -> u64 {
        self.0.lock().room.lost()
    }
}

impl fmt::Debug for Captured {
    /// Without what the guest wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.lock();
        f.debug_struct("Captured").field("kept", &kept.bytes.len()).field("room", &kept.room).finish()
    }
}

#[async_trait::async_trait]
impl Subscribe for Captured {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostOutputStream for Captured {
    /// As a full disk does, it lets the guest find out by writing.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        let mut kept = self.0.lock();
        let n = kept.keep(src);
        Ok(kept.room.all(n, src.len())?)
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let mut kept = self.0.lock();
        let n = kept.keep(src);
        Ok(kept.room.some(n, src.len())?)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}

impl StdoutStream for Captured {
    fn stream(&self) -> OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}
