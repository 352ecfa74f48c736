//! A filesystem in memory.
//!
//! Files, directories, symbolic and hard links, times, files that live on without a name, holes that cost
//! nothing: a guest sees no difference to a disk. What it may make the host hold is bounded.
//!
//! [`fork`](MemoryFs::fork) makes another that begins with the same files, at once and however many they are: a
//! thousand stores start from one warm tree, and each costs what it changes.
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
mod image;
mod inode;
mod limits;
mod list;
mod names;
mod pages;
mod rename;
mod shared;
mod snapshot;
mod tree;
mod trie;

pub use limits::{Limits, Usage};
pub use snapshot::Snapshot;

use dir::MemoryDir;
use image::Image;
use shared::{Hold, Shared};
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::path;
use wasi_host_core::fs::{Dir, File, Node, Open};
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};

/// What a filesystem calls now.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How many bytes [`MemoryFs::new`] may hold: a gibibyte.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// A filesystem in memory; clones are the same one. It lives as long as it, a directory or a file of it is held.
///
/// Threads that use one filesystem take turns, call by call; forks share nothing that anybody waits for.
#[derive(Clone)]
pub struct MemoryFs {
    shared: Arc<Shared>,
}

impl MemoryFs {
    /// An empty filesystem that may hold [`DEFAULT_LIMIT`] bytes and takes its times from the system's clock.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// An empty filesystem that may hold `bytes`; `NoSpc` beyond. [`Limits`] says what counts.
    pub fn with_limit(bytes: u64) -> Self {
        Self::with_clock(bytes, Arc::new(|| std::time::SystemTime::now().into()))
    }

    /// The same, with times from `clock`.
    pub fn with_clock(bytes: u64, clock: Clock) -> Self {
        let limits = Limits { bytes, ..Limits::default() };
        Self { shared: Shared::new(Image::new(clock()), limits, clock) }
    }

    /// A filesystem that holds what this one holds now. From there on each goes its own way: what is changed in
    /// one, the other does not see.
    ///
    /// It takes less than a microsecond, however much there is, and costs what is changed afterwards, in either: the two
    /// share what they have in common, down to the page. Neither waits for the other, nor for anything that they
    /// share.
    ///
    /// It is as if the disk had been copied and mounted elsewhere. The fork has every name with its inode number
    /// and its times, and a device number of its own. What is open stays open in the origin and belongs to it:
    /// reads, writes and listings go on there. A file that is open and has no name any more is not in the fork.
    /// If others write meanwhile, the fork has what they had done at one moment between their calls. Limits and
    /// clock are those of the origin, and [`Limits`] says how a fork counts; [`set_limits`](Self::set_limits) gives it
    /// others.
    ///
    /// Reading what has not changed since the fork sets no time of access, in either: it would undo the sharing.
    ///
    /// # Example
    ///
    /// ```
    /// use wasi_host_virtual::memory::MemoryFs;
    ///
    /// let warm = MemoryFs::new();
    /// warm.create_dir_all("lib")?;
    /// warm.write("lib/module", b"what every store needs")?;
    ///
    /// let stores: Vec<_> = (0..1000).map(|_| warm.fork()).collect();
    /// stores[7].write("lib/module", b"changed")?;
    /// assert_eq!(stores[7].read("lib/module")?, b"changed");
    /// assert_eq!(stores[8].read("lib/module")?, b"what every store needs");
    /// # Ok::<(), wasi_host_core::Errno>(())
    /// ```
    #[must_use]
    pub fn fork(&self) -> Self {
        self.snapshot().fork()
    }

    /// Keeps what this filesystem holds now, to make filesystems from it later: as [`fork`](Self::fork), in two steps.
    pub fn snapshot(&self) -> Snapshot {
        let mut tree = self.shared.tree.write();
        Snapshot::new(tree.image(), tree.limits, self.shared.clock.clone())
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        Arc::new(self.top())
    }

    fn top(&self) -> MemoryDir {
        MemoryDir::new(Hold::root(&self.shared))
    }

    /// What it may hold.
    pub fn limits(&self) -> Limits {
        self.shared.tree.read().limits
    }

    /// Lets it hold more or less from now on, also while guests use it. If it holds more already, nothing is lost
    /// and nothing more fits.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.tree.write().limits = limits;
    }

    /// What it holds: what is open and has no name any more is part of it.
    pub fn usage(&self) -> Usage {
        self.shared.tree.read().used()
    }

    /// How many bytes of its limit are used.
    pub fn used(&self) -> u64 {
        self.usage().bytes
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
    /// Those of opening: `NoEnt`, `NotDir`, `IsDir`, …; `FBig` if with its holes it is longer than all that
    /// the filesystem may hold.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        let file = self.open(path, Open { read: true, follow: true, ..Open::default() })?;
        // A hole costs its maker nothing: whoever reads it must not pay for it.
        let size = file.metadata()?.size;
        if size > self.limits().bytes.max(self.used()) {
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
