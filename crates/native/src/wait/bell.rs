//! How a waker reaches a thread that sleeps in `ppoll`.

use crate::errno::from_os;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use wasi_host_core::Result;

/// An eventfd and the waker that writes it. It belongs to one waiting thread at a time.
#[derive(Debug)]
pub(super) struct Bell {
    line: Arc<Line>,
    waker: Waker,
}

#[derive(Debug)]
struct Line {
    fd: OwnedFd,
    rung: AtomicBool,
}

impl Bell {
    pub(super) fn new() -> Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(from_os)?;
        let line = Arc::new(Line { fd, rung: AtomicBool::new(false) });
        Ok(Self { waker: line.clone().into(), line })
    }

    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Call when it was heard, and before looking at what may have rung it.
    ///
    /// The order counts: whoever rings between the two lines is seen by that look, and leaves the eventfd either
    /// empty or full but never empty with `rung` set, which would make the next ring silent.
    pub(super) fn quiet(&self) {
        let _ = rustix::io::read(&self.line.fd, &mut [0; 8]);
        self.line.rung.swap(false, Ordering::AcqRel);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.fd.as_fd()
    }
}

impl Wake for Line {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // It cannot be full: only the first ring after a `quiet` writes.
            let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
        }
    }
}
