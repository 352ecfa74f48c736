//! A log being replayed: what comes next in it, and where the program does something else.

use super::codec::Codec;
use super::divergence::Divergence;
use super::log::{Damaged, Reader};
use super::tape::{END, FIRST, Tape, Thing, WOKEN};
use super::turn::{self, Queue};
use super::wait::Woken;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use wasi_host_core::wait::Interrupt;

pub(super) struct Player {
    log: Reader,
    next: Next,
    /// How those are called that can be called now.
    names: BTreeMap<u64, Arc<str>>,
    /// Who waits, and how to have it look whether it is its turn.
    asleep: Queue,
    /// Ended once the program has gone astray.
    pub(super) interrupt: Option<Interrupt>,
    astray: Option<Divergence>,
    /// The lookout will be woken in a while.
    naps: bool,
    /// Nobody has been told yet.
    to_tell: bool,
}

/// The next entry of the log.
pub(super) enum Next {
    /// A call, as text.
    Call { on: u64, what: String },
    /// Somebody wakes who began to wait at that entry; `hurried` if others had not come to rest.
    Woken { wait: u64, hurried: bool, woken: Woken },
    /// There is none.
    End,
    /// It makes no sense.
    Damaged,
}

impl Next {
    fn read(log: &mut Reader) -> Self {
        let read = |log: &mut Reader| {
            if log.is_empty() {
                return Ok(Self::End);
            }
            Ok::<_, Damaged>(match u64::get(log)? {
                END => Self::End,
                WOKEN => {
                    Self::Woken { wait: Codec::get(log)?, hurried: Codec::get(log)?, woken: Codec::get(log)? }
                }
                on @ FIRST.. => Self::Call { on, what: Codec::get(log)? },
            })
        };
        read(log).unwrap_or(Self::Damaged)
    }
}

/// What is to be done once the tape is let go.
#[must_use]
pub(super) struct After {
    wake: Vec<Waker>,
    interrupt: Option<Interrupt>,
    nap: Option<Tape>,
}

impl After {
    pub(super) fn run(self) {
        self.nap.into_iter().for_each(turn::nap);
        self.wake.into_iter().for_each(Waker::wake);
        if let Some(interrupt) = self.interrupt {
            interrupt.interrupt();
        }
    }
}

impl Player {
    /// Replays the rest of `log`.
    pub(super) fn new(mut log: Reader) -> Self {
        let next = Next::read(&mut log);
        Self {
            log,
            next,
            names: BTreeMap::new(),
            asleep: Queue::default(),
            interrupt: None,
            astray: None,
            naps: false,
            to_tell: false,
        }
    }

    pub(super) fn know(&mut self, number: u64, name: Arc<str>) {
        self.names.insert(number, name);
    }

    pub(super) fn forget(&mut self, number: u64) {
        self.names.remove(&number);
    }

    /// The answer to a call, if it is the one that comes next.
    pub(super) fn answer<T: Codec>(&mut self, entries: &mut u64, on: &Thing, what: &str) -> Option<T> {
        match &self.next {
            _ if self.astray.is_some() => return None,
            Next::Call { on: known, what: recorded } if *known == on.number && recorded == what => {}
            _ => {
                self.stray(*entries, format!("{what} on {}", on.name()));
                return None;
            }
        }
        let answer = T::get(&mut self.log);
        let Ok(answer) = answer else {
            self.next = Next::Damaged;
            self.stray(*entries, format!("{what} on {}", on.name()));
            return None;
        };
        *entries += 1;
        self.next = Next::read(&mut self.log);
        Some(answer)
    }

    /// How the wait that began at this entry ended, if that is what comes next; `at_rest` says whether others are.
    pub(super) fn wake(&mut self, entries: &mut u64, number: u64, at_rest: bool) -> Option<Woken> {
        match &self.next {
            Next::Woken { wait, hurried, .. } if *wait == number && (*hurried || at_rest) => {}
            _ => return None,
        }
        *entries += 1;
        let Next::Woken { woken, .. } = std::mem::replace(&mut self.next, Next::End) else { return None };
        self.next = Next::read(&mut self.log);
        Some(woken)
    }

    /// Those who wait.
    pub(super) fn asleep(&mut self) -> &mut Queue {
        &mut self.asleep
    }

    /// Who of those that wait is to look again and again: who wakes next, if that is known; else anybody, so that it is
    /// noticed if everybody waits where the recorded program went on.
    pub(super) fn lookout(&self) -> Option<u64> {
        match &self.next {
            Next::Woken { wait, .. } if self.asleep.has(*wait) => Some(*wait),
            _ => self.asleep.last(),
        }
    }

    /// To be called when the log has moved or somebody has left.
    pub(super) fn moved(&mut self) -> After {
        let mut after = After { wake: Vec::new(), interrupt: None, nap: None };
        if std::mem::take(&mut self.to_tell) {
            after.interrupt = self.interrupt.clone();
            after.wake.extend(self.asleep.call_all());
        } else if let Some(lookout) = self.lookout() {
            after.wake.extend(self.asleep.call(lookout));
        }
        after
    }

    /// Whether the lookout will be woken in a while.
    pub(super) fn naps(&self) -> bool {
        self.naps
    }

    /// Instead of [`moved`](Self::moved), to have the lookout look again later. There is one nap at a time, so one thread.
    pub(super) fn nap(&mut self, tape: &Tape) -> After {
        let begins = !std::mem::replace(&mut self.naps, true);
        After { wake: Vec::new(), interrupt: None, nap: begins.then(|| tape.clone()) }
    }

    pub(super) fn nap_ended(&mut self) -> After {
        self.naps = false;
        self.moved()
    }

    /// The program did something else: from now on everything fails.
    pub(super) fn stray(&mut self, entries: u64, found: String) {
        if self.astray.is_some() {
            return;
        }
        let expected = self.expected();
        self.astray = Some(Divergence { call: entries + 1, expected, found });
        self.to_tell = true;
    }

    pub(super) fn astray(&self) -> Option<&Divergence> {
        self.astray.as_ref()
    }

    /// Whether everything that was recorded has happened.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.next, Next::End)
    }

    fn expected(&self) -> String {
        match &self.next {
            Next::Call { on, what } => match self.names.get(on) {
                Some(name) => format!("{what} on {name}"),
                None => format!("{what} on something that the program does not have"),
            },
            Next::Woken { wait, .. } => format!("the end of the wait that call {wait} began"),
            Next::End => "the end of the recording".to_owned(),
            Next::Damaged => "something that the log does not tell: it is damaged".to_owned(),
        }
    }
}
