//! The one place where a guest waits, and from where its work goes to other threads.

use crate::delivery::{self, Delivery};
use crate::error::Interrupted;
use crate::mode::{BlockingPolicy, Kind, Mode, Pause};
use crate::wait::{BoxFuture, Event, Interrupt, Wait, Waiter, Watch};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Instant;
use wasi_host_core::fs::{Descriptor, Offload};
use wasi_host_core::slots::Slots;
use wasi_host_core::stream::Subscribe;
use wasi_host_core::{Errno, Result};

/// How one context waits: with what, until who interrupts it, and which work it leaves to others.
pub(crate) struct Waiting {
    pub(crate) waiter: Arc<dyn Waiter>,
    /// Made when somebody asks for it: a context that nobody interrupts need not look.
    pub(crate) interrupt: OnceLock<Interrupt>,
    pub(crate) policy: BlockingPolicy,
    pub(crate) delivery: Delivery,
    /// The calls of this context that other threads are doing.
    pub(crate) jobs: OnceLock<Slots>,
}

/// So many calls of one context are on other threads at a time: a disk that hangs shall not take them all from everybody.
const JOBS: usize = 32;

impl Drop for Waiting {
    fn drop(&mut self) {
        self.delivery.end(&*self.waiter, self.interrupt.get());
    }
}

impl Waiting {
    /// To be taken before who is about to wait looks at what for: what is revoked after that ends the wait, and what was
    /// before is seen. `None` where nobody may interrupt nor revoke.
    pub(crate) fn watch(&self) -> Option<Watch<'_>> {
        self.interrupt.get().map(Interrupt::watch)
    }

    /// The one place where a guest waits. `ended` receives an event for each entry of `waits` that has ended.
    /// Meanwhile what the guest's sockets have accepted is delivered, which does not end the wait. A change since `watch`
    /// does, and then there may be no event.
    pub(crate) async fn pause<'a, M: Mode>(
        &'a self,
        watch: Option<Watch<'a>>,
        waits: &mut Vec<Wait<'a>>,
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<(), Pause> {
        let own = waits.len();
        // Watched before it is asked: an interrupt in between is not lost.
        waits.extend(watch.map(Wait::Notify));
        self.unless_set()?;
        let before = ended.len();
        if self.delivery.left().is_some() {
            // Spans count from here, however often what follows begins anew.
            waits.iter_mut().for_each(fix);
        }
        while let Some(left) = self.delivery.left()
            && ended.len() == before
        {
            delivery::hand_on::<M>(left, &*self.waiter, waits, futures, ended).await?;
        }
        if ended.len() == before {
            M::any(&*self.waiter, waits, futures, ended).await?;
        }
        waits.truncate(own);
        ended.retain(|e| e.index < own);
        self.unless_set()
    }

    /// Fails if somebody has interrupted.
    pub(crate) fn unless_set(&self) -> Result<(), Pause> {
        match self.interrupt.get() {
            Some(interrupt) if interrupt.is_set() => Err(Pause::Interrupted(Interrupted)),
            _ => Ok(()),
        }
    }

    /// Whether a wait would do nothing but wait: nobody interrupts, and nothing is left to be delivered meanwhile.
    pub(crate) fn is_idle(&self) -> bool {
        self.delivery.left().is_none() && !self.interrupt.get().is_some_and(Interrupt::is_set)
    }

    /// Waits for one thing. It may end for nothing.
    pub(crate) async fn pause_for<'a, M: Mode>(
        &'a self,
        wait: impl FnOnce() -> Wait<'a> + Send,
    ) -> Result<(), Pause> {
        let watch = self.watch();
        self.pause::<M>(watch, &mut vec![wait()], &mut [], &mut Vec::new()).await
    }

    /// Does something until it says other than `Again`, waiting in between unless the descriptor is non-blocking.
    pub(crate) async fn until_done<'a, M: Mode, R>(
        &'a self,
        nonblocking: bool,
        wait: impl Fn() -> Wait<'a> + Send + Sync,
        mut op: impl FnMut() -> Result<R> + Send,
    ) -> Result<R, Pause> {
        loop {
            match op() {
                Err(Errno::Again) if !nonblocking => self.pause_for::<M>(&wait).await?,
                done => return Ok(done?),
            }
        }
    }

    /// Waits for a stream. It may end for nothing.
    pub(crate) async fn pause_for_stream<M: Mode, S: Subscribe + ?Sized>(
        &self,
        stream: &mut S,
    ) -> Result<(), Pause> {
        let watch = self.watch();
        match stream.wait() {
            Wait::Future => {}
            wait => return self.pause::<M>(watch, &mut vec![wait], &mut [], &mut Vec::new()).await,
        }
        self.pause::<M>(watch, &mut vec![Wait::Future], &mut [(0, stream.ready())], &mut Vec::new()).await
    }

    /// Waits for what a future gives.
    pub(crate) async fn output<M: Mode, R: Send + Sync>(
        &self,
        future: impl Future<Output = R> + Send,
    ) -> Result<R, Pause> {
        let output = OnceLock::new();
        let give = async { drop(output.set(future.await)) };
        let mut futures: [(usize, BoxFuture<'_, ()>); 1] = [(0, Box::pin(give))];
        while output.get().is_none() {
            self.pause::<M>(self.watch(), &mut vec![Wait::Future], &mut futures, &mut Vec::new()).await?;
        }
        drop(futures);
        Ok(output.into_inner().expect("it was there just now"))
    }

    /// Does something on another thread. An interrupt ends the waiting for it, and the doing if that has not begun.
    pub(crate) async fn elsewhere<M: Mode, R: Send + 'static>(
        &self,
        op: impl FnOnce() -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        let jobs = self.jobs.get_or_init(|| Slots::new(JOBS));
        let place = loop {
            match jobs.take() {
                Some(place) => break place,
                None => self.pause_for::<M>(|| jobs.wait()).await?,
            }
        };
        let op = move || {
            let _place = place;
            op()
        };
        self.unless_interrupted(M::offload(op)).await?
    }

    /// What a future gives, or that somebody interrupted before.
    pub(crate) async fn unless_interrupted<R>(&self, future: impl Future<Output = R>) -> Result<R, Pause> {
        let Some(interrupt) = self.interrupt.get() else { return Ok(future.await) };
        let (mut future, mut interrupted) = (pin!(future), pin!(interrupted(interrupt)));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Pending => interrupted.as_mut().poll(cx).map(|i| Err(Pause::Interrupted(i))),
            Poll::Ready(done) => Poll::Ready(Ok(done)),
        })
        .await
    }

    /// Does something with a descriptor, elsewhere if that may take long.
    pub(crate) async fn on_descriptor<M: Mode, R: Send + 'static>(
        &self,
        descriptor: &Descriptor,
        op: impl FnOnce(&Descriptor) -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        if !M::offloads(self.policy, descriptor.blocking(), Kind::Disk) {
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

    /// How file streams leave the thread.
    pub(crate) fn offload<M: Mode>(&self) -> Option<Offload> {
        let all = match self.policy {
            BlockingPolicy::Inline => return None,
            BlockingPolicy::Adaptive => false,
            BlockingPolicy::Offload => true,
        };
        M::elsewhere().map(|to| Offload { to, all })
    }

    /// Looks a name up: if `asks`, from the cache if that is where it is; else as [`on_path`](Self::on_path) does.
    pub(crate) async fn look_up<M: Mode, R: Send + 'static>(
        &self,
        asks: bool,
        dir: &Descriptor,
        path: &str,
        cached: impl FnOnce(&Descriptor, &str) -> Result<R>,
        op: impl FnOnce(&Descriptor, &str) -> Result<R> + Send + 'static,
    ) -> Result<R, Pause> {
        let asks = asks && self.policy == BlockingPolicy::Adaptive;
        if asks && M::offloads(self.policy, dir.blocking(), Kind::Cached) {
            match cached(dir, path) {
                Err(Errno::Again) => {}
                found => return Ok(found?),
            }
        }
        self.on_path::<M, R>(dir, path, op).await
    }
}

/// Makes a point in time of a span.
fn fix(wait: &mut Wait<'_>) {
    if let Wait::For(span) = *wait {
        *wait = Instant::now().checked_add(span).map_or(Wait::Forever, Wait::Until);
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
