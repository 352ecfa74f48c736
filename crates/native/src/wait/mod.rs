//! The one place that waits.

#[cfg(feature = "async")]
mod awaiting;
mod bell;
mod list;
#[cfg(feature = "async")]
mod registered;

#[cfg(feature = "async")]
use crate::errno::from_io;
use bell::Bell;
use list::List;
#[cfg(feature = "async")]
pub(crate) use registered::Registered;
use rustix::fd::AsFd;
use smallvec::SmallVec;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use wasi_host_core::Result;
use wasi_host_core::wait::{BoxFuture, Event, Registration, Wait, Waiter};

/// Waits with the operating system's own means. It may serve any number of contexts at once.
///
/// For a synchronous host: one `ppoll` over all descriptors, deadlines (to the nanosecond, as far as the kernel's
/// timer slack for the thread goes) and, through an eventfd that is made on first need, whatever wakes a waker. What
/// is ready without asking the kernel costs no system call. Streams that users wrote are polled on the calling
/// thread, with a runtime at hand that is made on first need (feature `async`); it may itself be a task's.
///
/// For an asynchronous host (feature `async`): the same, awaited on the task's own tokio runtime, which needs
/// `enable_io` but no timer; tokio panics without. Outside of tokio a runtime of ours watches.
///
/// An event has `hangup` set where `ppoll` says POLLHUP, POLLERR or POLLNVAL.
///
/// # Errors
///
/// `MFile`, `NFile` or `NoMem` where the system has no descriptor or memory left to wait with.
#[derive(Debug, Default)]
pub struct Poller {
    /// Those that wait at the same time have one each: what one hears would be lost for the other.
    spare: Mutex<Vec<Bell>>,
}

impl Waiter for Poller {
    fn any(
        &self,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<()> {
        let before = ended.len();
        let bell: Option<Lent<'_>>;
        let mut list = List::new(waits);
        let mut block = !list.due;
        if !block && futures.is_empty() && !list.has_descriptors() {
            list.collect(ended);
            return Ok(());
        }

        let wakes = !futures.is_empty() || (block && list.watches().next().is_some());
        bell = wakes.then(|| self.bell()).transpose()?;
        let mut registered: SmallVec<[Registration<'_>; 4]> = SmallVec::new();
        if let Some(bell) = &bell {
            list.listen(bell.as_fd());
            for watch in list.watches() {
                match watch.register(bell.waker()) {
                    Some(registration) => registered.push(registration),
                    None => block = false,
                }
            }
        }
        #[cfg(feature = "async")]
        let runtime =
            (!futures.is_empty()).then(crate::runtime::fallback).transpose().map_err(|e| from_io(&e))?;
        #[cfg(feature = "async")]
        let _entered = runtime.as_ref().map(|runtime| runtime.enter());

        loop {
            if let Some(bell) = &bell {
                let mut cx = Context::from_waker(bell.waker());
                block &= !poll_each(futures, ended, |future| unconstrained(future, &mut cx));
            }
            list.ask(block)?;
            if let Some(bell) = &bell
                && list.heard()
            {
                bell.quiet();
            }
            list.collect(ended);
            if ended.len() > before {
                in_order(&mut ended[before..], futures);
                return Ok(());
            }
        }
    }

    #[cfg(feature = "async")]
    fn any_async<'a, 'f: 'a>(
        &'a self,
        waits: &'a [Wait<'a>],
        futures: &'a mut [(usize, BoxFuture<'f, ()>)],
        ended: &'a mut Vec<Event>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(awaiting::any(waits, futures, ended))
    }
}

impl Poller {
    fn bell(&self) -> Result<Lent<'_>> {
        let spare = self.spare().pop();
        Ok(Lent { bell: Some(spare.map_or_else(Bell::new, Ok)?), to: self })
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Bell>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bell for the time of one wait. A waker that outlives that wait may ring it in a later one, which looks again.
struct Lent<'a> {
    bell: Option<Bell>,
    to: &'a Poller,
}

impl std::ops::Deref for Lent<'_> {
    type Target = Bell;

    fn deref(&self) -> &Bell {
        self.bell.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.to.spare().extend(self.bell.take());
    }
}

/// A descriptor that may stay registered with a reactor, where there are any.
#[cfg(not(feature = "async"))]
#[derive(Debug)]
pub(crate) struct Registered(rustix::fd::OwnedFd);

#[cfg(not(feature = "async"))]
impl Registered {
    pub(crate) fn new(fd: rustix::fd::OwnedFd) -> Self {
        Self(fd)
    }
}

#[cfg(not(feature = "async"))]
impl AsFd for Registered {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits for one thing: without blocking the thread if the feature `async` is on. A hint, like every event.
pub(crate) async fn one(wait: Wait<'_>) {
    let (waits, mut ended) = ([wait], Vec::new());
    // Whoever waits tries again then, and hears of the failure from the descriptor itself.
    #[cfg(feature = "async")]
    let _ = awaiting::any(&waits, &mut [], &mut ended).await;
    #[cfg(not(feature = "async"))]
    let _ = Poller::default().any(&waits, &mut [], &mut ended);
}

/// Polls each future, reports those that end and says whether one did.
fn poll_each<'f>(
    futures: &mut [(usize, BoxFuture<'f, ()>)],
    ended: &mut Vec<Event>,
    mut poll: impl FnMut(Pin<&mut (dyn Future<Output = ()> + Send + 'f)>) -> Poll<()>,
) -> bool {
    let before = ended.len();
    for (index, future) in futures {
        if poll(future.as_mut()).is_ready() {
            ended.push(Event::new(*index));
        }
    }
    ended.len() > before
}

/// Inside a task its cooperative budget would run dry: every leaf of tokio would say "pending" for ever, because
/// this thread does not return to the scheduler.
fn unconstrained(future: Pin<&mut (dyn Future<Output = ()> + Send + '_)>, cx: &mut Context<'_>) -> Poll<()> {
    #[cfg(feature = "async")]
    let future = std::pin::pin!(tokio::task::unconstrained(future));
    future.poll(cx)
}

fn in_order(ended: &mut [Event], futures: &[(usize, BoxFuture<'_, ()>)]) {
    if !futures.is_empty() {
        ended.sort_unstable_by_key(|event| event.index);
    }
}
