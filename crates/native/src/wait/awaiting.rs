//! Waiting without a thread.

use super::list::List;
use super::{in_order, poll_each};
use crate::errno::from_io;
use crate::{runtime, timer};
use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use smallvec::SmallVec;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use wasi_host_core::Result;
use wasi_host_core::wait::{BoxFuture, Changed, Event, Wait};

/// [`Waiter::any`](wasi_host_core::wait::Waiter::any) as a future. Dropped half-way it leaves nothing behind.
pub(super) async fn any(
    waits: &[Wait<'_>],
    futures: &mut [(usize, BoxFuture<'_, ()>)],
    ended: &mut Vec<Event>,
) -> Result<()> {
    let before = ended.len();
    let mut list = List::new(waits);

    // What is ready now needs neither a runtime nor a registration.
    if !futures.is_empty() {
        poll_fn(|cx| {
            poll_each(futures, ended, |future| future.poll(cx));
            Poll::Ready(())
        })
        .await;
    }
    if list.has_descriptors() {
        list.ask(false)?;
    }
    list.collect(ended);
    if ended.len() > before {
        in_order(&mut ended[before..], futures);
        return Ok(());
    }

    loop {
        // Made anew if somebody else was faster: tokio never forgets that a descriptor was once hung up.
        let mut alarms = Alarms::new(&list).map_err(|e| from_io(&e))?;
        poll_fn(|cx| {
            let news = poll_each(futures, ended, |future| future.poll(cx));
            if alarms.poll(cx).is_ready() || news { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        if list.has_descriptors() {
            list.ask(false)?;
        }
        list.collect(ended);
        if ended.len() > before {
            in_order(&mut ended[before..], futures);
            return Ok(());
        }
    }
}

/// Whatever can wake the task: for the time of one wait.
struct Alarms<'a> {
    /// Duplicates, because another store may wait for the same descriptor on the same runtime.
    fds: SmallVec<[AsyncFd<OwnedFd>; 2]>,
    changes: SmallVec<[Changed<'a>; 4]>,
    sleep: Option<timer::Sleep>,
}

impl<'a> Alarms<'a> {
    fn new(list: &List<'a>) -> io::Result<Self> {
        let runtime = (list.has_descriptors() || list.deadline.is_some())
            .then(runtime::current_or_fallback)
            .transpose()?;
        let mut alarms =
            Self { fds: SmallVec::new(), changes: list.watches().map(|w| w.wait()).collect(), sleep: None };
        if let Some(runtime) = &runtime {
            alarms.sleep = list.deadline.map(|until| timer::sleep_until(runtime, until)).transpose()?;
            alarms.watch(list, runtime)?;
        }
        Ok(alarms)
    }

    fn watch(&mut self, list: &List<'a>, runtime: &Handle) -> io::Result<()> {
        for (fd, wanted) in list.descriptors() {
            let interest = match (wanted.contains(PollFlags::IN), wanted.contains(PollFlags::OUT)) {
                (true, true) => Interest::READABLE | Interest::WRITABLE,
                (false, true) => Interest::WRITABLE,
                _ => Interest::READABLE,
            };
            self.fds.push(runtime::watch(runtime, fd.try_clone_to_owned()?, interest)?);
        }
        Ok(())
    }

    /// Ready if anything may have happened.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut news = false;
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
