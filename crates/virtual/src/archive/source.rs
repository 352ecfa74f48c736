//! Where an archive's bytes are.

use crate::bufs;
use bytes::Bytes;
use std::io::{self, IoSliceMut, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasi_host_core::fs::{Blocking, File};
use wasi_host_core::{Errno, Result};

/// Where an archive's bytes are: in memory (`Bytes`, `Vec<u8>`, `&'static [u8]`), or in a file, which nobody may change
/// while it is in use (`std::fs::File`, `Arc<dyn File>`).
#[derive(Clone)]
pub struct Source(Kind);

#[derive(Clone)]
enum Kind {
    Bytes(Bytes),
    File(Arc<dyn File>),
    #[cfg(any(unix, windows))]
    Std(Arc<std::fs::File>),
}

impl From<Bytes> for Source {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static [u8]> for Source {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<Arc<dyn File>> for Source {
    fn from(file: Arc<dyn File>) -> Self {
        Self(Kind::File(file))
    }
}

#[cfg(any(unix, windows))]
impl From<std::fs::File> for Source {
    fn from(file: std::fs::File) -> Self {
        Self(Kind::Std(Arc::new(file)))
    }
}

#[cfg(unix)]
fn pread(file: &std::fs::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn pread(file: &std::fs::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}

impl Source {
    pub(super) fn len(&self) -> io::Result<u64> {
        match &self.0 {
            Kind::Bytes(bytes) => Ok(bytes.len() as u64),
            Kind::File(file) => Ok(file.metadata().map_err(io::Error::other)?.size),
            #[cfg(any(unix, windows))]
            Kind::Std(file) => Ok(file.metadata()?.len()),
        }
    }

    pub(super) fn blocking(&self) -> Blocking {
        match &self.0 {
            Kind::Bytes(_) => Blocking::Never,
            Kind::File(file) => file.blocking(),
            #[cfg(any(unix, windows))]
            Kind::Std(_) => Blocking::Maybe,
        }
    }

    pub(super) fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        match &self.0 {
            Kind::Bytes(bytes) => Ok(copy(bytes, bufs, offset)),
            Kind::File(file) => file.read_at(bufs, offset),
            #[cfg(any(unix, windows))]
            Kind::Std(file) => match bufs.iter_mut().find(|buf| !buf.is_empty()) {
                None => Ok(0),
                Some(buf) => loop {
                    match pread(file, buf, offset) {
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        read => break read.map_err(|_| Errno::Io),
                    }
                },
            },
        }
    }

    pub(super) fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        match &self.0 {
            Kind::Bytes(bytes) => Ok(copy(bytes, bufs, offset)),
            Kind::File(file) => file.try_read_at(bufs, offset),
            #[cfg(any(unix, windows))]
            Kind::Std(_) => Err(Errno::Again),
        }
    }

    pub(super) fn lend(&self, len: usize, offset: u64) -> Option<Bytes> {
        match &self.0 {
            Kind::Bytes(bytes) => {
                let at = usize::try_from(offset).ok().filter(|at| *at < bytes.len() && len > 0)?;
                Some(bytes.slice(at..bytes.len().min(at.saturating_add(len))))
            }
            Kind::File(file) => file.lend(len, offset),
            #[cfg(any(unix, windows))]
            Kind::Std(_) => None,
        }
    }

    /// `len` bytes; `None` if there are not so many.
    pub(super) fn exact(&self, offset: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
        if offset.checked_add(len as u64).is_none_or(|end| self.len().is_ok_and(|all| end > all)) {
            return Ok(None);
        }
        let mut all = vec![0; len];
        let mut done = 0;
        while done < len {
            let rest = &mut [IoSliceMut::new(&mut all[done..])];
            match self.read_at(rest, offset + done as u64).map_err(io::Error::other)? {
                0 => return Ok(None),
                n => done += n,
            }
        }
        Ok(Some(all))
    }
}

/// Copies from `offset` on, into the buffers in turn.
pub(super) fn copy(bytes: &[u8], bufs: &mut [IoSliceMut<'_>], offset: u64) -> usize {
    let mut rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    let whole = rest.len();
    for buf in bufs {
        let n = buf.len().min(rest.len());
        buf[..n].copy_from_slice(&rest[..n]);
        rest = &rest[n..];
    }
    whole - rest.len()
}

/// Reads a part of a source from its beginning to its end, and no more than is allowed.
pub(super) struct Reader {
    source: Source,
    position: u64,
    end: u64,
    allowance: Arc<AtomicU64>,
    /// What was read ahead, and where that begins.
    ahead: (Vec<u8>, u64),
}

/// What is read at once, where less is wanted.
const AHEAD: usize = 8 << 10;

impl Reader {
    pub(super) fn new(source: &Source, from: u64, end: u64) -> Self {
        let allowance = Arc::new(AtomicU64::new(u64::MAX));
        Self { source: source.clone(), position: from, end, allowance, ahead: (Vec::new(), 0) }
    }

    /// How many bytes may still be read, to be set.
    pub(super) fn allowance(&self) -> Arc<AtomicU64> {
        self.allowance.clone()
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let buf_len = buf.len().min(most);
        let buf = &mut buf[..buf_len];
        if buf.is_empty() {
            return Ok(0);
        }
        let (ahead, begin) = &mut self.ahead;
        let read = |bufs: &mut [IoSliceMut<'_>], at| self.source.read_at(bufs, at).map_err(io::Error::other);
        let held = self.position.checked_sub(*begin).is_some_and(|at| at < ahead.len() as u64);
        let n = if !held && buf.len() >= AHEAD {
            read(&mut [IoSliceMut::new(buf)], self.position)?
        } else {
            if !held {
                ahead.resize(AHEAD, 0);
                let n = read(&mut [IoSliceMut::new(ahead)], self.position)?;
                ahead.truncate(n);
                *begin = self.position;
            }
            copy(ahead, &mut [IoSliceMut::new(buf)], self.position - *begin)
        };
        let left = self.allowance.load(Relaxed).checked_sub(n as u64);
        self.allowance.store(left.ok_or_else(|| io::Error::other("a header is too long"))?, Relaxed);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        self.position = to.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// The first bytes of what is asked for, within a member of `len` bytes that begins at `start`.
pub(super) fn within<T>(
    bufs: &mut [IoSliceMut<'_>],
    (start, len): (u64, u64),
    offset: u64,
    read: impl FnOnce(&mut [IoSliceMut<'_>], u64) -> Result<T>,
) -> Result<T> {
    let rest = len.saturating_sub(offset);
    let at = start + offset.min(len);
    if bufs::total_mut(bufs) <= rest { read(bufs, at) } else { read(&mut bufs::first_mut(bufs, rest), at) }
}
