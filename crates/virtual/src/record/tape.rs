//! The one place through which every call of a guest goes: to be written to a log, or to be answered from one.

use super::codec::{Answer, Codec};
use super::log::Writer;
use super::player::Player;
use super::turn::Queue;
use super::wait::Woken;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use wasi_host_core::wait::Notify;

/// Entries of a log begin with a number: these two, or that of what was called, counted from …
pub(super) const END: u64 = 0;
pub(super) const WOKEN: u64 = 1;
/// … here.
pub(super) const FIRST: u64 = 2;

/// What stands between a guest and its capabilities. Clones are the same.
///
/// Calls are made on the one thread that runs the guest, so there is one order of them.
#[derive(Clone)]
pub struct Tape(Arc<Shared>);

struct Shared {
    replays: bool,
    state: Mutex<State>,
    /// What is waited for in a replay instead of what was.
    nothing: Nothing,
}

/// Things to wait for of which nothing ever comes, because nobody waits for them.
pub(super) struct Nothing {
    pub(super) notify: Notify,
    /// Both ends of a pipe, for those who look whether there is a descriptor. Made when first needed.
    pub(super) pipe: std::sync::OnceLock<Option<(std::io::PipeReader, std::io::PipeWriter)>>,
}

pub(super) struct State {
    /// How many entries there have been.
    pub(super) entries: u64,
    /// How many things there have been that can be called.
    things: u64,
    /// How many waits have ended otherwise than at once, while recording.
    pub(super) turns: u64,
    /// What was said of addresses by those who had to be asked, until somebody waits no more for it.
    pub(super) allowed: BTreeMap<u64, bool>,
    /// A call as text.
    call: String,
    pub(super) mode: Mode,
}

pub(super) enum Mode {
    /// Where to, and who waits for the turn to wake.
    Record(Writer, Queue),
    Replay(Box<Player>),
}

/// Something that can be called.
pub(super) struct Thing {
    pub(super) number: u64,
    name: Arc<str>,
}

impl Thing {
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }
}

impl Tape {
    pub(super) fn recording(writer: Writer) -> Self {
        Self::new(false, Mode::Record(writer, Queue::default()))
    }

    pub(super) fn replaying(player: Player) -> Self {
        Self::new(true, Mode::Replay(Box::new(player)))
    }

    fn new(replays: bool, mode: Mode) -> Self {
        let state =
            State { entries: 0, things: 0, turns: 0, allowed: BTreeMap::new(), call: String::new(), mode };
        let nothing = Nothing { notify: Notify::default(), pipe: std::sync::OnceLock::new() };
        Self(Arc::new(Shared { replays, state: Mutex::new(state), nothing }))
    }

    /// Whether calls are answered from a log, so that there is nothing behind them.
    pub fn replays(&self) -> bool {
        self.0.replays
    }

    pub(super) fn nothing(&self) -> &Nothing {
        &self.0.nothing
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// Whatever is called `name`, with what is behind it.
    pub(super) fn taped<I>(&self, inner: Option<I>, name: impl fmt::Display) -> Taped<I> {
        let mut state = self.state();
        let number = state.things + FIRST;
        state.things += 1;
        let name: Arc<str> = match state.entries {
            0 => name.to_string(),
            by => format!("{name}, which call {by} gave"),
        }
        .into();
        if let Mode::Replay(player) = &mut state.mode {
            player.know(number, name.clone());
        }
        Taped { tape: self.clone(), thing: Thing { number, name }, inner }
    }

    /// The same, behind which is something only while it is recorded.
    pub(super) fn taped_unless_replayed<I>(&self, inner: I, name: impl fmt::Display) -> Taped<I> {
        self.taped(Some(inner).filter(|_| !self.replays()), name)
    }

    /// Writes down what `answer` was given to a call.
    pub(super) fn record(&self, on: &Thing, what: fmt::Arguments<'_>, answer: &impl Codec) {
        let mut state = self.state();
        let State { entries, call, mode: Mode::Record(writer, _), .. } = &mut *state else { return };
        *entries += 1;
        call.clear();
        let _ = call.write_fmt(what);
        writer.add(|to| {
            on.number.put(to);
            call.put(to);
            answer.put(to);
        });
    }

    /// The answer that was given to a call.
    pub(super) fn replay<T: Answer>(&self, on: &Thing, what: fmt::Arguments<'_>) -> T {
        let mut state = self.state();
        let State { entries, call, mode: Mode::Replay(player), .. } = &mut *state else { return T::astray() };
        call.clear();
        let _ = call.write_fmt(what);
        let answer = player.answer(entries, on, call);
        let after = player.moved();
        drop(state);
        after.run();
        answer.unwrap_or_else(T::astray)
    }

    /// What `state` has to say about how a wait ended, and what came of it.
    pub(super) fn woken(&self, events: super::wait::Events) -> Woken {
        let allowed = std::mem::take(&mut self.state().allowed).into_iter().collect();
        Woken { events, allowed }
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").field("replays", &self.replays()).finish_non_exhaustive()
    }
}

/// A capability whose calls go through the tape. Behind it is what it stands for, or in a replay nothing.
pub(super) struct Taped<I> {
    pub(super) tape: Tape,
    pub(super) thing: Thing,
    pub(super) inner: Option<I>,
}

impl<I> Taped<I> {
    /// One call. `what` is the call with all that the guest gave: by that it is known again.
    pub(super) fn call<T: Answer>(&self, what: fmt::Arguments<'_>, real: impl FnOnce(&I) -> T) -> T {
        let Some(inner) = &self.inner else { return self.tape.replay(&self.thing, what) };
        let answer = real(inner);
        self.tape.record(&self.thing, what, &answer);
        answer
    }

    /// The same on what changes by it.
    pub(super) fn call_mut<T: Answer>(
        &mut self,
        what: fmt::Arguments<'_>,
        real: impl FnOnce(&mut I) -> T,
    ) -> T {
        let Some(inner) = &mut self.inner else { return self.tape.replay(&self.thing, what) };
        let answer = real(inner);
        self.tape.record(&self.thing, what, &answer);
        answer
    }
}

impl<I> Drop for Taped<I> {
    fn drop(&mut self) {
        if let Mode::Replay(player) = &mut self.tape.state().mode {
            player.forget(self.thing.number);
        }
    }
}

/// Bytes that a guest gives: by their number and a checksum.
pub(super) struct Sum {
    len: usize,
    crc: flate2::Crc,
}

impl Sum {
    pub(super) fn of<'b>(bufs: impl IntoIterator<Item = &'b [u8]>) -> Self {
        let mut sum = Self { len: 0, crc: flate2::Crc::new() };
        for buf in bufs {
            sum.len += buf.len();
            sum.crc.update(buf);
        }
        sum
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, checksum {:08x}", self.len, self.crc.sum())
    }
}
