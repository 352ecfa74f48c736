//! Waiting without a thread.

use super::list::List;
use super::poll_each;
use super::registered::{self, Registration};
use crate::errno::from_io;
use crate::{runtime, timer};
use rustix::event::PollFlags;
use rustix::fd::{BorrowedFd, OwnedFd};
use smallvec::SmallVec;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::runtime::Handle;
use wasi_host_core::Result;
use wasi_host_core::wait::{BoxFuture, Changed, Event, Wait};

/// [`Waiter::any`](wasi_host_core::wait::Waiter::any) as a future. Dropped half-way it leaves nothing behind but
/// registrations that are kept.
pub(super) async fn any(
    waits: &[Wait<'_>],
    futures: &mut [(usize, BoxFuture<'_, ()>)],
    ended: &mut Vec<Event>,
) -> Result<()> {
    let before = ended.len();
    let mut list = List::new(waits);
    if !futures.is_empty() {
        poll_fn(|cx| {
            poll_each(futures, ended, |future| future.poll(cx));
            Poll::Ready(())
        })
        .await;
    }
    let (mut kept, mut others) = sort(&list).map_err(|e| from_io(&e))?;
    let mut waited = false;
    loop {
        if kept.iter().any(|kept| kept.gone.load(Ordering::Relaxed)) {
            (kept, others) = sort(&list).map_err(|e| from_io(&e))?;
        }
        let known: SmallVec<[_; 2]> = kept.iter().filter_map(Kept::known).collect();
        // What has just been heard of the only descriptor need not be asked for, unless there is more to tell than that.
        if waited
            && let ([guard], [_]) = (&known[..], &kept[..])
            && let Some(index) = list.only_descriptor()
            && !(guard.ready().is_read_closed()
                || guard.ready().is_write_closed()
                || guard.ready().is_error())
        {
            ended.push(Event::new(index));
        } else if list.has_descriptors() {
            // What is ready now needs neither a runtime nor a new registration.
            list.ask(false)?;
        }
        list.collect(ended);
        // What the reactor knew is either told now or no longer so: the kernel was asked later.
        known.into_iter().for_each(|mut guard| guard.clear_ready());
        if ended.len() > before {
            ended[before..].sort_unstable_by_key(|event| event.index);
            return Ok(());
        }
        // The others are registered anew if somebody else was faster: tokio never forgets a hang-up.
        let mut alarms = Alarms::new(&list, &kept, &others).map_err(|e| from_io(&e))?;
        poll_fn(|cx| {
            let news = poll_each(futures, ended, |future| future.poll(cx));
            if alarms.poll(cx).is_ready() || news { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        waited = true;
    }
}

/// A descriptor whose registration outlasts this wait.
struct Kept<'a> {
    fd: BorrowedFd<'a>,
    interest: Interest,
    registration: Registration,
    /// Its reactor is.
    gone: AtomicBool,
}

impl Kept<'_> {
    /// What the reactor has heard of it, if anything.
    fn known(&self) -> Option<AsyncFdReadyGuard<'_, Arc<OwnedFd>>> {
        let ready = pin!(self.registration.ready(self.interest));
        match ready.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(guard)) => Some(guard),
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    async fn ready(&self) {
        if self.registration.ready(self.interest).await.is_err() {
            registered::forget(self.fd);
            self.gone.store(true, Ordering::Relaxed);
        }
    }
}

type Others<'a> = SmallVec<[(BorrowedFd<'a>, Interest); 2]>;

/// The descriptors of a list: those whose registration is kept, and those that have one for this wait alone.
fn sort<'a>(list: &List<'a>) -> io::Result<(SmallVec<[Kept<'a>; 2]>, Others<'a>)> {
    let (mut kept, mut others) = (SmallVec::new(), SmallVec::new());
    let runtime = if list.has_descriptors() { Handle::try_current().ok() } else { None };
    for (fd, wanted) in list.descriptors() {
        let interest = match (wanted.contains(PollFlags::IN), wanted.contains(PollFlags::OUT)) {
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (false, true) => Interest::WRITABLE,
            _ => Interest::READABLE,
        };
        let registration = match &runtime {
            Some(runtime) => registered::registration(runtime, fd)?,
            None => None,
        };
        match registration {
            Some(registration) => {
                kept.push(Kept { fd, interest, registration, gone: AtomicBool::new(false) })
            }
            None => others.push((fd, interest)),
        }
    }
    Ok((kept, others))
}

/// Whatever can wake the task: for the time of one wait.
struct Alarms<'k, 'a> {
    kept: SmallVec<[BoxFuture<'k, ()>; 2]>,
    /// Duplicates, because another store may wait for the same descriptor on the same runtime.
    fds: SmallVec<[AsyncFd<OwnedFd>; 2]>,
    changes: SmallVec<[Changed<'a>; 4]>,
    sleep: Option<timer::Sleep>,
}

impl<'k, 'a> Alarms<'k, 'a> {
    fn new(list: &List<'a>, kept: &'k [Kept<'_>], others: &Others<'_>) -> io::Result<Self> {
        let mut alarms = Self {
            kept: kept.iter().map(|kept| Box::pin(kept.ready()) as BoxFuture<'_, ()>).collect(),
            fds: SmallVec::new(),
            changes: list.watches().map(|w| w.wait()).collect(),
            sleep: None,
        };
        if !others.is_empty() || list.deadline.is_some() {
            let runtime = runtime::current_or_fallback()?;
            alarms.sleep = list.deadline.map(|until| timer::sleep_until(&runtime, until)).transpose()?;
            for (fd, interest) in others {
                alarms.fds.push(runtime::watch(&runtime, fd.try_clone_to_owned()?, *interest)?);
            }
        }
        Ok(alarms)
    }

    /// Ready if anything may have happened.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut news = false;
        for kept in &mut self.kept {
            news |= kept.as_mut().poll(cx).is_ready();
        }
        for fd in &self.fds {
            // Both ways: some failures are told to writers alone.
            news |= fd.poll_read_ready(cx).is_ready();
            news |= fd.poll_write_ready(cx).is_ready();
        }
        for change in &mut self.changes {
            news |= Pin::new(change).poll(cx).is_ready();
        }
        if let Some(sleep) = &mut self.sleep {
            news |= Pin::new(sleep).poll(cx).is_ready();
        }
        if news { Poll::Ready(()) } else { Poll::Pending }
    }
}
