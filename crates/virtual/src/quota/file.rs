//! An open file, each growth of which is charged.

use super::account::Inode;
use crate::bufs;
use crate::forward::forward_file;
use std::io::IoSlice;
use std::sync::{Arc, PoisonError, RwLockWriteGuard};
use wasi_host_core::fs::File;
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

pub(super) struct QuotaFile {
    /// Goes before the file itself: then its number is not yet another file's.
    inode: Arc<Inode>,
    inner: Arc<dyn File>,
}

impl QuotaFile {
    pub(super) fn new(inode: Arc<Inode>, inner: Arc<dyn File>) -> Self {
        Self { inode, inner }
    }

    fn size_mut(&self) -> RwLockWriteGuard<'_, u64> {
        self.inode.size.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes as much from `offset` as there is room for.
    fn write(
        &self,
        size: &mut u64,
        bufs: &[IoSlice<'_>],
        offset: u64,
        write: impl FnOnce(&[IoSlice<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        let total = bufs::total(bufs);
        let end = offset.saturating_add(total);
        if total == 0 || end <= *size {
            return write(bufs);
        }
        let room = self.inode.account().grow(*size, offset.saturating_add(1), end)? - offset;
        let written = if room < total { write(&bufs::first(bufs, room)) } else { write(bufs) };
        let now = written.map_or(*size, |n| offset.saturating_add(n as u64).max(*size));
        self.settle(size, (offset + room).max(*size), now);
        written
    }

    /// Makes it reach to `end`, if there is room for that.
    fn reach(&self, size: &mut u64, end: u64, reach: impl FnOnce() -> Result<()>) -> Result<()> {
        let charged = self.inode.account().grow(*size, end, end)?.max(*size);
        let done = reach();
        let now = if done.is_ok() { charged } else { *size };
        self.settle(size, charged, now);
        done
    }

    /// Gives back what was charged for a length that was not reached.
    fn settle(&self, size: &mut u64, charged: u64, now: u64) {
        self.inode.account().refund(0, charged.saturating_sub(now));
        *size = now;
    }
}

#[deny(clippy::missing_trait_methods)]
impl File for QuotaFile {
    forward_file!(read_at metadata sync file_type advise blocking try_read_at lend is_seekable read write wait wait_async);

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let size = self.inode.size.read().unwrap_or_else(PoisonError::into_inner);
        if offset.saturating_add(bufs::total(bufs)) <= *size {
            return self.inner.write_at(bufs, offset);
        }
        drop(size);
        self.write(&mut self.size_mut(), bufs, offset, |bufs| self.inner.write_at(bufs, offset))
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let size = &mut self.size_mut();
        let end = **size;
        self.write(size, bufs, end, |bufs| self.inner.append(bufs))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let size = &mut self.size_mut();
        if len > **size {
            return self.reach(size, len, || self.inner.set_len(len));
        }
        self.inner.set_len(len)?;
        let before = **size;
        self.settle(size, before, len);
        Ok(())
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.inner.set_times(accessed, modified)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let end = offset.checked_add(len).ok_or(Errno::FBig)?;
        let size = &mut self.size_mut();
        if end <= **size {
            return self.inner.allocate(offset, len);
        }
        self.reach(size, end, || self.inner.allocate(offset, len))
    }
}
