//! Whose turn it is to wake.
//!
//! In an asynchronous host many wait at once. Then one is woken at a time, and only when all others have come to rest:
//! so what a program does from there on depends on nothing but who was woken. When the real thing has happened is no part
//! of that, and a replay needs none.

use super::tape::{Mode, State, Tape};
use super::wait::Woken;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use wasi_host_core::{Errno, Result};

/// What a program does that waits where the recorded one went on.
pub(super) const NOTHING: &str = "nothing, because it waits";

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
    /// Gives the waker before, to be dropped once the tape is let go: that may be the end of a task, and of what it has
    /// on the tape.
    #[must_use]
    pub(super) fn enter(&mut self, number: u64, waker: &Waker) -> Option<Waker> {
        match self.0.entry(number).or_default() {
            Some(known) if known.will_wake(waker) => None,
            place => place.replace(waker.clone()),
        }
    }

    /// Gives the waker, to be dropped likewise.
    #[must_use]
    pub(super) fn leave(&mut self, number: u64) -> Option<Waker> {
        self.0.remove(&number).flatten()
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
pub(super) struct Turn<'a> {
    tape: &'a Tape,
    number: u64,
    rest: Rest,
}

impl<'a> Turn<'a> {
    pub(super) fn new(tape: &'a Tape) -> Self {
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
        let old = ended.enter(self.number, cx.waker());
        let (is_first, entries) = (ended.first() == Some(self.number), *entries);
        drop(state);
        drop(old);
        if is_first { self.rest.poll(entries, cx) } else { Poll::Pending }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.tape.state();
        let Mode::Record(_, ended) = &mut state.mode else { return };
        let old = ended.leave(self.number);
        let next = ended.first().and_then(|number| ended.call(number));
        drop(state);
        drop(old);
        next.into_iter().for_each(Waker::wake);
    }
}

/// Somebody who waits in a replay until the log comes to its end.
pub(super) struct Asleep<'a> {
    tape: &'a Tape,
    wait: u64,
    rest: Rest,
    stuck: Stuck,
}

impl<'a> Asleep<'a> {
    pub(super) fn new(tape: &'a Tape, wait: u64) -> Self {
        Self { tape, wait, rest: Rest::default(), stuck: Stuck::default() }
    }
}

/// Whether nothing has happened for so long that nothing will: a program that is replayed waits for nothing but its embedder.
/// Looks are counted and not time, in which its embedder may have left it alone.
#[derive(Default)]
struct Stuck {
    entries: u64,
    looks: u32,
}

/// So long is it between two looks once others have come to rest, …
const NAP: Duration = Duration::from_millis(50);

/// … and so many looks are enough: five seconds.
const NAPS: u32 = 100;

impl Stuck {
    fn look(&mut self, entries: u64) -> bool {
        self.looks = if self.entries == entries { self.looks + 1 } else { 0 };
        self.entries = entries;
        self.looks > NAPS
    }
}

/// Has the lookout look again later.
pub(super) fn nap(tape: Tape) {
    let nap = move || {
        thread::sleep(NAP);
        let mut state = tape.state();
        let Mode::Replay(player) = &mut state.mode else { return };
        let after = player.nap_ended();
        drop(state);
        after.run();
    };
    // Where there can be no other thread this one naps.
    if thread::Builder::new().name("replay".to_owned()).spawn(nap.clone()).is_err() {
        nap();
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
        let old = player.asleep().enter(this.wait, cx.waker());
        let at_rest = this.rest.look(*entries);
        if let Some(woken) = player.wake(entries, this.wait, at_rest) {
            let own = player.asleep().leave(this.wait);
            let after = player.moved();
            drop(state);
            drop((old, own));
            after.run();
            return Poll::Ready(Ok(woken));
        }
        if player.lookout() == Some(this.wait) {
            let stuck = at_rest && !player.naps() && this.stuck.look(*entries);
            if stuck {
                player.stray(*entries, NOTHING.to_owned());
            }
            let after = if at_rest && !stuck { player.nap(this.tape) } else { player.moved() };
            drop(state);
            after.run();
        } else {
            drop(state);
        }
        drop(old);
        Poll::Pending
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let mut state = self.tape.state();
        let Mode::Replay(player) = &mut state.mode else { return };
        let old = player.asleep().leave(self.wait);
        let after = player.moved();
        drop(state);
        drop(old);
        after.run();
    }
}
