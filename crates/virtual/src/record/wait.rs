//! Waiting on a tape: in a recording the order in which waits end is written down, in a replay it is kept to.

use super::answers::Kind;
use super::codec::{Codec, fields};
use super::tape::{Mode, State, Tape, Taped, WOKEN};
use super::turn::{Asleep, NOTHING, Turn};
use std::collections::HashSet;
use std::future::poll_fn;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use wasi_host_core::wait::{BoxFuture, Event, Wait, Waiter};
use wasi_host_core::{Errno, Result};

/// What ended a wait.
pub(super) type Events = Result<Vec<Event>>;

/// How a wait ended, and what was said of addresses since the last.
pub(super) struct Woken {
    pub(super) events: Events,
    pub(super) allowed: Vec<(u64, bool)>,
}

fields!(Woken: events allowed);

impl Tape {
    /// What waits instead of `waiter`.
    pub fn waiter(&self, waiter: Arc<dyn Waiter>) -> Arc<dyn Waiter> {
        Arc::new(self.taped_unless_replayed(waiter, "the waiter"))
    }
}

impl<I> Taped<I> {
    /// A call that says what to wait for. Only what kind of thing that is the guest can find out.
    pub(super) fn wait<'a>(
        &'a self,
        what: std::fmt::Arguments<'_>,
        real: impl FnOnce(&'a I) -> Wait<'a>,
    ) -> Wait<'a> {
        if let Some(inner) = &self.inner {
            let wait = real(inner);
            let when = if let Wait::Clock(_, when) = wait { when } else { 0 };
            self.tape.record(&self.thing, what, &Some((Kind::of(&wait), when)));
            return wait;
        }
        let (kind, when) =
            self.tape.replay::<Option<(Kind, u64)>>(&self.thing, what).unwrap_or((Kind::Ready, 0));
        let nothing = self.tape.nothing();
        let pipe = || nothing.pipe.get_or_init(|| std::io::pipe().ok()).as_ref();
        match kind {
            Kind::Ready => Wait::Ready,
            Kind::Until => Wait::Until(Instant::now()),
            Kind::For => Wait::For(Duration::ZERO),
            Kind::Readable => pipe().map_or(Wait::Forever, |(end, _)| Wait::Readable(end.as_fd())),
            Kind::Writable => pipe().map_or(Wait::Forever, |(_, end)| Wait::Writable(end.as_fd())),
            Kind::Notify => Wait::Notify(nothing.notify.watch()),
            Kind::Clock => Wait::Clock(nothing.notify.watch(), when),
            Kind::Forever => Wait::Forever,
            Kind::Future => Wait::Future,
        }
    }
}

type Futures<'b, 'f> = &'b mut [(usize, BoxFuture<'f, ()>)];

/// Tells what was recorded, of each wait once. The futures of a replay end at their first poll.
fn tell(waits: usize, woken: Events, futures: Futures<'_, '_>, ended: &mut Vec<Event>) -> Result<()> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut told = HashSet::new();
    for event in woken?.into_iter().filter(|event| event.index < waits && told.insert(event.index)) {
        for (_, future) in futures.iter_mut().filter(|(index, _)| *index == event.index) {
            let _ = future.as_mut().poll(&mut cx);
        }
        ended.push(event);
    }
    Ok(())
}

#[deny(clippy::missing_trait_methods)]
impl Waiter for Taped<Arc<dyn Waiter>> {
    fn any(&self, waits: &[Wait<'_>], futures: Futures<'_, '_>, ended: &mut Vec<Event>) -> Result<()> {
        let Some(inner) = &self.inner else {
            let woken = match self.begun(waits.len())? {
                Ok(woken) => woken,
                // It was recorded in an asynchronous host. Nobody else is here to do anything first.
                Err(number) => self.woken_next(number)?,
            };
            return tell(waits.len(), self.allow(woken), futures, ended);
        };
        if let Mode::Record(writer, _) = &mut self.tape.state().mode {
            writer.pause();
        }
        let mut events = Vec::new();
        let result = inner.any(waits, futures, &mut events);
        self.begin(waits.len(), Some(result.map(|()| events))).map_or(Ok(()), |events| {
            ended.extend(events?);
            Ok(())
        })
    }

    fn any_async<'a, 'f: 'a>(
        &'a self,
        waits: &'a [Wait<'a>],
        futures: &'a mut [(usize, BoxFuture<'f, ()>)],
        ended: &'a mut Vec<Event>,
    ) -> BoxFuture<'a, Result<()>> {
        let Some(inner) = &self.inner else {
            return Box::pin(async move {
                let woken = match self.begun(waits.len())? {
                    Ok(woken) => woken,
                    Err(wait) => Asleep::new(&self.tape, wait).await?,
                };
                tell(waits.len(), self.allow(woken), futures, ended)
            });
        };
        Box::pin(async move {
            let mut events = Vec::new();
            let mut real = inner.any_async(waits, futures, &mut events);
            if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(real.as_mut().poll(cx))).await {
                drop(real);
                ended.extend(
                    self.begin(waits.len(), Some(result.map(|()| events))).unwrap_or(Ok(Vec::new()))?,
                );
                return Ok(());
            }
            self.begin(waits.len(), None);
            let wait = self.tape.state().entries;
            let result = real.as_mut().await;
            drop(real);
            let hurried = Turn::new(&self.tape).await;
            self.end(wait, hurried, result.map(|()| events), ended)
        })
    }
}

/// What is written down.
impl Taped<Arc<dyn Waiter>> {
    /// A wait begins, and may have ended already.
    fn begin(&self, waits: usize, events: Option<Events>) -> Option<Events> {
        let woken = events.map(|events| self.tape.woken(events));
        self.tape.record(&self.thing, format_args!("wait for {waits}"), &woken);
        woken.map(|woken| woken.events)
    }

    /// A wait that goes on has ended.
    fn end(&self, wait: u64, hurried: bool, events: Events, ended: &mut Vec<Event>) -> Result<()> {
        let woken = self.tape.woken(events);
        let mut state = self.tape.state();
        if let State { entries, mode: Mode::Record(writer, _), .. } = &mut *state {
            *entries += 1;
            writer.add(|to| {
                (WOKEN, wait).put(to);
                hurried.put(to);
                woken.put(to);
            });
        }
        ended.extend(woken.events?);
        Ok(())
    }
}

/// What was written down.
impl Taped<Arc<dyn Waiter>> {
    /// A wait begins: how it ended if it ended at once, else the number of the entry.
    fn begun(&self, waits: usize) -> Result<Result<Woken, u64>> {
        let what = format_args!("wait for {waits}");
        let woken = self.tape.replay::<Option<Woken>>(&self.thing, what);
        let state = self.tape.state();
        match (&state.mode, woken) {
            (Mode::Replay(player), _) if player.astray().is_some() => Err(Errno::Io),
            (_, Some(woken)) => Ok(Ok(woken)),
            (_, None) => Ok(Err(state.entries)),
        }
    }

    /// How a wait ended, where nothing may come before that.
    fn woken_next(&self, wait: u64) -> Result<Woken> {
        let mut state = self.tape.state();
        let State { entries, mode: Mode::Replay(player), .. } = &mut *state else { return Err(Errno::Io) };
        let woken = player.wake(entries, wait, true);
        if woken.is_none() {
            player.stray(*entries, NOTHING.to_owned());
        }
        let after = player.moved();
        drop(state);
        after.run();
        woken.ok_or(Errno::Io)
    }

    /// Lets those know who asked for addresses.
    fn allow(&self, woken: Woken) -> Events {
        self.tape.state().allowed.extend(woken.allowed);
        woken.events
    }
}
