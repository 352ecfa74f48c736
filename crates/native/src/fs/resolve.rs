//! The sandbox: what a path names, beneath the directory from which it starts.
//!
//! Calls that act on a name take the directory that holds it and the name alone, so that the kernel has nothing to
//! resolve. Whatever is resolved goes through [`Resolver::open`]: `openat2` where there is one, else a [`walk`].

use super::metadata::file_type;
use super::walk::{DirFd, Place, SEARCH, walk};
use crate::errno::from_os;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno as Os;
use std::borrow::Cow;
use wasi_host_core::fs::path::Component;
use wasi_host_core::fs::{FileType, Follow};
use wasi_host_core::{Errno, Result};

/// `PATH_MAX`, the NUL at the end among them.
const PATH_MAX: usize = 4096;
/// How often a lookup that met a concurrent rename begins again.
const ATTEMPTS: usize = 4;

/// What resolves paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolver {
    /// The kernel, in one call; `cached` if it also answers from its cache alone (`RESOLVE_CACHED`).
    #[cfg(target_os = "linux")]
    Kernel { cached: bool },
    /// This crate, one component after the other.
    Walk,
}

/// A path cut before its last component.
pub(super) struct Split<'p> {
    /// Empty if there is only one.
    pub(super) prefix: &'p str,
    pub(super) last: Component<'p>,
    /// Whether a slash stands behind it.
    pub(super) slash: bool,
}

/// The directory that holds the last component of a path, or, if that is `.` or `..`, the one that it names.
pub(super) struct Parent<'d, 'p> {
    pub(super) dir: DirFd<'d>,
    pub(super) last: Component<'p>,
    pub(super) slash: bool,
}

/// Cuts a path, and refuses what can name nothing beneath a directory.
pub(super) fn split(path: &str) -> Result<Split<'_>> {
    relative(path)?;
    let trimmed = path.trim_end_matches('/');
    let (prefix, name) = trimmed.rfind('/').map_or(("", trimmed), |n| trimmed.split_at(n + 1));
    let last = match name {
        "." => Component::Here,
        ".." => Component::Parent,
        name => Component::Name(name),
    };
    Ok(Split { prefix, last, slash: trimmed.len() < path.len() })
}

#[inline]
fn relative(path: &str) -> Result<()> {
    wasi_host_core::fs::path::check(path, PATH_MAX - 1)
}

impl Resolver {
    /// Opens what `path` names, links in its last place only followed without `NOFOLLOW`.
    #[inline]
    pub(super) fn open(self, start: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd> {
        relative(path)?;
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel { .. } => match kernel::open(start, path, flags) {
                Err(Os::AGAIN | Os::NOSYS) => open_by_walk(start, path, flags),
                // It opens nothing twice, so this is not about two filesystems.
                Err(Os::XDEV) => Err(Errno::NotCapable),
                opened => opened.map_err(from_os),
            },
            Self::Walk => open_by_walk(start, path, flags),
        }
    }

    /// The same if it needs no disk; `Again` otherwise.
    #[inline]
    pub(super) fn try_open(self, start: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd> {
        relative(path)?;
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel { cached: true } => match kernel::open_cached(start, path, flags) {
                Err(Os::XDEV) => Err(Errno::NotCapable),
                opened => opened.map_err(from_os),
            },
            _ => Err(Errno::Again),
        }
    }

    /// What `path` names.
    #[inline]
    pub(super) fn stat(self, start: BorrowedFd<'_>, path: &str, follow: Follow) -> Result<Stat> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel { .. } => {
                let fd = self.open(start, path, kernel::to_stat(follow))?;
                rustix::fs::fstat(fd).map_err(from_os)
            }
            Self::Walk => {
                relative(path)?;
                again(|| match stat_of(&walk(start, path, follow, false)?)? {
                    // It has become one since.
                    stat if follow == Follow::Yes && is_link(&stat) => Err(Errno::Again),
                    stat => Ok(stat),
                })
            }
        }
    }

    /// The same if it needs no disk; `Again` otherwise.
    #[inline]
    pub(super) fn try_stat(self, start: BorrowedFd<'_>, path: &str, follow: Follow) -> Result<Stat> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel { .. } => {
                let fd = self.try_open(start, path, kernel::to_stat(follow))?;
                rustix::fs::fstat(fd).map_err(from_os)
            }
            Self::Walk => relative(path).and(Err(Errno::Again)),
        }
    }

    /// Where a name is to be made or removed.
    #[inline]
    pub(super) fn parent<'d, 'p>(self, start: BorrowedFd<'d>, path: &'p str) -> Result<Parent<'d, 'p>> {
        let Split { prefix, last, slash } = split(path)?;
        let dir = match last {
            Component::Name(_) if prefix.is_empty() => DirFd::Start(start),
            Component::Here if prefix.is_empty() => DirFd::Start(start),
            Component::Name(_) => DirFd::Opened(self.open(start, prefix, SEARCH)?),
            Component::Here | Component::Parent => DirFd::Opened(self.open(start, path, SEARCH)?),
        };
        Ok(Parent { dir, last, slash })
    }

    /// Where the object is that `path` names: a place that is no link, unless the link itself is meant.
    ///
    /// If it becomes one before the caller acts, then the caller acts on the link itself, which lies beneath.
    pub(super) fn place<'d, 'p>(
        self,
        start: BorrowedFd<'d>,
        path: &'p str,
        follow: Follow,
    ) -> Result<Place<'d, 'p>> {
        if split(path)?.slash {
            let dir = DirFd::Opened(self.open(start, path, SEARCH)?);
            return Ok(Place { dir, name: Cow::Borrowed(b".") });
        }
        let Parent { dir, last, .. } = self.parent(start, path)?;
        let Component::Name(name) = last else {
            return Ok(Place { dir, name: Cow::Borrowed(b".") });
        };
        let place = Place { dir, name: Cow::Borrowed(name.as_bytes()) };
        if follow == Follow::Yes && is_link(&stat_of(&place)?) {
            return again(|| walk(start, path, follow, false));
        }
        Ok(place)
    }
}

/// About what is at a place, be it a link.
pub(super) fn stat_of(place: &Place<'_, '_>) -> Result<Stat> {
    rustix::fs::statat(&place.dir, &*place.name, AtFlags::SYMLINK_NOFOLLOW).map_err(from_os)
}

pub(super) fn is_link(stat: &Stat) -> bool {
    file_type(stat) == FileType::SymbolicLink
}

fn open_by_walk(start: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd> {
    let create = flags.contains(OFlags::CREATE);
    let follows = !(flags.contains(OFlags::NOFOLLOW) || create && flags.contains(OFlags::EXCL));
    let follow = if follows { Follow::Yes } else { Follow::No };
    again(|| {
        let place = walk(start, path, follow, create)?;
        // A link that appears only now is not followed, it is looked at again.
        match rustix::fs::openat(&place.dir, &*place.name, flags | OFlags::NOFOLLOW, mode(flags)) {
            Err(Os::LOOP | Os::MLINK) if follows => Err(Errno::Again),
            Err(Os::INTR) => Err(Errno::Again),
            opened => opened.map_err(from_os),
        }
    })
}

/// Does once more what a concurrent rename has disturbed, a few times.
fn again<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(Errno::Again) => {}
            done => return done,
        }
    }
    attempt()
}

/// New files are for everybody, less what the umask takes away.
fn mode(flags: OFlags) -> Mode {
    if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() }
}

/// `openat2`, and whether there is one.
#[cfg(target_os = "linux")]
mod kernel {
    use super::*;
    use rustix::fs::ResolveFlags;
    use std::sync::OnceLock;

    const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

    /// How to open what is only to be looked at.
    #[inline]
    pub(super) fn to_stat(follow: Follow) -> OFlags {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        if follow == Follow::Yes { flags } else { flags | OFlags::NOFOLLOW }
    }

    #[inline]
    pub(super) fn open(start: BorrowedFd<'_>, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let attempt = || rustix::fs::openat2(start, path, flags, mode(flags), BENEATH);
        for _ in 1..ATTEMPTS {
            match attempt() {
                Err(Os::AGAIN | Os::INTR) => {}
                done => return done,
            }
        }
        attempt()
    }

    #[inline]
    pub(super) fn open_cached(
        start: BorrowedFd<'_>,
        path: &str,
        flags: OFlags,
    ) -> rustix::io::Result<OwnedFd> {
        rustix::fs::openat2(start, path, flags, mode(flags), BENEATH | ResolveFlags::CACHED)
    }

    impl Resolver {
        /// The best that this kernel and the filters set for this process allow. Asked once.
        pub(in super::super) fn best() -> Self {
            static BEST: OnceLock<Resolver> = OnceLock::new();
            *BEST.get_or_init(|| {
                // An absolute path lies outside of everything: a kernel that knows the call and the flags says so.
                let knows = |how| {
                    let root = rustix::fs::openat2(rustix::fs::CWD, "/", SEARCH, Mode::empty(), how);
                    root.err() == Some(Os::XDEV)
                };
                if !knows(BENEATH) {
                    return Self::Walk;
                }
                Self::Kernel { cached: knows(BENEATH | ResolveFlags::CACHED) }
            })
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Resolver {
    /// The best that this system has.
    pub(super) fn best() -> Self {
        Self::Walk
    }
}
