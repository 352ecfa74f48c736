//! What is at a path of the overlay, and the lock under which that holds.

use super::DEFAULT_COPY_LIMIT;
use super::file::OverlayFile;
use super::layers::{Layers, UPPER, join};
use super::list::Names;
use super::place::{DEEPEST, Place};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use wasi_host_core::fs::walk::{self, Shape};
use wasi_host_core::fs::{FileType, Follow, Metadata};
use wasi_host_core::{Errno, Result};

/// How many directories are kept known: more than any path leads through.
const RECENT: usize = DEEPEST + 24;

pub(super) struct Tree {
    pub(super) layers: Layers,
    pub(super) copy_limit: AtomicU64,
    /// Held to write by whoever changes names or copies up, and to read by whoever looks.
    lock: RwLock<()>,
    /// Directories that were found of late: on the way through them no tree is asked.
    recent: Mutex<VecDeque<Arc<Place>>>,
    /// Files of lower trees that are open, by tree and path.
    open: Mutex<HashMap<(usize, String), Weak<OverlayFile>>>,
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Entry {
    Dir(Arc<Place>),
    Leaf(Arc<Leaf>),
}

/// Anything that is not a directory.
pub(super) struct Leaf {
    pub(super) layer: usize,
    /// In that tree.
    pub(super) path: String,
    pub(super) number: u64,
    /// As that tree has it.
    pub(super) metadata: Metadata,
    /// What it holds, if it is a symbolic link.
    target: Option<String>,
}

impl Tree {
    pub(super) fn new(layers: Layers) -> Self {
        Self {
            layers,
            copy_limit: AtomicU64::new(DEFAULT_COPY_LIMIT),
            lock: RwLock::default(),
            recent: Mutex::default(),
            open: Mutex::default(),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, ()> {
        self.lock.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a directory has under a name. One that was removed has nothing.
    pub(super) fn lookup(&self, dir: &Arc<Place>, name: &str) -> Result<Option<Entry>> {
        let Ok(layers) = dir.layers() else { return Ok(None) };
        if let Some(known) = dir.known(name) {
            return Ok(Some(Entry::Dir(known)));
        }
        let above = dir.path();
        let Some(found) = self.layers.look(&layers, &above, name)? else { return Ok(None) };
        if found.metadata.file_type == FileType::Directory {
            if dir.is_deepest() {
                return Err(Errno::NameTooLong);
            }
            let (below, new) = dir.enter(name, found, &self.layers);
            if new {
                self.remember(below.clone());
            }
            return Ok(Some(Entry::Dir(below)));
        }
        let (layer, metadata) = (found.layer, found.metadata);
        let path = join(&above, name);
        let target = match metadata.file_type {
            FileType::SymbolicLink => Some(self.layers.of(layer).read_link(&path)?),
            _ => None,
        };
        let number = self.layers.number(layer, metadata.dev, metadata.ino);
        Ok(Some(Entry::Leaf(Arc::new(Leaf { layer, path, number, metadata, target }))))
    }

    /// Keeps a directory known for a while.
    fn remember(&self, dir: Arc<Place>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back(dir);
        let oldest = if recent.len() > RECENT { recent.pop_front() } else { None };
        // With it those above it may go, which is not done under the lock.
        drop(recent);
        drop(oldest);
    }

    /// Whether trees below the upper one show something at a name.
    pub(super) fn is_below(&self, dir: &Place, name: &str) -> Result<bool> {
        let layers = dir.layers()?;
        let lower = layers.strip_prefix(&[UPPER]).unwrap_or(&layers);
        Ok(self.layers.look(lower, &dir.path(), name)?.is_some())
    }

    /// Whether a directory shows no names.
    pub(super) fn is_empty(&self, dir: &Arc<Place>) -> Result<bool> {
        let mut names = Names::new(self, dir)?;
        while let Some(entry) = names.next(self) {
            if !matches!(&*entry?.name, "." | "..") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// About a directory.
    pub(super) fn dir_metadata(&self, dir: &Place) -> Result<Metadata> {
        if let Some(last) = dir.last() {
            return Ok(last);
        }
        let layer = dir.layers()?[0];
        let m = self.layers.of(layer).stat(&dir.path(), Follow::No)?;
        Ok(self.layers.told(m, dir.number))
    }

    pub(super) fn metadata(&self, entry: &Entry) -> Result<Metadata> {
        match entry {
            Entry::Dir(dir) => self.dir_metadata(dir),
            Entry::Leaf(leaf) => Ok(self.layers.told(leaf.metadata, leaf.number)),
        }
    }

    /// The open file of a lower tree, if it is open.
    pub(super) fn opened(&self, leaf: &Leaf) -> Option<Arc<OverlayFile>> {
        let key = (leaf.layer, leaf.path.clone());
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&key).and_then(Weak::upgrade)
    }

    /// The open file of a lower tree: `new`, unless it was open already.
    pub(super) fn share_opened(&self, leaf: &Leaf, new: OverlayFile) -> Arc<OverlayFile> {
        let new = Arc::new(new);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = open.entry((leaf.layer, leaf.path.clone())).or_default();
        if let Some(file) = shared.upgrade() {
            return file;
        }
        *shared = Arc::downgrade(&new);
        new
    }

    pub(super) fn remove_opened(&self, key: &(usize, String)) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(key).is_some_and(|file| file.strong_count() == 0) {
            open.remove(key);
        }
    }
}

impl Entry {
    pub(super) fn is_dir(&self) -> bool {
        matches!(self, Self::Dir(_))
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dir(a), Self::Dir(b)) => Arc::ptr_eq(a, b),
            (Self::Leaf(a), Self::Leaf(b)) => {
                let id = |leaf: &Leaf| (leaf.layer, leaf.metadata.dev, leaf.metadata.ino);
                id(a) == id(b)
            }
            _ => false,
        }
    }
}

impl Leaf {
    pub(super) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }
}

impl walk::Tree for Tree {
    type Node = Entry;

    fn child(&self, dir: &Entry, name: &str) -> Result<Option<Entry>> {
        match dir {
            Entry::Dir(dir) => self.lookup(dir, name),
            Entry::Leaf(_) => Ok(None),
        }
    }

    fn shape<'a>(&'a self, node: &'a Entry) -> Shape<'a> {
        match node {
            Entry::Dir(_) => Shape::Dir,
            Entry::Leaf(leaf) => leaf.target().map_or(Shape::Leaf, |to| Shape::Link(Cow::Borrowed(to))),
        }
    }
}
