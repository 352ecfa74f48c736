//! The only door to files and directories.

mod dirs;
mod files;

use super::{Blocking, Dir, File, FileType, Follow, Interest, Metadata, Node, Sync};
use crate::grant::{DirPerms, FilePerms, Grant};
use crate::slots::Slot;
use crate::time::{SetTime, Timestamp};
use crate::wait::{BoxFuture, Wait};
use crate::{Errno, Result};
use std::sync::Arc;

bitflags::bitflags! {
    /// What a file was opened for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u8 {
        /// To read.
        const READ = 1;
        /// To write.
        const WRITE = 2;
    }
}

/// An open file or directory as a guest holds it: a backend's object, what it was opened for, and the [`Grant`]
/// under which that happened.
///
/// Every operation of every version of WASI comes through here, and here only are permissions and limits applied.
/// Errors that all operations share: `BadF` once the grant was revoked; `Perm` where the grant lacks the
/// permission; `BadF` where the file was not opened for that; for paths `NameTooLong`, `NoEnt` if empty, `Inval`
/// with a NUL, `NotCapable` if absolute.
#[derive(Clone, Debug)]
pub struct Descriptor {
    node: Node,
    grant: Arc<Grant>,
    access: Access,
    /// For a directory the top of its grant: what lies above that is nobody's business.
    top: Option<Arc<dyn Dir>>,
    /// Asked once: positions are moved without a look at the backend.
    seekable: bool,
    synchronous: Sync,
    /// Of a file: it was opened through a directory through which nothing is changed.
    for_reading: bool,
    /// Its place among what the guest may have open, if that is counted here.
    slot: Option<Arc<Slot>>,
}

impl Descriptor {
    /// A directory given to a guest.
    pub fn preopen(dir: Arc<dyn Dir>, grant: Arc<Grant>) -> Self {
        Self {
            node: Node::Dir(dir.clone()),
            grant,
            access: Access::all(),
            top: Some(dir),
            seekable: false,
            synchronous: Sync::No,
            for_reading: false,
            slot: None,
        }
    }

    /// A single file given to a guest.
    pub fn file(file: Arc<dyn File>, access: Access, grant: Arc<Grant>) -> Self {
        let seekable = file.is_seekable();
        Self {
            node: Node::File(file),
            grant,
            access,
            top: None,
            seekable,
            synchronous: Sync::No,
            for_reading: false,
            slot: None,
        }
    }

    /// The same, which holds `slot` until it is gone, its clones, and the listings that were begun with it.
    #[must_use]
    pub fn counted(self, slot: impl Into<Arc<Slot>>) -> Self {
        Self { slot: Some(slot.into()), ..self }
    }

    /// The same, through which nothing is changed if it is a directory, nor through what is opened from it: such
    /// attempts fail with `RoFs`.
    ///
    /// ```
    /// use wasi_host_core::Errno;
    /// use wasi_host_core::fs::{Descriptor, Open};
    /// use wasi_host_core::grant::Grant;
    /// # let fs = wasi_host_virtual::memory::MemoryFs::new();
    /// # fs.write("greeting", "hello").unwrap();
    /// let root = Descriptor::preopen(fs.root(), Grant::full().into()).for_reading();
    /// assert!(root.open("greeting", Open { read: true, ..Open::default() }).is_ok());
    /// assert_eq!(root.open("greeting", Open { write: true, ..Open::default() }).unwrap_err(), Errno::RoFs);
    /// assert_eq!(root.unlink("greeting").unwrap_err(), Errno::RoFs);
    /// ```
    #[must_use]
    pub fn for_reading(self) -> Self {
        let access = if self.is_dir() { Access::READ } else { self.access };
        Self { access, ..self }
    }

    /// The same with something around what a backend has opened, under the same grant. Of a directory it is its own top.
    #[must_use]
    pub fn around(self, wrap: impl FnOnce(Node) -> Node) -> Self {
        let node = wrap(self.node);
        let top = match &node {
            Node::Dir(dir) => Some(dir.clone()),
            Node::File(_) => None,
        };
        Self { node, top, ..self }
    }

    /// What was granted with it.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }

    /// What it was opened for. Of a directory: to be changed, or not.
    #[inline]
    pub fn access(&self) -> Access {
        self.access
    }

    /// When what is written reaches the disk.
    #[inline]
    pub fn synchronous(&self) -> Sync {
        self.synchronous
    }

    /// Fails with `BadF` once the grant was revoked: for who is about to say what he knows already.
    #[inline]
    pub fn valid(&self) -> Result<()> {
        self.grant.valid()
    }

    /// Fails unless what is in this directory may be changed: `NotDir`, `BadF`, `Perm`, `RoFs`.
    pub fn may_mutate(&self) -> Result<()> {
        self.dir(".", DirPerms::MUTATE).map(drop)
    }

    /// Whether it is a directory.
    #[inline]
    pub fn is_dir(&self) -> bool {
        matches!(self.node, Node::Dir(_))
    }

    /// Whether it is a file in which offsets mean something.
    #[inline]
    pub fn is_seekable(&self) -> bool {
        self.seekable
    }

    /// What it is, without a system call where the backend remembers.
    pub fn file_type(&self) -> FileType {
        match &self.node {
            Node::File(f) => f.file_type(),
            Node::Dir(_) => FileType::Directory,
        }
    }

    /// Whether operations on it may have to wait for a disk.
    #[inline]
    pub fn blocking(&self) -> Blocking {
        match &self.node {
            Node::File(f) => f.blocking(),
            Node::Dir(d) => d.blocking(),
        }
    }

    /// What to wait for after `Again`: nothing once the grant was revoked.
    pub fn wait(&self, interest: Interest) -> Wait<'_> {
        match &self.node {
            Node::File(f) if !self.grant.is_revoked() => f.wait(interest),
            _ => Wait::Ready,
        }
    }

    pub(super) fn wait_async(&self, interest: Interest) -> BoxFuture<'_, ()> {
        match &self.node {
            Node::File(f) if !self.grant.is_revoked() => f.wait_async(interest),
            _ => Box::pin(std::future::ready(())),
        }
    }

    /// About the file or directory itself.
    #[inline]
    pub fn metadata(&self) -> Result<Metadata> {
        self.grant.valid()?;
        match &self.node {
            Node::File(f) => f.metadata(),
            Node::Dir(d) => d.metadata(),
        }
    }

    /// Sets its times. `now` is the time of a context whose clock is not the system's.
    pub fn set_times(&self, accessed: SetTime, modified: SetTime, now: Option<Timestamp>) -> Result<()> {
        let (accessed, modified) = (at(accessed, now), at(modified, now));
        match &self.node {
            Node::File(f) => {
                self.grant.file(FilePerms::WRITE)?;
                if self.for_reading {
                    return Err(Errno::RoFs);
                }
                f.set_times(accessed, modified)
            }
            Node::Dir(d) => {
                self.may_mutate()?;
                d.set_times(".", Follow::No, accessed, modified)
            }
        }
    }

    /// Returns when what was written is safe.
    pub fn sync(&self, data_only: bool) -> Result<()> {
        self.grant.valid()?;
        match &self.node {
            Node::File(f) => f.sync(data_only),
            Node::Dir(d) => d.sync(data_only),
        }
    }

    /// Whether both are the same file or directory.
    pub fn is_same_object(&self, other: &Self) -> Result<bool> {
        let (a, b) = (self.metadata()?, other.metadata()?);
        Ok((a.dev, a.ino) == (b.dev, b.ino))
    }
}

/// What a virtual clock calls now is a fixed time for the backend.
fn at(time: SetTime, now: Option<Timestamp>) -> SetTime {
    match (time, now) {
        (SetTime::Now, Some(now)) => SetTime::At(now),
        (time, _) => time,
    }
}
