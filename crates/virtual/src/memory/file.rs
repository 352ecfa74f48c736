//! An open file.

use super::shared::Hold;
use bytes::Bytes;
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use std::io::{IoSlice, IoSliceMut};
use wasi_host_core::Result;
use wasi_host_core::fs::{Blocking, File, FileType, Metadata};
use wasi_host_core::time::SetTime;

/// How many bytes are copied at once: between such parts of one call others may come.
const PART: usize = 1 << 20;

/// Fewer bytes are copied in less time than they are lent.
const LENT: usize = 1024;

pub(super) struct MemoryFile {
    hold: Hold,
}

impl MemoryFile {
    pub(super) fn new(hold: Hold) -> Self {
        Self { hold }
    }

    /// Writes at `offset`, or at the end as it is.
    fn write(&self, bufs: &[IoSlice<'_>], offset: Option<u64>) -> Result<usize> {
        let time = self.hold.shared.now();
        let mut tree = self.hold.shared.tree.write();
        let (mut done, mut others) = (0, 0);
        for buf in bufs {
            for part in buf.chunks(PART) {
                if done - others + part.len() > PART {
                    RwLockWriteGuard::bump(&mut tree);
                    others = done;
                }
                let now = tree.at(time);
                let wrote = tree.change(self.hold.ino, now, |pages, room| {
                    let at = offset.map_or(pages.len(), |offset| offset.saturating_add(done as u64));
                    pages.write(part, at, room)
                });
                match wrote {
                    Ok(n) => done += n,
                    Err(e) => return if done > 0 { Ok(done) } else { Err(e) },
                }
                if wrote != Ok(part.len()) {
                    return Ok(done);
                }
            }
        }
        Ok(done)
    }
}

impl File for MemoryFile {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let mut tree = self.hold.shared.tree.read();
        let (mut done, mut others) = (0, 0);
        let mut inode = tree.inode(self.hold.ino)?;
        'all: for buf in bufs {
            for part in buf.chunks_mut(PART) {
                if done - others + part.len() > PART {
                    RwLockReadGuard::bump(&mut tree);
                    inode = tree.inode(self.hold.ino)?;
                    others = done;
                }
                let n = inode.pages()?.read(part, offset.saturating_add(done as u64));
                done += n;
                if n < part.len() {
                    break 'all;
                }
            }
        }
        let unread = inode.is_unread(tree.image.generation);
        drop(tree);
        if unread {
            self.hold.accessed();
        }
        Ok(done)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.write(bufs, Some(offset))
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.write(bufs, None)
    }

    fn metadata(&self) -> Result<Metadata> {
        self.hold.metadata()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let time = self.hold.shared.now();
        let mut tree = self.hold.shared.tree.write();
        let now = tree.at(time);
        let before = tree.set_len(self.hold.ino, len, now);
        drop(tree);
        before.map(drop)
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        let time = self.hold.shared.now();
        let mut tree = self.hold.shared.tree.write();
        let now = tree.at(time);
        tree.inode_mut(self.hold.ino)?.set_times(accessed, modified, now);
        Ok(())
    }

    fn sync(&self, _data_only: bool) -> Result<()> {
        Ok(())
    }

    fn file_type(&self) -> FileType {
        FileType::RegularFile
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let time = self.hold.shared.now();
        let mut tree = self.hold.shared.tree.write();
        let now = tree.at(time);
        tree.change(self.hold.ino, now, |pages, room| pages.allocate(offset, len, room))
    }

    fn blocking(&self) -> Blocking {
        Blocking::Never
    }

    fn lend(&self, len: usize, offset: u64) -> Option<Bytes> {
        if len < LENT {
            return None;
        }
        let tree = self.hold.shared.tree.read();
        let inode = tree.inode(self.hold.ino).ok()?;
        // The first read after a change tells the time of access.
        if inode.is_unread(tree.image.generation) { None } else { inode.pages().ok()?.lend(len, offset) }
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.read_at(bufs, offset)
    }
}
