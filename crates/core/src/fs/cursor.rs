//! The position in a file that one descriptor of a guest keeps.

use super::Descriptor;
use crate::{Errno, Result};
use std::io::{IoSlice, IoSliceMut};

/// From where an offset counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// From the beginning.
    Start(i64),
    /// From where the cursor is.
    Current(i64),
    /// From the end as it is now.
    End(i64),
}

/// Where the next read or write of a descriptor begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    position: u64,
    /// Each write goes to the end (`O_APPEND`). Kept here, not in the backend, so that it can be switched.
    pub append: bool,
}

impl Cursor {
    /// Reads from where the cursor is, and moves it. `Again` where there is nothing yet.
    #[inline]
    pub fn read(&mut self, from: &Descriptor, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        let file = from.readable()?;
        if !from.is_seekable() {
            return file.read(bufs);
        }
        let n = file.read_at(bufs, self.position)?;
        self.position += n as u64;
        Ok(n)
    }

    /// Writes where the cursor is, or at the end if it appends, and moves it behind that.
    #[inline]
    pub fn write(&mut self, to: &Descriptor, bufs: &[IoSlice<'_>]) -> Result<usize> {
        if self.append {
            let n = to.append(bufs)?;
            if to.is_seekable() {
                // What was written is written, whether or not its end can be told.
                self.position = to.metadata().map_or(self.position + n as u64, |m| m.size);
            }
            return Ok(n);
        }
        let n = if to.is_seekable() { to.write_at(bufs, self.position)? } else { to.write(bufs)? };
        self.position += n as u64;
        Ok(n)
    }

    /// Moves the cursor, also beyond the end of the file, and says where it is.
    ///
    /// # Errors
    ///
    /// `Inval` before the beginning or beyond 2^63 - 1; `SPipe` for what has no position; `BadF` for a directory, and once
    /// the grant was revoked.
    #[inline]
    pub fn seek(&mut self, of: &Descriptor, to: Seek) -> Result<u64> {
        of.valid()?;
        if of.is_dir() {
            return Err(Errno::BadF);
        }
        if !of.is_seekable() {
            return Err(Errno::SPipe);
        }
        let (base, offset) = match to {
            Seek::Start(o) => (0, o),
            Seek::Current(o) => (self.position, o),
            Seek::End(o) => (of.metadata()?.size, o),
        };
        let position = base.checked_add_signed(offset).ok_or(Errno::Inval)?;
        if i64::try_from(position).is_err() {
            return Err(Errno::Inval);
        }
        self.position = position;
        Ok(position)
    }

    /// Where it is, in bytes from the beginning.
    #[inline]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes account of `n` bytes that were read elsewhere on this cursor's behalf.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.position = self.position.saturating_add(n as u64);
    }
}
