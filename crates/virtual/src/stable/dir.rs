//! A directory that says the same of itself in every run.

use super::file::StableFile;
use super::table::{Books, Held, Id, Table, id, id_of};
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use wasi_host_core::fs::path::MAX_LINKS;
use wasi_host_core::fs::{Blocking, Dir, DirEntry, Entries, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};

pub(super) struct StableDir {
    /// Goes before the directory itself: then its number is not yet another's.
    held: Held,
    inner: Arc<dyn Dir>,
    /// The directory above which is nobody's business.
    top: Id,
}

impl StableDir {
    pub(super) fn top(table: Arc<Table>, inner: Arc<dyn Dir>) -> Self {
        let top = id_of(inner.metadata());
        let held = Held::new(&table, &mut table.books(), top);
        Self { held, inner, top }
    }

    fn table(&self) -> &Arc<Table> {
        self.held.table()
    }

    fn known<'d>(dir: &'d dyn Dir, table: &Arc<Table>) -> Option<&'d Self> {
        let dir: Option<&Self> = (dir as &dyn Any).downcast_ref();
        dir.filter(|dir| Arc::ptr_eq(dir.table(), table))
    }

    /// Whether `dir` says the same of itself by this table already.
    pub(super) fn of(dir: &dyn Dir, table: &Arc<Table>) -> bool {
        Self::known(dir, table).is_some()
    }

    fn other<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        Self::known(to, self.table()).ok_or(Errno::XDev)
    }

    /// The names in the directory that holds the last name of `path` were changed.
    fn names_changed(&self, books: &mut Books, path: &str, now: Timestamp) {
        // Whoever cannot be asked cannot say either when it was changed.
        if let Ok(m) = self.inner.stat(parent(path), Follow::Yes) {
            books.modified(id(&m), now);
        }
    }

    /// Something was made at `path`, where nothing was.
    fn made(&self, books: &mut Books, path: &str, m: &Metadata) {
        let now = books.tick();
        books.made(id(m), now);
        self.names_changed(books, path, now);
    }

    /// Does what makes something at `path`.
    fn make(&self, path: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let books = &mut *self.table().books();
        make()?;
        let m = self.inner.stat(path, Follow::No)?;
        self.made(books, path, &m);
        Ok(())
    }

    /// Does what removes the name `path`.
    fn remove(&self, path: &str, remove: impl FnOnce() -> Result<()>) -> Result<()> {
        let books = &mut *self.table().books();
        let gone = self.inner.stat(path, Follow::No);
        remove()?;
        let now = books.tick();
        if let Ok(gone) = gone {
            books.lost(&gone, now);
        }
        self.names_changed(books, path, now);
        Ok(())
    }

    /// Where a file is made that is opened by `path`: links there lead on to where nothing is yet.
    fn place_of_new<'p>(&self, path: &'p str, how: Open) -> Cow<'p, str> {
        let mut path = Cow::Borrowed(path);
        if !how.follow || how.exclusive {
            return path;
        }
        for _ in 0..MAX_LINKS {
            let Ok(target) = self.inner.read_link(&path) else { break };
            path = Cow::Owned(format!("{}/{target}", parent(&path)));
        }
        path
    }

    fn opened(&self, books: &mut Books, node: Node) -> Result<Node> {
        let m = about(&node)?;
        let held = Held::new(self.table(), books, id(&m));
        Ok(match node {
            Node::Dir(inner) => Node::Dir(Arc::new(Self { held, inner, top: self.top })),
            Node::File(inner) => Node::File(Arc::new(StableFile::new(held, inner))),
        })
    }

    fn entry(&self, books: &mut Books, entry: DirEntry) -> DirEntry {
        let own = self.held.id;
        let (file_type, id) = match &*entry.name {
            "." => (FileType::Directory, own),
            ".." => (FileType::Directory, if own == self.top { own } else { (own.0, entry.ino) }),
            name => match self.inner.stat(name, Follow::No) {
                Ok(m) => (m.file_type, id(&m)),
                // Its true name cannot be said.
                Err(_) => (entry.file_type, (own.0, entry.ino)),
            },
        };
        DirEntry { file_type, ino: books.number(id), ..entry }
    }
}

/// The directory that holds the last name of `path`.
fn parent(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or(".", |(parent, _)| parent)
}

fn about(node: &Node) -> Result<Metadata> {
    match node {
        Node::File(file) => file.metadata(),
        Node::Dir(dir) => dir.metadata(),
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for StableDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        let books = &mut *self.table().books();
        let follow = if how.follow && !how.exclusive { Follow::Yes } else { Follow::No };
        let before = (how.create || how.truncate).then(|| self.inner.stat(path, follow));
        let place = match before {
            Some(Err(Errno::NoEnt)) => self.place_of_new(path, how),
            _ => Cow::Borrowed(path),
        };
        let node = self.inner.open(path, how)?;
        match before {
            Some(Err(Errno::NoEnt)) => {
                let new = about(&node)?;
                self.made(books, &place, &new);
            }
            Some(Ok(m)) if how.truncate => {
                let now = books.tick();
                books.modified(id(&m), now);
            }
            _ => {}
        }
        self.opened(books, node)
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        let books = &mut *self.table().books();
        Ok(books.say(self.inner.stat(path, follow)?))
    }

    fn metadata(&self) -> Result<Metadata> {
        Ok(self.held.say(self.inner.metadata()?))
    }

    fn entries(&self) -> Result<Entries> {
        let books = &mut *self.table().books();
        let mut entries = self.inner.entries()?.collect::<Result<Vec<_>>>()?;
        let dots = |name: &str| !matches!(name, "." | "..");
        entries.sort_by(|a, b| (dots(&a.name), &a.name).cmp(&(dots(&b.name), &b.name)));
        let numbered: Vec<_> = entries.into_iter().map(|entry| Ok(self.entry(books, entry))).collect();
        Ok(Box::new(numbered.into_iter()))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        self.inner.read_link(path)
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        self.make(path, || self.inner.create_dir(path))
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        self.make(path, || self.inner.symlink(target, path))
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to)?;
        let books = &mut *self.table().books();
        self.inner.hard_link(path, follow, &*to.inner, to_path)?;
        let now = books.tick();
        books.changed(id(&to.inner.stat(to_path, Follow::No)?), now);
        to.names_changed(books, to_path, now);
        Ok(())
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to)?;
        let books = &mut *self.table().books();
        let moved = self.inner.stat(path, Follow::No);
        let replaced = to.inner.stat(to_path, Follow::No).ok();
        self.inner.rename(path, &*to.inner, to_path)?;
        let moved = moved?;
        if replaced.is_some_and(|replaced| id(&replaced) == id(&moved)) {
            // Two names of one file: nothing was done.
            return Ok(());
        }
        let now = books.tick();
        if let Some(replaced) = replaced {
            books.lost(&replaced, now);
        }
        books.changed(id(&moved), now);
        self.names_changed(books, path, now);
        to.names_changed(books, to_path, now);
        Ok(())
    }

    fn unlink(&self, path: &str) -> Result<()> {
        self.remove(path, || self.inner.unlink(path))
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        self.remove(path, || self.inner.remove_dir(path))
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        let books = &mut *self.table().books();
        self.inner.set_times(path, follow, accessed, modified)?;
        books.set(id(&self.inner.stat(path, follow)?), accessed, modified);
        Ok(())
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.inner.sync(data_only)
    }

    fn blocking(&self) -> Blocking {
        self.inner.blocking()
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        if self.blocking() == Blocking::Never { self.open(path, how) } else { Err(Errno::Again) }
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        if self.blocking() == Blocking::Never { self.stat(path, follow) } else { Err(Errno::Again) }
    }
}
