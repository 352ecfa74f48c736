//! A listing that is read in parts.

use super::memory::u32_at;
use wasi_host_core::fs::{Descriptor, DirEntry, Entries};
use wasi_host_core::{Errno, Result};

/// How many bytes of entries are looked ahead: what one call gives at a time, and what can be given again.
const WINDOW: usize = 64 << 10;

/// The length of a `dirent` before its name.
const HEADER: usize = 24;

/// A directory's entries, read forward once. A cookie is an entry's place in the listing, counted from 0. What lies
/// in the window is given again for nothing (a guest whose buffer ended in the middle of an entry asks for it
/// anew); what lies before it by listing anew.
pub(super) struct Listing {
    entries: Entries,
    /// Entries as guests want them.
    window: Vec<u8>,
    /// The cookies of the first entry in the window and of the one behind its last.
    first: u64,
    next: u64,
    /// Nothing comes after the window.
    complete: bool,
}

impl Listing {
    /// The listing that goes on from `old`, if there is one that has not gone past `cookie`. Its window begins with
    /// that entry and fills `space` bytes, if there are as many.
    pub(super) fn filled(old: Option<Self>, dir: &Descriptor, cookie: u64, space: usize) -> Result<Self> {
        let mut listing = match old {
            Some(listing) if listing.first <= cookie => listing,
            _ => Self { entries: dir.entries()?, window: Vec::new(), first: 0, next: 0, complete: false },
        };
        while !listing.holds(cookie, space) {
            match listing.entries.next() {
                None => listing.complete = true,
                Some(entry) => listing.push(&entry?, cookie),
            }
        }
        Ok(listing)
    }

    /// Forgets what lies before `cookie`. Whether the window then holds as much as a call gives at a time.
    pub(super) fn holds(&mut self, cookie: u64, space: usize) -> bool {
        if cookie < self.first {
            return false;
        }
        let mut past = 0;
        while self.first < cookie.min(self.next) {
            past += HEADER + u32_at(&self.window, past + 16) as usize;
            self.first += 1;
        }
        self.window.drain(..past);
        self.complete || (self.first == cookie && self.window.len() >= space.min(WINDOW))
    }

    /// Adds an entry; one before `cookie` is only counted.
    ///
    /// ```text
    ///   0        8     16       20     21       24
    ///   | d_next | ino | namlen | type | zeroes | name…
    /// ```
    fn push(&mut self, entry: &DirEntry, cookie: u64) {
        self.next += 1;
        if self.next <= cookie {
            self.first = self.next;
            return;
        }
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&self.next.to_le_bytes());
        header[8..16].copy_from_slice(&entry.ino.to_le_bytes());
        header[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
        header[20] = super::abi::filetype(entry.file_type);
        self.window.extend_from_slice(&header);
        self.window.extend_from_slice(entry.name.as_bytes());
    }

    /// Copies the window, cut where the space ends; how much that was.
    pub(super) fn write(&self, out: &mut [u8]) -> usize {
        let n = self.window.len().min(out.len());
        out[..n].copy_from_slice(&self.window[..n]);
        n
    }

    /// The cookie of what comes after the window; `None` if nothing does.
    pub(super) fn after(&self) -> Option<u64> {
        (!self.complete).then_some(self.next)
    }
}

/// A cookie that no listing gives.
pub(super) fn check(cookie: u64) -> Result<()> {
    if cookie > u64::from(u32::MAX) { Err(Errno::Inval) } else { Ok(()) }
}
