//! A directory in one of the trees, from which paths lead on into others.

use super::table::{Mounted, Table};
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use wasi_host_core::fs::path::{self, Component, NAME_MAX};
use wasi_host_core::fs::walk::{self, Last, Shape};
use wasi_host_core::fs::{Blocking, Dir, DirEntry, Entries, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

const TO_ENTER: Open = Open {
    read: true,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: true,
    follow: false,
    sync: wasi_host_core::fs::Sync::No,
};

#[derive(Clone)]
pub(super) struct MountDir {
    table: Arc<Table>,
    tree: Arc<Mounted>,
    dir: Arc<dyn Dir>,
}

/// How deep a path may lead in trees that hold others: each directory on the way is open until it ends.
const DEEPEST: usize = 1024;

/// What a path comes through, or to.
#[derive(Clone)]
enum Spot {
    /// With how many directories lie above it on the way.
    Dir(MountDir, usize),
    Link(String),
    Leaf,
}

/// A path, and the directory whose own tree resolves it.
struct At<'p> {
    dir: MountDir,
    path: Cow<'p, str>,
    /// It resolves links, too: they lead nowhere else.
    follow: Follow,
}

/// Finds the way between trees, one name at a time.
struct Ways;

impl walk::Tree for Ways {
    type Node = Spot;

    fn child(&self, dir: &Spot, name: &str) -> Result<Option<Spot>> {
        let Spot::Dir(dir, depth) = dir else { return Ok(None) };
        if let Some(mounted) = dir.table.at(&dir.tree, &*dir.dir, name)? {
            return Ok(Some(Spot::Dir(dir.top_of(mounted), depth + 1)));
        }
        let m = match dir.dir.stat(name, Follow::No) {
            Err(Errno::NoEnt) => return Ok(None),
            found => found?,
        };
        Ok(Some(match m.file_type {
            FileType::Directory if *depth == DEEPEST => return Err(Errno::NameTooLong),
            FileType::Directory => Spot::Dir(dir.below(name)?, depth + 1),
            FileType::SymbolicLink => Spot::Link(dir.dir.read_link(name)?),
            _ => Spot::Leaf,
        }))
    }

    fn shape<'a>(&'a self, spot: &'a Spot) -> Shape<'a> {
        match spot {
            Spot::Dir(..) => Shape::Dir,
            Spot::Link(to) => Shape::Link(Cow::Borrowed(to)),
            Spot::Leaf => Shape::Leaf,
        }
    }

    fn is_top(&self, spot: &Spot) -> bool {
        matches!(spot, Spot::Dir(dir, _) if dir.is_top())
    }
}

impl MountDir {
    pub(super) fn root(table: Arc<Table>, base: Arc<dyn Dir>) -> Self {
        Self { tree: table.mounted(base.clone()), dir: base, table }
    }

    fn top_of(&self, tree: Arc<Mounted>) -> Self {
        Self { table: self.table.clone(), dir: tree.root.clone(), tree }
    }

    fn within(&self, dir: Arc<dyn Dir>) -> Self {
        Self { table: self.table.clone(), tree: self.tree.clone(), dir }
    }

    fn is_top(&self) -> bool {
        Arc::ptr_eq(&self.dir, &self.tree.root)
    }

    /// The directory of this name in the same tree.
    fn below(&self, name: &str) -> Result<Self> {
        match self.dir.open(name, TO_ENTER)? {
            Node::Dir(dir) => Ok(self.within(dir)),
            Node::File(_) => Err(Errno::NotDir),
        }
    }

    /// The directory of this name in whatever tree.
    pub(super) fn enter(&self, name: &str) -> Result<Self> {
        match self.table.at(&self.tree, &*self.dir, name)? {
            Some(mounted) => Ok(self.top_of(mounted)),
            None => self.below(name),
        }
    }

    pub(super) fn mount(&self, name: &str, dir: Arc<dyn Dir>) -> Result<()> {
        self.table.add(&self.tree, &*self.dir, name, dir)
    }

    pub(super) fn unmount(&self, name: &str) -> Result<()> {
        self.table.remove(&self.tree, &*self.dir, name)
    }

    fn is_point(&self, name: &str) -> Result<bool> {
        Ok(self.table.at(&self.tree, &*self.dir, name)?.is_some())
    }

    /// Goes through mounts that the path begins with, and gives what of it is left: `.` if nothing. Their own
    /// names stay if they are the `last` that is left.
    fn descend<'p>(&self, mut path: &'p str, last: bool) -> Result<(Self, &'p str)> {
        let mut at = self.clone();
        while at.tree.holds_others() {
            let Some((Component::Name(name), rest)) = path::first(path) else { break };
            let rest = rest.trim_start_matches('/');
            if last && rest.is_empty() || name.len() > NAME_MAX {
                break;
            }
            let Some(mounted) = at.table.at(&at.tree, &*at.dir, name)? else { break };
            at = at.top_of(mounted);
            path = if rest.is_empty() { "." } else { rest };
        }
        Ok((at, path))
    }

    /// Where to look for what a path stands for, or to make it.
    fn find<'p>(&self, path: &'p str, follow: Follow, create: bool) -> Result<At<'p>> {
        path::check(path, usize::MAX)?;
        let (dir, path) = self.descend(path, false)?;
        if !dir.tree.holds_others() {
            return Ok(At { dir, path: Cow::Borrowed(path), follow });
        }
        let lookup = if create { walk::lookup_to_create } else { walk::lookup };
        let (place, spot) = lookup(&Ways, &Spot::Dir(dir, 0), path, follow)?;
        let here = Cow::Borrowed(".");
        match (spot, place.dir, place.last) {
            (Some(Spot::Dir(dir, _)), ..) => Ok(At { dir, path: here, follow: Follow::No }),
            (None, ..) if !create => Err(Errno::NoEnt),
            (_, Spot::Dir(dir, _), Last::Name(path)) => Ok(At { dir, path, follow: Follow::No }),
            _ => Err(Errno::NotDir),
        }
    }

    /// Where a name is to be made, removed or moved: its directory, and the name with a slash if one stood behind it.
    /// What must not become of `.` and `..` says `dots`.
    fn place<'p>(&self, path: &'p str, dots: Errno) -> Result<At<'p>> {
        path::check(path, usize::MAX)?;
        let (dir, path) = self.descend(path, true)?;
        if !dir.tree.holds_others() {
            return Ok(At { dir, path: Cow::Borrowed(path), follow: Follow::No });
        }
        let place = walk::place(&Ways, &Spot::Dir(dir, 0), path)?;
        let Spot::Dir(dir, _) = place.dir else { return Err(Errno::NotDir) };
        let path = match place.last {
            Last::Here => Cow::Borrowed("."),
            Last::Parent => return Err(dots),
            Last::Name(name) if place.must_be_dir => Cow::Owned(name.into_owned() + "/"),
            Last::Name(name) => name,
        };
        Ok(At { dir, path, follow: Follow::No })
    }

    fn other<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        let to: Option<&Self> = (to as &dyn Any).downcast_ref();
        to.filter(|to| Arc::ptr_eq(&self.table, &to.table)).ok_or(Errno::XDev)
    }

    /// What was opened at a path that this directory's tree resolved. It itself stays what it is, so that its top is known.
    fn opened(&self, path: &str, node: Node) -> Node {
        match node {
            Node::Dir(_) if path == "." => Node::Dir(Arc::new(self.clone())),
            Node::Dir(dir) => Node::Dir(Arc::new(self.within(dir))),
            file => file,
        }
    }

    /// The place of a path that the tree itself resolves without waiting.
    fn try_find<'p>(&self, path: &'p str) -> Result<Option<(Self, &'p str)>> {
        path::check(path, usize::MAX)?;
        let (dir, path) = self.descend(path, false)?;
        match self.blocking() {
            _ if !dir.tree.holds_others() => Ok(Some((dir, path))),
            Blocking::Never => Ok(None),
            Blocking::Maybe => Err(Errno::Again),
        }
    }
}

impl At<'_> {
    /// The name without its slash, if it is one in a tree that holds others.
    fn name(&self) -> &str {
        self.path.trim_end_matches('/')
    }

    /// Whether a tree is mounted here.
    fn is_point(&self) -> Result<bool> {
        self.dir.is_point(self.name())
    }

    /// `NotEmpty` if this is a directory in which trees are mounted.
    fn holds_none(&self) -> Result<()> {
        if !self.dir.tree.holds_others() || self.name() == "." {
            return Ok(());
        }
        match self.dir.below(self.name()) {
            Ok(dir) if !dir.table.within(&dir.tree, &*dir.dir)?.is_empty() => Err(Errno::NotEmpty),
            _ => Ok(()),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for MountDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        if how.create && how.directory {
            return Err(Errno::Inval);
        }
        let follow = if how.follow && !(how.create && how.exclusive) { Follow::Yes } else { Follow::No };
        let at = self.find(path, follow, how.create)?;
        let node = at.dir.dir.open(&at.path, Open { follow: at.follow == Follow::Yes, ..how })?;
        Ok(at.dir.opened(&at.path, node))
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        let at = self.find(path, follow, false)?;
        at.dir.dir.stat(&at.path, at.follow)
    }

    fn metadata(&self) -> Result<Metadata> {
        self.dir.metadata()
    }

    fn entries(&self) -> Result<Entries> {
        let points = self.table.within(&self.tree, &*self.dir)?;
        let (own, top) = (self.dir.metadata()?, self.tree.root.metadata()?);
        let up = ((own.dev, own.ino) == (top.dev, top.ino)).then_some(own.ino);
        let mounted = points
            .iter()
            .map(|(name, mounted)| {
                let ino = mounted.root.metadata()?.ino;
                Ok(DirEntry { name: (&**name).into(), file_type: FileType::Directory, ino })
            })
            .collect::<Vec<_>>();
        let own = self.dir.entries()?.filter(move |entry| match entry {
            Ok(entry) => !points.contains_key(&*entry.name),
            Err(_) => true,
        });
        Ok(Box::new(
            own.map(move |entry| {
                let mut entry = entry?;
                if let (Some(ino), "..") = (up, &*entry.name) {
                    entry.ino = ino;
                }
                Ok(entry)
            })
            .chain(mounted),
        ))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        let at = self.find(path, Follow::No, false)?;
        at.dir.dir.read_link(&at.path)
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        let at = self.place(path, Errno::Exist)?;
        if at.is_point()? { Err(Errno::Exist) } else { at.dir.dir.create_dir(&at.path) }
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        let at = self.place(path, Errno::Exist)?;
        if at.is_point()? { Err(Errno::Exist) } else { at.dir.dir.symlink(target, &at.path) }
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let from = self.find(path, follow, false)?;
        let to = self.other(to)?.place(to_path, Errno::Exist)?;
        if to.is_point()? {
            return from.dir.dir.stat(&from.path, from.follow).and(Err(Errno::Exist));
        }
        if !Arc::ptr_eq(&from.dir.tree, &to.dir.tree) {
            return Err(Errno::XDev);
        }
        from.dir.dir.hard_link(&from.path, from.follow, &*to.dir.dir, &to.path)
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let from = self.place(path, Errno::Busy)?;
        let to = self.other(to)?.place(to_path, Errno::Busy)?;
        if !Arc::ptr_eq(&from.dir.tree, &to.dir.tree) {
            return Err(Errno::XDev);
        }
        if from.is_point()? || to.is_point()? {
            return Err(Errno::Busy);
        }
        to.holds_none()?;
        from.dir.dir.rename(&from.path, &*to.dir.dir, &to.path)
    }

    fn unlink(&self, path: &str) -> Result<()> {
        let at = self.place(path, Errno::IsDir)?;
        if at.is_point()? { Err(Errno::IsDir) } else { at.dir.dir.unlink(&at.path) }
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        let at = self.place(path, Errno::NotEmpty)?;
        if at.is_point()? {
            return Err(Errno::Busy);
        }
        at.holds_none()?;
        at.dir.dir.remove_dir(&at.path)
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        let at = self.find(path, follow, false)?;
        at.dir.dir.set_times(&at.path, at.follow, accessed, modified)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.dir.sync(data_only)
    }

    fn blocking(&self) -> Blocking {
        if self.tree.holds_others() { self.table.blocking() } else { self.dir.blocking() }
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        match self.try_find(path)? {
            Some((at, path)) => at.dir.try_open(path, how).map(|node| at.opened(path, node)),
            None => self.open(path, how),
        }
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        match self.try_find(path)? {
            Some((at, path)) => at.dir.try_stat(path, follow),
            None => self.stat(path, follow),
        }
    }
}
