//! A filesystem in use: an image, and what only those who have it open know of it.

use super::image::{Image, ROOT};
use super::inode::{Body, Entry, Inode, Moment};
use super::limits::{Limits, Usage};
use super::pages::Pages;
use super::trie::Trie;
use std::collections::HashMap;
use std::collections::hash_map::Entry::Occupied;
use std::hash::{BuildHasherDefault, Hasher};
use triomphe::Arc;
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};

/// What one name counts of the limit, beside its length.
const NAME: u64 = 64;

/// What a name counts.
fn charge_of(name: &str) -> Usage {
    Usage { bytes: NAME + name.len() as u64, inodes: 0 }
}

/// What was removed: to be dropped when the lock is no longer held, as it may be large.
pub(super) type Gone = Option<Arc<Inode>>;

/// Spreads inode numbers, which no guest chooses, for a hash table.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, n: u64) {
        // Fibonacci's: 2^64 divided by the golden ratio.
        self.0 = (self.0 ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

pub(super) struct Tree {
    pub(super) image: Image,
    /// What has lost its last name and is still open. It counts, but is in no fork.
    orphans: Trie<Arc<Inode>>,
    orphaned: Usage,
    /// How often each is open, but for the root.
    opened: HashMap<u64, usize, BuildHasherDefault<Spread>>,
    pub(super) limits: Limits,
}

impl Tree {
    pub(super) fn new(image: Image, limits: Limits) -> Self {
        Self {
            image,
            orphans: Trie::default(),
            orphaned: Usage::default(),
            opened: HashMap::default(),
            limits,
        }
    }

    pub(super) fn at(&self, time: Timestamp) -> Moment {
        Moment { time, generation: self.image.generation }
    }

    pub(super) fn used(&self) -> Usage {
        let mut used = self.image.used;
        used.add(self.orphaned);
        used
    }

    /// Bytes of the limit that are free.
    fn room(&self) -> u64 {
        self.limits.bytes.saturating_sub(self.image.used.bytes + self.orphaned.bytes)
    }

    /// Whether there is room for this: `NoSpc` if not.
    fn check(&self, more: Usage) -> Result<()> {
        let inodes = self.limits.inodes.saturating_sub(self.used().inodes);
        if more.bytes <= self.room() && more.inodes <= inodes { Ok(()) } else { Err(Errno::NoSpc) }
    }

    /// What is open under this number.
    pub(super) fn inode(&self, ino: u64) -> Result<&Inode> {
        let inode = self.image.inodes.get(ino).or_else(|| self.orphans.get(ino));
        inode.map(|inode| &**inode).ok_or(Errno::Stale)
    }

    /// What is open under this number, to be changed, and the account that it is in.
    fn open_mut(&mut self, ino: u64) -> Result<(&mut Inode, &mut Usage)> {
        let (inode, usage) = match self.image.inodes.get_mut(ino) {
            Some(inode) => (inode, &mut self.image.used),
            None => (self.orphans.get_mut(ino).ok_or(Errno::Stale)?, &mut self.orphaned),
        };
        Ok((Arc::make_mut(inode), usage))
    }

    /// What is open under this number, to be changed in what is not counted.
    pub(super) fn inode_mut(&mut self, ino: u64) -> Result<&mut Inode> {
        Ok(self.open_mut(ino)?.0)
    }

    /// Changes the content of a file, with so many bytes of the limit to spend. That it fails means that nothing
    /// was changed.
    pub(super) fn change<R>(
        &mut self,
        file: u64,
        now: Moment,
        change: impl FnOnce(&mut Pages, u64) -> Result<R>,
    ) -> Result<R> {
        let room = self.room();
        let (inode, usage) = self.open_mut(file)?;
        let Body::File(pages) = &mut inode.body else { return Err(Errno::IsDir) };
        let before = pages.charge();
        let result = change(pages, room)?;
        usage.bytes += pages.charge();
        usage.bytes -= before;
        inode.modified(now);
        Ok(result)
    }

    /// Makes a file empty, or longer or shorter, and gives what it held before if it was longer: that may be much,
    /// and is freed when the lock is no longer held.
    pub(super) fn set_len(&mut self, file: u64, len: u64, now: Moment) -> Result<Option<Pages>> {
        self.change(file, now, |pages, _| {
            let before = (len < pages.len()).then(|| pages.clone());
            pages.set_len(len)?;
            Ok(before)
        })
    }

    /// Makes something new with a name that nothing has. All or nothing.
    pub(super) fn create(&mut self, dir: u64, name: &str, body: Body, now: Moment) -> Result<Entry> {
        self.image.dir(dir)?;
        let mut inode = Inode::new(body, now);
        let mut charge = inode.charge();
        charge.add(charge_of(name));
        self.check(charge)?;
        self.image.used.add(charge);
        let entry = Entry { ino: self.image.next_ino(), kind: inode.kind() };
        // A directory's own `.` counts.
        inode.add_links(if entry.is_dir() { 2 } else { 1 }, now);
        self.image.inodes.insert(entry.ino, Arc::new(inode));
        self.image.bind(dir, name, entry, now)?;
        Ok(entry)
    }

    /// Gives something another name, which nothing has.
    pub(super) fn link(&mut self, dir: u64, name: &str, entry: Entry, now: Moment) -> Result<()> {
        self.put(dir, name, entry, now)?;
        self.image.inode_mut(entry.ino)?.add_links(1, now);
        Ok(())
    }

    /// Lets a name stand for `entry`, and gives what it stood for before. All or nothing.
    pub(super) fn put(&mut self, dir: u64, name: &str, entry: Entry, now: Moment) -> Result<Option<Entry>> {
        if self.image.dir(dir)?.1.get(name).is_none() {
            self.check(charge_of(name))?;
            self.image.used.add(charge_of(name));
        }
        self.image.bind(dir, name, entry, now)
    }

    /// Takes a name away, and gives what it stood for.
    pub(super) fn take(&mut self, dir: u64, name: &str, now: Moment) -> Result<Entry> {
        let entry = self.image.unbind(dir, name, now)?;
        self.image.used.subtract(charge_of(name));
        Ok(entry)
    }

    /// Takes a name away for good.
    pub(super) fn remove(&mut self, dir: u64, name: &str, now: Moment) -> Result<Gone> {
        let entry = self.take(dir, name, now)?;
        self.forget(entry, now)
    }

    /// Takes account of a name's being gone for good. What it stood for lives on as long as it is open.
    pub(super) fn forget(&mut self, entry: Entry, now: Moment) -> Result<Gone> {
        let inode = self.image.inode_mut(entry.ino)?;
        inode.add_links(if entry.is_dir() { -2 } else { -1 }, now);
        if inode.nlink > 0 {
            return Ok(None);
        }
        let charge = inode.charge();
        self.image.used.subtract(charge);
        let inode = self.image.inodes.remove(entry.ino);
        match inode {
            Some(inode) if self.opened.contains_key(&entry.ino) => {
                self.orphaned.add(charge);
                Ok(self.orphans.insert(entry.ino, inode))
            }
            gone => Ok(gone),
        }
    }

    /// Takes account of its being open once more.
    pub(super) fn open(&mut self, ino: u64) {
        if ino != ROOT {
            *self.opened.entry(ino).or_insert(0) += 1;
        }
    }

    pub(super) fn close(&mut self, ino: u64) -> Gone {
        let Occupied(mut times) = self.opened.entry(ino) else { return None };
        *times.get_mut() -= 1;
        if *times.get() > 0 {
            return None;
        }
        times.remove();
        let orphan = self.orphans.remove(ino)?;
        self.orphaned.subtract(orphan.charge());
        Some(orphan)
    }

    /// Its image as of now, to be kept: what is in it is shared from here on, so that a new generation begins.
    pub(super) fn image(&mut self) -> Image {
        self.image.generation += 1;
        self.image.clone()
    }
}
