//! What is known about the filesystems that one preopened directory reaches.

use rustix::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use wasi_host_core::fs::Blocking;

/// One filesystem, and whichever was met after it.
///
/// A list that only grows, without a lock. Nearly always it has one entry; each mount that lies below adds one.
#[derive(Debug)]
pub(super) struct Filesystem {
    dev: u64,
    memory: bool,
    nowait_refused: AtomicBool,
    next: OnceLock<Arc<Filesystem>>,
}

impl Filesystem {
    /// Asks about the filesystem `dev` that holds `fd`.
    pub(super) fn new(fd: BorrowedFd<'_>, dev: u64) -> Arc<Self> {
        Arc::new(Self {
            dev,
            memory: in_memory(fd),
            nowait_refused: AtomicBool::new(false),
            next: OnceLock::new(),
        })
    }

    /// The one that holds `fd`, on device `dev`.
    #[inline]
    pub(super) fn of(self: &Arc<Self>, fd: impl AsFd, dev: u64) -> Arc<Self> {
        let mut here = self;
        while here.dev != dev {
            here = here.next.get_or_init(|| Self::new(fd.as_fd(), dev));
        }
        here.clone()
    }

    /// Whether directories and regular files here may have to wait for a disk.
    #[inline]
    pub(super) fn blocking(&self) -> Blocking {
        if self.memory { Blocking::Never } else { Blocking::Maybe }
    }

    /// Whether it is worth asking for a read that does not wait.
    pub(super) fn has_nowait(&self) -> bool {
        !self.nowait_refused.load(Ordering::Relaxed)
    }

    /// It said that it has none.
    pub(super) fn refused_nowait(&self) {
        self.nowait_refused.store(true, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
fn in_memory(fd: BorrowedFd<'_>) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    const RAMFS: u32 = 0x8584_58f6;
    // The width and sign of `f_type` depend on the architecture; the number has 32 bits.
    rustix::fs::fstatfs(fd).is_ok_and(|s| [TMPFS, RAMFS].contains(&(s.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_fd: BorrowedFd<'_>) -> bool {
    false
}
