//! Less of a list of buffers.

use std::io::{IoSlice, IoSliceMut};

/// How many bytes they hold.
pub(crate) fn total(bufs: &[IoSlice<'_>]) -> u64 {
    bufs.iter().map(|buf| buf.len() as u64).sum()
}

/// Their first `most` bytes.
pub(crate) fn first<'b>(bufs: &'b [IoSlice<'_>], most: u64) -> Vec<IoSlice<'b>> {
    let mut room = most;
    let some = bufs.iter().map_while(|buf| {
        let n = share(&mut room, buf.len())?;
        Some(IoSlice::new(&buf[..n]))
    });
    some.collect()
}

/// How many bytes there is room for.
pub(crate) fn total_mut(bufs: &[IoSliceMut<'_>]) -> u64 {
    bufs.iter().map(|buf| buf.len() as u64).sum()
}

/// The same, to read into.
pub(crate) fn first_mut<'b>(bufs: &'b mut [IoSliceMut<'_>], most: u64) -> Vec<IoSliceMut<'b>> {
    let mut room = most;
    let some = bufs.iter_mut().map_while(|buf| {
        let n = share(&mut room, buf.len())?;
        Some(IoSliceMut::new(&mut buf[..n]))
    });
    some.collect()
}

/// How much of a buffer of `len` bytes there is room for; `None` once there is none.
fn share(room: &mut u64, len: usize) -> Option<usize> {
    if *room == 0 {
        return None;
    }
    let n = usize::try_from(*room).map_or(len, |room| room.min(len));
    *room -= n as u64;
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_and_no_more() {
        let bufs = [&b"ab"[..], b"", b"cde"].map(IoSlice::new);
        assert_eq!(total(&bufs), 5);
        for most in 0..8 {
            let text: Vec<u8> = first(&bufs, most).iter().flat_map(|buf| buf.to_vec()).collect();
            assert_eq!(text, b"abcde"[..most.min(5) as usize]);
        }
        let (mut a, mut b) = ([0; 2], [0; 3]);
        let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        let lens = |bufs: Vec<IoSliceMut<'_>>| bufs.iter().map(|buf| buf.len()).collect::<Vec<_>>();
        assert_eq!(lens(first_mut(&mut bufs, 3)), [2, 1]);
        assert_eq!(lens(first_mut(&mut bufs, u64::MAX)), [2, 3]);
        assert_eq!(lens(first_mut(&mut bufs, 0)), [0; 0]);
    }
}
