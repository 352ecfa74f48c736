//! Bytes that were accepted from a guest are delivered, whatever it does next.
//!
//! In a synchronous host each of the guest's waits hands on what sockets did not take at once, and so does the end of
//! its context, on the calling thread. In an asynchronous one a task does both. It is begun where a connection comes
//! about, and ends with the context.

use crate::mode::{Blocks, Mode, Pause, now};
use crate::wait::{BoxFuture, Event, Interrupt, Notify, Wait, Waiter};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use wasi_host_core::net::Undelivered;

/// What one context has left to deliver, and who does that.
pub(crate) struct Delivery {
    /// For how long after the context's end.
    pub(crate) deadline: Duration,
    /// No task ever does it: calls of tasks have no fixed order among the guest's.
    pub(crate) without_task: bool,
    list: OnceLock<Undelivered>,
    /// Shared with the task, if there is one.
    end: Mutex<Option<Arc<Ending>>>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            without_task: false,
            list: OnceLock::new(),
            end: Mutex::default(),
        }
    }
}

impl Delivery {
    /// Delivers what is on this list from now on.
    pub(crate) fn of(&self, list: &Undelivered) {
        self.list.get_or_init(|| list.clone());
    }

    /// What is left, unless a task takes care of it.
    pub(crate) fn left(&self) -> Option<&Undelivered> {
        self.list.get().filter(|list| !list.is_empty() && running(&self.ending()).is_none())
    }

    fn ending(&self) -> MutexGuard<'_, Option<Arc<Ending>>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a task deliver, where the host has tasks.
    pub(crate) fn begin<M: Mode>(&self, waiter: &Arc<dyn Waiter>) {
        let Some(list) = self.list.get() else { return };
        let mut ending = self.ending();
        if self.without_task || running(&ending).is_some() {
            return;
        }
        M::spawn(|| {
            let end = ending.insert(Arc::default()).clone();
            Courier { list: list.clone(), waiter: waiter.clone(), end }.run::<M>()
        });
    }

    /// The context ends: what is left has until the deadline.
    pub(crate) fn end(&self, waiter: &dyn Waiter, interrupt: Option<&Interrupt>) {
        let Some(list) = self.list.get() else { return };
        let end = || End { until: Instant::now().checked_add(self.deadline), interrupt: interrupt.cloned() };
        match running(&self.ending()) {
            Some(task) => task.tell(end()),
            None if list.is_empty() => {}
            None => end().finish(list, waiter),
        }
    }
}

/// The task that holds the other end, if it goes on.
fn running(ending: &Option<Arc<Ending>>) -> Option<&Ending> {
    ending.as_ref().filter(|end| Arc::strong_count(end) > 1).map(|end| &**end)
}

/// One wait for what the caller waits for, in which what can be delivered is; if only that happened `ended` stays as it
/// was.
pub(crate) async fn hand_on<M: Mode>(
    list: &Undelivered,
    waiter: &dyn Waiter,
    waits: &[Wait<'_>],
    futures: &mut [(usize, BoxFuture<'_, ()>)],
    ended: &mut Vec<Event>,
) -> Result<(), Pause> {
    let (own, pending) = (waits.len(), list.pending());
    let all: Vec<_> = waits.iter().copied().chain(pending.iter().map(|outgoing| outgoing.wait())).collect();
    M::any(waiter, &all, futures, ended).await?;
    ended.retain(|event| {
        let outgoing = event.index.checked_sub(own).and_then(|place| pending.get(place));
        outgoing.map(|outgoing| outgoing.drain()).is_none()
    });
    Ok(())
}

/// How a context ended.
struct End {
    /// For ever, if that is further away than time goes.
    until: Option<Instant>,
    interrupt: Option<Interrupt>,
}

impl End {
    /// Delivers until nothing is left, time is up or somebody interrupts.
    async fn deliver<M: Mode>(&self, list: &Undelivered, waiter: &dyn Waiter) -> Result<(), Pause> {
        let mut ended = Vec::new();
        // The first is the deadline; the second, that somebody interrupts or only has everybody look again.
        while !list.is_empty() && !ended.iter().any(|event: &Event| event.index == 0) {
            let until = self.until.map_or(Wait::Forever, Wait::Until);
            let watch = self.interrupt.as_ref().map(|interrupt| interrupt.watch());
            if self.interrupt.as_ref().is_some_and(Interrupt::is_set) {
                break;
            }
            let waits = [until, watch.map_or(Wait::Forever, Wait::Notify)];
            hand_on::<M>(list, waiter, &waits, &mut [], &mut ended).await?;
        }
        Ok(())
    }

    /// The same on this thread. A host that cannot wait can do no more.
    fn finish(&self, list: &Undelivered, waiter: &dyn Waiter) {
        let _ = now(self.deliver::<Blocks>(list, waiter));
    }
}

/// The end of a context as its task hears of it.
#[derive(Default)]
struct Ending {
    end: OnceLock<End>,
    told: Notify,
}

impl Ending {
    fn tell(&self, end: End) {
        let _ = self.end.set(end);
        self.told.notify();
    }
}

/// The task of an asynchronous host.
struct Courier {
    list: Undelivered,
    waiter: Arc<dyn Waiter>,
    end: Arc<Ending>,
}

impl Courier {
    async fn run<M: Mode>(self) {
        if self.deliver::<M>().await.is_err() {
            // It takes a descriptor to wait in a task, and none to wait in a thread.
            let _ = M::offload(move || {
                drop(self);
                Ok(())
            })
            .await;
        }
    }

    async fn deliver<M: Mode>(&self) -> Result<(), Pause> {
        loop {
            let waits = [Wait::Notify(self.list.watch()), Wait::Notify(self.end.told.watch())];
            if let Some(end) = self.end.end.get() {
                return end.deliver::<M>(&self.list, &*self.waiter).await;
            }
            hand_on::<M>(&self.list, &*self.waiter, &waits, &mut [], &mut Vec::new()).await?;
        }
    }
}

impl Drop for Courier {
    /// A runtime that shuts down drops its tasks, and this one may have something to do still.
    fn drop(&mut self) {
        if let Some(end) = self.end.end.get() {
            end.finish(&self.list, &*self.waiter);
        }
    }
}
