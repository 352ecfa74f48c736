//! Small reads out of one larger one.

use crate::Errno;
use crate::stream::{HostInputStream, InputStream, Scratch, StreamResult, Subscribe, within};
use crate::wait::Wait;
use bytes::Bytes;

/// What is read ahead at a time, in bytes.
const BUFFER: usize = 8 << 10;

/// Reads of fewer bytes than this are worth it.
const SMALL: usize = 512;

/// A stream that asks another for more than its reader wants at a time, where that is little. Large reads go straight to
/// the other.
///
/// What it holds, 8 KiB at most, nobody else can read any more: the other stream's source should have no other readers.
///
/// ```
/// use wasi_host_core::pipe::MemoryInputPipe;
/// use wasi_host_core::stream::{HostInputStream, ReadAhead};
/// let pipe = MemoryInputPipe::new("hello");
/// let mut stream = ReadAhead::new(Box::new(pipe.clone()));
/// assert_eq!(stream.read(1).unwrap(), "h");
/// assert!(pipe.is_empty());
/// assert_eq!(stream.read(100).unwrap(), "ello");
/// ```
pub struct ReadAhead {
    stream: InputStream,
    /// Allocated at the first small read.
    buffer: Box<[u8]>,
    begin: usize,
    end: usize,
}

impl ReadAhead {
    /// Reads from `stream`, nothing as yet.
    pub fn new(stream: InputStream) -> Self {
        Self { stream, buffer: Box::default(), begin: 0, end: 0 }
    }

    fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// Up to `size` bytes of those that are held, for who wants so many; `None` if the stream itself is to be asked.
    ///
    /// It is asked only while nothing is held: so whatever ends it comes after what it gave.
    fn take(&mut self, size: usize) -> StreamResult<Option<&[u8]>> {
        if self.granted().is_err() {
            self.begin = self.end;
        }
        if self.is_empty() {
            if !(1..SMALL).contains(&size) {
                return Ok(None);
            }
            self.fill()?;
        }
        let begin = self.begin;
        self.begin += size.min(self.end - begin);
        Ok(Some(&self.buffer[begin..self.begin]))
    }

    fn fill(&mut self) -> StreamResult<()> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; BUFFER].into();
        }
        let n = self.stream.read_into(&mut self.buffer)?;
        (self.begin, self.end) = (0, within(n, BUFFER)?);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Subscribe for ReadAhead {
    async fn ready(&mut self) {
        if self.is_empty() {
            self.stream.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        if self.is_empty() { self.stream.wait() } else { Wait::Ready }
    }
}

#[async_trait::async_trait]
impl HostInputStream for ReadAhead {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.take(size)? {
            Some(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            None => self.stream.read(size),
        }
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        match self.take(dst.len())? {
            Some(bytes) => {
                dst[..bytes.len()].copy_from_slice(bytes);
                Ok(bytes.len())
            }
            None => self.stream.read_into(dst),
        }
    }

    fn read_with(&mut self, size: usize, scratch: &mut Scratch) -> StreamResult<Bytes> {
        match self.take(size)? {
            Some(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            None => self.stream.read_with(size, scratch),
        }
    }

    fn skip(&mut self, nelem: usize) -> StreamResult<usize> {
        if self.is_empty() { self.stream.skip(nelem) } else { Ok(self.take(nelem)?.map_or(0, <[u8]>::len)) }
    }

    fn granted(&self) -> Result<(), Errno> {
        self.stream.granted()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

impl std::fmt::Debug for ReadAhead {
    /// Without what was read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadAhead").field("held", &(self.end - self.begin)).finish_non_exhaustive()
    }
}
