//! What the kernel takes at a time, and whether it would take it now.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use std::io::{IoSlice, IoSliceMut};

/// As many buffers as one system call takes (`IOV_MAX`); what goes beyond is a short count.
const IOV_MAX: usize = 1024;

/// What a pipe or a terminal takes without waiting once it says that it can be written.
pub(crate) const PIPE_BUF: usize = 4096;

/// The buffers of one call from which to write.
pub(crate) fn first<'a, 'b>(bufs: &'a [IoSlice<'b>]) -> &'a [IoSlice<'b>] {
    &bufs[..bufs.len().min(IOV_MAX)]
}

/// The buffers of one call into which to read.
pub(crate) fn first_mut<'a, 'b>(bufs: &'a mut [IoSliceMut<'b>]) -> &'a mut [IoSliceMut<'b>] {
    let n = bufs.len().min(IOV_MAX);
    &mut bufs[..n]
}

/// Whether a descriptor can be read or written at this moment, or has failed.
pub(crate) fn ready(fd: impl AsFd, flags: PollFlags) -> rustix::io::Result<bool> {
    let mut set = [PollFd::new(&fd, flags)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(rustix::io::retry_on_intr(|| poll(&mut set, Some(&now)))? > 0)
}
