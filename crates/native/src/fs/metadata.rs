//! What the operating system says about a file, in core's words.

use crate::errno::from_os;
use rustix::fd::AsFd;
use rustix::fs::{Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use wasi_host_core::Result;
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::time::{SetTime, Timestamp};

/// About what is open.
#[inline]
pub(super) fn of(fd: impl AsFd) -> Result<Metadata> {
    rustix::fs::fstat(fd).map(|stat| metadata(&stat)).map_err(from_os)
}

#[allow(clippy::unnecessary_cast, reason = "the fields differ in width and sign between systems")]
#[inline]
pub(super) fn metadata(stat: &Stat) -> Metadata {
    Metadata {
        file_type: file_type(stat),
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        nlink: stat.st_nlink as u64,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        accessed: timestamp(stat.st_atime as i64, stat.st_atime_nsec as i64),
        modified: timestamp(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        changed: timestamp(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
    }
}

#[inline]
pub(super) fn file_type(stat: &Stat) -> FileType {
    file_type_of(rustix::fs::FileType::from_raw_mode(stat.st_mode as rustix::fs::RawMode))
}

pub(super) fn file_type_of(kind: rustix::fs::FileType) -> FileType {
    match kind {
        rustix::fs::FileType::RegularFile => FileType::RegularFile,
        rustix::fs::FileType::Directory => FileType::Directory,
        rustix::fs::FileType::Symlink => FileType::SymbolicLink,
        rustix::fs::FileType::Fifo => FileType::Fifo,
        rustix::fs::FileType::Socket => FileType::Socket,
        rustix::fs::FileType::CharacterDevice => FileType::CharacterDevice,
        rustix::fs::FileType::BlockDevice => FileType::BlockDevice,
        _ => FileType::Unknown,
    }
}

/// A filesystem in user space may say anything about nanoseconds; then the second has to do.
#[inline]
fn timestamp(seconds: i64, nanoseconds: i64) -> Timestamp {
    u32::try_from(nanoseconds)
        .ok()
        .and_then(|n| Timestamp::new(seconds, n))
        .or_else(|| Timestamp::new(seconds, 0))
        .unwrap_or_default()
}

/// The argument of `utimensat`. Times that a filesystem cannot hold are cut to the nearest by the kernel.
pub(super) fn times(accessed: SetTime, modified: SetTime) -> Timestamps {
    Timestamps { last_access: time(accessed), last_modification: time(modified) }
}

fn time(time: SetTime) -> Timespec {
    match time {
        SetTime::Keep => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        SetTime::Now => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        // Below a thousand million, so neither of the marks above.
        SetTime::At(t) => Timespec { tv_sec: t.seconds(), tv_nsec: t.subsec_nanos().into() },
    }
}
