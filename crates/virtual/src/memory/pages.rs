//! The content of a file: pages where something was written, nothing where nothing was.

use super::trie::Trie;
use bytes::Bytes;
use std::ops::Range;
use triomphe::Arc;
use wasi_host_core::{Errno, Result};

const PAGE: usize = 4096;

/// The longest file: offsets are signed everywhere.
const LONGEST: u64 = i64::MAX as u64;

type Page = [u8; PAGE];

/// A clone shares its pages until either writes to them. Beyond `len` every byte of every page is 0, so that
/// growing a file uncovers nothing.
#[derive(Clone, Default)]
pub(super) struct Pages {
    pages: Trie<Arc<Page>>,
    len: u64,
}

/// Part of a page, as it was then: who writes to the file writes to a page of its own.
struct Lent {
    page: Arc<Page>,
    part: Range<usize>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.page[self.part.clone()]
    }
}

/// How much is written to a page at once. A C library does more with one string instruction (`rep movsb`), which takes twice
/// the time for memory that is in no cache, unless both addresses are the same modulo 32.
const PIECE: usize = 256;

fn copy(from: &[u8], to: &mut [u8]) {
    from.chunks(PIECE).zip(to.chunks_mut(PIECE)).for_each(|(from, to)| to.copy_from_slice(from));
}

/// The page of an offset, and the place in it.
fn split(offset: u64) -> (u64, usize) {
    (offset / PAGE as u64, (offset % PAGE as u64) as usize)
}

impl Pages {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of the limit that it uses.
    pub(super) fn charge(&self) -> u64 {
        self.pages.len() * PAGE as u64
    }

    /// Reads into `buf` what there is at `offset`.
    pub(super) fn read(&self, mut buf: &mut [u8], offset: u64) -> usize {
        let left = self.len.saturating_sub(offset);
        if let Ok(left) = usize::try_from(left)
            && left < buf.len()
        {
            buf = &mut buf[..left];
        }
        let mut done = 0;
        while done < buf.len() {
            let (index, within) = split(offset + done as u64);
            let n = (PAGE - within).min(buf.len() - done);
            let to = &mut buf[done..done + n];
            match self.pages.get(index) {
                Some(page) => to.copy_from_slice(&page[within..within + n]),
                None => to.fill(0),
            }
            done += n;
        }
        done
    }

    /// What `read` would copy, if it is one page's.
    pub(super) fn lend(&self, len: usize, offset: u64) -> Option<Bytes> {
        let (index, within) = split(offset);
        let len = self.len.saturating_sub(offset).min(len as u64) as usize;
        if len == 0 || len > PAGE - within {
            return None;
        }
        let page = self.pages.get(index)?.clone();
        Some(Bytes::from_owner(Lent { page, part: within..within + len }))
    }

    /// Writes as much of `data` at `offset` as there is room for: `room` bytes of the limit.
    ///
    /// # Errors
    ///
    /// If that is nothing: `FBig` at the end of all files, `NoSpc` at the filesystem's limit.
    pub(super) fn write(&mut self, data: &[u8], offset: u64, mut room: u64) -> Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        let most = LONGEST.saturating_sub(offset);
        let data = &data[..usize::try_from(most).map_or(data.len(), |most| most.min(data.len()))];
        if data.is_empty() {
            return Err(Errno::FBig);
        }
        let mut done = 0;
        while done < data.len() {
            let (index, within) = split(offset + done as u64);
            let n = (PAGE - within).min(data.len() - done);
            let part = &data[done..done + n];
            if let Some(page) = self.pages.get_mut(index) {
                copy(part, &mut Arc::make_mut(page)[within..within + n]);
            } else if room >= PAGE as u64 {
                room -= PAGE as u64;
                let mut page = Arc::new([0; PAGE]);
                copy(part, &mut Arc::make_mut(&mut page)[within..within + n]);
                self.pages.insert(index, page);
            } else if done > 0 {
                break;
            } else {
                return Err(Errno::NoSpc);
            }
            done += n;
        }
        self.len = self.len.max(offset + done as u64);
        Ok(done)
    }

    /// Cuts what lies behind `len`, or grows with a hole.
    pub(super) fn set_len(&mut self, len: u64) -> Result<()> {
        if len > LONGEST {
            return Err(Errno::FBig);
        }
        if len < self.len {
            let (last, within) = split(len);
            self.pages.cut(if within > 0 { last + 1 } else { last });
            if within > 0
                && let Some(page) = self.pages.get_mut(last)
            {
                Arc::make_mut(page)[within..].fill(0);
            }
        }
        self.len = len;
        Ok(())
    }

    /// Fills the holes within `len` bytes from `offset`, all or none, and makes it that long. They share one page
    /// of zeros until they are written, but there is room for each: `room` is what the limit has left.
    pub(super) fn allocate(&mut self, offset: u64, len: u64, room: u64) -> Result<()> {
        let end = offset.checked_add(len).filter(|end| *end <= LONGEST).ok_or(Errno::FBig)?;
        if len > 0 {
            let (first, last, room) = (split(offset).0, split(end - 1).0, room / PAGE as u64);
            // What cannot fit in any case is not worth the work.
            if (last - first + 1).saturating_sub(self.pages.len()) > room {
                return Err(Errno::NoSpc);
            }
            let mut filled = self.pages.clone();
            filled.fill(first, last, Arc::new([0; PAGE]));
            if filled.len() - self.pages.len() > room {
                return Err(Errno::NoSpc);
            }
            self.pages = filled;
        }
        self.len = self.len.max(end);
        Ok(())
    }
}
