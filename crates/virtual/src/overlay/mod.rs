//! A tree to write to over trees to read: changes go to the one and leave the others as they are.
//!
//! What is made, changed and removed is kept in the upper tree, in the form in which layers of container images
//! (OCI) are: a file `.wh.NAME` there hides the name in the trees below, and `.wh..wh..opq` in a directory hides all
//! that these have in it. So an upper tree can be a lower one the next time, and layers of images can be lower
//! trees. Guests see none of these files, and make none: of a name of theirs that begins with `.wh.` the trees have
//! `.wh..wh.+` instead.
//!
//! A file of a lower tree is copied up when it is opened to write, linked or moved, or given times; a directory
//! with all that is in it when it is moved. Whoever had it open to read goes on with the copy.
//!
//! ```
//! use wasi_host_core::fs::Follow;
//! use wasi_host_virtual::{memory::MemoryFs, overlay::{Change, OverlayFs}};
//!
//! let (system, changes) = (MemoryFs::new(), MemoryFs::new());
//! system.create_dir_all("etc")?;
//! system.write("etc/name", "old")?;
//! system.write("etc/port", "80")?;
//!
//! let fs = OverlayFs::new(changes.root(), [system.root()])?;
//! let root = fs.root();
//! root.rename("etc/name", &*root, "name")?;
//! root.create_dir("tmp")?;
//! assert_eq!(root.stat("etc/port", Follow::No)?.size, 2);
//! assert_eq!(fs.diff()?, [
//!     (String::from("etc/name"), Change::Removed),
//!     ("name".into(), Change::Added),
//!     ("tmp".into(), Change::Added),
//! ]);
//! assert_eq!(system.read("etc/name")?, b"old");
//! # Ok::<(), wasi_host_core::Errno>(())
//! ```
//!
//! # Where it differs from one tree
//!
//! * Names of a lower tree that are hard links of one another are separate files once one was copied up.
//! * A directory has one link, as on Btrfs.
//! * A name of more than 251 bytes cannot be removed from a lower tree, as it cannot be hidden: `NameTooLong`.
//! * Removing takes room in the upper tree, if what is removed is in a lower one.
//! * Directories lie at most 1000 below the top, and in trees of the operating system no deeper than its longest path
//!   says, 4096 bytes on Linux: `NameTooLong`.
//! * Devices, sockets and FIFOs of a lower tree cannot be copied up: `NotSup`.

mod copy;
mod diff;
mod dir;
mod file;
mod layers;
mod list;
mod place;
mod rename;
mod tree;

pub use diff::Change;

use crate::read_only::ReadOnly;
use dir::OverlayDir;
use layers::Layers;
use place::Place;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tree::Tree;
use wasi_host_core::Result;
use wasi_host_core::fs::Dir;

/// How many bytes one call may copy up, unless that is set: a gibibyte.
pub const DEFAULT_COPY_LIMIT: u64 = 1 << 30;

/// A tree to write to over trees to read; clones are the same one.
///
/// While it lives nobody else may change any of them.
#[derive(Clone)]
pub struct OverlayFs {
    tree: Arc<Tree>,
    root: Arc<Place>,
}

impl OverlayFs {
    /// `upper` over `lowers`, of which each lies over those behind it.
    ///
    /// # Errors
    ///
    /// Those of asking each what it is.
    pub fn new(upper: Arc<dyn Dir>, lowers: impl IntoIterator<Item = Arc<dyn Dir>>) -> Result<Self> {
        let lowers = lowers.into_iter().map(|dir| Arc::new(ReadOnly::new(dir)) as Arc<dyn Dir>);
        let layers = Layers::new(std::iter::once(upper).chain(lowers).collect())?;
        let root = layers.root()?;
        Ok(Self { tree: Arc::new(Tree::new(layers)), root })
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        Arc::new(OverlayDir::new(self.tree.clone(), self.root.clone()))
    }

    /// Lets one call copy up this many bytes at most, each file and directory counting 4096 at least: nobody else gets at
    /// the overlay while it does. Beyond,
    /// opening a file fails with `FBig`, and moving a directory with `XDev`, upon which programs copy it
    /// themselves.
    pub fn set_copy_limit(&self, bytes: u64) {
        self.tree.copy_limit.store(bytes, Relaxed);
    }

    /// What differs from the lower trees, in the order of its paths. A file counts as changed if its size or its time
    /// of modification is another; of a directory that was removed what was in it is not listed.
    ///
    /// # Errors
    ///
    /// Those of looking through the upper tree.
    pub fn diff(&self) -> Result<Vec<(String, Change)>> {
        let _lock = self.tree.read();
        diff::diff(&self.tree.layers)
    }
}

impl std::fmt::Debug for OverlayFs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OverlayFs").finish_non_exhaustive()
    }
}
