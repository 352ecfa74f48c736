//! Listing a directory: a few names at a time, so that a guest's open listings hold no copy of it.

use super::dir::MemoryDir;
use super::tree::Tree;
use std::collections::VecDeque;
use wasi_host_core::Result;
use wasi_host_core::fs::{DirEntry, FileType};

/// How many names are copied at once.
const BATCH: usize = 64;

/// The names of a directory in their order, as they are when they are reached: each that stays is listed once.
pub(super) struct List {
    dir: MemoryDir,
    ready: VecDeque<DirEntry>,
    last: Option<Box<str>>,
    done: bool,
}

impl List {
    /// Begins with the two dots.
    pub(super) fn new(dir: MemoryDir, tree: &Tree) -> Result<Self> {
        let dot = |name: &str, ino| DirEntry { name: name.into(), file_type: FileType::Directory, ino };
        let parent = tree.names(dir.inode())?.parent;
        let ready = VecDeque::from([dot(".", dir.inode().ino()), dot("..", parent)]);
        Ok(Self { dir, ready, last: None, done: false })
    }

    fn refill(&mut self) {
        let tree = self.dir.tree();
        // A directory that was removed meanwhile was empty then.
        let Ok(names) = tree.names(self.dir.inode()) else { return };
        for (name, entry) in names.after(self.last.as_deref()).take(BATCH) {
            let (file_type, ino) = (entry.file_type(), entry.inode().ino());
            self.ready.push_back(DirEntry { name: name.into(), file_type, ino });
        }
        self.last = self.ready.back().map(|entry| (&*entry.name).into());
    }
}

impl Iterator for List {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && !self.done {
            self.refill();
            self.done = self.ready.is_empty();
        }
        self.ready.pop_front().map(Ok)
    }
}
