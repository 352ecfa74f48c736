//! A directory that holds one file of another.

use std::fmt;
use std::sync::Arc;
use wasi_host_core::fs::path::NAME_MAX;
use wasi_host_core::fs::walk::{self, Shape};
use wasi_host_core::fs::{Blocking, Dir, DirEntry, Entries, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// A directory in which there is one name, that of a file of another directory, and nothing else.
///
/// The file is looked for at each use: where another takes its place in its directory, it does here too, and where there
/// is none there is none here. It is read and written like any other, as far as whoever gives it permits; but there it
/// stays: it is neither moved, linked nor removed from here, and nothing is made beside it (`Perm`).
///
/// ```
/// use std::sync::Arc;
/// use wasi_host_core::{Errno, fs::{Dir, Follow}};
/// use wasi_host_virtual::{memory::MemoryFs, single_file::SingleFile};
///
/// let fs = MemoryFs::new();
/// fs.create_dir_all("etc")?;
/// fs.write("etc/guest.toml", "level = 3")?;
/// fs.write("etc/secret", "hidden")?;
/// let root = SingleFile::new(fs.root(), "etc/guest.toml")?.named("config")?;
/// assert_eq!(root.stat("config", Follow::Yes)?.size, 9);
/// assert_eq!(root.stat("secret", Follow::Yes), Err(Errno::NoEnt));
/// assert_eq!(root.unlink("config"), Err(Errno::Perm));
/// # Ok::<(), Errno>(())
/// ```
#[derive(Clone)]
pub struct SingleFile {
    dir: Arc<dyn Dir>,
    path: String,
    name: String,
}

/// What paths lead to.
#[derive(Clone, Copy)]
enum Spot {
    Top,
    File,
}

/// The directory as paths walk in it.
struct Ways<'d>(&'d SingleFile);

impl walk::Tree for Ways<'_> {
    type Node = Spot;

    fn child(&self, _top: &Spot, name: &str) -> Result<Option<Spot>> {
        if name != self.0.name {
            return Ok(None);
        }
        Ok(self.0.file()?.map(|_| Spot::File))
    }

    fn shape<'a>(&'a self, spot: &'a Spot) -> Shape<'a> {
        match spot {
            Spot::Top => Shape::Dir,
            Spot::File => Shape::Leaf,
        }
    }
}

impl SingleFile {
    /// The file at `path` of `dir`, under the last name of that path. A symbolic link stands for what it leads to.
    ///
    /// # Errors
    ///
    /// `IsDir` for a directory, `NoEnt` if there is nothing; `Inval` for a path that ends in no name; what `dir` says.
    pub fn new(dir: Arc<dyn Dir>, path: &str) -> Result<Self> {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        is_name(&name)?;
        if dir.stat(path, Follow::Yes)?.file_type == FileType::Directory {
            return Err(Errno::IsDir);
        }
        Ok(Self { dir, path: path.to_owned(), name })
    }

    /// The same under another name.
    ///
    /// # Errors
    ///
    /// `Inval` for what is no name, `NameTooLong`.
    pub fn named(self, name: &str) -> Result<Self> {
        is_name(name)?;
        Ok(Self { name: name.to_owned(), ..self })
    }

    /// The file, unless it is gone by now or a directory has taken its place.
    fn file(&self) -> Result<Option<Metadata>> {
        match self.dir.stat(&self.path, Follow::Yes) {
            Ok(m) if m.file_type == FileType::Directory => Ok(None),
            Ok(m) => Ok(Some(m)),
            Err(Errno::NoEnt) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// What is at a path.
    fn find(&self, path: &str) -> Result<Spot> {
        walk::lookup(&Ways(self), &Spot::Top, path, Follow::No)?.1.ok_or(Errno::NoEnt)
    }

    /// The error of changing the name at `path`.
    fn refuse(&self, path: &str) -> Result<()> {
        self.find(path).and(Err(Errno::Perm))
    }

    /// The error of making something at `path`.
    fn refuse_to_make(&self, path: &str) -> Result<()> {
        match walk::place(&Ways(self), &Spot::Top, path)?.node(&Ways(self))? {
            None if matches!(self.find(path), Ok(Spot::Top)) => Err(Errno::Exist),
            None => Err(Errno::Perm),
            Some(_) => Err(Errno::Exist),
        }
    }

    /// `open` by either of the two ways: the directory itself is opened here.
    fn open_by(&self, path: &str, how: Open, open: impl FnOnce(&str, Open) -> Result<Node>) -> Result<Node> {
        if how.create && how.directory {
            return Err(Errno::Inval);
        }
        let lookup = if how.create { walk::lookup_to_create } else { walk::lookup };
        match lookup(&Ways(self), &Spot::Top, path, Follow::No)?.1 {
            None if how.create => Err(Errno::Perm),
            None => Err(Errno::NoEnt),
            Some(_) if how.create && how.exclusive => Err(Errno::Exist),
            Some(Spot::Top) if how.create || how.write || how.truncate => Err(Errno::IsDir),
            Some(Spot::Top) => Ok(Node::Dir(Arc::new(self.clone()))),
            Some(Spot::File) => match open(&self.path, Open { create: false, follow: true, ..how })? {
                // It has taken the file's place just now.
                Node::Dir(_) => Err(Errno::NoEnt),
                file => Ok(file),
            },
        }
    }
}

fn is_name(name: &str) -> Result<()> {
    match name {
        "" | "." | ".." => Err(Errno::Inval),
        _ if name.contains(['/', '\0']) => Err(Errno::Inval),
        _ if name.len() > NAME_MAX => Err(Errno::NameTooLong),
        _ => Ok(()),
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for SingleFile {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        self.open_by(path, how, |path, how| self.dir.open(path, how))
    }

    fn stat(&self, path: &str, _follow: Follow) -> Result<Metadata> {
        match self.find(path)? {
            Spot::Top => self.metadata(),
            Spot::File => self.file()?.ok_or(Errno::NoEnt),
        }
    }

    /// That of the directory which the file is looked for in.
    fn metadata(&self) -> Result<Metadata> {
        self.dir.metadata()
    }

    fn entries(&self) -> Result<Entries> {
        let ino = self.metadata()?.ino;
        let dots = [".", ".."].map(|dot| DirEntry { name: dot.into(), file_type: FileType::Directory, ino });
        let file =
            self.file()?.map(|m| DirEntry { name: self.name.clone(), file_type: m.file_type, ino: m.ino });
        Ok(Box::new(dots.into_iter().chain(file).map(Ok)))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        self.find(path).and(Err(Errno::Inval))
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        self.refuse_to_make(path)
    }

    fn symlink(&self, _target: &str, path: &str) -> Result<()> {
        self.refuse_to_make(path)
    }

    fn hard_link(&self, path: &str, _follow: Follow, _to: &dyn Dir, _to_path: &str) -> Result<()> {
        self.refuse(path)
    }

    fn rename(&self, path: &str, _to: &dyn Dir, _to_path: &str) -> Result<()> {
        self.refuse(path)
    }

    fn unlink(&self, path: &str) -> Result<()> {
        self.refuse(path)
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        self.refuse(path)
    }

    fn set_times(&self, path: &str, _follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        match self.find(path)? {
            Spot::Top => Err(Errno::Perm),
            Spot::File => self.dir.set_times(&self.path, Follow::Yes, accessed, modified),
        }
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.dir.sync(data_only)
    }

    fn blocking(&self) -> Blocking {
        self.dir.blocking()
    }

    /// Looking for the file may have to wait.
    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        match self.blocking() {
            Blocking::Never => self.open(path, how),
            Blocking::Maybe => Err(Errno::Again),
        }
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        match self.blocking() {
            Blocking::Never => self.stat(path, follow),
            Blocking::Maybe => Err(Errno::Again),
        }
    }
}

impl fmt::Debug for SingleFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFile")
            .field("path", &self.path)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
