//! Resolving a path component by component, where the kernel does not do it in one call.
//!
//! The kernel never sees a path here, only single names, and never follows a link. Symbolic links are read and
//! spliced into what remains of the path. `..` is taken from the directory in hand and believed only if it is the
//! one through which the walk came down: one open descriptor, however deep the path, and no rename in between leads
//! outside.

use super::metadata::file_type;
use crate::errno::from_os;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno as Os;
use std::borrow::Cow;
use wasi_host_core::fs::path::MAX_LINKS;
use wasi_host_core::fs::{FileType, Follow};
use wasi_host_core::{Errno, Result};

/// How to open a directory in order to go on from it. What may be searched need not be readable.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(super) const SEARCH: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(super) const SEARCH: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The directory from which a path starts, or one that was opened on the way.
#[derive(Debug)]
pub(super) enum DirFd<'d> {
    Start(BorrowedFd<'d>),
    Opened(OwnedFd),
}

impl AsFd for DirFd<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Start(fd) => *fd,
            Self::Opened(fd) => fd.as_fd(),
        }
    }
}

/// A directory and one name in it, `.` for the directory itself. Whoever acts on it does not follow links.
#[derive(Debug)]
pub(super) struct Place<'d, 'p> {
    pub(super) dir: DirFd<'d>,
    pub(super) name: Cow<'p, [u8]>,
}

/// Leads to the place that `path` names, which need not exist.
///
/// With `create`, a slash behind a last name is `IsDir`, as only files are made by opening.
///
/// # Errors
///
/// `NotCapable` where the path leads outside, `Again` if a directory was moved meanwhile.
pub(super) fn walk<'d>(
    start: BorrowedFd<'d>,
    path: &str,
    follow: Follow,
    create: bool,
) -> Result<Place<'d, 'static>> {
    let mut walk = Walk { dir: DirFd::Start(start), start, trail: Vec::new() };
    let mut rest = Cow::Borrowed(path.as_bytes());
    let mut at = 0;
    let mut links = 0;
    while let Some((name, end)) = component(&rest, at) {
        let tail = &rest[end..];
        let link = match name {
            b"." => None,
            b".." => {
                walk.up()?;
                None
            }
            _ if tail.is_empty() => match follow {
                Follow::No => return Ok(walk.stop(name)),
                Follow::Yes => match walk.read_link(name)? {
                    None => return Ok(walk.stop(name)),
                    link => link,
                },
            },
            _ if create && tail.iter().all(|b| *b == b'/') => return Err(Errno::IsDir),
            _ => walk.down(name)?,
        };
        match link {
            None => at = end,
            Some(_) if links == MAX_LINKS => return Err(Errno::Loop),
            Some(target) => {
                match target.first() {
                    None => return Err(Errno::NoEnt),
                    Some(b'/') => return Err(Errno::NotCapable),
                    Some(_) => {}
                }
                links += 1;
                rest = Cow::Owned([&target, tail].concat());
                at = 0;
            }
        }
    }
    Ok(walk.stop(b"."))
}

/// The component of `path` that begins at or behind `at`, and where it ends.
fn component(path: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let start = at + path[at..].iter().position(|b| *b != b'/')?;
    let end = path[start..].iter().position(|b| *b == b'/').map_or(path.len(), |n| start + n);
    Some((&path[start..end], end))
}

/// Device and number: what tells directories apart.
type Identity = (u64, u64);

struct Walk<'d> {
    start: BorrowedFd<'d>,
    dir: DirFd<'d>,
    /// The directories from below the start down to where it is now.
    trail: Vec<Identity>,
}

impl<'d> Walk<'d> {
    /// Enters a directory; or gives what the name holds, if it is a link.
    fn down(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>> {
        match rustix::fs::openat(&self.dir, name, SEARCH | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => {
                self.trail.push(identity(&fd)?);
                self.dir = DirFd::Opened(fd);
                Ok(None)
            }
            // Systems differ in what they say of a link.
            Err(Os::NOTDIR | Os::LOOP | Os::MLINK) => match self.read_link(name)? {
                None => Err(self.not_dir(name)),
                link => Ok(link),
            },
            Err(e) => Err(from_os(e)),
        }
    }

    fn up(&mut self) -> Result<()> {
        self.trail.pop().ok_or(Errno::NotCapable)?;
        let Some(parent) = self.trail.last() else {
            self.dir = DirFd::Start(self.start);
            return Ok(());
        };
        let fd = rustix::fs::openat(&self.dir, "..", SEARCH, Mode::empty()).map_err(from_os)?;
        if identity(&fd)? != *parent {
            return Err(Errno::Again);
        }
        self.dir = DirFd::Opened(fd);
        Ok(())
    }

    /// What to say of a name that was no directory and then no link: it may have changed in between.
    fn not_dir(&self, name: &[u8]) -> Errno {
        let stat = rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW);
        match stat.map(|stat| file_type(&stat)) {
            Ok(FileType::Directory | FileType::SymbolicLink) => Errno::Again,
            Ok(_) => Errno::NotDir,
            Err(e) => from_os(e),
        }
    }

    /// `None` if it is something else, or nothing.
    fn read_link(&self, name: &[u8]) -> Result<Option<Vec<u8>>> {
        match rustix::fs::readlinkat(&self.dir, name, Vec::new()) {
            Ok(target) => Ok(Some(target.into_bytes())),
            Err(Os::INVAL | Os::NOENT) => Ok(None),
            Err(e) => Err(from_os(e)),
        }
    }

    fn stop(self, name: &[u8]) -> Place<'d, 'static> {
        Place { dir: self.dir, name: Cow::Owned(name.to_vec()) }
    }
}

#[allow(clippy::unnecessary_cast, reason = "the fields differ in width and sign between systems")]
fn identity(fd: &OwnedFd) -> Result<Identity> {
    let stat = rustix::fs::fstat(fd).map_err(from_os)?;
    Ok((stat.st_dev as u64, stat.st_ino as u64))
}
