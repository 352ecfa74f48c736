//! Waiting: in a recording the order in which waits end is written down, in a replay it is kept to.
//!
//! In an asynchronous host many wait at once. Then one is woken at a time, and only when all others have come to rest:
//! so what a program does from there on depends on nothing but who was woken. When the real thing has happened is no part
//! of that, and a replay needs none.

use super::answers::Kind;
use super::codec::{Codec, fields};
use super::tape::{Mode, State, Tape, Taped, WOKEN};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::os::fd::AsFd as _;
use std::pin::Pin;
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

/// Tells what was recorded. The futures of a replay end at their first poll.
fn tell(waits: usize, woken: Events, futures: Futures<'_, '_>, ended: &mut Vec<Event>) -> Result<()> {
    let mut cx = Context::from_waker(Waker::noop());
    for event in woken?.into_iter().filter(|event| event.index < waits) {
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

/// What a program does that waits where the recorded one went on.
const NOTHING: &str = "nothing, because it waits";

/// Whether others have come to rest: nobody has made a call for a while.
#[derive(Default)]
struct Rest {
    entries: u64,
    /// Since the last call, and in all, in looks.
    quiet: u32,
    looks: u32,
}

/// So many looks without a call, which others use for what they have to do. An executor gives each its turn in between.
const QUIET: u32 = 16;

/// So many looks at most: some call again and again while they wait.
const PATIENCE: u32 = 4096;

impl Rest {
    fn look(&mut self, entries: u64) -> bool {
        self.quiet = if self.entries == entries { self.quiet + 1 } else { 0 };
        self.entries = entries;
        self.quiet >= QUIET
    }

    /// Ends when others have come to rest, or with `true` when they do not.
    fn poll(&mut self, entries: u64, cx: &mut Context<'_>) -> Poll<bool> {
        self.looks += 1;
        match self.look(entries) {
            true => Poll::Ready(false),
            false if self.looks > PATIENCE => Poll::Ready(true),
            false => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

/// Those who wait for their turn, and how to have them look whether it has come.
#[derive(Default)]
pub(super) struct Queue(BTreeMap<u64, Option<Waker>>);

impl Queue {
    pub(super) fn enter(&mut self, number: u64, waker: &Waker) {
        match self.0.entry(number).or_default() {
            Some(known) if known.will_wake(waker) => {}
            place => *place = Some(waker.clone()),
        }
    }

    pub(super) fn leave(&mut self, number: u64) {
        self.0.remove(&number);
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.0.contains_key(&number)
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.0.first_key_value().map(|(number, _)| *number)
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.0.last_key_value().map(|(number, _)| *number)
    }

    /// The waker of one, to be used once the tape is let go.
    pub(super) fn call(&mut self, number: u64) -> Option<Waker> {
        self.0.get_mut(&number)?.take()
    }

    pub(super) fn call_all(&mut self) -> impl Iterator<Item = Waker> {
        self.0.values_mut().filter_map(Option::take)
    }
}

/// Somebody in a recording whose wait has ended: ends itself when those whose waits have ended before are through, and
/// others have come to rest. It says whether they did not.
struct Turn<'a> {
    tape: &'a Tape,
    number: u64,
    rest: Rest,
}

impl<'a> Turn<'a> {
    fn new(tape: &'a Tape) -> Self {
        let mut state = tape.state();
        state.turns += 1;
        Self { tape, number: state.turns, rest: Rest::default() }
    }
}

impl Future for Turn<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.tape.state();
        let State { entries, mode: Mode::Record(_, ended), .. } = &mut *state else {
            return Poll::Ready(true);
        };
        ended.enter(self.number, cx.waker());
        let (is_first, entries) = (ended.first() == Some(self.number), *entries);
        drop(state);
        if is_first { self.rest.poll(entries, cx) } else { Poll::Pending }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.tape.state();
        let Mode::Record(_, ended) = &mut state.mode else { return };
        ended.leave(self.number);
        let next = ended.first().and_then(|number| ended.call(number));
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }
}

/// Somebody who waits in a replay until the log comes to its end.
struct Asleep<'a> {
    tape: &'a Tape,
    wait: u64,
    rest: Rest,
    stuck: Stuck,
}

impl<'a> Asleep<'a> {
    fn new(tape: &'a Tape, wait: u64) -> Self {
        Self { tape, wait, rest: Rest::default(), stuck: Stuck::default() }
    }
}

/// Whether nothing has happened for so long that nothing will: those who replay wait for nothing.
#[derive(Default)]
struct Stuck(Option<(u64, Instant)>);

/// So long, while somebody looks.
const LONG: Duration = Duration::from_secs(2);

impl Stuck {
    fn look(&mut self, entries: u64) -> bool {
        match self.0 {
            Some((then, since)) if then == entries => since.elapsed() > LONG,
            _ => {
                self.0 = Some((entries, Instant::now()));
                false
            }
        }
    }
}

impl Future for Asleep<'_> {
    type Output = Result<Woken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Woken>> {
        let this = &mut *self;
        let mut state = this.tape.state();
        let State { entries, mode: Mode::Replay(player), .. } = &mut *state else {
            return Poll::Ready(Err(Errno::Io));
        };
        if player.astray().is_some() {
            return Poll::Ready(Err(Errno::Io));
        }
        player.asleep().enter(this.wait, cx.waker());
        let at_rest = this.rest.look(*entries);
        if let Some(woken) = player.wake(entries, this.wait, at_rest) {
            player.asleep().leave(this.wait);
            let after = player.moved();
            drop(state);
            after.run();
            return Poll::Ready(Ok(woken));
        }
        if player.lookout() == Some(this.wait) {
            if this.stuck.look(*entries) {
                player.stray(*entries, NOTHING.to_owned());
            }
            let after = player.moved();
            drop(state);
            after.run();
        }
        Poll::Pending
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let mut state = self.tape.state();
        let Mode::Replay(player) = &mut state.mode else { return };
        player.asleep().leave(self.wait);
        let after = player.moved();
        drop(state);
        after.run();
    }
}
