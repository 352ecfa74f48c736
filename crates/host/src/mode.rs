//! One text for synchronous and asynchronous hosts.
//!
//! Whatever may wait is an `async fn` over a [`Mode`]. In a synchronous host each of its awaits does its waiting
//! at once, on the thread, so that [`now`] finds it finished at the first poll: no executor, no allocation.

use crate::error::Interrupted;
use crate::wait::{BoxFuture, Event, Wait, Waiter};
use std::pin::pin;
use std::sync::Arc;
#[cfg(feature = "async")]
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use wasi_host_core::fs::{Blocking, Elsewhere};
use wasi_host_core::{Errno, Result};
#[cfg(feature = "async")]
use wasi_host_native::runtime::{AbortOnDropJoinHandle, BlockingPool};

/// How an asynchronous host treats operations that may wait for a disk. Synchronous hosts do all of them on the
/// calling thread.
///
/// [`WasiCtxBuilder::blocking`](crate::WasiCtxBuilder::blocking) has an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockingPolicy {
    /// What is in the page cache, and small buffered writes, on the calling thread; the rest on a thread pool.
    #[default]
    Adaptive,
    /// Everything on the calling thread: fastest, and a slow disk delays whatever else that thread serves.
    Inline,
    /// Everything that may touch a disk on a thread pool; but for the closing of a file, and questions about one that
    /// is open. A stream that is dropped leaves its last write to the pool: if the runtime shuts down before a thread
    /// has taken it, that write is lost. Who flushes and waits loses nothing.
    Offload,
}

/// Why an operation that may wait gave nothing.
#[derive(Debug)]
#[repr(u64)]
pub(crate) enum Pause {
    /// It failed, or the host cannot wait for it.
    Errno(Errno),
    /// Somebody called [`Interrupt::interrupt`].
    Interrupted(Interrupted),
    /// It would have to wait, and was only tried.
    Later,
}

impl From<Errno> for Pause {
    fn from(e: Errno) -> Self {
        Self::Errno(e)
    }
}

#[cfg(feature = "p2")]
impl From<Pause> for wasmtime::Error {
    fn from(p: Pause) -> Self {
        match p {
            Pause::Errno(e) => wasmtime::Error::new(e).context("the host cannot wait"),
            Pause::Interrupted(i) => wasmtime::Error::new(i),
            Pause::Later => unreachable!("only what is tried gives up"),
        }
    }
}

/// For errors that the guest gets: what it is told of, and what stops it.
#[cfg(feature = "p2")]
macro_rules! from_pause {
    ($($error:ty)*) => { $(
        impl From<$crate::mode::Pause> for $error {
            fn from(p: $crate::mode::Pause) -> Self {
                match p {
                    $crate::mode::Pause::Errno(e) => e.into(),
                    stop => Self::Trap(stop.into()),
                }
            }
        }
    )* };
}
#[cfg(feature = "p2")]
pub(crate) use from_pause;

/// How a host waits, and where it does what may take long.
pub(crate) trait Mode: Send + Sync + 'static {
    /// Whether it gives up instead of waiting. What it gives up must have changed nothing: it is done again, and then
    /// the cache is known not to have it.
    const TRIES: bool = false;

    /// Ends when one of `waits` has.
    fn any(
        waiter: &dyn Waiter,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> impl Future<Output = Result<(), Pause>> + Send;

    /// Whether an operation of this kind leaves the thread.
    fn offloads(policy: BlockingPolicy, blocking: Blocking, kind: Kind) -> bool;

    /// Where file streams send what leaves the thread, if anything does.
    fn elsewhere() -> Option<Arc<dyn Elsewhere>>;

    /// Has a task of its own go on with it, where the host has tasks.
    fn spawn<F: Future<Output = ()> + Send + 'static>(task: impl FnOnce() -> F);

    /// Does it on another thread.
    fn offload<R: Send + 'static>(
        op: impl FnOnce() -> Result<R> + Send + 'static,
    ) -> impl Future<Output = Result<R, Pause>> + Send;
}

/// What an operation may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For bytes or names that are usually cached, and there is a way to ask for just those.
    Cached,
    /// For nothing but a copy into the page cache.
    Buffered,
    /// For a disk.
    Disk,
}

/// Everything on the calling thread.
pub(crate) struct Blocks;

impl Mode for Blocks {
    async fn any(
        waiter: &dyn Waiter,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<(), Pause> {
        Ok(waiter.any(waits, futures, ended)?)
    }

    fn offloads(_: BlockingPolicy, _: Blocking, _: Kind) -> bool {
        false
    }

    fn elsewhere() -> Option<Arc<dyn Elsewhere>> {
        None
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(_: impl FnOnce() -> F) {}

    async fn offload<R: Send + 'static>(op: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R, Pause> {
        Ok(op()?)
    }
}

/// Waiting is awaiting; disks may be left to a thread pool.
#[cfg(feature = "async")]
pub(crate) struct Awaits;

#[cfg(feature = "async")]
impl Mode for Awaits {
    async fn any(
        waiter: &dyn Waiter,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<(), Pause> {
        waiter.any_async(waits, futures, ended).await?;
        if !futures.is_empty() {
            // A user's stream that is always ready and never gives anything must not hold its thread.
            yield_now().await;
        }
        Ok(())
    }

    fn offloads(policy: BlockingPolicy, blocking: Blocking, kind: Kind) -> bool {
        match (policy, blocking) {
            (_, Blocking::Never) | (BlockingPolicy::Inline, _) => false,
            (BlockingPolicy::Adaptive, _) => kind != Kind::Buffered,
            (BlockingPolicy::Offload, _) => true,
        }
    }

    fn elsewhere() -> Option<Arc<dyn Elsewhere>> {
        static POOL: OnceLock<Arc<BlockingPool>> = OnceLock::new();
        Some(POOL.get_or_init(|| Arc::new(BlockingPool)).clone())
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(task: impl FnOnce() -> F) {
        wasi_host_native::runtime::handle().spawn(task());
    }

    async fn offload<R: Send + 'static>(op: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R, Pause> {
        // Given up, what has not begun is not done.
        let mut job: AbortOnDropJoinHandle<_> = wasi_host_native::runtime::handle().spawn_blocking(op).into();
        match (&mut *job).await {
            Ok(r) => Ok(r?),
            Err(e) => match e.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down; this task is about to be dropped.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// Lets others run.
#[cfg(feature = "async")]
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What can be done at once, before a future is made for it.
#[cfg(feature = "async")]
pub(crate) struct Tries;

#[cfg(feature = "async")]
impl Mode for Tries {
    const TRIES: bool = true;

    async fn any(
        _: &dyn Waiter,
        _: &[Wait<'_>],
        _: &mut [(usize, BoxFuture<'_, ()>)],
        _: &mut Vec<Event>,
    ) -> Result<(), Pause> {
        Err(Pause::Later)
    }

    fn offloads(policy: BlockingPolicy, blocking: Blocking, kind: Kind) -> bool {
        Awaits::offloads(policy, blocking, kind)
    }

    fn elsewhere() -> Option<Arc<dyn Elsewhere>> {
        Awaits::elsewhere()
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(task: impl FnOnce() -> F) {
        Awaits::spawn(task);
    }

    async fn offload<R: Send + 'static>(_: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R, Pause> {
        Err(Pause::Later)
    }
}

/// The result of a future that never waits: one of [`Blocks`], or of [`Tries`].
pub(crate) fn now<R>(future: impl Future<Output = R>) -> R {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(r) => r,
        Poll::Pending => unreachable!("neither waits by being polled again"),
    }
}
