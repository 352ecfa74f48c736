//! Files and directories as capabilities.
//!
//! A backend implements [`Dir`] and [`File`]: ordinary blocking Rust. A guest reaches them through a
//! [`Descriptor`], which applies what was granted. [`walk`] resolves paths for backends that keep their own tree.

mod cursor;
mod descriptor;
mod offload;
pub mod path;
mod stream;
pub mod walk;

pub use cursor::{Cursor, Seek};
pub use descriptor::{Access, Descriptor};
pub use offload::{Elsewhere, Offload};
pub use stream::{FileInputStream, FileOutputStream};

use crate::time::{SetTime, Timestamp};
use crate::wait::{BoxFuture, Wait};
use crate::{Errno, Result};
use bytes::Bytes;
use std::any::Any;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// Something else, or not known.
    Unknown,
    /// A block device.
    BlockDevice,
    /// A character device, a terminal for one.
    CharacterDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// A regular file.
    RegularFile,
    /// A socket.
    Socket,
    /// A symbolic link.
    SymbolicLink,
}

/// What a backend knows about a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub file_type: FileType,
    /// The device that holds it.
    pub dev: u64,
    /// Its number on that device.
    pub ino: u64,
    /// How many names it has.
    pub nlink: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last read.
    pub accessed: Timestamp,
    /// When its content last changed.
    pub modified: Timestamp,
    /// When its content or its metadata last changed.
    pub changed: Timestamp,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name. Bytes that are not UTF-8 are shown as U+FFFD: such a name can be seen, not opened.
    pub name: String,
    /// What it stands for; `Unknown` where finding out would cost a system call.
    pub file_type: FileType,
    /// Its number on the device.
    pub ino: u64,
}

/// The entries of a directory in the backend's order, `.` and `..` among them.
pub type Entries = Box<dyn Iterator<Item = Result<DirEntry>> + Send>;

/// How to open a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// To read from it.
    pub read: bool,
    /// To write to it.
    pub write: bool,
    /// Make a regular file if there is none.
    pub create: bool,
    /// With `create`: fail if there is something, even a dangling link.
    pub exclusive: bool,
    /// Make it empty.
    pub truncate: bool,
    /// Fail if it is not a directory.
    pub directory: bool,
    /// Follow a symbolic link in the last place.
    pub follow: bool,
    /// When writes reach the disk.
    pub sync: Sync,
}

impl Open {
    /// Whether a link in the last place is followed: never where nothing may be there.
    pub fn follow(&self) -> Follow {
        if self.follow && !(self.create && self.exclusive) { Follow::Yes } else { Follow::No }
    }

    /// What a tree to read alone answers to this: what was found, of this type, if it is there and nothing of it would be
    /// changed.
    ///
    /// ```
    /// use wasi_host_core::{Errno, fs::{FileType, Open}};
    /// let read = Open { read: true, ..Open::default() };
    /// assert_eq!(read.to_read_alone(Some(("it", FileType::RegularFile))), Ok("it"));
    /// assert_eq!(Open { write: true, ..read }.to_read_alone(Some(("it", FileType::RegularFile))), Err(Errno::RoFs));
    /// assert_eq!(Open { create: true, ..read }.to_read_alone::<()>(None), Err(Errno::RoFs));
    /// ```
    ///
    /// # Errors
    ///
    /// `NoEnt`, `NotDir`, `IsDir`, `Exist`, `Loop` for a link that was not followed, and `RoFs` where nothing else is wrong.
    pub fn to_read_alone<T>(&self, found: Option<(T, FileType)>) -> Result<T> {
        let Some((found, file_type)) = found else {
            return Err(if self.create { Errno::RoFs } else { Errno::NoEnt });
        };
        match file_type {
            _ if self.create && self.exclusive => Err(Errno::Exist),
            FileType::Directory if self.write || self.truncate => Err(Errno::IsDir),
            FileType::Directory if self.create => {
                Err(if self.directory { Errno::Inval } else { Errno::IsDir })
            }
            FileType::Directory => Ok(found),
            _ if self.directory => Err(Errno::NotDir),
            FileType::SymbolicLink => Err(Errno::Loop),
            _ if self.write || self.truncate => Err(Errno::RoFs),
            _ => Ok(found),
        }
    }
}

/// When writes reach the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// Later, or when asked to.
    #[default]
    No,
    /// Data before the write returns (`O_DSYNC`).
    Data,
    /// Data and metadata before the write returns (`O_SYNC`).
    All,
}

/// What opening gave.
#[derive(Clone)]
pub enum Node {
    /// Anything that is not a directory.
    File(Arc<dyn File>),
    /// A directory.
    Dir(Arc<dyn Dir>),
}

/// Whether a symbolic link in the last place of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// The link itself is meant.
    No,
    /// What it points to is meant.
    Yes,
}

/// The direction that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// To read.
    Read,
    /// To write.
    Write,
}

/// Whether an operation may take long enough to be worth another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// It never leaves memory: no host offloads it.
    Never,
    /// It may wait for a disk or a network.
    Maybe,
}

/// How a program means to use a part of a file (`posix_fadvise`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in POSIX")]
pub enum Advice {
    Normal,
    Sequential,
    Random,
    WillNeed,
    DontNeed,
    NoReuse,
}

/// An open file. Offsets are explicit and positions belong to callers, so one `Arc` serves any number of them
/// without a lock.
///
/// What has no position (a FIFO, a terminal, some devices) says so in [`is_seekable`](Self::is_seekable), answers
/// `SPipe` to offsets and serves [`read`](Self::read), [`write`](Self::write) and [`wait`](Self::wait) instead. What a
/// backend does not write is that of a regular file to read alone.
pub trait File: Any + Send + std::marker::Sync {
    /// Reads at `offset` into the buffers in turn. A short count says nothing; 0 is the end.
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize>;
    /// What it is and how long.
    fn metadata(&self) -> Result<Metadata>;

    /// Writes at `offset` from the buffers in turn. Bytes between the old end and `offset` read as 0.
    fn write_at(&self, _bufs: &[IoSlice<'_>], _offset: u64) -> Result<usize> {
        Err(Errno::RoFs)
    }

    /// Writes at the end as it is at that moment, whoever else appends.
    fn append(&self, _bufs: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::RoFs)
    }

    /// Cuts it, or makes it longer with bytes that read as 0.
    fn set_len(&self, _len: u64) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Sets its times.
    fn set_times(&self, _accessed: SetTime, _modified: SetTime) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Returns when what was written is safe; with `data_only`, less what reading it back does not need.
    fn sync(&self, _data_only: bool) -> Result<()> {
        Ok(())
    }

    /// What it is, without a system call where that is remembered.
    fn file_type(&self) -> FileType {
        self.metadata().map_or(FileType::Unknown, |m| m.file_type)
    }

    /// Takes a hint.
    fn advise(&self, _offset: u64, _len: u64, _advice: Advice) -> Result<()> {
        Ok(())
    }

    /// Makes sure that the file is at least `offset + len` bytes long and that there is room for them.
    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let end = offset.checked_add(len).ok_or(Errno::FBig)?;
        if self.metadata()?.size < end { self.set_len(end) } else { Ok(()) }
    }

    /// Whether reads may have to wait.
    fn blocking(&self) -> Blocking {
        Blocking::Maybe
    }

    /// `read_at`, if that needs no waiting; `Again` otherwise. May be short anywhere.
    fn try_read_at(&self, _bufs: &mut [IoSliceMut<'_>], _offset: u64) -> Result<usize> {
        Err(Errno::Again)
    }

    /// Lends, without waiting, just what `read_at` would copy to a buffer of `len` bytes: later writes do not change it.
    /// `None` if there is nothing, or it is not held in one piece, or copying costs no more; then it is read.
    ///
    /// What is lent keeps all that it is a part of in memory, whatever the filesystem's limit. Whoever collects small
    /// pieces copies them.
    fn lend(&self, _len: usize, _offset: u64) -> Option<Bytes> {
        None
    }

    /// Whether offsets mean something.
    fn is_seekable(&self) -> bool {
        true
    }

    /// Reads what comes next, for what has no position; `Again` if there is nothing yet.
    fn read(&self, _bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        Err(Errno::SPipe)
    }

    /// Writes to what has no position; `Again` if it is full.
    fn write(&self, _bufs: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::SPipe)
    }

    /// What to wait for after `Again`: asked also by polls, so that what has a position is always ready. Where the
    /// answer is a [`Wait::Notify`], its watch is taken first, then the state looked at again.
    fn wait(&self, _interest: Interest) -> Wait<'_> {
        if self.is_seekable() { Wait::Ready } else { Wait::Forever }
    }

    /// The same as a future, for a stream that somebody awaits on its own. It knows notifications alone and takes a
    /// descriptor or a time, be it beside a notification, for "look again at once": a backend that waits for those writes its own.
    fn wait_async(&self, interest: Interest) -> BoxFuture<'_, ()> {
        match self.wait(interest) {
            Wait::Notify(watch) | Wait::Clock(watch, _) => Box::pin(watch.wait()),
            Wait::Forever => Box::pin(std::future::pending()),
            _ => Box::pin(std::future::ready(())),
        }
    }
}

/// An open directory: the capability to reach what is below it, and nothing else.
///
/// Paths are relative and may have several components. No path, symbolic link or race leads outside: that is
/// `NotCapable`. What a backend does not write is that of a tree to read alone, without links.
pub trait Dir: Any + Send + std::marker::Sync {
    /// Opens a name.
    fn open(&self, path: &str, how: Open) -> Result<Node>;
    /// What a name stands for.
    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata>;
    /// About the directory itself.
    fn metadata(&self) -> Result<Metadata>;
    /// Its names, without a `stat` for each.
    fn entries(&self) -> Result<Entries>;

    /// What a symbolic link holds.
    fn read_link(&self, path: &str) -> Result<String> {
        self.stat(path, Follow::No)?;
        Err(Errno::Inval)
    }

    /// Makes a directory.
    fn create_dir(&self, _path: &str) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Makes a symbolic link at `path` that holds `target`.
    fn symlink(&self, _target: &str, _path: &str) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Gives a file another name, in this directory or in another of the same backend (`XDev` else).
    fn hard_link(&self, _path: &str, _follow: Follow, _to: &dyn Dir, _to_path: &str) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Moves a name, in this directory or to another of the same backend (`XDev` else).
    fn rename(&self, _path: &str, _to: &dyn Dir, _to_path: &str) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Removes the name of a file.
    fn unlink(&self, _path: &str) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Removes an empty directory.
    fn remove_dir(&self, _path: &str) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Sets the times of what a name stands for; of the directory itself if `path` is `.`.
    fn set_times(&self, _path: &str, _follow: Follow, _accessed: SetTime, _modified: SetTime) -> Result<()> {
        Err(Errno::RoFs)
    }

    /// Returns when the directory's own state is safe.
    fn sync(&self, _data_only: bool) -> Result<()> {
        Ok(())
    }

    /// Whether operations may have to wait.
    fn blocking(&self) -> Blocking {
        Blocking::Maybe
    }

    /// `open`, if that needs no waiting; `Again` otherwise.
    fn try_open(&self, _path: &str, _how: Open) -> Result<Node> {
        Err(Errno::Again)
    }

    /// `stat`, if that needs no waiting; `Again` otherwise.
    fn try_stat(&self, _path: &str, _follow: Follow) -> Result<Metadata> {
        Err(Errno::Again)
    }
}

impl std::fmt::Debug for dyn File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("File")
    }
}

impl std::fmt::Debug for dyn Dir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dir")
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "Node::File",
            Self::Dir(_) => "Node::Dir",
        })
    }
}
