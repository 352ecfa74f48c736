//! What a guest does with names in a directory.

use super::{Access, Descriptor, at};
use crate::fs::{Dir, Entries, Follow, Metadata, Node, Open, path};
use crate::grant::{DirPerms, FilePerms};
use crate::time::{SetTime, Timestamp};
use crate::{Errno, Result};
use std::sync::Arc;

impl Descriptor {
    pub(super) fn dir(&self, path: &str, need: DirPerms) -> Result<&Arc<dyn Dir>> {
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
