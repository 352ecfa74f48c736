//! Descriptors of ours that stay registered with a reactor from one asynchronous wait to the next.
//!
//! A connection is waited for again and again, and each registration costs several system calls. Whoever waits has no
//! more than the descriptor's number, so those that may be kept are known by it, for as long as they are open.

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Handle, Id};

/// A descriptor that may stay registered. It closes when this is dropped.
#[derive(Debug)]
pub(crate) struct Registered(Arc<OwnedFd>);

/// A descriptor's place in one reactor.
pub(super) type Registration = Arc<AsyncFd<Arc<OwnedFd>>>;

struct Entry {
    fd: Weak<OwnedFd>,
    at: Option<(Id, Registration)>,
}

static ALL: LazyLock<Mutex<HashMap<RawFd, Entry>>> = LazyLock::new(Mutex::default);

fn all() -> MutexGuard<'static, HashMap<RawFd, Entry>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registered {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let fd = Arc::new(fd);
        all().insert(fd.as_raw_fd(), Entry { fd: Arc::downgrade(&fd), at: None });
        Self(fd)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // Before the number can be another's. What leaves the reactor does so after the lock.
        let _entry = all().remove(&self.0.as_raw_fd());
    }
}

impl AsFd for Registered {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The registration of a descriptor with this runtime, made if there is none with any; `None` if it is not one to be kept,
/// or is another runtime's.
pub(super) fn registration(runtime: &Handle, fd: BorrowedFd<'_>) -> io::Result<Option<Registration>> {
    let mut all = all();
    let Some(entry) = all.get_mut(&fd.as_raw_fd()) else { return Ok(None) };
    if let Some((at, registration)) = &entry.at {
        return Ok((*at == runtime.id()).then(|| registration.clone()));
    }
    let Some(fd) = entry.fd.upgrade() else { return Ok(None) };
    let both = Interest::READABLE | Interest::WRITABLE;
    let registration = Arc::new(crate::runtime::watch(runtime, fd, both)?);
    entry.at = Some((runtime.id(), registration.clone()));
    Ok(Some(registration))
}

/// Forgets a registration: its reactor is gone.
pub(super) fn forget(fd: BorrowedFd<'_>) {
    let _old = all().get_mut(&fd.as_raw_fd()).and_then(|entry| entry.at.take());
}
