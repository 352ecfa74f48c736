//! Which tokio runtime serves whom; the only place that makes one.

use rustix::fd::OwnedFd;
use std::io;
use std::sync::{Mutex, PoisonError};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, Handle, Runtime};

/// The runtime of the calling task; outside of any, one of ours that is made on first need and has one worker.
///
/// # Panics
///
/// If ours is needed and the system gives no thread or descriptor for it.
pub fn handle() -> Handle {
    current_or_fallback().expect("the system gives a thread to wait on")
}

pub(crate) fn current_or_fallback() -> io::Result<Handle> {
    Handle::try_current().or_else(|_| fallback())
}

/// Where streams that users wrote find their timers and sockets while a synchronous host waits for them: only ever
/// entered, never blocked on, so that the host may itself stand in a task.
pub(crate) fn fallback() -> io::Result<Handle> {
    static FALLBACK: Mutex<Option<Runtime>> = Mutex::new(None);
    let mut made = FALLBACK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*made {
        return Ok(runtime.handle().clone());
    }
    let runtime =
        Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("wasi-host").build()?;
    Ok(made.insert(runtime).handle().clone())
}

/// Has `runtime` watch a descriptor, for as long as what is returned is kept.
///
/// # Panics
///
/// As tokio does, if that runtime was built without `enable_io`: there is no way to ask it.
pub(crate) fn watch(runtime: &Handle, fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    let _entered = runtime.enter();
    #[expect(deprecated, reason = "unsound only for types that change their descriptor; this one never does")]
    AsyncFd::with_interest(fd, interest)
}
