//! Streams in memory, for a guest's input and output.

use crate::Errno;
use crate::stdio::{StdinStream, StdoutStream};
use crate::stream::{
    HostInputStream, HostOutputStream, InputStream, OutputStream, StreamError, StreamResult, Subscribe,
};
use crate::wait::Wait;
use bytes::{Bytes, BytesMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes to be read, shared by all clones: what one reads is gone for the others.
///
/// ```
/// use wasi_host_core::{pipe::MemoryInputPipe, stream::HostInputStream};
/// let mut pipe = MemoryInputPipe::new("hello");
/// assert_eq!(pipe.read(4).unwrap(), "hell");
/// ```
#[derive(Clone, Debug)]
pub struct MemoryInputPipe(Arc<Mutex<Bytes>>);

impl MemoryInputPipe {
    /// A pipe from which `bytes` can be read.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Arc::new(Mutex::new(bytes.into())))
    }

    /// Whether all has been read.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    fn rest(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, size: usize) -> StreamResult<Bytes> {
        let mut rest = self.rest();
        if rest.is_empty() {
            return Err(StreamError::Closed);
        }
        let n = size.min(rest.len());
        Ok(rest.split_to(n))
    }
}

#[async_trait::async_trait]
impl Subscribe for MemoryInputPipe {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostInputStream for MemoryInputPipe {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.take(size)
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        let mut rest = self.rest();
        if rest.is_empty() {
            return Err(StreamError::Closed);
        }
        let n = dst.len().min(rest.len());
        dst[..n].copy_from_slice(&rest[..n]);
        bytes::Buf::advance(&mut *rest, n);
        Ok(n)
    }
}

impl StdinStream for MemoryInputPipe {
    fn stream(&self) -> InputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// Collects what is written, up to a capacity. All clones write to the same place.
///
/// A full pipe ends the stream for the guest, as a reader that has gone away does.
///
/// ```
/// use wasi_host_core::{pipe::MemoryOutputPipe, stream::HostOutputStream};
/// let pipe = MemoryOutputPipe::new(1024);
/// pipe.clone().write("hello".into()).unwrap();
/// assert_eq!(pipe.contents(), "hello");
/// ```
#[derive(Debug)]
pub struct MemoryOutputPipe {
    capacity: usize,
    buffer: Arc<Mutex<BytesMut>>,
    /// What this clone was permitted last, if it has asked.
    permit: Option<usize>,
}

impl Clone for MemoryOutputPipe {
    fn clone(&self) -> Self {
        Self { capacity: self.capacity, buffer: self.buffer.clone(), permit: None }
    }
}

impl MemoryOutputPipe {
    /// A pipe that holds up to `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, buffer: Arc::default(), permit: None }
    }

    /// A copy of what has been written.
    pub fn contents(&self) -> Bytes {
        Bytes::copy_from_slice(&self.buffer())
    }

    /// What has been written, if this is the last clone.
    pub fn try_into_inner(self) -> Option<BytesMut> {
        Some(Arc::into_inner(self.buffer)?.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn buffer(&self) -> MutexGuard<'_, BytesMut> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Subscribe for MemoryOutputPipe {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostOutputStream for MemoryOutputPipe {
    fn check_write(&mut self) -> StreamResult<usize> {
        let left = self.capacity.saturating_sub(self.buffer().len());
        self.permit = Some(left);
        if left == 0 { Err(StreamError::Closed) } else { Ok(left) }
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        if let Some(permit) = &mut self.permit {
            *permit = permit
                .checked_sub(src.len())
                .ok_or_else(|| StreamError::trap("more is written than check-write has permitted"))?;
        }
        let mut buffer = self.buffer();
        match self.capacity.saturating_sub(buffer.len()) {
            left if src.len() <= left => {}
            // Another clone has filled it since this one was given its permit.
            0 => return Err(StreamError::Closed),
            _ => return Err(Errno::NoSpc.into()),
        }
        buffer.extend_from_slice(src);
        Ok(())
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let mut buffer = self.buffer();
        let n = src.len().min(self.capacity.saturating_sub(buffer.len()));
        if n == 0 && !src.is_empty() {
            return Err(StreamError::Closed);
        }
        buffer.extend_from_slice(&src[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}

impl StdoutStream for MemoryOutputPipe {
    fn stream(&self) -> OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// Input that has ended before it began.
///
/// ```
/// use wasi_host_core::pipe::ClosedInputStream;
/// use wasi_host_core::stream::{HostInputStream, StreamError};
/// assert!(matches!(ClosedInputStream.read(1), Err(StreamError::Closed)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClosedInputStream;

#[async_trait::async_trait]
impl Subscribe for ClosedInputStream {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostInputStream for ClosedInputStream {
    fn read(&mut self, _: usize) -> StreamResult<Bytes> {
        Err(StreamError::Closed)
    }
}

impl StdinStream for ClosedInputStream {
    fn stream(&self) -> InputStream {
        Box::new(*self)
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// Output that nobody reads: writing fails.
///
/// ```
/// use wasi_host_core::pipe::ClosedOutputStream;
/// use wasi_host_core::stream::{HostOutputStream, StreamError};
/// assert!(matches!(ClosedOutputStream.check_write(), Err(StreamError::Closed)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClosedOutputStream;

#[async_trait::async_trait]
impl Subscribe for ClosedOutputStream {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostOutputStream for ClosedOutputStream {
    fn check_write(&mut self) -> StreamResult<usize> {
        Err(StreamError::Closed)
    }

    fn write(&mut self, _: Bytes) -> StreamResult<()> {
        Err(StreamError::Closed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Err(StreamError::Closed)
    }
}

impl StdoutStream for ClosedOutputStream {
    fn stream(&self) -> OutputStream {
        Box::new(*self)
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// Output that is taken and forgotten.
///
/// ```
/// use wasi_host_core::{pipe::SinkOutputStream, stream::HostOutputStream};
/// SinkOutputStream.write("nobody reads this".into()).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SinkOutputStream;

#[async_trait::async_trait]
impl Subscribe for SinkOutputStream {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostOutputStream for SinkOutputStream {
    /// Bounded, so that nobody is led to make a buffer of the size it names.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 20)
    }

    fn write(&mut self, _: Bytes) -> StreamResult<()> {
        Ok(())
    }

    fn write_from(&mut self, _: &[u8]) -> StreamResult<()> {
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}

impl StdoutStream for SinkOutputStream {
    fn stream(&self) -> OutputStream {
        Box::new(*self)
    }

    fn isatty(&self) -> bool {
        false
    }
}
