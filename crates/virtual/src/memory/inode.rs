//! What a number stands for: a file, a directory or a symbolic link, with its times and its count of names.

use super::limits::Usage;
use super::names::Names;
use super::pages::Pages;
use triomphe::Arc;
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};

/// What one costs of the limit, about what it and its place in the tree take of the host's memory.
const CHARGE: u64 = 256;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) ino: u64,
    /// Known without a look at the inode.
    pub(super) kind: FileType,
}

impl Entry {
    pub(super) fn is_dir(self) -> bool {
        self.kind == FileType::Directory
    }
}

#[derive(Clone)]
pub(super) struct Inode {
    pub(super) nlink: u64,
    accessed: Timestamp,
    modified: Timestamp,
    changed: Timestamp,
    /// The generation of the tree in which it was changed and has not been read since; 0 once it was.
    unread: u64,
    pub(super) body: Body,
}

#[derive(Clone)]
pub(super) enum Body {
    File(Pages),
    Dir { parent: u64, names: Names },
    Link(Arc<str>),
}

impl Body {
    /// An empty directory.
    pub(super) fn new_dir(parent: u64) -> Self {
        Self::Dir { parent, names: Names::default() }
    }
}

/// The moment of a change: what the clock says, and the generation of the tree.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) generation: u64,
}

impl Inode {
    /// One without a name yet.
    pub(super) fn new(body: Body, now: Moment) -> Self {
        let Moment { time, generation } = now;
        Self { nlink: 0, accessed: time, modified: time, changed: time, unread: generation, body }
    }

    pub(super) fn kind(&self) -> FileType {
        match self.body {
            Body::File(_) => FileType::RegularFile,
            Body::Dir { .. } => FileType::Directory,
            Body::Link(_) => FileType::SymbolicLink,
        }
    }

    /// What it counts of the limits.
    pub(super) fn charge(&self) -> Usage {
        let body = match &self.body {
            Body::File(pages) => pages.charge(),
            Body::Dir { .. } => 0,
            Body::Link(target) => target.len() as u64,
        };
        Usage { bytes: CHARGE + body, inodes: 1 }
    }

    pub(super) fn pages(&self) -> Result<&Pages> {
        match &self.body {
            Body::File(pages) => Ok(pages),
            _ => Err(Errno::IsDir),
        }
    }

    pub(super) fn metadata(&self, dev: u64, ino: u64) -> Metadata {
        let size = match &self.body {
            Body::File(pages) => pages.len(),
            Body::Dir { .. } => 0,
            Body::Link(target) => target.len() as u64,
        };
        Metadata {
            file_type: self.kind(),
            dev,
            ino,
            nlink: self.nlink,
            size,
            accessed: self.accessed,
            modified: self.modified,
            changed: self.changed,
        }
    }

    /// Takes account of names gained or lost.
    pub(super) fn add_links(&mut self, n: i64, now: Moment) {
        self.nlink = self.nlink.saturating_add_signed(n);
        self.changed = now.time;
    }

    /// Takes account of a new content, or of new names in a directory.
    pub(super) fn modified(&mut self, now: Moment) {
        self.modified = now.time;
        self.changed = now.time;
        self.unread = now.generation;
    }

    /// Takes account of having been moved.
    pub(super) fn changed(&mut self, now: Moment) {
        self.changed = now.time;
    }

    /// Whether reading it must set the time of access, as `relatime` does: once after each change. What has not
    /// changed since a fork is shared with it, and reading does not undo that.
    pub(super) fn is_unread(&self, generation: u64) -> bool {
        self.unread == generation
    }

    pub(super) fn accessed(&mut self, now: Moment) {
        self.accessed = now.time;
        self.unread = 0;
    }

    pub(super) fn set_times(&mut self, accessed: SetTime, modified: SetTime, now: Moment) {
        for (time, new) in [(&mut self.accessed, accessed), (&mut self.modified, modified)] {
            match new {
                SetTime::Keep => {}
                SetTime::Now => *time = now.time,
                SetTime::At(new) => *time = new,
            }
        }
        self.changed = now.time;
    }
}
