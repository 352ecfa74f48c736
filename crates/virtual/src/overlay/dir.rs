//! An open directory of the overlay.

use super::copy::Content;
use super::file::OverlayFile;
use super::layers::UPPER;
use super::list::{List, Names};
use super::place::Place;
use super::rename::rename;
use super::tree::{Entry, Leaf, Tree};
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use wasi_host_core::fs::walk::{self, Last};
use wasi_host_core::fs::{Blocking, Dir, Entries, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

pub(super) struct OverlayDir {
    tree: Arc<Tree>,
    place: Arc<Place>,
}

/// The directory of a place in a walk.
pub(super) fn dir_of(entry: Entry) -> Result<Arc<Place>> {
    match entry {
        Entry::Dir(dir) => Ok(dir),
        Entry::Leaf(_) => Err(Errno::NotDir),
    }
}

impl OverlayDir {
    pub(super) fn new(tree: Arc<Tree>, place: Arc<Place>) -> Self {
        Self { tree, place }
    }

    fn entry(&self) -> Entry {
        Entry::Dir(self.place.clone())
    }

    fn other<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        let to: Option<&Self> = (to as &dyn Any).downcast_ref();
        to.filter(|to| Arc::ptr_eq(&self.tree, &to.tree)).ok_or(Errno::XDev)
    }

    /// What there is at `path`, and the directory and name that it has at the end of all links.
    fn find<'p>(&self, path: &'p str, follow: Follow) -> Result<(walk::Place<'p, Entry>, Entry)> {
        let (place, entry) = walk::lookup(&*self.tree, &self.entry(), path, follow)?;
        Ok((place, entry.ok_or(Errno::NoEnt)?))
    }

    /// The directory and name that something new will get, as in every tree (see `memory`). Only a directory may have
    /// a slash behind its name.
    fn vacant<'p>(&self, path: &'p str, slash: bool) -> Result<(Arc<Place>, Cow<'p, str>)> {
        let place = walk::place(&*self.tree, &self.entry(), path)?;
        match (place.node(&*self.tree)?, place.last) {
            (None, Last::Name(_)) if place.must_be_dir && !slash => Err(Errno::NoEnt),
            (None, Last::Name(name)) => Ok((dir_of(place.dir)?, name)),
            _ => Err(Errno::Exist),
        }
    }

    /// `open` under one of the two locks. `None` if it needs the other.
    fn open_locked(&self, path: &str, how: Open, may_change: bool) -> Result<Option<Node>> {
        let follow = if how.follow && !(how.create && how.exclusive) { Follow::Yes } else { Follow::No };
        let lookup = if how.create { walk::lookup_to_create::<Tree> } else { walk::lookup };
        let (place, entry) = lookup(&self.tree, &self.entry(), path, follow)?;
        let changes = how.write || how.truncate;
        match entry {
            None if !how.create => Err(Errno::NoEnt),
            None if !may_change => Ok(None),
            None => {
                let Last::Name(name) = place.last else { return Err(Errno::IsDir) };
                self.create(&dir_of(place.dir)?, &name, how).map(Some)
            }
            Some(_) if how.create && how.exclusive => Err(Errno::Exist),
            Some(Entry::Dir(_)) if how.create || changes => Err(Errno::IsDir),
            Some(Entry::Dir(dir)) => Ok(Some(Node::Dir(Arc::new(Self::new(self.tree.clone(), dir))))),
            Some(Entry::Leaf(leaf)) => {
                let Last::Name(name) = place.last else { return Err(Errno::NotDir) };
                let dir = dir_of(place.dir)?;
                let regular = leaf.metadata.file_type == FileType::RegularFile;
                if leaf.layer == UPPER {
                    return self.open_upper(&leaf.path, how).map(Some);
                }
                if !(changes && regular && !how.directory) {
                    return self.open_lower(&leaf, (dir, name.into()), how).map(Some);
                }
                if !may_change {
                    return Ok(None);
                }
                let content = if how.truncate { Content::None } else { Content::All };
                self.tree.raise_leaf(&dir, &name, &leaf, content, &mut self.tree.budget())?;
                self.open_upper(&dir.join(&name), how).map(Some)
            }
        }
    }

    fn create(&self, dir: &Arc<Place>, name: &str, how: Open) -> Result<Node> {
        self.tree.raise_dir(dir)?;
        let file = self.tree.open_upper(&dir.join(name), Open { follow: false, ..how })?;
        Ok(Node::File(Arc::new(OverlayFile::upper(self.tree.clone(), file)?)))
    }

    fn open_upper(&self, path: &str, how: Open) -> Result<Node> {
        let how = Open { create: false, exclusive: false, follow: false, ..how };
        let file = self.tree.open_upper(path, how)?;
        Ok(Node::File(Arc::new(OverlayFile::upper(self.tree.clone(), file)?)))
    }

    /// Those who open a file of a lower tree to read all have the same.
    fn open_lower(&self, leaf: &Leaf, at: (Arc<Place>, Box<str>), how: Open) -> Result<Node> {
        let how = Open { read: true, create: false, exclusive: false, follow: false, ..how };
        match self.tree.layers.of(leaf.layer).open(&leaf.path, how)? {
            Node::File(inner) => {
                let new = OverlayFile::lower(self.tree.clone(), inner, leaf, at);
                Ok(Node::File(self.tree.share_opened(leaf, new)))
            }
            Node::Dir(_) => Err(Errno::NotDir),
        }
    }
}

impl Tree {
    /// Takes account of what stood at a name and does so no more.
    pub(super) fn lost(&self, leaf: &Leaf) {
        if leaf.layer != UPPER {
            self.opened(leaf).iter().for_each(|file| file.lose_name());
        } else if leaf.metadata.nlink <= 1 {
            self.layers.forget_number(&leaf.metadata);
        }
    }

    /// Removes an empty directory from the upper tree, with what it hides, and hides those below.
    pub(super) fn remove_dir(&self, above: &Arc<Place>, name: &str, dir: &Place) -> Result<()> {
        let last = self.dir_metadata(dir)?;
        if self.is_below(above, name)? {
            self.raise_dir(above)?;
            self.layers.hide(&above.path(), name)?;
        }
        if dir.layers()?[0] == UPPER {
            let path = dir.path();
            let copy = self.layers.upper().stat(&path, Follow::No)?;
            self.layers.show_all(&path)?;
            self.layers.upper().remove_dir(&path)?;
            self.layers.forget_number(&copy);
        }
        dir.remove(Metadata { nlink: 0, ..last });
        Ok(())
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for OverlayDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        if how.create && how.directory {
            return Err(Errno::Inval);
        }
        let opened = {
            let _lock = self.tree.read();
            self.open_locked(path, how, false)?
        };
        if let Some(node) = opened {
            return Ok(node);
        }
        let _lock = self.tree.write();
        self.open_locked(path, how, true)?.ok_or(Errno::Again)
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        let _lock = self.tree.read();
        self.tree.metadata(&self.find(path, follow)?.1)
    }

    fn metadata(&self) -> Result<Metadata> {
        let _lock = self.tree.read();
        self.tree.dir_metadata(&self.place)
    }

    fn entries(&self) -> Result<Entries> {
        let _lock = self.tree.read();
        let names = Names::new(&self.tree, &self.place)?;
        Ok(Box::new(List { tree: self.tree.clone(), names }))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        let _lock = self.tree.read();
        match self.find(path, Follow::No)?.1 {
            Entry::Leaf(leaf) => leaf.target().map(str::to_owned).ok_or(Errno::Inval),
            Entry::Dir(_) => Err(Errno::Inval),
        }
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        let _lock = self.tree.write();
        let (dir, name) = self.vacant(path, true)?;
        if dir.is_deepest() {
            return Err(Errno::NameTooLong);
        }
        self.tree.raise_dir(&dir)?;
        self.tree.layers.upper().create_dir(&dir.join(&name))
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        if target.is_empty() {
            return Err(Errno::NoEnt);
        }
        let _lock = self.tree.write();
        let (dir, name) = self.vacant(path, false)?;
        self.tree.raise_dir(&dir)?;
        self.tree.layers.upper().symlink(target, &dir.join(&name))
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to)?;
        let _lock = self.tree.write();
        let (place, entry) = self.find(path, follow)?;
        let (to_dir, to_name) = to.vacant(to_path, false)?;
        to_dir.layers()?;
        let (Entry::Leaf(leaf), Last::Name(name)) = (entry, place.last) else { return Err(Errno::Perm) };
        let dir = dir_of(place.dir)?;
        self.tree.raise_leaf(&dir, &name, &leaf, Content::All, &mut self.tree.budget())?;
        self.tree.raise_dir(&to_dir)?;
        let upper = self.tree.layers.upper();
        upper.hard_link(&dir.join(&name), Follow::No, upper, &to_dir.join(&to_name))
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to)?;
        let _lock = self.tree.write();
        rename(&self.tree, (&self.entry(), path), (&to.entry(), to_path))
    }

    fn unlink(&self, path: &str) -> Result<()> {
        let _lock = self.tree.write();
        let place = walk::place(&*self.tree, &self.entry(), path)?;
        let Last::Name(name) = &place.last else { return Err(Errno::IsDir) };
        let leaf = match place.node(&*self.tree)? {
            None => return Err(Errno::NoEnt),
            Some(Entry::Dir(_)) => return Err(Errno::IsDir),
            Some(_) if place.must_be_dir => return Err(Errno::NotDir),
            Some(Entry::Leaf(leaf)) => leaf,
        };
        let dir = dir_of(place.dir)?;
        if self.tree.is_below(&dir, name)? {
            self.tree.raise_dir(&dir)?;
            self.tree.layers.hide(&dir.path(), name)?;
        }
        if leaf.layer == UPPER {
            self.tree.layers.upper().unlink(&leaf.path)?;
        }
        self.tree.lost(&leaf);
        Ok(())
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        let _lock = self.tree.write();
        let place = walk::place(&*self.tree, &self.entry(), path)?;
        let name = match &place.last {
            Last::Here => return Err(Errno::Inval),
            Last::Parent => return Err(Errno::NotEmpty),
            Last::Name(name) => name,
        };
        match place.node(&*self.tree)? {
            None => Err(Errno::NoEnt),
            Some(Entry::Leaf(_)) => Err(Errno::NotDir),
            Some(Entry::Dir(dir)) if !self.tree.is_empty(&dir)? => Err(Errno::NotEmpty),
            Some(Entry::Dir(dir)) => self.tree.remove_dir(&dir_of(place.dir)?, name, &dir),
        }
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        let _lock = self.tree.write();
        let path = match self.find(path, follow)? {
            (_, Entry::Dir(dir)) if dir.last().is_some() => {
                dir.set_last_times(accessed, modified);
                return Ok(());
            }
            (_, Entry::Dir(dir)) => self.tree.raise_dir(&dir)?,
            (place, Entry::Leaf(leaf)) => {
                let Last::Name(name) = place.last else { return Err(Errno::NotDir) };
                let dir = dir_of(place.dir)?;
                self.tree.raise_leaf(&dir, &name, &leaf, Content::All, &mut self.tree.budget())?;
                dir.join(&name)
            }
        };
        self.tree.layers.upper().set_times(&path, Follow::No, accessed, modified)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        let _lock = self.tree.read();
        if self.place.layers()?[0] != UPPER {
            return Ok(());
        }
        self.tree.layers.open_dir(UPPER, &self.place.path())?.sync(data_only)
    }

    fn blocking(&self) -> Blocking {
        self.tree.layers.blocking()
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        match self.blocking() {
            Blocking::Never => self.open(path, how),
            Blocking::Maybe => Err(Errno::Again),
        }
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        match self.blocking() {
            Blocking::Never => self.stat(path, follow),
            Blocking::Maybe => Err(Errno::Again),
        }
    }
}
