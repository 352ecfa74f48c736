//! A tree as a value: what a disk would hold. A clone is made in constant time and costs what is changed in it.

use super::inode::{Body, Entry, Inode, Moment};
use super::limits::Usage;
use super::names::Names;
use super::trie::Trie;
use std::borrow::Cow;
use triomphe::Arc;
use wasi_host_core::fs::FileType;
use wasi_host_core::fs::walk::{self, Shape};
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};

/// The root's number.
pub(super) const ROOT: u64 = 1;

/// Everything that has a name, by number; and the root.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) inodes: Trie<Arc<Inode>>,
    pub(super) used: Usage,
    /// Numbers are not given twice, neither here nor in a fork.
    next_ino: u64,
    /// Counts the forks: what was changed in an earlier generation may be shared.
    pub(super) generation: u64,
}

impl Image {
    pub(super) fn new(time: Timestamp) -> Self {
        let now = Moment { time, generation: 1 };
        let mut root = Inode::new(Body::new_dir(ROOT), now);
        root.add_links(2, now);
        let mut inodes = Trie::default();
        inodes.insert(ROOT, Arc::new(root));
        Self { inodes, used: Usage::default(), next_ino: ROOT + 1, generation: 1 }
    }

    pub(super) fn next_ino(&mut self) -> u64 {
        let ino = self.next_ino;
        self.next_ino += 1;
        ino
    }

    /// A directory's parent and names; `NoEnt` if it was removed.
    pub(super) fn dir(&self, dir: u64) -> Result<(u64, &Names)> {
        match self.inodes.get(dir).map(|inode| &inode.body) {
            Some(Body::Dir { parent, names }) => Ok((*parent, names)),
            _ => Err(Errno::NoEnt),
        }
    }

    /// What has this number, to be changed.
    pub(super) fn inode_mut(&mut self, ino: u64) -> Result<&mut Inode> {
        self.inodes.get_mut(ino).map(Arc::make_mut).ok_or(Errno::NoEnt)
    }

    /// Whether `dir` is the directory `holder` or somewhere below it.
    pub(super) fn is_within(&self, dir: u64, holder: u64) -> bool {
        let mut at = dir;
        loop {
            if at == holder {
                return true;
            }
            match self.dir(at) {
                Ok((parent, _)) if parent != at => at = parent,
                _ => return false,
            }
        }
    }

    /// Lets a name stand for what has a number already, and gives what it stood for before. Fails before anything
    /// is changed.
    pub(super) fn bind(&mut self, dir: u64, name: &str, entry: Entry, now: Moment) -> Result<Option<Entry>> {
        let holder = self.inode_mut(dir)?;
        let Body::Dir { names, .. } = &mut holder.body else { return Err(Errno::NoEnt) };
        let before = names.insert(name, entry);
        if entry.is_dir() {
            holder.add_links(1, now);
        }
        if before.is_some_and(Entry::is_dir) {
            holder.add_links(-1, now);
        }
        holder.modified(now);
        if entry.is_dir()
            && let Body::Dir { parent, .. } = &mut self.inode_mut(entry.ino)?.body
        {
            *parent = dir;
        }
        Ok(before)
    }

    /// Takes a name away, and gives what it stood for.
    pub(super) fn unbind(&mut self, dir: u64, name: &str, now: Moment) -> Result<Entry> {
        let holder = self.inode_mut(dir)?;
        let Body::Dir { names, .. } = &mut holder.body else { return Err(Errno::NoEnt) };
        let entry = names.remove(name).ok_or(Errno::NoEnt)?;
        if entry.is_dir() {
            holder.add_links(-1, now);
        }
        holder.modified(now);
        Ok(entry)
    }
}

impl walk::Tree for Image {
    type Node = Entry;

    fn child(&self, dir: &Entry, name: &str) -> Result<Option<Entry>> {
        Ok(self.dir(dir.ino).ok().and_then(|(_, names)| names.get(name)))
    }

    fn shape<'a>(&'a self, node: &'a Entry) -> Shape<'a> {
        match node.kind {
            FileType::Directory => Shape::Dir,
            FileType::SymbolicLink => match self.inodes.get(node.ino).map(|inode| &inode.body) {
                Some(Body::Link(target)) => Shape::Link(Cow::Borrowed(target)),
                _ => Shape::Leaf,
            },
            _ => Shape::Leaf,
        }
    }
}
