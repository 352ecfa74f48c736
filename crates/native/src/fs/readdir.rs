//! The names in a directory, as `getdents` gives them: one system call for many, and none for each.

use super::metadata::file_type_of;
use crate::errno::from_os;
use rustix::fd::OwnedFd;
use wasi_host_core::Result;
use wasi_host_core::fs::{DirEntry, Entries};

/// Lists a directory that was opened for this and stands at its beginning.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn entries(dir: OwnedFd) -> Result<Entries> {
    Ok(Box::new(linux::Listing::new(dir)))
}

/// Lists a directory that was opened for this and stands at its beginning.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn entries(dir: OwnedFd) -> Result<Entries> {
    let listing = rustix::fs::Dir::new(dir).map_err(from_os)?;
    Ok(Box::new(listing.map(|entry| {
        let entry = entry.map_err(from_os)?;
        Ok(shown(entry.file_name(), entry.file_type(), entry.ino()))
    })))
}

/// A name that is not UTF-8 must not hide the others.
fn shown(name: &std::ffi::CStr, file_type: rustix::fs::FileType, ino: u64) -> DirEntry {
    DirEntry { name: name.to_string_lossy().into_owned(), file_type: file_type_of(file_type), ino }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use super::*;
    use rustix::fs::RawDir;
    use rustix::io::Errno as Os;
    use std::mem::MaybeUninit;

    /// What one system call may bring: some hundred to a thousand names.
    const BLOCK: usize = 32 * 1024;

    /// Reads a block when the one before is used up; the end and errors are final.
    pub(super) struct Listing {
        dir: Option<OwnedFd>,
        buffer: Box<[MaybeUninit<u8>]>,
        block: std::vec::IntoIter<DirEntry>,
    }

    impl Listing {
        pub(super) fn new(dir: OwnedFd) -> Self {
            Self { dir: Some(dir), buffer: Box::new_uninit_slice(BLOCK), block: Vec::new().into_iter() }
        }

        fn read_block(&mut self) -> Result<()> {
            let Some(dir) = &self.dir else { return Ok(()) };
            let mut block = Vec::new();
            let mut raw = RawDir::new(dir, &mut self.buffer);
            while let Some(entry) = raw.next() {
                let entry = match entry {
                    // The directory was removed: the end, to POSIX.
                    Err(Os::NOENT) => break,
                    entry => entry.map_err(from_os)?,
                };
                block.push(shown(entry.file_name(), entry.file_type(), entry.ino()));
                if raw.is_buffer_empty() {
                    break;
                }
            }
            self.block = block.into_iter();
            Ok(())
        }
    }

    impl Iterator for Listing {
        type Item = Result<DirEntry>;

        fn next(&mut self) -> Option<Self::Item> {
            if self.block.len() == 0 {
                let read = self.read_block();
                if read.is_err() || self.block.len() == 0 {
                    self.dir = None;
                }
                if let Err(e) = read {
                    return Some(Err(e));
                }
            }
            self.block.next().map(Ok)
        }
    }
}
