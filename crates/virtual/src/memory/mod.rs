//! A filesystem in memory.
//!
//! Files, directories, symbolic and hard links, times, files that live on without a name, holes that cost
//! nothing: a guest sees no difference to a disk. What it may make the host hold is bounded.
//!
//! ```
//! use wasi_host_virtual::memory::MemoryFs;
//!
//! let fs = MemoryFs::with_limit(16 << 20);
//! fs.create_dir_all("etc/app")?;
//! fs.write("etc/app/config", b"level = 3")?;
//! // Given to a guest, its root is like any other directory.
//! let root = fs.root();
//! # drop(root);
//! assert_eq!(fs.read("etc/app/config")?, b"level = 3");
//! # Ok::<(), wasi_host_core::Errno>(())
//! ```

mod dir;
mod file;
mod inode;
mod list;
mod pages;
mod rename;
mod tree;
mod volume;

use dir::MemoryDir;
use inode::Inode;
use std::io::{IoSlice, IoSliceMut};
use std::sync::{Arc, RwLock};
use tree::Tree;
use volume::Volume;
use wasi_host_core::fs::path;
use wasi_host_core::fs::{Dir, File, Node, Open};
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};

/// What a filesystem calls now.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What [`MemoryFs::new`] may hold: a gibibyte.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// A filesystem in memory; clones are the same one. It lives as long as it, a directory or a file of it is held.
#[derive(Clone)]
pub struct MemoryFs {
    shared: Arc<Shared>,
}

/// What all directories of one filesystem have in common. Whoever takes both locks takes the tree's before a
/// file's; reading and writing take only the file's.
struct Shared {
    volume: Arc<Volume>,
    root: Arc<Inode>,
    tree: RwLock<Tree>,
}

impl MemoryFs {
    /// An empty filesystem that may hold [`DEFAULT_LIMIT`] bytes and takes its times from the system's clock.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// An empty filesystem that may hold `bytes`; `NoSpc` beyond. Content counts in pages of 4096 bytes, holes
    /// not at all; each file, directory and link counts 256 bytes, each name 64 and its length, each symbolic
    /// link also what it holds.
    pub fn with_limit(bytes: u64) -> Self {
        Self::with_clock(bytes, Arc::new(|| std::time::SystemTime::now().into()))
    }

    /// The same, with times from `clock`. It is called under locks of the filesystem and must not come back to it.
    pub fn with_clock(bytes: u64, clock: Clock) -> Self {
        let volume = Arc::new(Volume::new(bytes, clock));
        // The root is there whatever the limit.
        let root = Arc::new(Inode::uncharged(&volume));
        let tree = RwLock::new(Tree::new(&root, volume.clone()));
        Self { shared: Arc::new(Shared { volume, root, tree }) }
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        Arc::new(self.top())
    }

    fn top(&self) -> MemoryDir {
        MemoryDir::new(self.shared.clone(), self.shared.root.clone())
    }

    /// How many bytes of its limit are used.
    pub fn used(&self) -> u64 {
        self.shared.volume.used()
    }

    /// Makes the file at `path` hold `bytes` and nothing else. Paths are as a guest writes them: relative.
    ///
    /// # Errors
    ///
    /// Those of opening and writing: `NoEnt` if there is no such directory, `NoSpc` if they do not fit.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let how = Open { write: true, create: true, truncate: true, follow: true, ..Open::default() };
        let file = self.open(path, how)?;
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            match file.append(&[IoSlice::new(rest)])? {
                0 => return Err(Errno::NoSpc),
                n => rest = &rest[n..],
            }
        }
        Ok(())
    }

    /// All that the file at `path` holds.
    ///
    /// # Errors
    ///
    /// Those of opening: `NoEnt`, `NotDir`, `IsDir`, …; `FBig` if with its holes it is longer than the filesystem's limit.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        let file = self.open(path, Open { read: true, follow: true, ..Open::default() })?;
        // A hole costs its maker nothing: whoever reads it must not pay for it.
        let size = file.metadata()?.size;
        if size > self.shared.volume.limit() {
            return Err(Errno::FBig);
        }
        let size = usize::try_from(size).map_err(|_| Errno::FBig)?;
        let mut all = vec![0; size];
        let mut done = 0;
        while done < size {
            match file.read_at(&mut [IoSliceMut::new(&mut all[done..])], done as u64)? {
                0 => break,
                n => done += n,
            }
        }
        all.truncate(done);
        Ok(all)
    }

    /// Makes the directory at `path` and those on the way to it, unless they are there.
    ///
    /// # Errors
    ///
    /// `NotDir` if something else is on the way, `NoSpc`, and those of any path.
    pub fn create_dir_all(&self, path: &str) -> Result<()> {
        let top = self.top();
        let mut rest = path;
        while let Some((_, behind)) = path::first(rest) {
            rest = behind;
            match top.create_dir(&path[..path.len() - rest.len()]) {
                Ok(()) | Err(Errno::Exist) => {}
                Err(e) => return Err(e),
            }
        }
        top.open(path, Open { directory: true, follow: true, ..Open::default() }).map(drop)
    }

    fn open(&self, path: &str, how: Open) -> Result<Arc<dyn File>> {
        match self.top().open(path, how)? {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(Errno::IsDir),
        }
    }
}

impl Default for MemoryFs {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryFs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryFs").field("used", &self.used()).finish_non_exhaustive()
    }
}
