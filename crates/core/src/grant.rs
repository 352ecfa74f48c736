//! What was granted with a directory, and so with all that is opened from it.

use crate::limits::SharedLimits;
use crate::{Errno, Result};
use std::sync::atomic::{AtomicBool, Ordering};

bitflags::bitflags! {
    /// What may be done in a directory.
    ///
    /// ```
    /// use wasi_host_core::grant::DirPerms;
    /// assert_eq!(DirPerms::all(), DirPerms::READ | DirPerms::MUTATE);
    /// ```
    ///
    /// [`Grant`] shows what a guest sees of it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DirPerms: usize {
        /// List it, look at its entries' metadata, open them.
        const READ = 1;
        /// Create, rename, link and remove entries, and set their times.
        const MUTATE = 2;
    }
}

bitflags::bitflags! {
    /// What may be done with the files in a directory.
    ///
    /// ```
    /// use wasi_host_core::grant::FilePerms;
    /// assert_eq!(FilePerms::all(), FilePerms::READ | FilePerms::WRITE);
    /// ```
    ///
    /// [`Grant`] shows what a guest sees of it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FilePerms: usize {
        /// Read them.
        const READ = 1;
        /// Write, grow, shrink them, and set their times.
        const WRITE = 2;
    }
}

/// The permissions and limits of one preopened directory. Everything opened from it holds the same grant, and
/// every operation asks it first.
///
/// ```
/// use std::sync::Arc;
/// use wasi_host_core::Errno;
/// use wasi_host_core::fs::{Descriptor, Open};
/// use wasi_host_core::grant::{DirPerms, FilePerms, Grant};
/// use wasi_host_core::limits::Limits;
/// # let fs = wasi_host_virtual::memory::MemoryFs::new();
/// # fs.write("greeting", "hello").unwrap();
/// let grant = Arc::new(Grant::new(DirPerms::READ, FilePerms::READ, Limits::default()));
/// let root = Descriptor::preopen(fs.root(), grant.clone());
/// assert!(root.open("greeting", Open { read: true, ..Open::default() }).is_ok());
/// assert_eq!(root.unlink("greeting").unwrap_err(), Errno::Perm);
///
/// grant.revoke();
/// let refused = root.open("greeting", Open { read: true, ..Open::default() });
/// assert_eq!(refused.unwrap_err(), Errno::BadF);
/// ```
#[derive(Debug)]
pub struct Grant {
    dir: DirPerms,
    file: FilePerms,
    limits: SharedLimits,
    revoked: AtomicBool,
}

impl Grant {
    /// A grant of these permissions within these limits: those of its own if it is given
    /// [`Limits`](crate::limits::Limits), those that somebody may change if they are shared.
    pub fn new(dir: DirPerms, file: FilePerms, limits: impl Into<SharedLimits>) -> Self {
        Self { dir, file, limits: limits.into(), revoked: AtomicBool::new(false) }
    }

    /// Everything that the backend can do.
    pub fn full() -> Self {
        Self::new(DirPerms::all(), FilePerms::all(), SharedLimits::default())
    }

    /// The limits that hold for whatever was opened under this grant.
    #[inline]
    pub fn limits(&self) -> &SharedLimits {
        &self.limits
    }

    /// What may be done in directories, and what with files.
    pub fn permissions(&self) -> (DirPerms, FilePerms) {
        (self.dir, self.file)
    }

    /// Takes the grant back, from any thread, for good: every later operation on whatever was opened under it fails with
    /// [`Errno::BadF`], as if it had been closed; so do streams and listings. One that is under way, on this thread
    /// or another, is done to its end.
    ///
    /// Whoever waits for such a file, for a pipe to be filled, say, is not woken by this alone: a wait is one value, and
    /// that is the file's. A host that revokes has its guest look again.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Whether it was taken back.
    #[inline]
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// Fails if the grant was taken back.
    #[inline]
    pub(crate) fn valid(&self) -> Result<()> {
        if self.is_revoked() { Err(Errno::BadF) } else { Ok(()) }
    }

    /// Fails with [`Errno::Perm`] unless all of `need` was granted for directories.
    #[inline]
    pub(crate) fn dir(&self, need: DirPerms) -> Result<()> {
        self.valid()?;
        if self.dir.contains(need) { Ok(()) } else { Err(Errno::Perm) }
    }

    /// Fails with [`Errno::Perm`] unless all of `need` was granted for files.
    #[inline]
    pub(crate) fn file(&self, need: FilePerms) -> Result<()> {
        self.valid()?;
        if self.allows(need) { Ok(()) } else { Err(Errno::Perm) }
    }

    /// Whether all of `need` was granted for files, be it taken back.
    pub(crate) fn allows(&self, need: FilePerms) -> bool {
        self.file.contains(need)
    }

    /// Fails unless both allow the same. A directory that is moved takes along whoever has it open, under the grant of
    /// the place where it was: what then comes into it is reached under both.
    pub(crate) fn same(&self, to: &Self) -> Result<()> {
        if (self.dir, self.file, &self.limits) == (to.dir, to.file, &to.limits) {
            Ok(())
        } else {
            Err(Errno::Perm)
        }
    }

    /// Fails if whoever holds `to` would gain by something's being linked there from here.
    pub(crate) fn not_wider(&self, to: &Self) -> Result<()> {
        if self.dir.contains(to.dir) && self.file.contains(to.file) { Ok(()) } else { Err(Errno::Perm) }
    }
}
