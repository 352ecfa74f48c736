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
        Ok(DirEntry {
            name: shown(entry.file_name()).into_owned(),
            file_type: file_type_of(entry.file_type()),
            ino: entry.ino(),
        })
    })))
}

/// A name that is not UTF-8 must not hide the others.
fn shown(name: &std::ffi::CStr) -> std::borrow::Cow<'_, str> {
    // The check alone is much the faster, and nearly always enough.
    name.to_str().map_or_else(|_| name.to_string_lossy(), Into::into)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use super::*;
    use rustix::fs::RawDir;
    use rustix::io::Errno as Os;
    use std::mem::MaybeUninit;
    use wasi_host_core::fs::FileType;

    /// What one system call may bring: some hundred to a thousand names.
    const BLOCK: usize = 32 * 1024;

    /// Reads a block when the one before is used up; the end and errors are final.
    pub(super) struct Listing {
        dir: Option<OwnedFd>,
        buffer: Box<[MaybeUninit<u8>]>,
        /// The names of a block, one behind the other: a string for each is made when it is asked for.
        names: String,
        /// Where each of them ends, what it is, and its number.
        block: Vec<(usize, FileType, u64)>,
        /// How many of the block were given.
        given: usize,
    }

    impl Listing {
        pub(super) fn new(dir: OwnedFd) -> Self {
            let buffer = Box::new_uninit_slice(BLOCK);
            Self { dir: Some(dir), buffer, names: String::new(), block: Vec::new(), given: 0 }
        }

        fn read_block(&mut self) -> Result<()> {
            let Some(dir) = &self.dir else { return Ok(()) };
            let mut raw = RawDir::new(dir, &mut self.buffer);
            while let Some(entry) = raw.next() {
                let entry = match entry {
                    // The directory was removed: the end, to POSIX.
                    Err(Os::NOENT) => break,
                    entry => entry.map_err(from_os)?,
                };
                self.names.push_str(&shown(entry.file_name()));
                self.block.push((self.names.len(), file_type_of(entry.file_type()), entry.ino()));
                if raw.is_buffer_empty() {
                    break;
                }
            }
            Ok(())
        }
    }

    impl Iterator for Listing {
        type Item = Result<DirEntry>;

        fn next(&mut self) -> Option<Self::Item> {
            if self.given == self.block.len() {
                self.names.clear();
                self.block.clear();
                self.given = 0;
                let read = self.read_block();
                if read.is_err() || self.block.is_empty() {
                    self.dir = None;
                }
                if let Err(e) = read {
                    return Some(Err(e));
                }
            }
            let &(end, file_type, ino) = self.block.get(self.given)?;
            let begin = self.given.checked_sub(1).map_or(0, |before| self.block[before].0);
            self.given += 1;
            Some(Ok(DirEntry { name: self.names[begin..end].to_owned(), file_type, ino }))
        }
    }
}
