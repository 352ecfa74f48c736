//! A listing that is read in parts.

use std::collections::VecDeque;
use wasi_host_core::fs::{Descriptor, DirEntry, Entries};
use wasi_host_core::{Errno, Result};

/// How many entries are kept to be given again: a guest whose buffer ended in the middle of one asks for it anew.
const KEPT: usize = 1024;

/// A directory's entries, read forward once. A cookie is an entry's place in the listing, counted from 0; what
/// lies in the window is given again for nothing, what lies before it by listing anew.
pub(super) struct Listing {
    entries: Entries,
    window: VecDeque<DirEntry>,
    /// The cookie of the first entry in the window.
    first: u64,
    /// Nothing comes after the window.
    complete: bool,
}

impl Listing {
    /// Begins a listing.
    fn new(dir: &Descriptor) -> Result<Self> {
        Ok(Self { entries: dir.entries()?, window: VecDeque::new(), first: 0, complete: false })
    }

    /// The listing that goes on from `old`, if there is one that has not gone past `cookie`, with the entries
    /// from `cookie` on in its window: as many as fill `space` bytes, or as it holds.
    pub(super) fn filled(old: Option<Self>, dir: &Descriptor, cookie: u64, space: usize) -> Result<Self> {
        let mut listing = match old {
            Some(l) if l.first <= cookie => l,
            _ => Self::new(dir)?,
        };
        listing.fill(cookie, space)?;
        Ok(listing)
    }

    fn fill(&mut self, cookie: u64, space: usize) -> Result<()> {
        // What lies before the cookie has been read.
        let past = usize::try_from(cookie - self.first).unwrap_or(usize::MAX).min(self.window.len());
        self.window.drain(..past);
        self.first += past as u64;
        let mut held: usize = self.window.iter().map(|e| HEADER + e.name.len()).sum();
        while !self.complete && held < space && self.window.len() < KEPT {
            match self.entries.next() {
                None => self.complete = true,
                Some(entry) => {
                    let entry = entry?;
                    if self.first < cookie {
                        self.first += 1;
                    } else {
                        held += HEADER + entry.name.len();
                        self.window.push_back(entry);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether [`fill`](Self::fill) has nothing to do.
    pub(super) fn is_filled(&self, cookie: u64, space: usize) -> bool {
        let Some(past) = cookie.checked_sub(self.first) else { return false };
        let past = usize::try_from(past).unwrap_or(usize::MAX);
        self.complete
            || self.window.iter().skip(past).map(|e| HEADER + e.name.len()).sum::<usize>() >= space
            || (past == 0 && self.window.len() == KEPT)
    }

    /// Writes the entries from `cookie` on, each as a `dirent` and its name, the last cut where the space ends.
    /// Gives the cookie after the last whole one and the space used.
    ///
    /// ```text
    ///   0        8     16       20     21       24
    ///   | d_next | ino | namlen | type | zeroes | name…
    /// ```
    pub(super) fn write(&self, cookie: u64, out: &mut [u8]) -> (u64, usize) {
        let (mut next, mut used) = (cookie, 0);
        let past = usize::try_from(cookie.saturating_sub(self.first)).unwrap_or(usize::MAX);
        for entry in self.window.iter().skip(past) {
            let mut header = [0; HEADER];
            header[..8].copy_from_slice(&(next + 1).to_le_bytes());
            header[8..16].copy_from_slice(&entry.ino.to_le_bytes());
            header[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
            header[20] = super::abi::filetype(entry.file_type);
            for part in [&header[..], entry.name.as_bytes()] {
                let n = part.len().min(out.len() - used);
                out[used..used + n].copy_from_slice(&part[..n]);
                used += n;
                if n < part.len() {
                    return (next, used);
                }
            }
            next += 1;
        }
        (next, used)
    }

    /// Whether nothing comes after `cookie`.
    pub(super) fn ends_at(&self, cookie: u64) -> bool {
        self.complete && cookie >= self.first + self.window.len() as u64
    }
}

/// The length of a `dirent` before its name.
const HEADER: usize = 24;

/// A cookie that no listing gives.
pub(super) fn check(cookie: u64) -> Result<()> {
    if cookie > u64::from(u32::MAX) { Err(Errno::Inval) } else { Ok(()) }
}
