//! Who takes part in a time, and what each waits for.

use super::VirtualTime;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ops::Bound::{Excluded, Included};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;
use wasi_host_core::wait::{Notify, OwnedWatch};

/// So often in a row a task gives way to others of its context before it takes it that none of them can go on. An
/// executor that has a queue of its own may need a turn for each that is in it.
const TURNS: u32 = 64;

#[derive(Default)]
pub(super) struct Participants {
    all: BTreeMap<u64, Participant>,
    /// What is waited for: when, by which entry of which participant.
    moments: BTreeSet<(u64, u64, u64)>,
    /// The next number for a participant or an entry.
    next: u64,
}

#[derive(Default)]
struct Participant {
    entries: BTreeMap<u64, Entry>,
    rest: Rest,
}

/// Whether a participant that waits has come to rest, or has other tasks that can go on.
#[derive(Default, PartialEq, Eq)]
enum Rest {
    /// It waits with its thread, or its tasks have given way often enough.
    #[default]
    Certain,
    /// The task of this entry gives way to the others, and has done so this often.
    Settling { entry: u64, turns: u32 },
}

/// One wait of a participant.
pub(super) struct Entry {
    /// The earliest moment of this time that ends it, and who is told that it has come.
    pub(super) when: Option<u64>,
    pub(super) due: Arc<Notify>,
    /// What else ends it: once one has changed, the participant can go on and only has not been scheduled yet.
    pub(super) watches: Vec<OwnedWatch>,
    /// The task, if it is one.
    pub(super) task: Option<Waker>,
}

impl Participant {
    /// Begins to settle, by its newest task; a thread that waits needs not.
    fn settle(&mut self) {
        let newest = self.entries.iter().rev().find(|(_, entry)| entry.task.is_some());
        self.rest = newest.map_or(Rest::Certain, |(id, _)| Rest::Settling { entry: *id, turns: 0 });
    }

    /// Who gives way on its behalf.
    fn settler(&self) -> Option<&Waker> {
        match self.rest {
            Rest::Settling { entry, .. } => self.entries.get(&entry)?.task.as_ref(),
            Rest::Certain => None,
        }
    }
}

impl Participants {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether each of them is in a wait, if only because it has not heard yet that it is over.
    fn all_wait(&self) -> bool {
        self.all.values().all(|participant| !participant.entries.is_empty())
    }

    /// The next moment that anybody waits for, if nobody can do anything before.
    fn next_moment(&self) -> Option<u64> {
        let at_rest = |participant: &Participant| participant.rest == Rest::Certain;
        let told = |entry: &Entry| entry.watches.iter().any(|watch| watch.as_watch().changed());
        if !self.all_wait() || !self.all.values().all(at_rest) {
            return None;
        }
        let (when, ..) = *self.moments.first()?;
        let mut entries = self.all.values().flat_map(|participant| participant.entries.values());
        (!entries.any(told)).then_some(when)
    }

    /// Who waits for a moment that has come since `before`. Of an earlier one they have been told.
    fn due(&self, before: u64, now: u64) -> Vec<Arc<Notify>> {
        let last = |when| (when, u64::MAX, u64::MAX);
        let due = self.moments.range((Excluded(last(before)), Included(last(now))));
        due.filter_map(|(_, participant, entry)| {
            Some(self.all.get(participant)?.entries.get(entry)?.due.clone())
        })
        .collect()
    }
}

impl VirtualTime {
    /// Moves it on, and wakes who has waited for that. In 584 years it ends, and stands still.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let participants = self.0.participants.lock();
        self.move_to(participants, self.now().saturating_add(by));
    }

    /// A guest looks at a clock: what it is told, which is a step later.
    pub(super) fn step(&self) -> u64 {
        let step = self.0.step.load(Ordering::Relaxed);
        if step == 0 {
            return self.now();
        }
        let participants = self.0.participants.lock();
        let now = self.now().saturating_add(step);
        self.move_to(participants, now);
        now
    }

    fn move_to(&self, participants: parking_lot::MutexGuard<'_, Participants>, now: u64) {
        let before = self.0.now.swap(now, Ordering::AcqRel);
        let due = participants.due(before, now);
        // What is woken may be code of an executor.
        drop(participants);
        self.0.moved.notify();
        due.iter().for_each(|due| due.notify());
    }

    /// One more takes part.
    pub(super) fn join(&self) -> u64 {
        let mut participants = self.0.participants.lock();
        let id = participants.number();
        participants.all.insert(id, Participant::default());
        id
    }

    /// And one less, for whom the others need not wait any more.
    pub(super) fn part(&self, participant: u64) {
        let mut participants = self.0.participants.lock();
        let gone = participants.all.remove(&participant);
        // A wait that was neither ended nor dropped is forgotten with it.
        participants.moments.retain(|(_, of, _)| *of != participant);
        drop(participants);
        drop(gone);
        self.go_on();
    }

    /// A participant begins to wait.
    pub(super) fn enter(&self, participant: u64, entry: Entry) -> u64 {
        let mut participants = self.0.participants.lock();
        let id = participants.number();
        let past = entry.when.filter(|when| *when <= self.now()).map(|_| entry.due.clone());
        participants.moments.extend(entry.when.map(|when| (when, participant, id)));
        if let Some(participant) = participants.all.get_mut(&participant) {
            participant.entries.insert(id, entry);
            participant.settle();
        }
        drop(participants);
        match past {
            Some(due) => due.notify(),
            None => self.go_on(),
        }
        id
    }

    /// A wait of a participant is over.
    pub(super) fn leave(&self, participant: u64, entry: u64) {
        let mut participants = self.0.participants.lock();
        let mut left = None;
        if let Some(participant) = participants.all.get_mut(&participant) {
            left = participant.entries.remove(&entry);
            participant.settle();
        }
        if let Some(when) = left.as_ref().and_then(|left| left.when) {
            participants.moments.remove(&(when, participant, entry));
        }
        drop(participants);
        drop(left);
        self.go_on();
    }

    /// The task of an entry was polled, and still waits. Whether it shall be polled again at once, because others of
    /// its context may have something to do.
    pub(super) fn give_way(&self, participant: u64, entry: u64, task: &Waker) -> bool {
        let mut participants = self.0.participants.lock();
        let all_wait = participants.all_wait();
        let Some(participant) = participants.all.get_mut(&participant) else { return false };
        let mut old = None;
        if let Some(Entry { task: Some(known), .. }) = participant.entries.get_mut(&entry)
            && !known.will_wake(task)
        {
            old = Some(mem::replace(known, task.clone()));
        }
        let mut settled = false;
        let again = match &mut participant.rest {
            // Who is busy tells when it begins to wait.
            Rest::Settling { entry: settler, turns } if *settler == entry && all_wait => {
                *turns += 1;
                settled = *turns == TURNS;
                !settled
            }
            _ => false,
        };
        if settled {
            participant.rest = Rest::Certain;
        }
        drop(participants);
        drop(old);
        if settled {
            self.go_on();
        }
        again
    }

    /// Moves time on if nobody can do anything without; else has those give way who have to before it can be known.
    fn go_on(&self) {
        let participants = self.0.participants.lock();
        if let Some(when) = participants.next_moment() {
            let now = self.now().max(when);
            return self.move_to(participants, now);
        }
        let mut settlers = Vec::new();
        if participants.all_wait() {
            settlers.extend(participants.all.values().filter_map(|p| p.settler().cloned()));
        }
        drop(participants);
        settlers.into_iter().for_each(Waker::wake);
    }
}
