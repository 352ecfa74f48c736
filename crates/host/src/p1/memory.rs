//! The guest's linear memory, as one call sees it.

use super::Stop;
use smallvec::SmallVec;
use std::io::{IoSlice, IoSliceMut};
use wasi_host_core::Errno;

/// How many iovecs one call serves, as `IOV_MAX` is on Linux; a call with more gets a short count.
const IOV_MAX: u32 = 1024;

/// What one call moves at most, as Linux has it; the count must fit the guest's `size`.
pub(super) const MOST: usize = 0x7fff_f000;

/// The same in an asynchronous host, where others wait for the thread meanwhile.
#[cfg(feature = "async")]
pub(super) const MOST_ASYNC: usize = 2 << 20;

/// Buffers to read into. A handful stay on the stack; filled in place, as moving them costs more than a call.
pub(super) type Buffers<'a> = SmallVec<[IoSliceMut<'a>; 8]>;

/// Buffers to write from.
pub(super) type ConstBuffers<'a> = SmallVec<[IoSlice<'a>; 8]>;

/// Linear memory, borrowed. Addresses and lengths are the guest's: every access is checked, and one that is out
/// of bounds or not aligned traps, as the WASI 0.1 documents say.
pub(super) struct Memory<'a> {
    bytes: &'a mut [u8],
    /// How many bytes of bookkeeping (a list, a path) the host copies out of it at a time.
    copied: usize,
    /// How many bytes one call moves.
    most: usize,
}

impl<'a> Memory<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a mut [u8], copied: usize, most: usize) -> Self {
        // A memory with 64-bit addresses may be longer than the ABI can name.
        let reach = bytes.len().min(1 << 32);
        Self { bytes: &mut bytes[..reach], copied, most }
    }

    /// Bookkeeping that the host copies: `n` elements of `size` bytes.
    ///
    /// # Errors
    ///
    /// `NoMem` beyond [`Limits::hostcall`](crate::limits::Limits::hostcall).
    #[inline]
    pub(super) fn list(&self, at: u32, n: u32, size: usize, align: u32) -> Result<&[u8], Stop> {
        let list = self.array(at, n, size, align)?;
        if list.len() > self.copied { Err(Errno::NoMem.into()) } else { Ok(list) }
    }

    #[inline(always)]
    fn range(&self, at: u32, len: usize, align: u32) -> Result<std::ops::Range<usize>, Stop> {
        if !at.is_multiple_of(align) {
            return Err(misaligned(at, align));
        }
        let start = at as usize;
        match start.checked_add(len) {
            Some(end) if end <= self.bytes.len() => Ok(start..end),
            _ => Err(out_of_bounds(at, len, self.bytes.len())),
        }
    }

    /// `len` bytes at `at`, to be written.
    #[inline]
    pub(super) fn bytes_mut(&mut self, at: u32, len: u32) -> Result<&mut [u8], Stop> {
        let range = self.range(at, len as usize, 1)?;
        Ok(&mut self.bytes[range])
    }

    /// `N` elements of `SIZE` bytes.
    #[inline]
    pub(super) fn array(&self, at: u32, n: u32, size: usize, align: u32) -> Result<&[u8], Stop> {
        let range = self.range(at, (n as usize).saturating_mul(size), align)?;
        Ok(&self.bytes[range])
    }

    /// The same, to be written.
    #[inline]
    pub(super) fn array_mut(&mut self, at: u32, n: u32, size: usize, align: u32) -> Result<&mut [u8], Stop> {
        let range = self.range(at, (n as usize).saturating_mul(size), align)?;
        Ok(&mut self.bytes[range])
    }

    /// Text, which the standard wants as UTF-8.
    #[inline]
    pub(super) fn str(&self, at: u32, len: u32) -> Result<&str, Stop> {
        std::str::from_utf8(self.list(at, len, 1, 1)?).map_err(|_| Errno::IlSeq.into())
    }

    #[inline(always)]
    pub(super) fn set_u32(&mut self, at: u32, value: u32) -> Result<(), Stop> {
        let range = self.range(at, 4, 4)?;
        self.bytes[range].copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    #[inline(always)]
    pub(super) fn set_u64(&mut self, at: u32, value: u64) -> Result<(), Stop> {
        let range = self.range(at, 8, 8)?;
        self.bytes[range].copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    /// Fails as a write there will: asked before an operation whose result must not be lost.
    #[inline(always)]
    pub(super) fn writable(&self, at: u32, len: usize, align: u32) -> Result<(), Stop> {
        self.range(at, len, align).map(drop)
    }

    /// The buffers of an iovec array, as far as one call serves them: address and length of each.
    ///
    /// ```text
    ///   0        4        8
    ///   | buf    | len    |     8 bytes each, little-endian
    /// ```
    fn iovecs(&self, at: u32, n: u32) -> Result<SmallVec<[(usize, usize); 8]>, Stop> {
        let mut room = self.most;
        let mut out = SmallVec::new();
        for iovec in self.list(at, n.min(IOV_MAX), 8, 4)?.chunks_exact(8) {
            let range = self.range(u32_at(iovec, 0), u32_at(iovec, 4) as usize, 1)?;
            let len = range.len().min(room);
            room -= len;
            out.push((range.start, len));
        }
        Ok(out)
    }

    /// The only buffer of an iovec array of one.
    #[inline]
    fn single(&self, at: u32) -> Result<std::ops::Range<usize>, Stop> {
        let iovec = self.array(at, 1, 8, 4)?;
        let range = self.range(u32_at(iovec, 0), u32_at(iovec, 4) as usize, 1)?;
        Ok(range.start..range.end.min(range.start + self.most))
    }

    /// Adds the buffers from which to write.
    #[inline]
    pub(super) fn gather<'m>(&'m self, at: u32, n: u32, to: &mut ConstBuffers<'m>) -> Result<(), Stop> {
        if n == 1 {
            to.push(IoSlice::new(&self.bytes[self.single(at)?]));
        } else {
            let iovecs = self.iovecs(at, n)?;
            to.extend(iovecs.iter().map(|&(start, len)| IoSlice::new(&self.bytes[start..start + len])));
        }
        Ok(())
    }

    /// Adds the buffers into which to read. Where some overlap only those before the first such are given, and the
    /// guest sees a short count.
    #[inline]
    pub(super) fn scatter<'m>(&'m mut self, at: u32, n: u32, to: &mut Buffers<'m>) -> Result<(), Stop> {
        if n == 1 {
            let range = self.single(at)?;
            to.push(IoSliceMut::new(&mut self.bytes[range]));
            return Ok(());
        }
        let mut iovecs = self.iovecs(at, n)?;
        iovecs.retain(|(_, len)| *len > 0);
        scatter(self.bytes, &iovecs, to);
        Ok(())
    }
}

/// Adds the ranges of `memory` to the buffers, as far as they are disjoint.
fn scatter<'m>(memory: &'m mut [u8], iovecs: &[(usize, usize)], to: &mut Buffers<'m>) {
    if iovecs.is_sorted_by(|a, b| a.0 + a.1 <= b.0) {
        to.extend(split(memory, iovecs));
        return;
    }
    // Out of order: split them in the order of their addresses, then put them back into the guest's.
    let mut order: SmallVec<[usize; 8]> = (0..iovecs.len()).collect();
    order.sort_unstable_by_key(|&i| iovecs[i]);
    let mut fit = iovecs.len();
    while let Some(w) = order.windows(2).find(|w| iovecs[w[0]].0 + iovecs[w[0]].1 > iovecs[w[1]].0) {
        fit = w[0].max(w[1]);
        order.retain(|i| *i < fit);
    }
    let sorted: SmallVec<[(usize, usize); 8]> = order.iter().map(|&i| iovecs[i]).collect();
    let mut placed: SmallVec<[Option<IoSliceMut<'_>>; 8]> = (0..fit).map(|_| None).collect();
    for (slice, &i) in split(memory, &sorted).zip(&order) {
        placed[i] = Some(slice);
    }
    to.extend(placed.into_iter().flatten());
}

/// Splits ascending, disjoint ranges out of `memory`.
fn split<'m>(memory: &'m mut [u8], ranges: &[(usize, usize)]) -> impl Iterator<Item = IoSliceMut<'m>> {
    let (mut rest, mut offset) = (memory, 0);
    ranges.iter().map(move |&(start, len)| {
        let (_, tail) = std::mem::take(&mut rest).split_at_mut(start - offset);
        let (slice, tail) = tail.split_at_mut(len);
        (rest, offset) = (tail, start + len);
        IoSliceMut::new(slice)
    })
}

#[cold]
fn misaligned(at: u32, align: u32) -> Stop {
    Stop::trap(format!("pointer {at:#x} is not aligned to {align} bytes"))
}

#[cold]
fn out_of_bounds(at: u32, len: usize, size: usize) -> Stop {
    Stop::trap(format!("{len} bytes at {at:#x} are out of bounds of the memory's {size:#x}"))
}

/// The little-endian integers at an offset of a record that was checked to hold them.
#[inline]
pub(super) fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

#[inline]
pub(super) fn u32_at(record: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(record[at..at + 4].try_into().expect("four bytes"))
}

#[inline]
pub(super) fn u64_at(record: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(record[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of 64 bytes with an iovec array at 0.
    fn memory(iovecs: &[(u32, u32)]) -> Vec<u8> {
        let mut m = vec![0; 64];
        for (i, (buf, len)) in iovecs.iter().enumerate() {
            m[i * 8..i * 8 + 4].copy_from_slice(&buf.to_le_bytes());
            m[i * 8 + 4..i * 8 + 8].copy_from_slice(&len.to_le_bytes());
        }
        m
    }

    /// What lands where when each buffer is filled with its own number, counted from 1.
    fn fill(iovecs: &[(u32, u32)]) -> (usize, Vec<u8>) {
        let mut m = memory(iovecs);
        let mut memory = Memory::new(&mut m, 4096, MOST);
        let mut buffers = Buffers::new();
        assert!(memory.scatter(0, iovecs.len() as u32, &mut buffers).is_ok());
        let n = buffers.len();
        for (i, b) in buffers.iter_mut().enumerate() {
            b.fill(i as u8 + 1);
        }
        drop(buffers);
        (n, m)
    }

    #[test]
    fn scatter_keeps_the_guests_order() {
        let (n, m) = fill(&[(48, 2), (40, 3), (60, 1)]);
        assert_eq!(n, 3);
        assert_eq!((&m[48..50], &m[40..43], m[60]), (&[1, 1][..], &[2, 2, 2][..], 3));
    }

    #[test]
    fn scatter_stops_before_an_overlap() {
        assert_eq!(fill(&[(40, 8), (44, 8), (56, 4)]).0, 1);
        assert_eq!(fill(&[(40, 8), (56, 4), (40, 8)]).0, 2);
        assert_eq!(fill(&[(56, 4), (40, 8), (47, 4), (60, 1)]).0, 2);
    }

    #[test]
    fn empty_buffers_overlap_nothing() {
        assert_eq!(fill(&[(40, 8), (42, 0), (48, 4)]).0, 2);
    }

    #[test]
    fn bad_pointers_stop() {
        let mut m = memory(&[(60, 8), (u32::MAX, u32::MAX)]);
        let mut memory = Memory::new(&mut m, 4096, MOST);
        for (at, n) in [(0, 1), (8, 1), (2, 1), (0, u32::MAX)] {
            assert!(memory.scatter(at, n, &mut Buffers::new()).is_err());
            assert!(memory.gather(at, n, &mut ConstBuffers::new()).is_err());
        }
        assert!(memory.bytes_mut(64, 0).is_ok());
        assert!(memory.bytes_mut(65, 0).is_err());
        assert!(memory.set_u64(4, 1).is_err());
    }
}
