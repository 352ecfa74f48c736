//! A tar or zip archive as a tree, to read alone.
//!
//! Only a list of what is in the archive is kept. Members that are stored as they are, all those of tar and some of
//! zip, are read in place: from the archive's file at their offset, or from bytes in memory. Compressed ones of zip are
//! inflated when they are opened, and kept as long as they are open.
//!
//! An archive of unknown origin does no harm: names that lead outside are refused, links are resolved as in any tree, and what
//! it may take of the host's memory is bounded ([`Limits`]). Of several members of one name the last counts, as when
//! the archive is unpacked.
//!
//! ```
//! use wasi_host_core::fs::Follow;
//! use wasi_host_virtual::archive::{ArchiveFs, Limits};
//!
//! // A zip archive that holds nothing: its end alone.
//! let mut bytes = b"PK\x05\x06".to_vec();
//! bytes.resize(22, 0);
//! let fs = ArchiveFs::zip(bytes, Limits::default())?;
//! assert_eq!(fs.root().entries()?.count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From a file it is `ArchiveFs::tar(std::fs::File::open("python.tar")?, Limits::default())`.

mod dir;
mod error;
mod file;
mod index;
mod source;
mod tar;
mod zip;

pub use error::ArchiveError;
pub use source::Source;

use crate::read_only::ReadOnly;
use dir::ArchiveDir;
use file::Inflated;
use index::Index;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};
use wasi_host_core::fs::Dir;

/// Devices of archives count from here, where no operating system has any.
static NEXT_DEVICE: AtomicU64 = AtomicU64::new(0x6172_6300_0000_0001);

/// What an archive may make its host hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files, directories and links; with more than that it is refused. Each takes some hundred bytes. Default: a million.
    pub entries: usize,
    /// Bytes of compressed members that are open, inflated; beyond, opening one fails with `NoMem`. Default: 256 MiB.
    pub inflated: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 1_000_000, inflated: 256 << 20 }
    }
}

/// An archive as a tree; clones are the same one.
#[derive(Clone)]
pub struct ArchiveFs {
    archive: Arc<Archive>,
}

/// What all directories and files of one have in common.
struct Archive {
    source: Source,
    index: Index,
    dev: u64,
    limits: Limits,
    /// How many bytes of compressed members that are open there are, inflated.
    used: Arc<AtomicU64>,
    /// Those members.
    inflated: Mutex<HashMap<u32, Weak<Inflated>>>,
}

impl ArchiveFs {
    /// A tar archive, not compressed as a whole: `ustar`, with the extensions of GNU and of POSIX for long names.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]. Sparse files are not supported.
    pub fn tar(source: impl Into<Source>, limits: Limits) -> Result<Self, ArchiveError> {
        let source = source.into();
        let index = tar::index(&source, limits.entries)?;
        Ok(Self::new(source, index, limits))
    }

    /// A zip archive, also a large one (zip64), of members that are stored or deflated. Encrypted ones and those
    /// compressed otherwise are listed; opening them fails with `NotSup`.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub fn zip(source: impl Into<Source>, limits: Limits) -> Result<Self, ArchiveError> {
        let source = source.into();
        let index = zip::index(&source, limits.entries)?;
        Ok(Self::new(source, index, limits))
    }

    fn new(source: Source, index: Index, limits: Limits) -> Self {
        let dev = NEXT_DEVICE.fetch_add(1, Relaxed);
        let (used, inflated) = (Arc::default(), Mutex::default());
        Self { archive: Arc::new(Archive { source, index, dev, limits, used, inflated }) }
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        Arc::new(ReadOnly::new(Arc::new(ArchiveDir::root(self.archive.clone()))))
    }
}

impl std::fmt::Debug for ArchiveFs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveFs").finish_non_exhaustive()
    }
}
