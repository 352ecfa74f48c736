//! Listing a directory: a few names at a time, so that a guest's open listings hold no copy of it.

use super::shared::Hold;
use super::tree::Tree;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use wasi_host_core::Result;
use wasi_host_core::fs::{DirEntry, FileType};

/// How many names are copied at once.
const BATCH: usize = 64;

/// The names of a directory in their order, as they are when they are reached: each that stays is listed once.
pub(super) struct List {
    dir: Hold,
    ready: VecDeque<DirEntry>,
    last: Option<Box<str>>,
    done: bool,
}

impl List {
    /// Begins with the two dots.
    pub(super) fn new(dir: Hold, parent: u64) -> Self {
        let dot = |name: &str, ino| DirEntry { name: name.into(), file_type: FileType::Directory, ino };
        let ready = VecDeque::from([dot(".", dir.ino), dot("..", parent)]);
        Self { dir, ready, last: None, done: false }
    }

    fn refill(&mut self, tree: &Tree) {
        // A directory that was removed meanwhile was empty then.
        let Ok((_, names)) = tree.image.dir(self.dir.ino) else { return };
        let ready = &mut self.ready;
        names.after(self.last.as_deref(), |name, entry| {
            ready.push_back(DirEntry { name: name.into(), file_type: entry.kind, ino: entry.ino });
            if ready.len() < BATCH { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.last = ready.back().map(|entry| (&*entry.name).into());
    }
}

impl Iterator for List {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && !self.done {
            let shared = self.dir.shared.clone();
            self.refill(&shared.tree.read());
            self.done = self.ready.is_empty();
        }
        self.ready.pop_front().map(Ok)
    }
}
