//! An open directory.

use super::file::MemoryFile;
use super::image::Image;
use super::inode::{Body, Entry, Moment};
use super::list::List;
use super::pages::Pages;
use super::shared::{Hold, Shared};
use super::tree::Tree;
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use wasi_host_core::fs::walk::{self, Last, Place};
use wasi_host_core::fs::{Blocking, Dir, Entries, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};

/// The longest target of a symbolic link, in bytes.
const TARGET_MAX: usize = 4095;

pub(super) struct MemoryDir {
    hold: Hold,
}

impl MemoryDir {
    pub(super) fn new(hold: Hold) -> Self {
        Self { hold }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.hold.shared
    }

    /// Itself, as the tree has it.
    fn entry(&self) -> Entry {
        Entry { ino: self.hold.ino, kind: FileType::Directory }
    }

    /// What there is at `path`.
    fn find(&self, image: &Image, path: &str, follow: Follow) -> Result<Entry> {
        walk::lookup(image, &self.entry(), path, follow)?.1.ok_or(Errno::NoEnt)
    }

    /// Changes the tree, at the time at which that was asked for.
    fn change<R>(&self, change: impl FnOnce(&mut Tree, Moment) -> Result<R>) -> Result<R> {
        let time = self.shared().now();
        let mut tree = self.shared().tree.write();
        let now = tree.at(time);
        change(&mut tree, now)
    }

    /// The same directory type behind another capability, if it is of this filesystem.
    fn same_filesystem<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        let to: Option<&Self> = (to as &dyn Any).downcast_ref();
        to.filter(|to| Arc::ptr_eq(self.shared(), to.shared())).ok_or(Errno::XDev)
    }

    /// What is at `path`, or a new file there.
    fn find_or_create(&self, tree: &mut Tree, path: &str, how: Open, now: Moment) -> Result<Entry> {
        let follow = if how.follow && !how.exclusive { Follow::Yes } else { Follow::No };
        let (place, node) = walk::lookup_to_create(&tree.image, &self.entry(), path, follow)?;
        if let Some(entry) = node {
            return if how.exclusive { Err(Errno::Exist) } else { Ok(entry) };
        }
        let Last::Name(name) = place.last else { return Err(Errno::IsDir) };
        tree.create(place.dir.ino, &name, Body::File(Pages::default()), now)
    }
}

/// Whether that may be opened so.
fn check(entry: Entry, how: Open) -> Result<()> {
    match entry.kind {
        FileType::SymbolicLink if !how.directory => Err(Errno::Loop),
        FileType::Directory if how.create || how.write || how.truncate => Err(Errno::IsDir),
        FileType::Directory => Ok(()),
        _ if how.directory => Err(Errno::NotDir),
        _ => Ok(()),
    }
}

/// The name that something new will get: `Exist` if there is something, be it a link that leads nowhere. Only a
/// directory may have a slash behind its name.
fn vacant<'p>(image: &Image, place: Place<'p, Entry>, slash: bool) -> Result<(Entry, Cow<'p, str>)> {
    match (place.node(image)?, place.last) {
        (None, Last::Name(_)) if place.must_be_dir && !slash => Err(Errno::NoEnt),
        (None, Last::Name(name)) => Ok((place.dir, name)),
        _ => Err(Errno::Exist),
    }
}

impl Dir for MemoryDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        if how.create && how.directory {
            return Err(Errno::Inval);
        }
        // Only what makes or changes something needs the time.
        let time = if how.create || how.truncate { self.shared().now() } else { Timestamp::default() };
        let mut tree = self.shared().tree.write();
        let now = tree.at(time);
        let entry = if how.create {
            self.find_or_create(&mut tree, path, how, now)?
        } else {
            self.find(&tree.image, path, if how.follow { Follow::Yes } else { Follow::No })?
        };
        check(entry, how)?;
        let cut = if how.truncate { tree.set_len(entry.ino, 0, now)? } else { None };
        let hold = Hold::new(self.shared(), &mut tree, entry.ino);
        drop(tree);
        drop(cut);
        Ok(if entry.is_dir() {
            Node::Dir(Arc::new(Self::new(hold)))
        } else {
            Node::File(Arc::new(MemoryFile::new(hold)))
        })
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        let tree = self.shared().tree.read();
        let ino = self.find(&tree.image, path, follow)?.ino;
        Ok(tree.inode(ino)?.metadata(self.shared().dev, ino))
    }

    fn metadata(&self) -> Result<Metadata> {
        self.hold.metadata()
    }

    fn entries(&self) -> Result<Entries> {
        let mut tree = self.shared().tree.write();
        let (parent, _) = tree.image.dir(self.hold.ino)?;
        let unread = tree.inode(self.hold.ino)?.is_unread(tree.image.generation);
        let hold = Hold::new(self.shared(), &mut tree, self.hold.ino);
        drop(tree);
        if unread {
            hold.accessed();
        }
        Ok(Box::new(List::new(hold, parent)))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        let tree = self.shared().tree.read();
        let link = self.find(&tree.image, path, Follow::No)?;
        match &tree.inode(link.ino)?.body {
            Body::Link(target) => Ok(target.to_string()),
            _ => Err(Errno::Inval),
        }
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        self.change(|tree, now| {
            let image = &tree.image;
            let (dir, name) = vacant(image, walk::place(image, &self.entry(), path)?, true)?;
            tree.create(dir.ino, &name, Body::new_dir(dir.ino), now).map(drop)
        })
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        match target.len() {
            0 => return Err(Errno::NoEnt),
            1..=TARGET_MAX => {}
            _ => return Err(Errno::NameTooLong),
        }
        self.change(|tree, now| {
            let image = &tree.image;
            let (dir, name) = vacant(image, walk::place(image, &self.entry(), path)?, false)?;
            tree.create(dir.ino, &name, Body::Link(target.into()), now).map(drop)
        })
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.same_filesystem(to)?;
        self.change(|tree, now| {
            let image = &tree.image;
            let entry = self.find(image, path, follow)?;
            let (dir, name) = vacant(image, walk::place(image, &to.entry(), to_path)?, false)?;
            image.dir(dir.ino)?;
            if entry.is_dir() {
                return Err(Errno::Perm);
            }
            tree.link(dir.ino, &name, entry, now)
        })
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.same_filesystem(to)?;
        let (from, to) = ((self.entry(), path), (to.entry(), to_path));
        let gone = self.change(|tree, now| super::rename::rename(tree, from, to, now));
        gone.map(drop)
    }

    fn unlink(&self, path: &str) -> Result<()> {
        let gone = self.change(|tree, now| {
            let place = walk::place(&tree.image, &self.entry(), path)?;
            let Last::Name(name) = &place.last else { return Err(Errno::IsDir) };
            match place.node(&tree.image)? {
                None => Err(Errno::NoEnt),
                Some(entry) if entry.is_dir() => Err(Errno::IsDir),
                Some(_) if place.must_be_dir => Err(Errno::NotDir),
                Some(_) => tree.remove(place.dir.ino, name, now),
            }
        });
        gone.map(drop)
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        let gone = self.change(|tree, now| {
            let place = walk::place(&tree.image, &self.entry(), path)?;
            let name = match &place.last {
                Last::Here => return Err(Errno::Inval),
                Last::Parent => return Err(Errno::NotEmpty),
                Last::Name(name) => name,
            };
            match place.node(&tree.image)? {
                None => Err(Errno::NoEnt),
                Some(entry) if !entry.is_dir() => Err(Errno::NotDir),
                Some(entry) if !tree.image.dir(entry.ino)?.1.is_empty() => Err(Errno::NotEmpty),
                Some(_) => tree.remove(place.dir.ino, name, now),
            }
        });
        gone.map(drop)
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.change(|tree, now| {
            let ino = self.find(&tree.image, path, follow)?.ino;
            tree.inode_mut(ino)?.set_times(accessed, modified, now);
            Ok(())
        })
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
