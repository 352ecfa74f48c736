//! Which tokio runtime serves whom, and work that is given to it; the only place that makes one.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use wasi_host_core::fs::Elsewhere;

/// The runtime of the calling task; outside of any, one of ours that is made on first need and has one worker.
///
/// # Panics
///
/// If ours is needed and the system gives no thread or descriptor for it.
pub fn handle() -> Handle {
    current_or_fallback().expect("the system gives a thread to wait on")
}

/// Ours, for what must go on while the calling thread is blocked. It panics as [`handle`] does.
pub(crate) fn ours() -> Handle {
    fallback().expect("the system gives a thread to wait on")
}

/// Starts a task on the runtime that [`handle`] names.
///
/// ```
/// # use wasi_host_native::runtime::{in_tokio, spawn};
/// let task = spawn(async { 6 * 7 });
/// assert_eq!(in_tokio(task), 42);
/// ```
///
/// # Panics
///
/// As [`handle`] does.
pub fn spawn<F>(future: F) -> AbortOnDropJoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    handle().spawn(future).into()
}

/// Runs what blocks on a thread that may, one of the pool of the runtime that [`handle`] names.
///
/// ```
/// # use wasi_host_native::runtime::{in_tokio, spawn_blocking};
/// let task = spawn_blocking(|| std::fs::metadata("/").is_ok());
/// assert!(in_tokio(task));
/// ```
///
/// # Panics
///
/// As [`handle`] does.
pub fn spawn_blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> AbortOnDropJoinHandle<T> {
    handle().spawn_blocking(f).into()
}

/// Drives a future from synchronous code, which may itself stand in a task: this thread parks until the future ends.
///
/// The thread does not go back to its own runtime meanwhile, so what the future makes (timers, sockets, tasks) lives on
/// ours. What was made on a runtime that only this thread drives never goes on, and in a task of ours nothing does.
///
/// ```
/// # use std::time::Duration;
/// # use wasi_host_native::runtime::in_tokio;
/// let woken = in_tokio(async {
///     tokio::time::sleep(Duration::from_millis(1)).await;
///     "awake"
/// });
/// assert_eq!(woken, "awake");
/// ```
///
/// # Panics
///
/// If the system gives no thread or descriptor for our runtime; where the future does.
pub fn in_tokio<F: Future>(future: F) -> F::Output {
    let runtime = ours();
    let _entered = runtime.enter();
    let parked = Arc::new(Parked { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(parked.clone());
    let mut cx = Context::from_waker(&waker);
    // Inside a task its cooperative budget would run dry, as this thread does not return to the scheduler.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        // The future may park by itself and so take what was meant for us: the flag stays.
        while !parked.woken.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
}

struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Runs `f` where `tokio::spawn` and its like find a runtime: the current one, otherwise ours.
///
/// ```
/// # use wasi_host_native::runtime::with_ambient_tokio_runtime;
/// let interval = with_ambient_tokio_runtime(|| tokio::time::interval(std::time::Duration::from_secs(1)));
/// # drop(interval);
/// ```
///
/// # Panics
///
/// As [`handle`] does; where `f` does.
pub fn with_ambient_tokio_runtime<R>(f: impl FnOnce() -> R) -> R {
    let runtime = handle();
    let _entered = runtime.enter();
    f()
}

/// Polls a future once, and does not come back for it.
///
/// ```
/// # use std::pin::pin;
/// # use wasi_host_native::runtime::poll_noop;
/// assert_eq!(poll_noop(pin!(std::future::ready(1))), Some(1));
/// assert_eq!(poll_noop(pin!(std::future::pending::<()>())), None);
/// ```
pub fn poll_noop<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A task that ends with its handle: dropped, the task is aborted. Awaited, it gives what the task gave.
///
/// ```
/// # use wasi_host_native::runtime::{AbortOnDropJoinHandle, in_tokio};
/// let sum = in_tokio(async {
///     let task: AbortOnDropJoinHandle<i32> = tokio::spawn(async { 1 + 1 }).into();
///     task.await
/// });
/// assert_eq!(sum, 2);
/// ```
///
/// # Panics
///
/// To await it panics as the task did, and if the task was aborted or its runtime has shut down.
#[derive(Debug)]
pub struct AbortOnDropJoinHandle<T>(JoinHandle<T>);

/// Whether it has finished, and whatever else tokio tells of its tasks.
impl<T> Deref for AbortOnDropJoinHandle<T> {
    type Target = JoinHandle<T>;

    fn deref(&self) -> &JoinHandle<T> {
        &self.0
    }
}

impl<T> DerefMut for AbortOnDropJoinHandle<T> {
    fn deref_mut(&mut self) -> &mut JoinHandle<T> {
        &mut self.0
    }
}

impl<T> Drop for AbortOnDropJoinHandle<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> From<JoinHandle<T>> for AbortOnDropJoinHandle<T> {
    fn from(task: JoinHandle<T>) -> Self {
        Self(task)
    }
}

impl<T> Future for AbortOnDropJoinHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|ended| match ended {
            Ok(output) => output,
            Err(e) => match e.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(e) => panic!("awaited in vain: {e}"),
            },
        })
    }
}

/// The pool of threads that may block, of the runtime that [`handle`] names when a job is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockingPool;

impl Elsewhere for BlockingPool {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        handle().spawn_blocking(job);
    }
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
pub(crate) fn watch<T: AsRawFd>(runtime: &Handle, fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    let _entered = runtime.enter();
    #[expect(
        deprecated,
        reason = "unsound only for types that change their descriptor; those that are brought here never do"
    )]
    AsyncFd::with_interest(fd, interest)
}
