//! A directory of the operating system.

use super::file::NativeFile;
use super::filesystem::Filesystem;
use super::metadata::{self, file_type, metadata, times};
use super::readdir;
use super::resolve::{Parent, Resolver, is_link, stat_of};
use super::walk::{DirFd, Place};
use crate::errno::from_os;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use std::any::Any;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use wasi_host_core::fs::path::Component;
use wasi_host_core::fs::{Blocking, Dir, Entries, FileType, Follow, Metadata, Node, Open, Sync};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// An open directory of the operating system, and what lies beneath it.
///
/// Nothing that is asked of it by path leads outside: no `..`, no symbolic link, no rename that happens meanwhile.
/// Links to absolute paths lead nowhere (`NotCapable`), also where they would come back. Filesystems that are
/// mounted beneath it belong to it. What the host itself moves out of it while a guest holds it open stays in reach
/// of that guest, as for every open directory.
#[derive(Debug)]
pub struct NativeDir {
    fd: OwnedFd,
    fs: Arc<Filesystem>,
    resolver: Resolver,
}

impl NativeDir {
    /// Opens the directory `path` with all the authority that this process has: `path` may be absolute and lead
    /// anywhere.
    ///
    /// # Errors
    ///
    /// What the operating system says, `NotADirectory` for one.
    pub fn open_ambient(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path.as_ref(), flags, Mode::empty())?;
        #[allow(clippy::unnecessary_cast, reason = "the field differs in width and sign between systems")]
        let dev = rustix::fs::fstat(&fd)?.st_dev as u64;
        let fs = Filesystem::new(fd.as_fd(), dev);
        Ok(Self { fd, fs, resolver: Resolver::best() })
    }

    /// Resolves paths without `openat2`, as is done where the kernel has none or a filter forbids it.
    ///
    /// The outcome is the same, at the price of two system calls and more for each component.
    #[must_use]
    pub fn without_openat2(self) -> Self {
        Self { resolver: Resolver::Walk, ..self }
    }

    #[inline]
    fn parent<'d, 'p>(&'d self, path: &'p str) -> Result<Parent<'d, 'p>> {
        self.resolver.parent(self.fd.as_fd(), path)
    }

    fn link(&self, from: &Place<'_, '_>, path: &str) -> Result<()> {
        let at = self.parent(path)?;
        let Component::Name(name) = at.last else { return Err(Errno::Exist) };
        if at.slash {
            return Err(not_made(&at.dir, name));
        }
        rustix::fs::linkat(&from.dir, &*from.name, &at.dir, name, AtFlags::empty()).map_err(from_os)
    }

    #[inline]
    fn node(&self, fd: OwnedFd, how: Open) -> Result<Node> {
        if how.directory {
            return self.below(fd);
        }
        let stat = rustix::fs::fstat(&fd).map_err(from_os)?;
        match file_type(&stat) {
            FileType::Directory => self.below(fd),
            _ => Ok(Node::File(Arc::new(NativeFile::beneath(fd, &stat, &self.fs)))),
        }
    }

    #[inline]
    fn below(&self, fd: OwnedFd) -> Result<Node> {
        // What is mounted below a filesystem in memory may be on a disk; the other way round it does no harm.
        let fs = match self.fs.blocking() {
            Blocking::Maybe => self.fs.clone(),
            Blocking::Never => self.fs.of(&fd, metadata::of(&fd)?.dev),
        };
        Ok(Node::Dir(Arc::new(Self { fd, fs, resolver: self.resolver })))
    }
}

impl AsFd for NativeDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The name alone, if the path is one: then the kernel has nothing to resolve.
#[inline]
fn single(path: &str) -> Option<&str> {
    match path {
        "" | "." | ".." => None,
        _ if path.contains('/') => None,
        name => Some(name),
    }
}

/// What stands behind `open` in C.
#[inline]
fn flags(how: Open) -> Result<OFlags> {
    if how.create && how.directory {
        return Err(Errno::Inval);
    }
    // A FIFO without a peer must not hang anybody, and no terminal becomes that of this process.
    let mut flags = OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    flags |= match (how.read, how.write) {
        (_, false) => OFlags::RDONLY,
        (false, true) => OFlags::WRONLY,
        (true, true) => OFlags::RDWR,
    };
    flags |= match how.sync {
        Sync::No => OFlags::empty(),
        Sync::Data => OFlags::DSYNC,
        Sync::All => OFlags::SYNC,
    };
    flags.set(OFlags::CREATE, how.create);
    flags.set(OFlags::EXCL, how.create && how.exclusive);
    flags.set(OFlags::TRUNC, how.truncate);
    flags.set(OFlags::DIRECTORY, how.directory);
    flags.set(OFlags::NOFOLLOW, !how.follow);
    Ok(flags)
}

/// The other directory of a call, if it is of this backend.
fn native(dir: &dyn Dir) -> Result<&NativeDir> {
    (dir as &dyn Any).downcast_ref().ok_or(Errno::XDev)
}

/// What is at `name`, or nothing: the error of making something new in a place where only a directory may stand.
fn not_made(dir: &DirFd<'_>, name: &str) -> Errno {
    let place = Place { dir: DirFd::Start(dir.as_fd()), name: Cow::Borrowed(name.as_bytes()) };
    stat_of(&place).map_or_else(|e| e, |_| Errno::Exist)
}

impl Dir for NativeDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        let fd = self.resolver.open(self.fd.as_fd(), path, flags(how)?)?;
        self.node(fd, how)
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        if let Some(name) = single(path) {
            let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).map_err(from_os)?;
            if follow == Follow::No || !is_link(&stat) {
                return Ok(metadata(&stat));
            }
        }
        self.resolver.stat(self.fd.as_fd(), path, follow).map(|stat| metadata(&stat))
    }

    fn metadata(&self) -> Result<Metadata> {
        metadata::of(&self.fd)
    }

    fn entries(&self) -> Result<Entries> {
        // A descriptor of its own, so that no two listings share a position.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        readdir::entries(rustix::fs::openat(&self.fd, ".", flags, Mode::empty()).map_err(from_os)?)
    }

    fn read_link(&self, path: &str) -> Result<String> {
        let place = self.resolver.place(self.fd.as_fd(), path, Follow::No)?;
        let target = rustix::fs::readlinkat(&place.dir, &*place.name, Vec::new()).map_err(from_os)?;
        target.into_string().map_err(|_| Errno::IlSeq)
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        let at = self.parent(path)?;
        let Component::Name(name) = at.last else { return Err(Errno::Exist) };
        rustix::fs::mkdirat(&at.dir, name, Mode::from_raw_mode(0o777)).map_err(from_os)
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        let at = self.parent(path)?;
        let Component::Name(name) = at.last else { return Err(Errno::Exist) };
        if at.slash {
            return Err(not_made(&at.dir, name));
        }
        rustix::fs::symlinkat(target, &at.dir, name).map_err(from_os)
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let from = self.resolver.place(self.fd.as_fd(), path, follow)?;
        // As in the kernel, a source that is missing counts before a destination that is wrong.
        native(to)?.link(&from, to_path).map_err(|e| stat_of(&from).err().unwrap_or(e))
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let from = self.parent(path)?;
        let to = native(to)?.parent(to_path)?;
        let (Component::Name(name), Component::Name(to_name)) = (from.last, to.last) else {
            return Err(Errno::Busy);
        };
        if from.slash || to.slash {
            let stat = rustix::fs::statat(&from.dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(from_os)?;
            if file_type(&stat) != FileType::Directory {
                return Err(Errno::NotDir);
            }
        }
        rustix::fs::renameat(&from.dir, name, &to.dir, to_name).map_err(from_os)
    }

    fn unlink(&self, path: &str) -> Result<()> {
        let at = self.parent(path)?;
        let Component::Name(name) = at.last else { return Err(Errno::IsDir) };
        if at.slash {
            let stat = rustix::fs::statat(&at.dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(from_os)?;
            return Err(if file_type(&stat) == FileType::Directory { Errno::IsDir } else { Errno::NotDir });
        }
        rustix::fs::unlinkat(&at.dir, name, AtFlags::empty()).map_err(from_os)
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        let at = self.parent(path)?;
        match at.last {
            Component::Here => Err(Errno::Inval),
            Component::Parent => Err(Errno::NotEmpty),
            Component::Name(name) => rustix::fs::unlinkat(&at.dir, name, AtFlags::REMOVEDIR).map_err(from_os),
        }
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        let Place { dir, name } = self.resolver.place(self.fd.as_fd(), path, follow)?;
        let times = times(accessed, modified);
        rustix::fs::utimensat(&dir, &*name, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(from_os)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        let sync = if data_only { rustix::fs::fdatasync(&self.fd) } else { rustix::fs::fsync(&self.fd) };
        sync.map_err(from_os)
    }

    fn blocking(&self) -> Blocking {
        self.fs.blocking()
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        if self.blocking() == Blocking::Never {
            return self.open(path, how);
        }
        // The kernel would say so, too: neither is done from the cache alone.
        if how.create || how.truncate {
            return Err(Errno::Again);
        }
        let fd = self.resolver.try_open(self.fd.as_fd(), path, flags(how)?)?;
        self.node(fd, how)
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        if self.blocking() == Blocking::Never {
            return self.stat(path, follow);
        }
        self.resolver.try_stat(self.fd.as_fd(), path, follow).map(|stat| metadata(&stat))
    }
}
