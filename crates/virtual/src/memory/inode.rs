//! What files, directories and links have in common: a number, times, a count of names, a share of the limit.

use super::volume::Volume;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasi_host_core::Result;
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::time::{SetTime, Timestamp};

/// What one costs of the limit, about what it and its place in the tree take of the host's memory.
const CHARGE: u64 = 256;

pub(super) struct Inode {
    volume: Arc<Volume>,
    ino: u64,
    charged: u64,
    attributes: Mutex<Attributes>,
    /// Changed since it was last read: the next read sets the time of access, those after it need not.
    unread: AtomicBool,
}

struct Attributes {
    nlink: u64,
    accessed: Timestamp,
    modified: Timestamp,
    changed: Timestamp,
}

impl Inode {
    /// One without a name yet, which needs `extra` bytes beside its own; `NoSpc` if there is no room.
    pub(super) fn new(volume: &Arc<Volume>, extra: u64) -> Result<Self> {
        let charged = CHARGE + extra;
        volume.charge(charged)?;
        Ok(Self::charged(volume, charged))
    }

    /// One for which nothing need be free.
    pub(super) fn uncharged(volume: &Arc<Volume>) -> Self {
        Self::charged(volume, 0)
    }

    fn charged(volume: &Arc<Volume>, charged: u64) -> Self {
        let now = volume.now();
        let attributes = Attributes { nlink: 0, accessed: now, modified: now, changed: now };
        Self {
            ino: volume.next_ino(),
            charged,
            attributes: Mutex::new(attributes),
            unread: AtomicBool::new(true),
            volume: volume.clone(),
        }
    }

    pub(super) fn ino(&self) -> u64 {
        self.ino
    }

    pub(super) fn volume(&self) -> &Volume {
        &self.volume
    }

    fn attributes(&self) -> MutexGuard<'_, Attributes> {
        self.attributes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn metadata(&self, file_type: FileType, size: u64) -> Metadata {
        let a = self.attributes();
        Metadata {
            file_type,
            dev: self.volume.dev(),
            ino: self.ino,
            nlink: a.nlink,
            size,
            accessed: a.accessed,
            modified: a.modified,
            changed: a.changed,
        }
    }

    /// Takes account of names gained or lost.
    pub(super) fn add_links(&self, n: i64) {
        let now = self.volume.now();
        let mut a = self.attributes();
        a.nlink = a.nlink.saturating_add_signed(n);
        a.changed = now;
    }

    /// Takes account of a new content, or of new names in a directory.
    pub(super) fn modified(&self) {
        let now = self.volume.now();
        let mut a = self.attributes();
        a.modified = now;
        a.changed = now;
        self.unread.store(true, Relaxed);
    }

    /// Takes account of having been moved.
    pub(super) fn changed(&self) {
        let now = self.volume.now();
        self.attributes().changed = now;
    }

    /// Takes account of having been read, as `relatime` does: once after each change.
    pub(super) fn accessed(&self) {
        if self.unread.load(Relaxed) && self.unread.swap(false, Relaxed) {
            let now = self.volume.now();
            self.attributes().accessed = now;
        }
    }

    pub(super) fn set_times(&self, accessed: SetTime, modified: SetTime) {
        let now = self.volume.now();
        let mut guard = self.attributes();
        let a = &mut *guard;
        for (time, new) in [(&mut a.accessed, accessed), (&mut a.modified, modified)] {
            match new {
                SetTime::Keep => {}
                SetTime::Now => *time = now,
                SetTime::At(new) => *time = new,
            }
        }
        a.changed = now;
    }
}

impl Drop for Inode {
    fn drop(&mut self) {
        self.volume.refund(self.charged);
    }
}
