//! Several trees under one root.
//!
//! A path walks in one tree until it comes to a name where another is mounted, and goes on in that. Each tree is
//! closed: from its top `..` leads nowhere (`NotCapable`), be it in a path or in a symbolic link that the tree
//! holds. So what is in one, an archive of unknown origin for one, cannot lead a guest into another. Names are neither moved
//! nor linked between two (`XDev`), and those where trees are mounted stay (`Busy`).
//!
//! ```
//! use wasi_host_core::{Errno, fs::Follow};
//! use wasi_host_virtual::{memory::MemoryFs, mount::MountFs, read_only::ReadOnly};
//!
//! let (home, library) = (MemoryFs::new(), MemoryFs::new());
//! library.write("code", "return 1")?;
//!
//! let fs = MountFs::new(home.root());
//! fs.mount("usr/lib", std::sync::Arc::new(ReadOnly::new(library.root())))?;
//! let root = fs.root();
//! assert_eq!(root.stat("usr/lib/code", Follow::Yes)?.size, 8);
//! assert_eq!(root.stat("usr/lib/../..", Follow::Yes), Err(Errno::NotCapable));
//! assert_eq!(root.create_dir("usr/lib/x"), Err(Errno::RoFs));
//! # Ok::<(), Errno>(())
//! ```

mod dir;
mod table;

use crate::memory::MemoryFs;
use crate::read_only::ReadOnly;
use dir::MountDir;
use std::sync::Arc;
use table::Table;
use wasi_host_core::fs::path::{self, Component};
use wasi_host_core::fs::{Dir, FileType, Follow};
use wasi_host_core::{Errno, Result};

/// Several trees under one root; clones are the same one. Trees may come and go while guests use it.
#[derive(Clone)]
pub struct MountFs {
    root: MountDir,
}

impl MountFs {
    /// One with `base` at its root, and nothing else.
    pub fn new(base: Arc<dyn Dir>) -> Self {
        Self { root: MountDir::root(Arc::new(Table::new(&base)), base) }
    }

    /// Lets `dir` stand at `path`: names from the root, in directories of any of its trees. What stood there is hidden.
    /// Names that are missing on the way become empty directories to read alone, which exist here and in no tree.
    ///
    /// Guests that run already see it.
    ///
    /// # Errors
    ///
    /// `NotDir` if there is something else on the way, or at its end; `Busy` if a tree is mounted there already;
    /// `Inval` for a path with `..` in it or without any name; those of looking for the directories.
    pub fn mount(&self, path: &str, dir: Arc<dyn Dir>) -> Result<()> {
        let (holder, name) = self
            .walk(path, |at, name| at.mount(name, Arc::new(ReadOnly::new(MemoryFs::with_limit(0).root()))))?;
        match holder.child_type(name)? {
            None | Some(FileType::Directory) => holder.mount(name, dir),
            Some(_) => Err(Errno::NotDir),
        }
    }

    /// Takes away the tree that is mounted at `path`; what was there before is there again. Trees mounted in it go with
    /// it. What a guest has opened in it stays open.
    ///
    /// # Errors
    ///
    /// `Inval` if nothing is mounted there; those of [`mount`](Self::mount).
    pub fn unmount(&self, path: &str) -> Result<()> {
        let (holder, name) = self.walk(path, |_, _| Err(Errno::NoEnt))?;
        holder.unmount(name)
    }

    /// The directory that holds the last name. `make` is called for one that is missing on the way.
    fn walk<'p>(
        &self,
        path: &'p str,
        make: impl Fn(&MountDir, &str) -> Result<()>,
    ) -> Result<(MountDir, &'p str)> {
        path::check(path, usize::MAX)?;
        let mut at = self.root.clone();
        let (mut rest, mut last) = (path, None);
        while let Some((component, behind)) = path::first(rest) {
            rest = behind;
            let name = match component {
                Component::Here => continue,
                Component::Parent => return Err(Errno::Inval),
                Component::Name(name) if name.len() > path::NAME_MAX => return Err(Errno::NameTooLong),
                Component::Name(name) => name,
            };
            if let Some(name) = last.replace(name) {
                if at.child_type(name)?.is_none() {
                    make(&at, name)?;
                }
                at = at.enter(name)?;
            }
        }
        last.map(|name| (at, name)).ok_or(Errno::Inval)
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        Arc::new(self.root.clone())
    }
}

impl MountDir {
    /// What is at a name of this directory, links not followed.
    fn child_type(&self, name: &str) -> Result<Option<FileType>> {
        match self.stat(name, Follow::No) {
            Ok(m) => Ok(Some(m.file_type)),
            Err(Errno::NoEnt) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl std::fmt::Debug for MountFs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MountFs").finish_non_exhaustive()
    }
}
