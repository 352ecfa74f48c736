//! An open file that says the same of itself in every run.

use super::table::Held;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::fs::{Advice, Blocking, File, FileType, Interest, Metadata};
use wasi_host_core::time::SetTime;
use wasi_host_core::wait::{BoxFuture, Wait};

pub(super) struct StableFile {
    /// Goes before the file itself: then its number is not yet another file's.
    held: Held,
    inner: Arc<dyn File>,
}

impl StableFile {
    pub(super) fn new(held: Held, inner: Arc<dyn File>) -> Self {
        Self { held, inner }
    }

    fn wrote(&self, written: Result<usize>) -> Result<usize> {
        if written? > 0 {
            self.held.modified();
        }
        written
    }
}

#[deny(clippy::missing_trait_methods)]
impl File for StableFile {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.inner.read_at(bufs, offset)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.wrote(self.inner.write_at(bufs, offset))
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.wrote(self.inner.append(bufs))
    }

    fn metadata(&self) -> Result<Metadata> {
        Ok(self.held.say(self.inner.metadata()?))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.inner.set_len(len)?;
        self.held.modified();
        Ok(())
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.inner.set_times(accessed, modified)?;
        self.held.set(accessed, modified)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.inner.sync(data_only)
    }

    fn file_type(&self) -> FileType {
        self.inner.file_type()
    }

    fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        self.inner.advise(offset, len, advice)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.inner.allocate(offset, len)?;
        self.held.modified();
        Ok(())
    }

    fn blocking(&self) -> Blocking {
        self.inner.blocking()
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.inner.try_read_at(bufs, offset)
    }

    fn is_seekable(&self) -> bool {
        self.inner.is_seekable()
    }

    fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        self.inner.read(bufs)
    }

    fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.wrote(self.inner.write(bufs))
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.inner.wait(interest)
    }

    fn wait_async(&self, interest: Interest) -> BoxFuture<'_, ()> {
        self.inner.wait_async(interest)
    }
}
