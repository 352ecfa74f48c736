//! A tree that nobody can change.

use crate::forward::forward_file;
use std::io::IoSlice;
use std::sync::Arc;
use wasi_host_core::fs::{Blocking, Dir, Entries, File, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// A directory and all that is below it, to read alone: what would change anything answers `RoFs`, unless it could not be
/// done anyway, for which the error is then that.
///
/// A guest cannot change the tree through it; whoever holds the directory itself still can. Reading may set
/// times of access, as reading does.
///
/// ```
/// use std::sync::Arc;
/// use wasi_host_core::{Errno, fs::{Dir, Follow}};
/// use wasi_host_virtual::{memory::MemoryFs, read_only::ReadOnly};
///
/// let fs = MemoryFs::new();
/// fs.write("file", "text")?;
/// let root = ReadOnly::new(fs.root());
/// assert_eq!(root.stat("file", Follow::Yes)?.size, 4);
/// assert_eq!(root.unlink("file"), Err(Errno::RoFs));
/// assert_eq!(root.unlink("none"), Err(Errno::NoEnt));
/// # Ok::<(), Errno>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReadOnly {
    inner: Arc<dyn Dir>,
}

impl ReadOnly {
    /// `dir`, to read alone.
    pub fn new(dir: Arc<dyn Dir>) -> Self {
        Self { inner: dir }
    }

    /// The error of changing what is at `path`.
    fn refuse<T>(&self, path: &str, follow: Follow) -> Result<T> {
        self.inner.stat(path, follow).and(Err(Errno::RoFs))
    }

    /// The error of making something at `path`.
    fn refuse_to_make(&self, path: &str) -> Result<()> {
        match self.inner.stat(path, Follow::No) {
            Ok(_) => Err(Errno::Exist),
            // The slash does not follow a link here, as it does for `stat`.
            Err(Errno::NotDir | Errno::Loop) if path.ends_with('/') => Err(Errno::Exist),
            Err(Errno::NoEnt) => Err(Errno::RoFs),
            Err(e) => Err(e),
        }
    }

    /// `open` by either of the two ways. What would be changed is opened for nothing, which tells what it is.
    fn open_by(&self, how: Open, open: impl Fn(Open) -> Result<Node>) -> Result<Node> {
        let writes = how.write || how.truncate;
        if how.create && how.directory {
            return Err(Errno::Inval);
        }
        let follow = how.follow && !(how.create && how.exclusive);
        let looks = Open { write: false, create: false, exclusive: false, truncate: false, follow, ..how };
        match open(Open { read: how.read && !writes, ..looks }) {
            Err(Errno::NoEnt) if how.create => Err(Errno::RoFs),
            Ok(_) | Err(Errno::Loop) if how.create && how.exclusive => Err(Errno::Exist),
            Ok(Node::Dir(_)) if how.create || writes => Err(Errno::IsDir),
            Ok(Node::File(_)) if writes => Err(Errno::RoFs),
            Ok(Node::File(inner)) => Ok(Node::File(Arc::new(ReadOnlyFile { inner }))),
            Ok(Node::Dir(inner)) => Ok(Node::Dir(Arc::new(Self { inner }))),
            Err(e) => Err(e),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for ReadOnly {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        self.open_by(how, |how| self.inner.open(path, how))
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
        self.refuse_to_make(path)
    }

    fn symlink(&self, _target: &str, path: &str) -> Result<()> {
        self.refuse_to_make(path)
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        self.inner.stat(path, follow)?;
        let to = (to as &dyn std::any::Any).downcast_ref::<Self>().ok_or(Errno::XDev)?;
        to.refuse_to_make(to_path)
    }

    fn rename(&self, path: &str, _to: &dyn Dir, _to_path: &str) -> Result<()> {
        self.refuse(path, Follow::No)
    }

    fn unlink(&self, path: &str) -> Result<()> {
        self.refuse(path, Follow::No)
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        self.refuse(path, Follow::No)
    }

    fn set_times(&self, path: &str, follow: Follow, _accessed: SetTime, _modified: SetTime) -> Result<()> {
        self.refuse(path, follow)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.inner.sync(data_only)
    }

    fn blocking(&self) -> Blocking {
        self.inner.blocking()
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        self.open_by(how, |how| self.inner.try_open(path, how))
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.inner.try_stat(path, follow)
    }
}

struct ReadOnlyFile {
    inner: Arc<dyn File>,
}

#[deny(clippy::missing_trait_methods)]
impl File for ReadOnlyFile {
    forward_file!(read_at metadata sync file_type advise blocking try_read_at lend is_seekable read wait wait_async);

    fn write_at(&self, _bufs: &[IoSlice<'_>], _offset: u64) -> Result<usize> {
        Err(Errno::RoFs)
    }

    fn append(&self, _bufs: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::RoFs)
    }

    fn set_len(&self, _len: u64) -> Result<()> {
        Err(Errno::RoFs)
    }

    fn set_times(&self, _accessed: SetTime, _modified: SetTime) -> Result<()> {
        Err(Errno::RoFs)
    }

    fn allocate(&self, _offset: u64, _len: u64) -> Result<()> {
        Err(Errno::RoFs)
    }

    fn write(&self, _bufs: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::RoFs)
    }
}
