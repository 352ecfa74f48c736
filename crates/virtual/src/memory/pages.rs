//! The content of a file: pages where something was written, nothing where nothing was.

use super::volume::Volume;
use std::collections::BTreeMap;
use wasi_host_core::{Errno, Result};

const PAGE: usize = 4096;

/// The longest file: offsets are signed everywhere.
const LONGEST: u64 = i64::MAX as u64;

type Page = Box<[u8; PAGE]>;

/// Beyond `len` every byte of every page is 0, so that growing a file uncovers nothing.
#[derive(Default)]
pub(super) struct Pages {
    pages: BTreeMap<u64, Page>,
    len: u64,
}

/// The page of an offset, and the place in it.
fn split(offset: u64) -> (u64, usize) {
    (offset / PAGE as u64, (offset % PAGE as u64) as usize)
}

fn blank() -> Page {
    Box::new([0; PAGE])
}

impl Pages {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of the limit that it uses.
    pub(super) fn charged(&self) -> u64 {
        (self.pages.len() * PAGE) as u64
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
            match self.pages.get(&index) {
                Some(page) => to.copy_from_slice(&page[within..within + n]),
                None => to.fill(0),
            }
            done += n;
        }
        done
    }

    /// Writes as much of `data` at `offset` as there is room for.
    ///
    /// # Errors
    ///
    /// If that is nothing: `FBig` at the end of all files, `NoSpc` at the filesystem's limit.
    pub(super) fn write(&mut self, data: &[u8], offset: u64, volume: &Volume) -> Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        let room = LONGEST.saturating_sub(offset);
        let data = &data[..usize::try_from(room).map_or(data.len(), |room| room.min(data.len()))];
        if data.is_empty() {
            return Err(Errno::FBig);
        }
        let mut done = 0;
        while done < data.len() {
            let (index, within) = split(offset + done as u64);
            let n = (PAGE - within).min(data.len() - done);
            match self.page(index, volume) {
                Ok(page) => page[within..within + n].copy_from_slice(&data[done..done + n]),
                Err(_) if done > 0 => break,
                Err(e) => return Err(e),
            }
            done += n;
        }
        self.len = self.len.max(offset + done as u64);
        Ok(done)
    }

    fn page(&mut self, index: u64, volume: &Volume) -> Result<&mut Page> {
        use std::collections::btree_map::Entry::{Occupied, Vacant};
        match self.pages.entry(index) {
            Occupied(page) => Ok(page.into_mut()),
            Vacant(place) => {
                volume.charge(PAGE as u64)?;
                Ok(place.insert(blank()))
            }
        }
    }

    /// Cuts what lies behind `len`, or grows with a hole.
    pub(super) fn set_len(&mut self, len: u64, volume: &Volume) -> Result<()> {
        if len > LONGEST {
            return Err(Errno::FBig);
        }
        if len < self.len {
            let (last, within) = split(len);
            let before = self.charged();
            let mut cut = self.pages.split_off(&last);
            if within > 0
                && let Some(mut page) = cut.remove(&last)
            {
                page[within..].fill(0);
                self.pages.insert(last, page);
            }
            volume.refund(before - self.charged());
        }
        self.len = len;
        Ok(())
    }

    /// Fills the holes within `len` bytes from `offset`, all or none, and makes it that long.
    pub(super) fn allocate(&mut self, offset: u64, len: u64, volume: &Volume) -> Result<()> {
        let end = offset.checked_add(len).filter(|end| *end <= LONGEST).ok_or(Errno::FBig)?;
        if len > 0 {
            let (first, last) = (split(offset).0, split(end - 1).0);
            let there = self.pages.range(first..=last).count() as u64;
            let missing = last - first + 1 - there;
            volume.charge(missing.checked_mul(PAGE as u64).ok_or(Errno::NoSpc)?)?;
            for index in first..=last {
                self.pages.entry(index).or_insert_with(blank);
            }
        }
        self.len = self.len.max(end);
        Ok(())
    }
}
