//! What is left of a limit.

use wasi_host_core::{Errno, Result};

/// What becomes of what a guest writes when there is no room for it.
///
/// [`Captured`](super::Captured) has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The guest is told that it was written, and it is lost.
    Truncate,
    /// The guest is told that there is no room (`ENOSPC`, `last-operation-failed`), as often as it tries. What fits of a
    /// write is taken, as on a disk.
    Fail,
}

/// Counts bytes against a limit.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
    lost: u64,
    full: Full,
}

impl Room {
    pub(super) fn new(bytes: usize, full: Full) -> Self {
        Self { left: bytes, lost: 0, full }
    }

    /// Takes room for as many of `len` bytes as there is; how many that are.
    pub(super) fn take(&mut self, len: usize) -> usize {
        let n = len.min(self.left);
        self.left -= n;
        n
    }

    pub(super) fn give_back(&mut self, n: usize) {
        self.left += n;
    }

    /// What a guest is told that wrote `len` bytes, of which `kept` were taken and the others found no room.
    pub(super) fn all(&mut self, kept: usize, len: usize) -> Result<()> {
        match self.full {
            Full::Fail if kept < len => Err(Errno::NoSpc),
            _ => {
                self.lost += (len - kept) as u64;
                Ok(())
            }
        }
    }

    /// The same for one that will come again with what was not taken.
    pub(super) fn some(&mut self, kept: usize, len: usize) -> Result<usize> {
        match self.full {
            Full::Fail if kept > 0 => Ok(kept),
            _ => self.all(kept, len).map(|()| len),
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}
