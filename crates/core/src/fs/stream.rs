//! Files as streams.

use super::offload::{Errand, Offload};
use super::{Blocking, Descriptor, FileType, Interest, Sync};
use crate::stream::{HostInputStream, HostOutputStream, Scratch, StreamError, StreamResult, Subscribe};
use crate::wait::Wait;
use crate::{Errno, Result};
use bytes::Bytes;
use std::io::{IoSlice, IoSliceMut};

/// What one call moves at most.
const STEP: usize = 1 << 20;

/// What one call moves at most that may leave the thread or be kept: the host holds it for as long as the guest likes.
/// A provided `write_zeroes` brings as much in one write.
const TRIP: usize = 64 << 10;

/// Whether what is asked of `file` may leave the thread at all.
fn may_leave(file: &Descriptor) -> bool {
    file.is_seekable() && file.blocking() == Blocking::Maybe
}

/// A file read from an offset on.
///
/// It ends where the file does; read once more it looks again, so it may be used to follow a file that grows. After a
/// failure it is closed. What has no position is read as it comes.
///
/// ```
/// use wasi_host_core::fs::{Descriptor, FileInputStream, Open};
/// use wasi_host_core::grant::Grant;
/// use wasi_host_core::stream::{HostInputStream, StreamError};
/// # let fs = wasi_host_virtual::memory::MemoryFs::new();
/// # fs.write("greeting", "hello").unwrap();
/// let root = Descriptor::preopen(fs.root(), Grant::full().into());
/// let file = root.open("greeting", Open { read: true, ..Open::default() })?;
/// let mut stream = FileInputStream::new(file, 1, None)?;
/// assert_eq!(stream.read(100).unwrap(), "ello");
/// assert!(matches!(stream.read(100), Err(StreamError::Closed)));
/// # Ok::<_, wasi_host_core::Errno>(())
/// ```
#[derive(Debug)]
pub struct FileInputStream {
    file: Descriptor,
    /// Behind what has been read, though perhaps not yet taken.
    offset: u64,
    offload: Option<Offload>,
    state: Input,
}

#[derive(Debug)]
enum Input {
    /// What was read elsewhere and not taken yet, if anything.
    Ahead(Bytes),
    /// Being read.
    Pending(Errand<Bytes>),
    /// It has failed.
    Closed,
}

impl FileInputStream {
    /// A stream of what `file` holds from `offset` on; without `offload` it is read on the calling thread.
    ///
    /// # Errors
    ///
    /// `BadF` if it was not opened for reading, or what granted it was revoked; `IsDir`.
    pub fn new(file: Descriptor, offset: u64, offload: Option<Offload>) -> Result<Self> {
        file.readable()?;
        let offload = offload.filter(|_| may_leave(&file));
        Ok(Self { file, offset, offload, state: Input::Ahead(Bytes::new()) })
    }

    /// Up to `size` bytes that another thread has read, none if they are still to come. `None` if it is for this
    /// thread to read.
    fn read_elsewhere(&mut self, size: usize) -> StreamResult<Option<Bytes>> {
        self.not_revoked()?;
        if let Input::Pending(errand) = &self.state {
            let Some(read) = errand.take() else { return Ok(Some(Bytes::new())) };
            self.state = Input::Ahead(Bytes::new());
            let bytes = self.told(read)?;
            if bytes.is_empty() {
                return Err(StreamError::Closed);
            }
            self.advance(bytes.len());
            self.state = Input::Ahead(bytes);
        }
        match &mut self.state {
            Input::Closed => Err(StreamError::Closed),
            Input::Ahead(bytes) if size == 0 || !bytes.is_empty() => {
                Ok(Some(bytes.split_to(size.min(bytes.len()))))
            }
            _ => match &self.offload {
                Some(offload) if offload.all => {
                    self.state = Input::Pending(self.send(offload, size));
                    Ok(Some(Bytes::new()))
                }
                _ => Ok(None),
            },
        }
    }

    /// Closes it once what granted the file was revoked: what was read before and not taken is the guest's no more.
    fn not_revoked(&mut self) -> StreamResult<()> {
        match (self.file.valid(), &self.state) {
            (Err(_), Input::Closed) | (Ok(()), _) => Ok(()),
            (revoked, _) => self.told(revoked),
        }
    }

    fn send(&self, offload: &Offload, size: usize) -> Errand<Bytes> {
        let (file, offset, size) = (self.file.clone(), self.offset, size.min(TRIP));
        Errand::send(offload, move || {
            let mut bytes = vec![0; size];
            let n = file.read_at(&mut [IoSliceMut::new(&mut bytes)], offset)?;
            bytes.truncate(n);
            Ok(bytes.into())
        })
    }

    /// Reads on this thread as much as needs no waiting.
    fn read_here(&mut self, buf: &mut [u8]) -> StreamResult<usize> {
        let size = buf.len().min(STEP);
        let bufs = &mut [IoSliceMut::new(&mut buf[..size])];
        let read = match &self.offload {
            _ if !self.file.is_seekable() => match self.file.read(bufs) {
                Err(Errno::Again) => return Ok(0),
                read => read,
            },
            None => self.file.read_at(bufs, self.offset),
            Some(offload) => match self.file.try_read_at(bufs, self.offset) {
                Err(Errno::Again) => {
                    self.state = Input::Pending(self.send(offload, size));
                    return Ok(0);
                }
                read => read,
            },
        };
        match self.told(read)? {
            0 => Err(StreamError::Closed),
            n => {
                self.advance(n);
                Ok(n)
            }
        }
    }

    fn advance(&mut self, n: usize) {
        self.offset = self.offset.saturating_add(n as u64);
    }

    fn told<T>(&mut self, result: Result<T>) -> StreamResult<T> {
        result.map_err(|e| {
            self.state = Input::Closed;
            e.into()
        })
    }

    /// How much of a regular file is left, as far as its metadata can tell: some say 0 and hold something.
    fn left(&self) -> u64 {
        match self.file.file_type() {
            FileType::RegularFile => self.file.metadata().map_or(0, |m| m.size.saturating_sub(self.offset)),
            _ => 0,
        }
    }
}

#[async_trait::async_trait]
impl Subscribe for FileInputStream {
    async fn ready(&mut self) {
        match &self.state {
            Input::Pending(errand) => errand.ready().await,
            Input::Ahead(bytes) if bytes.is_empty() => self.file.wait_async(Interest::Read).await,
            _ => {}
        }
    }

    fn wait(&self) -> Wait<'_> {
        match &self.state {
            _ if self.file.valid().is_err() => Wait::Ready,
            Input::Pending(errand) => errand.wait(),
            Input::Ahead(bytes) if bytes.is_empty() => self.file.wait(Interest::Read),
            _ => Wait::Ready,
        }
    }
}

impl HostInputStream for FileInputStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.read_with(size, &mut Scratch::default())
    }

    fn read_with(&mut self, size: usize, scratch: &mut Scratch) -> StreamResult<Bytes> {
        if let Some(bytes) = self.read_elsewhere(size)? {
            return Ok(bytes);
        }
        let size = size.min(STEP);
        if let Some(bytes) = self.file.lend(size, self.offset) {
            self.advance(bytes.len());
            return Ok(bytes);
        }
        scratch.fill(size, |buf| self.read_here(buf))
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        match self.read_elsewhere(dst.len())? {
            Some(bytes) => {
                dst[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            None => self.read_here(dst),
        }
    }

    fn granted(&self) -> Result<()> {
        self.file.valid()
    }

    fn skip(&mut self, nelem: usize) -> StreamResult<usize> {
        if let Some(bytes) = self.read_elsewhere(nelem)? {
            return Ok(bytes.len());
        }
        match self.left() {
            0 => Ok(self.read(nelem)?.len()),
            left => {
                let n = usize::try_from(left).map_or(nelem, |left| left.min(nelem));
                self.advance(n);
                Ok(n)
            }
        }
    }
}

/// A file written from an offset on, or at its end.
///
/// What it takes is written, or on its way to the thread that writes it, when `write` returns, and `check_write` is 0
/// until it is written; a failure is told by the next call, and the stream is closed then. A flush is no `fsync`.
///
/// What has no position takes a bounded amount more than it has room for. Some of that is lost if the stream is
/// dropped before a flush has ended.
///
/// ```
/// use wasi_host_core::fs::{Descriptor, FileOutputStream, Open};
/// use wasi_host_core::grant::Grant;
/// use wasi_host_core::stream::HostOutputStream;
/// # let fs = wasi_host_virtual::memory::MemoryFs::new();
/// let root = Descriptor::preopen(fs.root(), Grant::full().into());
/// let file = root.open("greeting", Open { write: true, create: true, ..Open::default() })?;
/// let mut stream = FileOutputStream::at(file, 0, None)?;
/// assert!(stream.check_write().unwrap() >= 5);
/// stream.write("hello".into()).unwrap();
/// assert_eq!(fs.read("greeting")?, b"hello");
/// # Ok::<_, wasi_host_core::Errno>(())
/// ```
#[derive(Debug)]
pub struct FileOutputStream {
    file: Descriptor,
    target: Target,
    offload: Option<Offload>,
    state: Output,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    Offset(u64),
    End,
}

#[derive(Debug)]
enum Output {
    /// All is written.
    Open,
    /// Being written.
    Pending(Errand<()>),
    /// Accepted, but then what has no position was full.
    Behind(Vec<u8>),
    /// It has failed.
    Closed,
}

impl FileOutputStream {
    /// A stream into `file` from `offset` on; without `offload` it is written on the calling thread.
    ///
    /// # Errors
    ///
    /// `BadF` if it was not opened for writing, or what granted it was revoked; `IsDir`.
    pub fn at(file: Descriptor, offset: u64, offload: Option<Offload>) -> Result<Self> {
        Self::new(file, Target::Offset(offset), offload)
    }

    /// A stream whose every write goes to the end of `file` as it is then.
    ///
    /// # Errors
    ///
    /// Those of [`at`](Self::at).
    pub fn append(file: Descriptor, offload: Option<Offload>) -> Result<Self> {
        Self::new(file, Target::End, offload)
    }

    fn new(file: Descriptor, target: Target, offload: Option<Offload>) -> Result<Self> {
        file.writable()?;
        let offload = offload.filter(|_| may_leave(&file));
        Ok(Self { file, target, offload, state: Output::Open })
    }

    /// Brings on what was accepted, and says whether there is room for more.
    fn settle(&mut self) -> StreamResult<bool> {
        if let (Err(revoked), false) = (self.file.valid(), matches!(self.state, Output::Closed)) {
            return self.told(Err(revoked));
        }
        let written = match &mut self.state {
            Output::Open => return Ok(true),
            Output::Closed => return Err(StreamError::Closed),
            Output::Pending(errand) => match errand.take() {
                None => return Ok(false),
                Some(written) => written,
            },
            Output::Behind(rest) => match write_stream(&self.file, rest) {
                Ok(n) if n < rest.len() => {
                    rest.drain(..n);
                    return Ok(false);
                }
                written => written.map(drop),
            },
        };
        self.told(written)?;
        self.state = Output::Open;
        Ok(true)
    }

    fn told<T>(&mut self, result: Result<T>) -> StreamResult<T> {
        result.map_err(|e| {
            self.state = Output::Closed;
            e.into()
        })
    }

    /// What one write may bring. Beyond that it would not be a mere copy, or the rest of it not small.
    fn most(&self) -> usize {
        if self.offload.is_some() || !self.file.is_seekable() { TRIP } else { STEP }
    }

    /// Whether `len` bytes are to be written now: without a permit there is no place to keep them.
    fn takes(&mut self, len: usize) -> StreamResult<bool> {
        match self.settle()? {
            _ if len == 0 => Ok(false),
            true if len <= self.most() => Ok(true),
            true => Err(StreamError::trap("more is written than check-write has permitted")),
            false => Err(StreamError::trap("written to a stream that permits nothing")),
        }
    }

    /// Writes that are to reach the disk are not buffered.
    fn leaves(&self) -> bool {
        self.offload.as_ref().is_some_and(|offload| offload.all || self.file.synchronous() != Sync::No)
    }

    fn write_elsewhere(&mut self, bytes: Bytes) {
        if let Some(offload) = &self.offload {
            let (file, target) = (self.file.clone(), self.target);
            let len = bytes.len();
            let errand = Errand::send(offload, move || write_all(&file, target, &bytes));
            self.state = Output::Pending(errand);
            self.target = self.target.behind(len);
        }
    }

    fn write_here(&mut self, src: &[u8]) -> StreamResult<()> {
        if self.file.is_seekable() {
            let written = write_all(&self.file, self.target, src);
            self.target = self.target.behind(src.len());
            return self.told(written);
        }
        let written = write_stream(&self.file, src);
        let n = self.told(written)?;
        if n < src.len() {
            self.state = Output::Behind(src[n..].to_vec());
        }
        Ok(())
    }
}

impl Target {
    fn behind(self, n: usize) -> Self {
        match self {
            Self::Offset(offset) => Self::Offset(offset.saturating_add(n as u64)),
            Self::End => Self::End,
        }
    }
}

/// Writes to what has a position, all of it.
fn write_all(file: &Descriptor, mut target: Target, mut src: &[u8]) -> Result<()> {
    while !src.is_empty() {
        let bufs = &[IoSlice::new(src)];
        let n = match target {
            Target::Offset(offset) => file.write_at(bufs, offset)?,
            Target::End => file.append(bufs)?,
        };
        if n == 0 {
            return Err(Errno::Io);
        }
        target = target.behind(n);
        src = &src[n.min(src.len())..];
    }
    Ok(())
}

/// Writes to what has none, as much as it takes.
fn write_stream(file: &Descriptor, src: &[u8]) -> Result<usize> {
    let mut done = 0;
    while done < src.len() {
        match file.write(&[IoSlice::new(&src[done..])]) {
            Ok(0) | Err(Errno::Again) => break,
            Ok(n) => done += n.min(src.len() - done),
            // The next call meets the failure again.
            Err(_) if done > 0 => break,
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

#[async_trait::async_trait]
impl Subscribe for FileOutputStream {
    async fn ready(&mut self) {
        match &self.state {
            Output::Pending(errand) => errand.ready().await,
            Output::Behind(_) => self.file.wait_async(Interest::Write).await,
            Output::Open | Output::Closed => {}
        }
    }

    fn wait(&self) -> Wait<'_> {
        match &self.state {
            _ if self.file.valid().is_err() => Wait::Ready,
            Output::Pending(errand) => errand.wait(),
            Output::Behind(_) => self.file.wait(Interest::Write),
            Output::Open | Output::Closed => Wait::Ready,
        }
    }
}

impl HostOutputStream for FileOutputStream {
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.settle()? { self.most() } else { 0 })
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !self.leaves() {
            return self.write_from(&bytes);
        }
        if self.takes(bytes.len())? {
            self.write_elsewhere(bytes);
        }
        Ok(())
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        if self.leaves() {
            return self.write(Bytes::copy_from_slice(src));
        }
        if self.takes(src.len())? {
            self.write_here(src)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.settle().map(drop)
    }
}

impl Drop for FileOutputStream {
    fn drop(&mut self) {
        // A last try for what has no position.
        let _ = self.settle();
    }
}
