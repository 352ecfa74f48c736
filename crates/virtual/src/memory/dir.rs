//! An open directory.

use super::Shared;
use super::file::MemoryFile;
use super::inode::Inode;
use super::list::List;
use super::tree::{Entry, Link, Tree};
use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};
use wasi_host_core::fs::walk::{self, Last, Place};
use wasi_host_core::fs::{Blocking, Dir, Entries, File, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// The longest target of a symbolic link, in bytes.
const TARGET_MAX: usize = 4095;

#[derive(Clone)]
pub(super) struct MemoryDir {
    pub(super) shared: Arc<Shared>,
    inode: Arc<Inode>,
}

impl MemoryDir {
    pub(super) fn new(shared: Arc<Shared>, inode: Arc<Inode>) -> Self {
        Self { shared, inode }
    }

    pub(super) fn inode(&self) -> &Inode {
        &self.inode
    }

    pub(super) fn tree(&self) -> RwLockReadGuard<'_, Tree> {
        self.shared.tree.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tree_mut(&self) -> RwLockWriteGuard<'_, Tree> {
        self.shared.tree.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Itself, as the tree has it.
    pub(super) fn entry(&self) -> Entry {
        Entry::Dir(self.inode.clone())
    }

    /// What there is at `path`.
    fn find(&self, path: &str, follow: Follow) -> Result<Entry> {
        walk::lookup(&*self.tree(), &self.entry(), path, follow)?.1.ok_or(Errno::NoEnt)
    }

    /// The same directory type behind another capability, if it is of this filesystem.
    pub(super) fn same_filesystem<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        let to: Option<&Self> = (to as &dyn Any).downcast_ref();
        to.filter(|to| Arc::ptr_eq(&self.shared, &to.shared)).ok_or(Errno::XDev)
    }

    fn open_entry(&self, entry: Entry, how: Open) -> Result<Node> {
        match entry {
            Entry::Link(_) if how.directory => Err(Errno::NotDir),
            Entry::Link(_) => Err(Errno::Loop),
            Entry::Dir(_) if how.create || how.write || how.truncate => Err(Errno::IsDir),
            Entry::Dir(inode) => Ok(Node::Dir(Arc::new(Self::new(self.shared.clone(), inode)))),
            Entry::File(_) if how.directory => Err(Errno::NotDir),
            Entry::File(file) => {
                if how.truncate {
                    file.set_len(0)?;
                }
                Ok(Node::File(file))
            }
        }
    }

    /// What is at `path`, or a new file there.
    fn find_or_create(&self, path: &str, how: Open) -> Result<Entry> {
        let follow = if how.follow && !how.exclusive { Follow::Yes } else { Follow::No };
        let mut tree = self.tree_mut();
        let (place, node) = walk::lookup_to_create(&*tree, &self.entry(), path, follow)?;
        if let Some(entry) = node {
            return if how.exclusive { Err(Errno::Exist) } else { Ok(entry) };
        }
        let Last::Name(name) = place.last else { return Err(Errno::IsDir) };
        let entry = Entry::File(Arc::new(MemoryFile::new(&self.shared.volume)?));
        tree.add(place.dir.inode(), &name, entry.clone())?;
        Ok(entry)
    }
}

/// The name that something new will get: `Exist` if there is something, be it a link that leads nowhere. Only a
/// directory may have a slash behind its name.
fn vacant<'p>(tree: &Tree, place: Place<'p, Entry>, slash: bool) -> Result<(Entry, Cow<'p, str>)> {
    match (place.node(tree)?, place.last) {
        (None, Last::Name(_)) if place.must_be_dir && !slash => Err(Errno::NoEnt),
        (None, Last::Name(name)) => Ok((place.dir, name)),
        _ => Err(Errno::Exist),
    }
}

impl Dir for MemoryDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        let entry = match how {
            Open { create: true, directory: true, .. } => return Err(Errno::Inval),
            Open { create: true, .. } => self.find_or_create(path, how)?,
            _ => self.find(path, if how.follow { Follow::Yes } else { Follow::No })?,
        };
        self.open_entry(entry, how)
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.find(path, follow)?.metadata()
    }

    fn metadata(&self) -> Result<Metadata> {
        self.entry().metadata()
    }

    fn entries(&self) -> Result<Entries> {
        let list = List::new(self.clone(), &self.tree())?;
        self.inode.accessed();
        Ok(Box::new(list))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        match self.find(path, Follow::No)? {
            Entry::Link(link) => Ok(link.target.to_string()),
            _ => Err(Errno::Inval),
        }
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        let mut tree = self.tree_mut();
        let (dir, name) = vacant(&tree, walk::place(&*tree, &self.entry(), path)?, true)?;
        let new = Entry::Dir(Arc::new(Inode::new(&self.shared.volume, 0)?));
        tree.add(dir.inode(), &name, new)
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        match target.len() {
            0 => return Err(Errno::NoEnt),
            1..=TARGET_MAX => {}
            _ => return Err(Errno::NameTooLong),
        }
        let mut tree = self.tree_mut();
        let (dir, name) = vacant(&tree, walk::place(&*tree, &self.entry(), path)?, false)?;
        let inode = Inode::new(&self.shared.volume, target.len() as u64)?;
        tree.add(dir.inode(), &name, Entry::Link(Arc::new(Link { inode, target: target.into() })))
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.same_filesystem(to)?;
        let mut tree = self.tree_mut();
        let entry = walk::lookup(&*tree, &self.entry(), path, follow)?.1.ok_or(Errno::NoEnt)?;
        let (dir, name) = vacant(&tree, walk::place(&*tree, &to.entry(), to_path)?, false)?;
        tree.names(dir.inode())?;
        if entry.is_dir() {
            return Err(Errno::Perm);
        }
        tree.add(dir.inode(), &name, entry)
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.same_filesystem(to)?;
        super::rename::rename(&mut self.tree_mut(), (&self.entry(), path), (&to.entry(), to_path))
    }

    fn unlink(&self, path: &str) -> Result<()> {
        let mut tree = self.tree_mut();
        let place = walk::place(&*tree, &self.entry(), path)?;
        let Last::Name(name) = &place.last else { return Err(Errno::IsDir) };
        match place.node(&*tree)? {
            None => Err(Errno::NoEnt),
            Some(Entry::Dir(_)) => Err(Errno::IsDir),
            Some(_) if place.must_be_dir => Err(Errno::NotDir),
            Some(_) => {
                let gone = tree.take(place.dir.inode(), name)?;
                tree.forget(&gone);
                Ok(())
            }
        }
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        let mut tree = self.tree_mut();
        let place = walk::place(&*tree, &self.entry(), path)?;
        let name = match &place.last {
            Last::Here => return Err(Errno::Inval),
            Last::Parent => return Err(Errno::NotEmpty),
            Last::Name(name) => name,
        };
        match place.node(&*tree)? {
            None => Err(Errno::NoEnt),
            Some(Entry::Dir(dir)) if tree.names(&dir)?.is_empty() => {
                let gone = tree.take(place.dir.inode(), name)?;
                tree.forget(&gone);
                Ok(())
            }
            Some(Entry::Dir(_)) => Err(Errno::NotEmpty),
            Some(_) => Err(Errno::NotDir),
        }
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.find(path, follow)?.inode().set_times(accessed, modified);
        Ok(())
    }

    fn blocking(&self) -> Blocking {
        Blocking::Never
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        self.open(path, how)
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.stat(path, follow)
    }
}
