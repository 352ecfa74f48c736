//! An open file that says the same of itself in every run.

use super::table::Held;
use crate::forward::forward_file;
use std::io::IoSlice;
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::fs::{File, Metadata};
use wasi_host_core::time::SetTime;

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
    forward_file!(read_at sync file_type advise blocking try_read_at lend is_seekable read wait wait_async);

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

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.inner.allocate(offset, len)?;
        self.held.modified();
        Ok(())
    }

    fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.wrote(self.inner.write(bufs))
    }
}
