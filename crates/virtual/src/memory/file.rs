//! A file: its content behind a lock of its own.

use super::inode::Inode;
use super::pages::Pages;
use super::volume::Volume;
use std::io::{IoSlice, IoSliceMut};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use wasi_host_core::Result;
use wasi_host_core::fs::{Blocking, File, FileType, Metadata};
use wasi_host_core::time::SetTime;

pub(super) struct MemoryFile {
    pub(super) inode: Inode,
    content: RwLock<Pages>,
}

impl MemoryFile {
    pub(super) fn new(volume: &Arc<Volume>) -> Result<Self> {
        Ok(Self { inode: Inode::new(volume, 0)?, content: RwLock::default() })
    }

    fn content(&self) -> RwLockReadGuard<'_, Pages> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn content_mut(&self) -> RwLockWriteGuard<'_, Pages> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, content: &mut Pages, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let mut done = 0;
        for buf in bufs {
            match content.write(buf, offset.saturating_add(done as u64), self.inode.volume()) {
                Ok(n) => {
                    done += n;
                    if n < buf.len() {
                        break;
                    }
                }
                Err(_) if done > 0 => break,
                Err(e) => return Err(e),
            }
        }
        if done > 0 {
            self.inode.modified();
        }
        Ok(done)
    }
}

impl File for MemoryFile {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let content = self.content();
        let mut done = 0;
        for buf in bufs {
            let n = content.read(buf, offset.saturating_add(done as u64));
            done += n;
            if n < buf.len() {
                break;
            }
        }
        self.inode.accessed();
        Ok(done)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.write(&mut self.content_mut(), bufs, offset)
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let mut content = self.content_mut();
        let end = content.len();
        self.write(&mut content, bufs, end)
    }

    fn metadata(&self) -> Result<Metadata> {
        let content = self.content();
        Ok(self.inode.metadata(FileType::RegularFile, content.len()))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut content = self.content_mut();
        content.set_len(len, self.inode.volume())?;
        self.inode.modified();
        Ok(())
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.inode.set_times(accessed, modified);
        Ok(())
    }

    fn sync(&self, _data_only: bool) -> Result<()> {
        Ok(())
    }

    fn file_type(&self) -> FileType {
        FileType::RegularFile
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let mut content = self.content_mut();
        content.allocate(offset, len, self.inode.volume())?;
        self.inode.modified();
        Ok(())
    }

    fn blocking(&self) -> Blocking {
        Blocking::Never
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.read_at(bufs, offset)
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        let content = self.content.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.inode.volume().refund(content.charged());
    }
}
