//! An open member of an archive.

use super::Archive;
use super::index::{Data, Member};
use super::source::{copy, within};
use bytes::Bytes;
use std::io::IoSliceMut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, Weak};
use wasi_host_core::fs::{Blocking, File, FileType, Metadata};
use wasi_host_core::{Errno, Result};

pub(super) struct MemberFile {
    archive: Arc<Archive>,
    number: u32,
    content: Content,
}

enum Content {
    /// It begins there, and is so long.
    InPlace(u64, u64),
    Inflated(Arc<Inflated>),
}

/// A member that was compressed. It is charged for as long as somebody has it open.
pub(super) struct Inflated {
    bytes: Vec<u8>,
    _charge: Charge,
}

/// A share of what may be inflated at once.
struct Charge {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Charge {
    fn new(used: &Arc<AtomicU64>, limit: u64, bytes: u64) -> Result<Self> {
        let fits = |used: u64| used.checked_add(bytes).filter(|used| *used <= limit);
        used.fetch_update(Relaxed, Relaxed, fits).map_err(|_| Errno::NoMem)?;
        Ok(Self { used: used.clone(), bytes })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Relaxed);
    }
}

impl MemberFile {
    /// `Again` for what would have to be read, unless `patient`.
    pub(super) fn open(archive: &Arc<Archive>, number: u32, member: Member, patient: bool) -> Result<Self> {
        let content = match member.data {
            Data::At(offset) => Content::InPlace(offset, member.size),
            Data::Unsupported => return Err(Errno::NotSup),
            Data::Zip { deflated: true, .. } => Content::Inflated(archive.inflated(number, member, patient)?),
            Data::Zip { .. } if !patient => return Err(Errno::Again),
            Data::Zip { header, stored, .. } => {
                Content::InPlace(super::zip::data_at(&archive.source, header, stored)?, member.size)
            }
        };
        Ok(Self { archive: archive.clone(), number, content })
    }
}

impl Archive {
    /// A compressed member: as it is open, or else inflated.
    fn inflated(&self, number: u32, member: Member, patient: bool) -> Result<Arc<Inflated>> {
        let open = || self.inflated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open().get(&number).and_then(Weak::upgrade) {
            return Ok(known);
        }
        if !patient {
            return Err(Errno::Again);
        }
        let _charge = Charge::new(&self.used, self.limits.inflated, member.size)?;
        let new = Arc::new(Inflated { bytes: super::zip::inflate(&self.source, member)?, _charge });
        let mut open = open();
        // Before it grows those go that nobody has open any more.
        if open.len() == open.capacity() {
            open.retain(|_, inflated| inflated.strong_count() > 0);
        }
        open.insert(number, Arc::downgrade(&new));
        Ok(new)
    }
}

impl File for MemberFile {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        match &self.content {
            Content::Inflated(all) => Ok(copy(&all.bytes, bufs, offset)),
            Content::InPlace(start, len) => {
                within(bufs, (*start, *len), offset, |bufs, at| self.archive.source.read_at(bufs, at))
            }
        }
    }

    fn metadata(&self) -> Result<Metadata> {
        Ok(self.archive.metadata(self.number))
    }

    fn file_type(&self) -> FileType {
        FileType::RegularFile
    }

    fn blocking(&self) -> Blocking {
        match self.content {
            Content::Inflated(_) => Blocking::Never,
            Content::InPlace(..) => self.archive.source.blocking(),
        }
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        match &self.content {
            Content::InPlace(start, len) if self.blocking() == Blocking::Maybe => {
                within(bufs, (*start, *len), offset, |bufs, at| self.archive.source.try_read_at(bufs, at))
            }
            _ => self.read_at(bufs, offset),
        }
    }

    fn lend(&self, len: usize, offset: u64) -> Option<Bytes> {
        match &self.content {
            Content::InPlace(start, all) => {
                let left = all.checked_sub(offset)?;
                self.archive.source.lend(len.min(usize::try_from(left).ok()?), start + offset)
            }
            Content::Inflated(_) => None,
        }
    }
}
