//! A waiter that moves time on.

use super::VirtualTime;
use super::participants::Entry;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use wasi_host_core::Result;
use wasi_host_core::wait::{BoxFuture, Deadline, Event, Notify, Wait, Waiter};

/// Waits as another waiter does, and moves a [`VirtualTime`] on when nothing else can happen. Made by
/// [`VirtualTime::waiter`], one for each context.
///
/// Each takes part in its time, from when it is made until it is dropped: time moves only while all wait, to the earliest
/// moment that any of them waits for. So a context that was made and does not run holds the time of the others. What
/// has happened is told before time moves: who was sent something has it before any timeout. (By hand, or by
/// [steps](VirtualTime::with_step), it moves whoever waits.)
///
/// What goes by real time does not hold it: descriptors, streams that embedders wrote, timers of theirs. A guest that
/// waits for standard input of the host for an hour at most has its hour at once, if nothing was there to be read.
/// Neither does a file operation that an asynchronous host does on another thread.
///
/// In an asynchronous host a context may have several tasks. One of those that wait gives way many times, until it
/// takes it that the others wait as well.
pub struct AutoAdvance {
    time: VirtualTime,
    inner: Arc<dyn Waiter>,
    participant: u64,
}

impl AutoAdvance {
    pub(super) fn new(time: VirtualTime, inner: Arc<dyn Waiter>) -> Self {
        let participant = time.join();
        Self { time, inner, participant }
    }

    /// What to have the other waiter wait for, and what to take part with: of a moment of this time it hears when that
    /// has come, and not of each move before.
    fn translate<'a>(&self, waits: &[Wait<'a>], due: &'a Arc<Notify>) -> (Vec<Wait<'a>>, Entry) {
        let mut entry = Entry { when: None, due: due.clone(), watches: Vec::new(), task: None };
        let translated = waits.iter().map(|wait| match *wait {
            Wait::Clock(moved, when) | Wait::NotifyBy(_, Deadline::Clock(moved, when))
                if moved.is_of(&self.time.0.moved) =>
            {
                if self.time.now() >= when {
                    return Wait::Ready;
                }
                entry.when = Some(entry.when.map_or(when, |first| first.min(when)));
                let Wait::NotifyBy(sooner, _) = *wait else { return Wait::Notify(due.watch()) };
                entry.watches.push(sooner.to_owned());
                Wait::NotifyBy(sooner, Deadline::Clock(due.watch(), when))
            }
            other => {
                entry.watches.extend(other.watches().map(|watch| watch.to_owned()));
                other
            }
        });
        (translated.collect(), entry)
    }

    fn enter(&self, entry: Entry) -> Entered<'_> {
        Entered { of: self, entry: self.time.enter(self.participant, entry) }
    }
}

impl Drop for AutoAdvance {
    fn drop(&mut self) {
        self.time.part(self.participant);
    }
}

/// A wait that goes on.
struct Entered<'a> {
    of: &'a AutoAdvance,
    entry: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.of.time.leave(self.of.participant, self.entry);
    }
}

impl Waiter for AutoAdvance {
    fn any(
        &self,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<()> {
        let (before, due) = (ended.len(), Arc::default());
        let (mut translated, entry) = self.translate(waits, &due);
        // What has happened already ends the wait before time does.
        translated.push(Wait::Ready);
        self.inner.any(&translated, futures, ended)?;
        ended.retain(|event| event.index < waits.len());
        if ended.len() > before {
            return Ok(());
        }
        translated.pop();
        let _entered = self.enter(entry);
        self.inner.any(&translated, futures, ended)
    }

    fn any_async<'a, 'f: 'a>(
        &'a self,
        waits: &'a [Wait<'a>],
        futures: &'a mut [(usize, BoxFuture<'f, ()>)],
        ended: &'a mut Vec<Event>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let due = Arc::default();
            let (translated, entry) = self.translate(waits, &due);
            let mut inner = self.inner.any_async(&translated, futures, ended);
            let (mut entry, mut entered) = (Some(entry), None::<Entered<'_>>);
            poll_fn(|cx| {
                if let Poll::Ready(done) = inner.as_mut().poll(cx) {
                    return Poll::Ready(done);
                }
                if let Some(entry) = entry.take() {
                    entered = Some(self.enter(Entry { task: Some(cx.waker().clone()), ..entry }));
                }
                if let Some(entered) = &entered
                    && self.time.give_way(self.participant, entered.entry, cx.waker())
                {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            })
            .await
        })
    }
}

impl fmt::Debug for AutoAdvance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutoAdvance").field("time", &self.time).finish_non_exhaustive()
    }
}
