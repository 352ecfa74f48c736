//! A directory in which each new name is charged.

use super::account::{Account, Named};
use super::file::QuotaFile;
use std::any::Any;
use std::sync::{Arc, PoisonError, RwLockWriteGuard};
use wasi_host_core::fs::{Blocking, Dir, Entries, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

#[derive(Clone)]
pub(super) struct QuotaDir {
    account: Arc<Account>,
    inner: Arc<dyn Dir>,
}

impl QuotaDir {
    pub(super) fn new(account: Arc<Account>, inner: Arc<dyn Dir>) -> Self {
        Self { account, inner }
    }

    fn names(&self) -> RwLockWriteGuard<'_, ()> {
        self.account.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn other<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        let to: Option<&Self> = (to as &dyn Any).downcast_ref();
        to.filter(|to| Arc::ptr_eq(&self.account, &to.account)).ok_or(Errno::XDev)
    }

    /// What a name stands for, which may be lost.
    fn named(&self, path: &str) -> Result<Named> {
        Named::new(&self.account, || self.inner.stat(path, Follow::No))
    }

    /// Makes something that holds `bytes`, if there is room for it. That it is there already, or that its place is
    /// wrong, is said before that there is no room.
    fn make<T>(&self, path: &str, follow: Follow, bytes: u64, make: impl FnOnce() -> Result<T>) -> Result<T> {
        if let Err(full) = self.account.make(bytes) {
            return Err(match self.inner.stat(path, follow) {
                Ok(_) => Errno::Exist,
                Err(Errno::NoEnt) => full,
                Err(e) => e,
            });
        }
        make().inspect_err(|_| self.account.refund(1, bytes))
    }

    fn opened(&self, node: Node) -> Result<Node> {
        Ok(match node {
            Node::Dir(inner) => Node::Dir(Arc::new(Self::new(self.account.clone(), inner))),
            Node::File(file) if file.file_type() == FileType::RegularFile => {
                let inode = self.account.open(&file.metadata()?, || file.metadata())?;
                Node::File(Arc::new(QuotaFile::new(inode, file)))
            }
            other => other,
        })
    }

    /// Opens what may be made or emptied by that.
    fn open_to_change(&self, path: &str, how: Open) -> Result<Node> {
        let _names = self.names();
        let follow = if how.follow && !(how.create && how.exclusive) { Follow::Yes } else { Follow::No };
        match self.inner.stat(path, follow) {
            Err(Errno::NoEnt) if how.create => {
                self.make(path, follow, 0, || self.inner.open(path, how)).and_then(|node| self.opened(node))
            }
            Ok(m) if how.truncate && m.file_type == FileType::RegularFile => {
                let inode = self.account.open(&m, || self.inner.stat(path, follow))?;
                let mut size = inode.size.write().unwrap_or_else(PoisonError::into_inner);
                let node = self.inner.open(path, how)?;
                self.account.refund(0, std::mem::take(&mut *size));
                drop(size);
                self.opened(node)
            }
            _ => self.opened(self.inner.open(path, how)?),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for QuotaDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        if how.create || how.truncate {
            return self.open_to_change(path, how);
        }
        let _names = self.account.names.read().unwrap_or_else(PoisonError::into_inner);
        self.opened(self.inner.open(path, how)?)
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.inner.stat(path, follow)
    }

    fn metadata(&self) -> Result<Metadata> {
        self.inner.metadata()
    }

    fn entries(&self) -> Result<Entries> {
        self.inner.entries()
    }

    fn read_link(&self, path: &str) -> Result<String> {
        self.inner.read_link(path)
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        let _names = self.names();
        self.make(path, Follow::No, 0, || self.inner.create_dir(path))
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        let _names = self.names();
        self.make(path, Follow::No, target.len() as u64, || self.inner.symlink(target, path))
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to)?;
        let _names = self.names();
        self.inner.hard_link(path, follow, &*to.inner, to_path)
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to)?;
        let _names = self.names();
        let replaced = to.named(to_path);
        let moved = self.inner.stat(path, Follow::No);
        self.inner.rename(path, &*to.inner, to_path)?;
        let id = |m: &Metadata| (m.dev, m.ino);
        if let (Ok(replaced), Ok(moved)) = (replaced, moved)
            && id(&replaced.metadata) != id(&moved)
        {
            self.account.lost(replaced);
        }
        Ok(())
    }

    fn unlink(&self, path: &str) -> Result<()> {
        let _names = self.names();
        let gone = self.named(path);
        self.inner.unlink(path)?;
        gone.map(|gone| self.account.lost(gone))
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        let _names = self.names();
        self.inner.remove_dir(path)?;
        self.account.refund(1, 0);
        Ok(())
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.inner.set_times(path, follow, accessed, modified)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.inner.sync(data_only)
    }

    fn blocking(&self) -> Blocking {
        self.inner.blocking()
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        if self.blocking() == Blocking::Never {
            return self.open(path, how);
        }
        if how.create || how.truncate {
            return Err(Errno::Again);
        }
        let _names = self.account.names.try_read().map_err(|_| Errno::Again)?;
        self.opened(self.inner.try_open(path, how)?)
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.inner.try_stat(path, follow)
    }
}
