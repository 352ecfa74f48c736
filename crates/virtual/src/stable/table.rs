//! What each file is said to be.

use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::clock::HostWallClock;
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::time::{SetTime, Timestamp};

/// How long every directory is.
const DIRECTORY: u64 = 4096;

/// A device, and a number there.
pub(super) type Id = (u64, u64);

pub(super) fn id(m: &Metadata) -> Id {
    (m.dev, m.ino)
}

/// Those of what is given. What cannot be asked about itself will say so to the guest, whatever its number.
pub(super) fn id_of(m: Result<Metadata>) -> Id {
    m.map_or((0, 0), |m| id(&m))
}

pub(super) struct Table(Mutex<Books>);

/// Open for the time of an operation on names, so that a number is not another file's in between.
pub(super) struct Books {
    clock: Box<dyn HostWallClock>,
    /// The time of what was there before.
    began: Timestamp,
    /// The time of the last change.
    last: Timestamp,
    next: u64,
    files: HashMap<Id, Known>,
}

struct Known {
    number: u64,
    accessed: Timestamp,
    modified: Timestamp,
    changed: Timestamp,
    /// How many have it open.
    open: usize,
    named: bool,
}

impl Table {
    pub(super) fn new(clock: Box<dyn HostWallClock>) -> Self {
        let began = clock.now().into();
        Self(Mutex::new(Books { clock, began, last: began, next: 1, files: HashMap::new() }))
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock()
    }
}

impl Books {
    fn known(&mut self, id: Id) -> &mut Known {
        let (next, began) = (&mut self.next, self.began);
        self.files.entry(id).or_insert_with(|| Known::new(next, began))
    }

    /// The number of a file that is seen.
    pub(super) fn number(&mut self, id: Id) -> u64 {
        self.known(id).number
    }

    /// What is said of a file.
    pub(super) fn say(&mut self, m: Metadata) -> Metadata {
        let known = self.known(id(&m));
        let (nlink, size) =
            if m.file_type == FileType::Directory { (1, DIRECTORY) } else { (m.nlink, m.size) };
        Metadata {
            dev: 1,
            ino: known.number,
            nlink,
            size,
            accessed: known.accessed,
            modified: known.modified,
            changed: known.changed,
            ..m
        }
    }

    /// The time of a change: of each another one, so that it can be seen which was the later.
    pub(super) fn tick(&mut self) -> Timestamp {
        let last = self.last;
        let after = match last.subsec_nanos() + 1 {
            1_000_000_000 => Timestamp::new(last.seconds().saturating_add(1), 0),
            nanoseconds => Timestamp::new(last.seconds(), nanoseconds),
        };
        self.last = after.unwrap_or(last).max(self.clock.now().into());
        self.last
    }

    /// It is new, whatever had that number before.
    pub(super) fn made(&mut self, id: Id, now: Timestamp) {
        let new = Known::new(&mut self.next, now);
        // Whoever has that open closes it still.
        let open = self.files.get(&id).map_or(0, |old| old.open);
        self.files.insert(id, Known { open, ..new });
    }

    /// Its content was changed.
    pub(super) fn modified(&mut self, id: Id, now: Timestamp) {
        let known = self.known(id);
        (known.modified, known.changed) = (now, now);
    }

    /// What is known about it was changed.
    pub(super) fn changed(&mut self, id: Id, now: Timestamp) {
        self.known(id).changed = now;
    }

    /// Its times were set.
    pub(super) fn set(&mut self, id: Id, accessed: SetTime, modified: SetTime) {
        if (accessed, modified) == (SetTime::Keep, SetTime::Keep) {
            return;
        }
        let now = self.tick();
        let known = self.known(id);
        let set = |old: &mut Timestamp, time: SetTime| match time {
            SetTime::Keep => {}
            SetTime::Now => *old = now,
            SetTime::At(time) => *old = time,
        };
        set(&mut known.accessed, accessed);
        set(&mut known.modified, modified);
        known.changed = now;
    }

    /// It has lost a name. Without another, and open nowhere, it is gone.
    pub(super) fn lost(&mut self, m: &Metadata, now: Timestamp) {
        if m.file_type != FileType::Directory && m.nlink > 1 {
            return self.changed(id(m), now);
        }
        let Some(known) = self.files.get_mut(&id(m)) else { return };
        (known.named, known.changed) = (false, now);
        self.forget(id(m));
    }

    fn forget(&mut self, id: Id) {
        if self.files.get(&id).is_some_and(|known| known.open == 0 && !known.named) {
            self.files.remove(&id);
        }
    }
}

impl Known {
    fn new(next: &mut u64, time: Timestamp) -> Self {
        let number = *next;
        *next += 1;
        Self { number, accessed: time, modified: time, changed: time, open: 0, named: true }
    }
}

/// A file or directory that is open: it stays known.
pub(super) struct Held {
    table: Arc<Table>,
    pub(super) id: Id,
}

impl Held {
    /// The books of `table` are those that are open.
    pub(super) fn new(table: &Arc<Table>, books: &mut Books, id: Id) -> Self {
        books.known(id).open += 1;
        Self { table: table.clone(), id }
    }

    pub(super) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    pub(super) fn say(&self, m: Metadata) -> Metadata {
        self.table.books().say(m)
    }

    /// An operation that changed the content.
    pub(super) fn modified(&self) {
        let mut books = self.table.books();
        let now = books.tick();
        books.modified(self.id, now);
    }

    pub(super) fn set(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.table.books().set(self.id, accessed, modified);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut books = self.table.books();
        if let Some(known) = books.files.get_mut(&self.id) {
            known.open = known.open.saturating_sub(1);
        }
        books.forget(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Frozen;
    use std::time::Duration;

    #[test]
    fn what_is_gone_is_forgotten_and_what_is_open_is_not() {
        let table = Arc::new(Table::new(Box::new(Frozen(Duration::from_secs(5)))));
        let m = Metadata {
            file_type: FileType::RegularFile,
            dev: 7,
            ino: 9,
            nlink: 1,
            size: 0,
            accessed: Timestamp::default(),
            modified: Timestamp::default(),
            changed: Timestamp::default(),
        };
        assert_eq!(table.books().say(m).ino, 1);
        let held = Held::new(&table, &mut table.books(), id(&m));
        table.books().lost(&m, Timestamp::default());
        assert_eq!(held.say(m).ino, 1);
        drop(held);
        assert!(table.books().files.is_empty());
        assert_eq!(table.books().say(m).ino, 2);
    }

    /// Some filesystems give one number to two files, one of which is open.
    #[test]
    fn what_is_open_stays_so_when_another_has_its_number() {
        let table = Arc::new(Table::new(Box::new(Frozen(Duration::ZERO))));
        let id = (7, 9);
        let first = Held::new(&table, &mut table.books(), id);
        table.books().made(id, Timestamp::default());
        let second = Held::new(&table, &mut table.books(), id);
        drop(first);
        assert_eq!(table.books().known(id).open, 1);
        drop(second);
        assert_eq!(table.books().known(id).open, 0);
    }

    #[test]
    fn no_two_changes_are_at_the_same_time() {
        let table = Table::new(Box::new(Frozen(Duration::new(5, 999_999_998))));
        let times: Vec<_> = (0..3).map(|_| table.books().tick()).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        assert_eq!(times[2], Timestamp::new(6, 1).unwrap());
    }
}
