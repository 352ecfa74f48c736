//! One text for synchronous and asynchronous hosts.
//!
//! Whatever may wait is an `async fn` over a [`Mode`]. In a synchronous host each of its awaits does its waiting
//! at once, on the thread, so that [`now`] finds it finished at the first poll: no executor, no allocation.

use crate::ctx::BlockingPolicy;
use crate::error::Interrupted;
use crate::wait::{BoxFuture, Event, Interrupt, Wait, Waiter};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use wasi_host_core::fs::{Blocking, Descriptor};
use wasi_host_core::stream::Subscribe;
use wasi_host_core::{Errno, Result};

/// Why an operation that may wait gave nothing.
#[derive(Debug)]
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

/// How a host waits, and where it does what may take long.
pub(crate) trait Mode: Send + Sync + 'static {
    /// Whether it gives up instead of waiting. What it gives up must have changed nothing: it is done again.
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
    /// For nothing but memory: a copy into the page cache, what is known of an open file.
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

    async fn offload<R: Send + 'static>(op: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R, Pause> {
        match wasi_host_native::runtime::handle().spawn_blocking(op).await {
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
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
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

/// How one context waits: with what, until who interrupts it, and which work it leaves to others.
pub(crate) struct Waiting {
    pub(crate) waiter: Arc<dyn Waiter>,
    /// Made when somebody asks for it: a context that nobody interrupts need not look.
    pub(crate) interrupt: OnceLock<Interrupt>,
    pub(crate) policy: BlockingPolicy,
}

impl Waiting {
    /// The one place where a guest waits. `ended` receives an event for each entry of `waits` that has ended.
    pub(crate) async fn pause<'a, M: Mode>(
        &'a self,
        waits: &mut Vec<Wait<'a>>,
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<(), Pause> {
        let (own, interrupt) = (waits.len(), self.interrupt.get());
        if let Some(interrupt) = interrupt {
            // Watched before it is asked: an interrupt in between is not lost.
            waits.push(Wait::Notify(interrupt.watch()));
            if interrupt.is_set() {
                return Err(Pause::Interrupted(Interrupted));
            }
        }
        M::any(&*self.waiter, waits, futures, ended).await?;
        waits.truncate(own);
        ended.retain(|e| e.index < own);
        match interrupt {
            Some(i) if i.is_set() => Err(Pause::Interrupted(Interrupted)),
            _ => Ok(()),
        }
    }

    /// Waits for one thing.
    pub(crate) async fn pause_for<'a, M: Mode>(&'a self, wait: Wait<'a>) -> Result<(), Pause> {
        self.pause::<M>(&mut vec![wait], &mut [], &mut Vec::new()).await
    }

    /// Waits for a stream.
    pub(crate) async fn pause_for_stream<M: Mode, S: Subscribe + ?Sized>(
        &self,
        stream: &mut S,
    ) -> Result<(), Pause> {
        match stream.wait() {
            Wait::Future => {}
            wait => return self.pause_for::<M>(wait).await,
        }
        self.pause::<M>(&mut vec![Wait::Future], &mut [(0, stream.ready())], &mut Vec::new()).await
    }

    /// Does something on another thread. An interrupt ends the waiting for it, not the doing.
    pub(crate) async fn elsewhere<M: Mode, R: Send + 'static>(
        &self,
        op: impl FnOnce() -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        let Some(interrupt) = self.interrupt.get() else { return M::offload(op).await };
        let (mut work, mut interrupted) = (pin!(M::offload(op)), pin!(interrupted(interrupt)));
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Pending => interrupted.as_mut().poll(cx).map(|i| Err(Pause::Interrupted(i))),
            done => done,
        })
        .await
    }

    /// Does something with a descriptor, elsewhere if that may take long.
    pub(crate) async fn on_descriptor<M: Mode, R: Send + 'static>(
        &self,
        kind: Kind,
        descriptor: &Descriptor,
        op: impl FnOnce(&Descriptor) -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        if !M::offloads(self.policy, descriptor.blocking(), kind) {
            return Ok(op(descriptor)?);
        }
        let descriptor = descriptor.clone();
        self.elsewhere::<M, _>(move || op(&descriptor)).await
    }

    /// Does something with a name in a directory, elsewhere if that may take long.
    pub(crate) async fn on_path<M: Mode, R: Send + 'static>(
        &self,
        dir: &Descriptor,
        path: &str,
        op: impl FnOnce(&Descriptor, &str) -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        if !M::offloads(self.policy, dir.blocking(), Kind::Disk) {
            return Ok(op(dir, path)?);
        }
        let (dir, path) = (dir.clone(), path.to_owned());
        self.elsewhere::<M, _>(move || op(&dir, &path)).await
    }

    /// Does something with two names, elsewhere if that may take long.
    pub(crate) async fn on_paths<M: Mode, R: Send + 'static>(
        &self,
        (from, path): (&Descriptor, &str),
        (to, to_path): (&Descriptor, &str),
        op: impl FnOnce((&Descriptor, &str), (&Descriptor, &str)) -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        let offloads = |dir: &Descriptor| M::offloads(self.policy, dir.blocking(), Kind::Disk);
        if !offloads(from) && !offloads(to) {
            return Ok(op((from, path), (to, to_path))?);
        }
        let (from, path, to, to_path) = (from.clone(), path.to_owned(), to.clone(), to_path.to_owned());
        self.elsewhere::<M, _>(move || op((&from, &path), (&to, &to_path))).await
    }

    /// Looks a name up: from the cache if that is where it is, else as [`on_path`](Self::on_path) does.
    pub(crate) async fn look_up<M: Mode, R: Send + 'static>(
        &self,
        dir: &Descriptor,
        path: &str,
        cached: impl FnOnce(&Descriptor, &str) -> Result<R>,
        op: impl FnOnce(&Descriptor, &str) -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        // The cache is asked when the call is tried; after that it is known not to have the answer.
        let asks = M::TRIES && self.policy == BlockingPolicy::Adaptive;
        if asks && M::offloads(self.policy, dir.blocking(), Kind::Cached) {
            match cached(dir, path) {
                Err(Errno::Again) => {}
                found => return Ok(found?),
            }
        }
        self.on_path::<M, R>(dir, path, op).await
    }
}

/// Ends when somebody interrupts.
async fn interrupted(interrupt: &Interrupt) -> Interrupted {
    loop {
        let watch = interrupt.watch();
        if interrupt.is_set() {
            return Interrupted;
        }
        watch.wait().await;
    }
}
