//! Which names stand for what: every directory's names, in one table behind one lock.

use super::file::MemoryFile;
use super::inode::Inode;
use super::volume::Volume;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use wasi_host_core::fs::walk::{self, Shape};
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::{Errno, Result};

/// What one name costs of the limit, beside its length.
const CHARGE: u64 = 64;

/// What a name costs.
fn charge_of(name: &str) -> u64 {
    CHARGE + name.len() as u64
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Entry {
    File(Arc<MemoryFile>),
    Dir(Arc<Inode>),
    Link(Arc<Link>),
}

/// A symbolic link.
pub(super) struct Link {
    pub(super) inode: Inode,
    pub(super) target: Box<str>,
}

impl Entry {
    pub(super) fn inode(&self) -> &Inode {
        match self {
            Self::File(file) => &file.inode,
            Self::Dir(dir) => dir,
            Self::Link(link) => &link.inode,
        }
    }

    pub(super) fn is_dir(&self) -> bool {
        matches!(self, Self::Dir(_))
    }

    pub(super) fn file_type(&self) -> FileType {
        match self {
            Self::File(_) => FileType::RegularFile,
            Self::Dir(_) => FileType::Directory,
            Self::Link(_) => FileType::SymbolicLink,
        }
    }

    pub(super) fn metadata(&self) -> Result<Metadata> {
        use wasi_host_core::fs::File;
        match self {
            Self::File(file) => file.metadata(),
            Self::Dir(dir) => Ok(dir.metadata(FileType::Directory, 0)),
            Self::Link(link) => Ok(link.inode.metadata(FileType::SymbolicLink, link.target.len() as u64)),
        }
    }
}

/// The names in one directory.
pub(super) struct Names {
    pub(super) parent: u64,
    entries: BTreeMap<Box<str>, Entry>,
}

/// Every directory that has a name, by number. One that was removed is not here, however many hold it open.
pub(super) struct Tree {
    dirs: HashMap<u64, Names>,
    volume: Arc<Volume>,
}

impl Tree {
    pub(super) fn new(root: &Inode, volume: Arc<Volume>) -> Self {
        root.add_links(2);
        let names = Names { parent: root.ino(), entries: BTreeMap::new() };
        Self { dirs: HashMap::from([(root.ino(), names)]), volume }
    }

    /// A directory's names; `NoEnt` if it was removed.
    pub(super) fn names(&self, dir: &Inode) -> Result<&Names> {
        self.dirs.get(&dir.ino()).ok_or(Errno::NoEnt)
    }

    /// Whether `dir` is the directory `holder` or somewhere below it.
    pub(super) fn is_within(&self, dir: &Inode, holder: &Inode) -> bool {
        let mut at = dir.ino();
        loop {
            if at == holder.ino() {
                return true;
            }
            match self.dirs.get(&at) {
                Some(names) if names.parent != at => at = names.parent,
                _ => return false,
            }
        }
    }

    /// Gives something new a name, or something that has one another. Nothing else has it.
    pub(super) fn add(&mut self, dir: &Inode, name: &str, entry: Entry) -> Result<()> {
        let inode = entry.clone();
        self.put(dir, name, entry)?;
        // A directory's own `.` counts.
        inode.inode().add_links(if inode.is_dir() { 2 } else { 1 });
        Ok(())
    }

    /// Lets a name stand for `entry`, and gives what it stood for before. Fails before anything is changed.
    pub(super) fn put(&mut self, dir: &Inode, name: &str, entry: Entry) -> Result<Option<Entry>> {
        let names = self.dirs.get_mut(&dir.ino()).ok_or(Errno::NoEnt)?;
        if !names.entries.contains_key(name) {
            self.volume.charge(charge_of(name))?;
        }
        let moved = entry.is_dir().then(|| entry.inode().ino());
        let before = names.entries.insert(name.into(), entry);
        if let Some(ino) = moved {
            let empty = || Names { parent: dir.ino(), entries: BTreeMap::new() };
            self.dirs.entry(ino).or_insert_with(empty).parent = dir.ino();
            dir.add_links(1);
        }
        if before.as_ref().is_some_and(Entry::is_dir) {
            dir.add_links(-1);
        }
        dir.modified();
        Ok(before)
    }

    /// Takes a name away, and gives what it stood for.
    pub(super) fn take(&mut self, dir: &Inode, name: &str) -> Result<Entry> {
        let names = self.dirs.get_mut(&dir.ino()).ok_or(Errno::NoEnt)?;
        let entry = names.entries.remove(name).ok_or(Errno::NoEnt)?;
        self.volume.refund(charge_of(name));
        if entry.is_dir() {
            dir.add_links(-1);
        }
        dir.modified();
        Ok(entry)
    }

    /// Takes account of a name's being gone for good. What it stood for lives on as long as it is open.
    pub(super) fn forget(&mut self, entry: &Entry) {
        if entry.is_dir() {
            self.dirs.remove(&entry.inode().ino());
            entry.inode().add_links(-2);
        } else {
            entry.inode().add_links(-1);
        }
    }
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What comes after this name.
    pub(super) fn after<'a>(&'a self, name: Option<&str>) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        self.entries.range::<str, _>((from, Bound::Unbounded)).map(|(name, entry)| (&**name, entry))
    }
}

impl walk::Tree for Tree {
    type Node = Entry;

    fn child(&self, dir: &Entry, name: &str) -> Result<Option<Entry>> {
        Ok(self.dirs.get(&dir.inode().ino()).and_then(|names| names.entries.get(name)).cloned())
    }

    fn shape<'a>(&'a self, node: &'a Entry) -> Shape<'a> {
        match node {
            Entry::Dir(_) => Shape::Dir,
            Entry::Link(link) => Shape::Link(Cow::Borrowed(&link.target)),
            Entry::File(_) => Shape::Leaf,
        }
    }
}
