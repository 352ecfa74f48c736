//! What a guest does with an open file.

use super::{Access, Descriptor};
use crate::fs::{Advice, File, Node};
use crate::{Errno, Result};
use bytes::Bytes;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;

impl Descriptor {
    #[inline]
    fn opened_file(&self) -> Result<&Arc<dyn File>> {
        self.grant.valid()?;
        match &self.node {
            Node::File(f) => Ok(f),
            Node::Dir(_) => Err(Errno::IsDir),
        }
    }

    #[inline]
    pub(in crate::fs) fn readable(&self) -> Result<&Arc<dyn File>> {
        let file = self.opened_file()?;
        if self.access.contains(Access::READ) { Ok(file) } else { Err(Errno::BadF) }
    }

    #[inline]
    pub(in crate::fs) fn writable(&self) -> Result<&Arc<dyn File>> {
        let file = self.opened_file()?;
        if self.access.contains(Access::WRITE) { Ok(file) } else { Err(Errno::BadF) }
    }

    /// Offsets are signed in every system; whatever the backend, none is there beyond 2^63 - 1.
    #[inline]
    fn reaches(&self, offset: u64) -> Result<()> {
        if self.seekable && i64::try_from(offset).is_err() { Err(Errno::Inval) } else { Ok(()) }
    }

    /// Reads at `offset` into the buffers in turn; 0 at the end, `Inval` beyond 2^63 - 1.
    #[inline]
    pub fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let file = self.readable()?;
        self.reaches(offset)?;
        file.read_at(bufs, offset)
    }

    /// The same, if that needs no waiting; `Again` otherwise.
    #[inline]
    pub fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let file = self.readable()?;
        self.reaches(offset)?;
        file.try_read_at(bufs, offset)
    }

    /// Lends what `read_at` would copy to a buffer of `len` bytes; `None` if it is to be read, which tells of failures.
    #[inline]
    pub fn lend(&self, len: usize, offset: u64) -> Option<Bytes> {
        let mut bytes = self.readable().ok()?.lend(len, offset)?;
        bytes.truncate(len);
        (!bytes.is_empty()).then_some(bytes)
    }

    /// Writes at `offset`; `FBig` where that lies beyond the granted size.
    #[inline]
    pub fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let file = self.writable()?;
        self.bounded(offset, bufs, |bufs| file.write_at(bufs, offset))
    }

    /// Writes at the end.
    pub fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let file = self.writable()?;
        if !self.seekable {
            return file.write(bufs);
        }
        let end = if self.grant.limits().file_size() == u64::MAX { 0 } else { file.metadata()?.size };
        self.bounded(end, bufs, |bufs| file.append(bufs))
    }

    /// Reads what comes next from what has no position; `Again` if there is nothing yet.
    pub fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        self.readable()?.read(bufs)
    }

    /// Writes to what has no position; `Again` if it is full.
    pub fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.writable()?.write(bufs)
    }

    /// Hands on as much of `bufs` as keeps the file within the granted size.
    fn bounded(
        &self,
        offset: u64,
        bufs: &[IoSlice<'_>],
        write: impl FnOnce(&[IoSlice<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        let limit = self.grant.limits().file_size();
        if limit == u64::MAX {
            return write(bufs);
        }
        let total: u64 = bufs.iter().map(|b| b.len() as u64).sum();
        let room = limit.saturating_sub(offset);
        match room {
            _ if total <= room => write(bufs),
            0 => Err(Errno::FBig),
            _ => {
                let first = bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| b);
                let n = usize::try_from(room).map_or(first.len(), |room| room.min(first.len()));
                write(&[IoSlice::new(&first[..n])])
            }
        }
    }

    /// Cuts or grows a file that was opened for writing.
    pub fn set_len(&self, len: u64) -> Result<()> {
        let file = self.writable()?;
        self.fits(len)?;
        file.set_len(len)
    }

    /// Makes room for `len` bytes from `offset`, and the file at least that long.
    pub fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let file = self.writable()?;
        self.fits(offset.checked_add(len).ok_or(Errno::FBig)?)?;
        file.allocate(offset, len)
    }

    fn fits(&self, len: u64) -> Result<()> {
        // off_t is signed everywhere.
        if len > self.grant.limits().file_size().min(i64::MAX as u64) { Err(Errno::FBig) } else { Ok(()) }
    }

    /// Gives the backend a hint.
    pub fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        self.grant.valid()?;
        match &self.node {
            Node::File(f) => f.advise(offset, len, advice),
            Node::Dir(_) => Err(Errno::BadF),
        }
    }
}
