//! A tree that says the same of itself in every run, whatever filesystem it is on and whenever it was made.
//!
//! Names are listed in their order. Files have the numbers 1, 2, 3, … in the order in which they are first seen, on
//! one device. What was there before has one time; what is changed has the time of a clock that is given. How long a
//! directory is and how many links it has, which filesystems count in different ways, is fixed.
//!
//! ```
//! use std::time::Duration;
//! use wasi_host_core::fs::Follow;
//! use wasi_host_virtual::{memory::MemoryFs, stable::Stable, time::Frozen};
//!
//! let fs = MemoryFs::new();
//! fs.write("b", "1")?;
//! fs.write("a", "2")?;
//! let root = Stable::new(Frozen(Duration::from_secs(1_000_000))).over(fs.root());
//! let names: Vec<_> = root.entries()?.map(|entry| entry.map(|entry| entry.name)).collect::<Result<_, _>>()?;
//! assert_eq!(names, [".", "..", "a", "b"]);
//! let b = root.stat("b", Follow::No)?;
//! assert_eq!((b.dev, b.ino, b.modified.seconds()), (1, 3, 1_000_000));
//! # Ok::<(), wasi_host_core::Errno>(())
//! ```

mod dir;
mod file;
mod table;

use dir::StableDir;
use file::StableFile;
use std::fmt;
use std::sync::Arc;
use table::{Held, Table};
use wasi_host_core::clock::HostWallClock;
use wasi_host_core::fs::{Dir, File};

/// Trees that say the same of themselves in every run; clones are the same one, and so are files that are seen through
/// several of its trees.
///
/// It knows what is done through it: while it lives nobody else may change the trees. It keeps a few words for each file
/// that was seen, until that has neither a name nor anybody who has it open. Reading a file does not change when it was
/// read, as where a disk is mounted with `noatime`. Times that are set are kept here as they were given, and the tree
/// is told as well.
#[derive(Clone)]
pub struct Stable(Arc<Table>);

impl Stable {
    /// One without a tree. What changes does so at the time of `clock`, and a nanosecond after the change before if
    /// that stands still; what was there before has the clock's time of now.
    pub fn new(clock: impl HostWallClock + 'static) -> Self {
        Self(Arc::new(Table::new(Box::new(clock))))
    }

    /// `dir` and all that is below it. The first has the number 1.
    pub fn over(&self, dir: Arc<dyn Dir>) -> Arc<dyn Dir> {
        if StableDir::of(&*dir, &self.0) { dir } else { Arc::new(StableDir::top(self.0.clone(), dir)) }
    }

    /// A single file.
    pub fn over_file(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        let id = table::id_of(file.metadata());
        let held = Held::new(&self.0, &mut self.0.books(), id);
        Arc::new(StableFile::new(held, file))
    }
}

impl fmt::Debug for Stable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stable").finish_non_exhaustive()
    }
}
