//! The only door to files and directories.

use super::{
    Advice, Blocking, Dir, Entries, File, FileType, Follow, Interest, Metadata, Node, Open, Sync, path,
};
use crate::grant::{DirPerms, FilePerms, Grant};
use crate::slots::Slot;
use crate::time::{SetTime, Timestamp};
use crate::wait::{BoxFuture, Wait};
use crate::{Errno, Result};
use std::io::{IoSlice, IoSliceMut};
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

    // ---- files

    #[inline]
    fn opened_file(&self) -> Result<&Arc<dyn File>> {
        self.grant.valid()?;
        match &self.node {
            Node::File(f) => Ok(f),
            Node::Dir(_) => Err(Errno::IsDir),
        }
    }

    #[inline]
    pub(super) fn readable(&self) -> Result<&Arc<dyn File>> {
        let file = self.opened_file()?;
        if self.access.contains(Access::READ) { Ok(file) } else { Err(Errno::BadF) }
    }

    #[inline]
    pub(super) fn writable(&self) -> Result<&Arc<dyn File>> {
        let file = self.opened_file()?;
        if self.access.contains(Access::WRITE) { Ok(file) } else { Err(Errno::BadF) }
    }

    /// Offsets are signed in every system; whatever the backend, none is there beyond 2^63 - 1.
    #[inline]
    fn reaches(&self, offset: u64) -> Result<()> {
        if self.seekable && i64::try_from(offset).is_err() { Err(Errno::Inval) } else { Ok(()) }
    }

    /// Reads at `offset` into the buffers in turn; 0 at the end, `Inval` beyond 2^63 - 1.
    #[inline]
    pub fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let file = self.readable()?;
        self.reaches(offset)?;
        file.read_at(bufs, offset)
    }

    /// The same, if that needs no waiting; `Again` otherwise.
    #[inline]
    pub fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let file = self.readable()?;
        self.reaches(offset)?;
        file.try_read_at(bufs, offset)
    }

    /// Writes at `offset`; `FBig` where that lies beyond the granted size.
    #[inline]
    pub fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let file = self.writable()?;
        self.bounded(offset, bufs, |bufs| file.write_at(bufs, offset))
    }

    /// Writes at the end.
    pub fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let file = self.writable()?;
        if !self.seekable {
            return file.write(bufs);
        }
        let end = if self.grant.limits().file_size() == u64::MAX { 0 } else { file.metadata()?.size };
        self.bounded(end, bufs, |bufs| file.append(bufs))
    }

    /// Reads what comes next from what has no position; `Again` if there is nothing yet.
    pub fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        self.readable()?.read(bufs)
    }

    /// Writes to what has no position; `Again` if it is full.
    pub fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.writable()?.write(bufs)
    }

    /// Hands on as much of `bufs` as keeps the file within the granted size.
    fn bounded(
        &self,
        offset: u64,
        bufs: &[IoSlice<'_>],
        write: impl FnOnce(&[IoSlice<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        let limit = self.grant.limits().file_size();
        if limit == u64::MAX {
            return write(bufs);
        }
        let total: u64 = bufs.iter().map(|b| b.len() as u64).sum();
        let room = limit.saturating_sub(offset);
        match room {
            _ if total <= room => write(bufs),
            0 => Err(Errno::FBig),
            _ => {
                let first = bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| b);
                let n = usize::try_from(room).map_or(first.len(), |room| room.min(first.len()));
                write(&[IoSlice::new(&first[..n])])
            }
        }
    }

    /// Cuts or grows a file that was opened for writing.
    pub fn set_len(&self, len: u64) -> Result<()> {
        let file = self.writable()?;
        self.fits(len)?;
        file.set_len(len)
    }

    /// Makes room for `len` bytes from `offset`, and the file at least that long.
    pub fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let file = self.writable()?;
        self.fits(offset.checked_add(len).ok_or(Errno::FBig)?)?;
        file.allocate(offset, len)
    }

    fn fits(&self, len: u64) -> Result<()> {
        // off_t is signed everywhere.
        if len > self.grant.limits().file_size().min(i64::MAX as u64) { Err(Errno::FBig) } else { Ok(()) }
    }

    /// Gives the backend a hint.
    pub fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        self.grant.valid()?;
        match &self.node {
            Node::File(f) => f.advise(offset, len, advice),
            Node::Dir(_) => Err(Errno::BadF),
        }
    }

    // ---- both

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

    // ---- directories

    fn dir(&self, path: &str, need: DirPerms) -> Result<&Arc<dyn Dir>> {
        let Node::Dir(dir) = &self.node else { return self.valid().and(Err(Errno::NotDir)) };
        self.grant.dir(need)?;
        if need.contains(DirPerms::MUTATE) {
            self.unless_for_reading()?;
        }
        self.check_path(path)?;
        Ok(dir)
    }

    fn unless_for_reading(&self) -> Result<()> {
        if self.access.contains(Access::WRITE) { Ok(()) } else { Err(Errno::RoFs) }
    }

    /// Refuses a path, or a symlink's target, that no call would take, before anybody keeps it.
    pub fn check_path(&self, path: &str) -> Result<()> {
        path::check(path, self.grant.limits().path())
    }

    /// Opens a name below this directory, under the same grant.
    pub fn open(&self, path: &str, how: Open) -> Result<Self> {
        self.open_by(path, how, |dir, how| dir.open(path, how))
    }

    /// The same, if that needs no waiting; `Again` otherwise.
    pub fn try_open(&self, path: &str, how: Open) -> Result<Self> {
        self.open_by(path, how, |dir, how| dir.try_open(path, how))
    }

    fn open_by(
        &self,
        path: &str,
        how: Open,
        open: impl FnOnce(&dyn Dir, Open) -> Result<Node>,
    ) -> Result<Self> {
        let changes = how.create || how.truncate;
        let need = if how.create { DirPerms::READ | DirPerms::MUTATE } else { DirPerms::READ };
        let dir = self.dir(path, need)?;
        if how.write || how.truncate {
            self.grant.file(FilePerms::WRITE)?;
            self.unless_for_reading()?;
        }
        // A directory may be opened for reading without leave to read files; what it is shows only afterwards.
        let may_read = self.grant.allows(FilePerms::READ);
        if how.read && !may_read && changes {
            return Err(Errno::Perm);
        }
        let node = open(&**dir, Open { read: how.read && may_read, ..how })?;
        let mut access = Access::empty();
        match node {
            Node::Dir(_) => access = self.access,
            Node::File(_) if how.read && !may_read => return Err(Errno::Perm),
            Node::File(_) => {
                access.set(Access::READ, how.read);
                access.set(Access::WRITE, how.write);
            }
        }
        let grant = self.grant.clone();
        Ok(match node {
            Node::File(file) => {
                let for_reading = self.unless_for_reading().is_err();
                Self { synchronous: how.sync, for_reading, ..Self::file(file, access, grant) }
            }
            Node::Dir(_) => Self { node, access, slot: None, ..self.clone() },
        })
    }

    /// What a name stands for.
    pub fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.dir(path, DirPerms::READ)?.stat(path, follow)
    }

    /// The same, if that needs no waiting; `Again` otherwise.
    pub fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.dir(path, DirPerms::READ)?.try_stat(path, follow)
    }

    /// The names in this directory, `.` and `..` among them. At the top of a grant `..` is the directory itself.
    pub fn entries(&self) -> Result<Entries> {
        let dir = self.dir(".", DirPerms::READ)?;
        let entries = dir.entries()?;
        // The top may have been reached again by `.` or by `x/..`, so its flag would not do.
        let own = dir.metadata()?;
        let top = self.top.as_ref().map(|top| top.metadata()).transpose()?;
        let is_top = top.is_some_and(|top| (top.dev, top.ino) == (own.dev, own.ino));
        let (grant, slot) = (self.grant.clone(), self.slot.clone());
        Ok(Box::new(entries.map(move |entry| {
            let _held = &slot;
            grant.valid()?;
            let mut entry = entry?;
            if is_top && entry.name == ".." {
                entry.ino = own.ino;
            }
            Ok(entry)
        })))
    }

    /// What a symbolic link holds.
    pub fn read_link(&self, path: &str) -> Result<String> {
        self.dir(path, DirPerms::READ)?.read_link(path)
    }

    /// Makes a directory.
    pub fn create_dir(&self, path: &str) -> Result<()> {
        self.dir(path, DirPerms::MUTATE)?.create_dir(path)
    }

    /// Makes a symbolic link. An absolute target is refused: it could only lead outside.
    pub fn symlink(&self, target: &str, path: &str) -> Result<()> {
        self.check_path(target)?;
        self.dir(path, DirPerms::MUTATE)?.symlink(target, path)
    }

    /// Gives a file another name. `Perm` where the other directory's grant allows more than this one's.
    pub fn hard_link(&self, path: &str, follow: Follow, to: &Self, to_path: &str) -> Result<()> {
        let from = self.dir(path, DirPerms::MUTATE)?;
        let target = to.dir(to_path, DirPerms::MUTATE)?;
        self.grant.not_wider(&to.grant)?;
        from.hard_link(path, follow, &**target, to_path)
    }

    /// Moves a name. `Perm` where the other directory's grant is not the same as this one's.
    pub fn rename(&self, path: &str, to: &Self, to_path: &str) -> Result<()> {
        let from = self.dir(path, DirPerms::MUTATE)?;
        let target = to.dir(to_path, DirPerms::MUTATE)?;
        self.grant.same(&to.grant)?;
        from.rename(path, &**target, to_path)
    }

    /// Removes the name of a file.
    pub fn unlink(&self, path: &str) -> Result<()> {
        self.dir(path, DirPerms::MUTATE)?.unlink(path)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, path: &str) -> Result<()> {
        self.dir(path, DirPerms::MUTATE)?.remove_dir(path)
    }

    /// Sets the times of what a name stands for. `now` as for [`set_times`](Self::set_times).
    pub fn set_times_at(
        &self,
        path: &str,
        follow: Follow,
        accessed: SetTime,
        modified: SetTime,
        now: Option<Timestamp>,
    ) -> Result<()> {
        let dir = self.dir(path, DirPerms::MUTATE)?;
        dir.set_times(path, follow, at(accessed, now), at(modified, now))
    }
}

/// What a virtual clock calls now is a fixed time for the backend.
fn at(time: SetTime, now: Option<Timestamp>) -> SetTime {
    match (time, now) {
        (SetTime::Now, Some(now)) => SetTime::At(now),
        (time, _) => time,
    }
}
