//! Every call that takes a path, done by this project, by the bare kernel and by `cap-primitives`.

use super::tree::MARK;
use cap_primitives::fs as cap;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use wasi_host_core::fs::{Dir, Follow, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};
use wasi_host_native::errno::{from_io, from_os};
use wasi_host_native::fs::NativeDir;

#[derive(Clone, Debug)]
pub enum Call {
    Open(String, Open),
    Stat(String, Follow),
    ReadLink(String),
    CreateDir(String),
    /// A link to `file`.
    Symlink(String),
    HardLink(String, Follow, String),
    Rename(String, String),
    Unlink(String),
    RemoveDir(String),
    SetTimes(String, Follow),
}

/// What a call lets its caller see.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    Object(u64),
    Target(String),
}

const NONE: Open = Open {
    read: false,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
    sync: wasi_host_core::fs::Sync::No,
};
const READ: Open = Open { read: true, ..NONE };
const WRITE: Open = Open { write: true, ..NONE };
const CREATE: Open = Open { create: true, ..WRITE };

impl Call {
    /// Every call with `path` in each place where it takes one.
    pub fn all(path: &str) -> Vec<Self> {
        let path = || path.to_owned();
        let mut calls = Vec::new();
        for how in [
            READ,
            WRITE,
            CREATE,
            Open { create: true, ..READ },
            Open { exclusive: true, ..CREATE },
            Open { truncate: true, ..WRITE },
            Open { truncate: true, ..CREATE },
            Open { directory: true, ..READ },
            Open { directory: true, ..WRITE },
        ] {
            calls.push(Self::Open(path(), how));
            calls.push(Self::Open(path(), Open { follow: false, ..how }));
        }
        for follow in [Follow::No, Follow::Yes] {
            calls.push(Self::Stat(path(), follow));
            calls.push(Self::SetTimes(path(), follow));
            calls.push(Self::HardLink(path(), follow, "fresh".into()));
            calls.push(Self::HardLink(path(), follow, "dir/fresh".into()));
        }
        for from in ["file", "to_file", "dir", "nothing"] {
            calls.push(Self::HardLink(from.into(), Follow::No, path()));
            calls.push(Self::Rename(from.into(), path()));
        }
        calls.push(Self::Rename("empty".into(), path()));
        calls.push(Self::Rename("empty/".into(), path()));
        calls.push(Self::Rename("out_dir".into(), path()));
        for to in ["fresh", "fresh/", "dir/fresh", "file", "empty", "to_dir/", "out_dir/"] {
            calls.push(Self::Rename(path(), to.into()));
        }
        calls.extend([
            Self::ReadLink(path()),
            Self::CreateDir(path()),
            Self::Symlink(path()),
            Self::Unlink(path()),
            Self::RemoveDir(path()),
        ]);
        calls
    }

    pub fn only_looks(&self) -> bool {
        match self {
            Self::Stat(..) | Self::ReadLink(_) => true,
            Self::Open(_, how) => !how.create && !how.truncate,
            _ => false,
        }
    }

    pub fn on_native(&self, dir: &NativeDir) -> Result<Seen> {
        let mark = SetTime::At(Timestamp::new(MARK, 0).unwrap());
        match self {
            Self::Open(path, how) => match dir.open(path, *how)? {
                Node::File(file) => file.metadata(),
                Node::Dir(dir) => dir.metadata(),
            }
            .map(|m| Seen::Object(m.ino)),
            Self::Stat(path, follow) => dir.stat(path, *follow).map(|m| Seen::Object(m.ino)),
            Self::ReadLink(path) => dir.read_link(path).map(general),
            Self::CreateDir(path) => dir.create_dir(path).map(nothing),
            Self::Symlink(path) => dir.symlink("file", path).map(nothing),
            Self::HardLink(from, follow, to) => dir.hard_link(from, *follow, dir, to).map(nothing),
            Self::Rename(from, to) => dir.rename(from, dir, to).map(nothing),
            Self::Unlink(path) => dir.unlink(path).map(nothing),
            Self::RemoveDir(path) => dir.remove_dir(path).map(nothing),
            Self::SetTimes(path, follow) => dir.set_times(path, *follow, mark, mark).map(nothing),
        }
    }

    /// The system call that is named like it, paths as they are. Only for what stays inside.
    pub fn on_raw(&self, dir: &File) -> Result<Seen> {
        use rustix::fs;
        let unless = |follow: &Follow, flag| if *follow == Follow::No { flag } else { AtFlags::empty() };
        let mark = Timespec { tv_sec: MARK, tv_nsec: 0 };
        match self {
            Self::Open(path, how) => {
                let mut flags = if how.write { OFlags::WRONLY } else { OFlags::RDONLY };
                flags.set(OFlags::CREATE, how.create);
                flags.set(OFlags::EXCL, how.exclusive);
                flags.set(OFlags::TRUNC, how.truncate);
                flags.set(OFlags::DIRECTORY, how.directory);
                flags.set(OFlags::NOFOLLOW, !how.follow);
                fs::openat(dir, path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666))
                    .and_then(fs::fstat)
                    .map(|s| Seen::Object(s.st_ino))
            }
            Self::Stat(path, follow) => fs::statat(dir, path, unless(follow, AtFlags::SYMLINK_NOFOLLOW))
                .map(|s| Seen::Object(s.st_ino)),
            Self::ReadLink(path) => {
                fs::readlinkat(dir, path, Vec::new()).map(|t| general(t.into_string().unwrap()))
            }
            Self::CreateDir(path) => fs::mkdirat(dir, path, Mode::from_raw_mode(0o777)).map(nothing),
            Self::Symlink(path) => fs::symlinkat("file", dir, path).map(nothing),
            Self::HardLink(from, follow, to) => {
                let flags = if *follow == Follow::Yes { AtFlags::SYMLINK_FOLLOW } else { AtFlags::empty() };
                fs::linkat(dir, from, dir, to, flags).map(nothing)
            }
            Self::Rename(from, to) => fs::renameat(dir, from, dir, to).map(nothing),
            Self::Unlink(path) => fs::unlinkat(dir, path, AtFlags::empty()).map(nothing),
            Self::RemoveDir(path) => fs::unlinkat(dir, path, AtFlags::REMOVEDIR).map(nothing),
            Self::SetTimes(path, follow) => {
                let times = Timestamps { last_access: mark, last_modification: mark };
                fs::utimensat(dir, path, &times, unless(follow, AtFlags::SYMLINK_NOFOLLOW)).map(nothing)
            }
        }
        .map_err(from_os)
    }

    /// The same by `cap-primitives`, which says `EPERM` of what leads outside.
    pub fn on_cap(&self, dir: &File) -> Result<Seen> {
        let follows = |follow: &Follow| match follow {
            Follow::Yes => cap::FollowSymlinks::Yes,
            Follow::No => cap::FollowSymlinks::No,
        };
        fn path(name: &str) -> &Path {
            Path::new(name)
        }
        let seen: io::Result<Seen> = match self {
            Self::Open(name, how) => {
                let mut options = cap::OpenOptions::new();
                options.read(how.read).write(how.write).create(how.create).truncate(how.truncate);
                options.create_new(how.exclusive)._cap_fs_ext_maybe_dir(true);
                options._cap_fs_ext_follow(if how.follow {
                    cap::FollowSymlinks::Yes
                } else {
                    cap::FollowSymlinks::No
                });
                cap::open(dir, path(name), &options).and_then(|f| f.metadata()).map(|m| Seen::Object(m.ino()))
            }
            Self::Stat(name, follow) => {
                cap::stat(dir, path(name), follows(follow)).map(|m| Seen::Object(cap::MetadataExt::ino(&m)))
            }
            Self::ReadLink(name) => cap::read_link_contents(dir, path(name))
                .map(|t| Seen::Target(t.to_string_lossy().into_owned())),
            Self::CreateDir(name) => cap::create_dir(dir, path(name), &cap::DirOptions::new()).map(nothing),
            Self::Symlink(name) => cap::symlink(path("file"), dir, path(name)).map(nothing),
            Self::HardLink(from, Follow::No, to) => {
                cap::hard_link(dir, path(from), dir, path(to)).map(nothing)
            }
            // It has no such call; what leads to the link's target is the same as for `stat`.
            Self::HardLink(from, Follow::Yes, to) => cap::stat(dir, path(from), cap::FollowSymlinks::Yes)
                .and_then(|_| cap::hard_link(dir, path("file"), dir, path(to)))
                .map(nothing),
            Self::Rename(from, to) => cap::rename(dir, path(from), dir, path(to)).map(nothing),
            Self::Unlink(name) => cap::remove_file(dir, path(name)).map(nothing),
            Self::RemoveDir(name) => cap::remove_dir(dir, path(name)).map(nothing),
            Self::SetTimes(name, follow) => {
                let set = |name, time: Option<cap::SystemTimeSpec>| match follow {
                    Follow::Yes => cap::set_times(dir, name, time, None),
                    Follow::No => cap::set_times_nofollow(dir, name, time, None),
                };
                set(path(name), None).map(nothing)
            }
        };
        seen.map_err(|e| match e.kind() {
            io::ErrorKind::PermissionDenied => Errno::NotCapable,
            _ => from_io(&e),
        })
    }
}

fn nothing(_: ()) -> Seen {
    Seen::Nothing
}

/// What links hold differs between trees where it is absolute: its length will do.
fn general(target: String) -> Seen {
    if target.starts_with('/') { Seen::Target("/…".into()) } else { Seen::Target(target) }
}
