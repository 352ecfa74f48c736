//! The numbers and records of WASI 0.1 and 0.0.

use super::memory::Memory;
use super::{Stop, Version};
use wasi_host_core::Errno;
use wasi_host_core::fs::{Advice, FileType, Metadata, Seek};
use wasi_host_core::time::{SetTime, Timestamp};

bitflags::bitflags! {
    /// What a descriptor may be used for (`rights`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Rights: u64 {
        const FD_DATASYNC = 1;
        const FD_READ = 1 << 1;
        const FD_SEEK = 1 << 2;
        const FD_FDSTAT_SET_FLAGS = 1 << 3;
        const FD_SYNC = 1 << 4;
        const FD_TELL = 1 << 5;
        const FD_WRITE = 1 << 6;
        const FD_ADVISE = 1 << 7;
        const FD_ALLOCATE = 1 << 8;
        const PATH_CREATE_DIRECTORY = 1 << 9;
        const PATH_CREATE_FILE = 1 << 10;
        const PATH_LINK_SOURCE = 1 << 11;
        const PATH_LINK_TARGET = 1 << 12;
        const PATH_OPEN = 1 << 13;
        const FD_READDIR = 1 << 14;
        const PATH_READLINK = 1 << 15;
        const PATH_RENAME_SOURCE = 1 << 16;
        const PATH_RENAME_TARGET = 1 << 17;
        const PATH_FILESTAT_GET = 1 << 18;
        const PATH_FILESTAT_SET_SIZE = 1 << 19;
        const PATH_FILESTAT_SET_TIMES = 1 << 20;
        const FD_FILESTAT_GET = 1 << 21;
        const FD_FILESTAT_SET_SIZE = 1 << 22;
        const FD_FILESTAT_SET_TIMES = 1 << 23;
        const PATH_SYMLINK = 1 << 24;
        const PATH_REMOVE_DIRECTORY = 1 << 25;
        const PATH_UNLINK_FILE = 1 << 26;
        const POLL_FD_READWRITE = 1 << 27;
        const SOCK_SHUTDOWN = 1 << 28;
        const SOCK_ACCEPT = 1 << 29;

        /// All that mean something for a directory.
        const DIRECTORY = Self::FD_FDSTAT_SET_FLAGS.bits() | Self::FD_DATASYNC.bits() | Self::FD_SYNC.bits()
            | Self::PATH_CREATE_DIRECTORY.bits() | Self::PATH_CREATE_FILE.bits()
            | Self::PATH_LINK_SOURCE.bits() | Self::PATH_LINK_TARGET.bits() | Self::PATH_OPEN.bits()
            | Self::FD_READDIR.bits() | Self::PATH_READLINK.bits() | Self::PATH_RENAME_SOURCE.bits()
            | Self::PATH_RENAME_TARGET.bits() | Self::PATH_FILESTAT_GET.bits()
            | Self::PATH_FILESTAT_SET_SIZE.bits() | Self::PATH_FILESTAT_SET_TIMES.bits()
            | Self::FD_FILESTAT_GET.bits() | Self::FD_FILESTAT_SET_TIMES.bits() | Self::PATH_SYMLINK.bits()
            | Self::PATH_REMOVE_DIRECTORY.bits() | Self::PATH_UNLINK_FILE.bits();
        /// All that mean something for a file that has a position.
        const FILE = Self::STREAM.bits() | Self::FD_DATASYNC.bits() | Self::FD_SEEK.bits() | Self::FD_SYNC.bits()
            | Self::FD_TELL.bits() | Self::FD_ADVISE.bits() | Self::FD_ALLOCATE.bits()
            | Self::FD_FILESTAT_SET_SIZE.bits() | Self::FD_FILESTAT_SET_TIMES.bits();
        /// All that mean something for what has none. A C library takes a character device for a terminal if it
        /// has neither `FD_SEEK` nor `FD_TELL`.
        const STREAM = Self::FD_READ.bits() | Self::FD_WRITE.bits() | Self::FD_FDSTAT_SET_FLAGS.bits()
            | Self::FD_FILESTAT_GET.bits() | Self::POLL_FD_READWRITE.bits();
        /// All that mean something for a connection.
        const CONNECTION = Self::STREAM.bits() | Self::SOCK_SHUTDOWN.bits();
        /// All that mean something for a socket that listens.
        const LISTENER = Self::SOCK_ACCEPT.bits() | Self::FD_FDSTAT_SET_FLAGS.bits()
            | Self::FD_FILESTAT_GET.bits() | Self::POLL_FD_READWRITE.bits();
    }
}

bitflags::bitflags! {
    /// `fdflags`
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct FdFlags: u16 {
        const APPEND = 1;
        const DSYNC = 1 << 1;
        const NONBLOCK = 1 << 2;
        const RSYNC = 1 << 3;
        const SYNC = 1 << 4;

        /// Those under which a write returns when it has reached the disk.
        const SYNCHRONOUS = Self::DSYNC.bits() | Self::RSYNC.bits() | Self::SYNC.bits();
    }
}

bitflags::bitflags! {
    /// `oflags`
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct OFlags: u16 {
        const CREAT = 1;
        const DIRECTORY = 1 << 1;
        const EXCL = 1 << 2;
        const TRUNC = 1 << 3;
    }
}

/// Flags whose unknown bits are an error of the guest.
pub(super) fn flags<F: bitflags::Flags>(bits: u32) -> Result<F, Errno>
where
    F::Bits: TryFrom<u32>,
{
    F::Bits::try_from(bits).ok().and_then(F::from_bits).ok_or(Errno::Inval)
}

/// `lookupflags`: whether a symbolic link in the last place is followed.
pub(super) fn follow(bits: u32) -> Result<wasi_host_core::fs::Follow, Errno> {
    match bits {
        0 => Ok(wasi_host_core::fs::Follow::No),
        1 => Ok(wasi_host_core::fs::Follow::Yes),
        _ => Err(Errno::Inval),
    }
}

/// `filetype`. A socket that streams; 0.1 has no number for a FIFO.
pub(super) fn filetype(t: FileType) -> u8 {
    match t {
        FileType::Unknown | FileType::Fifo => 0,
        FileType::BlockDevice => 1,
        FileType::CharacterDevice => 2,
        FileType::Directory => 3,
        FileType::RegularFile => 4,
        FileType::Socket => 6,
        FileType::SymbolicLink => 7,
    }
}

/// `advice`
pub(super) fn advice(n: u32) -> Result<Advice, Errno> {
    Ok(match n {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval),
    })
}

/// `whence`, which 0.0 numbers cur, end, set and 0.1 set, cur, end.
#[inline]
pub(super) fn seek<V: Version>(offset: u64, whence: u32) -> Result<Seek, Errno> {
    let offset = offset.cast_signed();
    match if V::UNSTABLE { whence.wrapping_add(1) % 3 } else { whence } {
        _ if whence > 2 => Err(Errno::Inval),
        0 => Ok(Seek::Start(offset)),
        1 => Ok(Seek::Current(offset)),
        _ => Ok(Seek::End(offset)),
    }
}

/// `fstflags` with the two times that they speak of.
pub(super) fn times(accessed: u64, modified: u64, flags: u32) -> Result<(SetTime, SetTime), Errno> {
    let one = |time, set, now| match (set, now) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(SetTime::At(Timestamp::from_nanos(time))),
        (false, true) => Ok(SetTime::Now),
        (false, false) => Ok(SetTime::Keep),
    };
    if flags > 0b1111 {
        return Err(Errno::Inval);
    }
    Ok((
        one(accessed, flags & 0b1 != 0, flags & 0b10 != 0)?,
        one(modified, flags & 0b100 != 0, flags & 0b1000 != 0)?,
    ))
}

/// Writes a `filestat`.
///
/// ```text
///        0     8     16         20      24     32      40      48      56      64
///   0.1  | dev | ino | filetype         | nlink | size | atim  | mtim  | ctim  |
///   0.0  | dev | ino | filetype | nlink | size  | atim | mtim  | ctim  |
/// ```
pub(super) fn set_filestat<V: Version>(memory: &mut Memory<'_>, at: u32, m: &Metadata) -> Result<(), Stop> {
    let mut record = [0; 64];
    let mut put = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &m.dev.to_le_bytes());
    put(8, &m.ino.to_le_bytes());
    put(16, &[filetype(m.file_type)]);
    let rest = if V::UNSTABLE {
        put(20, &u32::try_from(m.nlink).unwrap_or(u32::MAX).to_le_bytes());
        24
    } else {
        put(24, &m.nlink.to_le_bytes());
        32
    };
    put(rest, &m.size.to_le_bytes());
    put(rest + 8, &m.accessed.as_nanos().to_le_bytes());
    put(rest + 16, &m.modified.as_nanos().to_le_bytes());
    put(rest + 24, &m.changed.as_nanos().to_le_bytes());
    memory.array_mut(at, 1, V::FILESTAT, 8)?.copy_from_slice(&record[..V::FILESTAT]);
    Ok(())
}

/// Writes an `fdstat`.
///
/// ```text
///   0          2       8             16                  24
///   | filetype | flags | rights_base | rights_inheriting |
/// ```
pub(super) fn set_fdstat(
    memory: &mut Memory<'_>,
    at: u32,
    file_type: FileType,
    flags: FdFlags,
    (base, inheriting): (Rights, Rights),
) -> Result<(), Stop> {
    let mut record = [0; 24];
    record[0] = filetype(file_type);
    record[2..4].copy_from_slice(&flags.bits().to_le_bytes());
    record[8..16].copy_from_slice(&base.bits().to_le_bytes());
    record[16..24].copy_from_slice(&inheriting.bits().to_le_bytes());
    memory.array_mut(at, 1, 24, 8)?.copy_from_slice(&record);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Unstable, V1};
    use super::*;

    #[test]
    fn whence_of_both_versions() {
        let all = |f: fn(u64, u32) -> Result<Seek, Errno>| [0, 1, 2, 3].map(|w| f(5, w));
        let (set, cur, end) = (Ok(Seek::Start(5)), Ok(Seek::Current(5)), Ok(Seek::End(5)));
        assert_eq!(all(seek::<V1>), [set, cur, end, Err(Errno::Inval)]);
        assert_eq!(all(seek::<Unstable>), [cur, end, set, Err(Errno::Inval)]);
        assert_eq!(seek::<Unstable>(5, u32::MAX), Err(Errno::Inval));
    }

    #[test]
    fn a_time_is_set_or_now_not_both() {
        assert_eq!(times(7, 9, 0b1000), Ok((SetTime::Keep, SetTime::Now)));
        assert_eq!(times(7, 9, 0b1), Ok((SetTime::At(Timestamp::from_nanos(7)), SetTime::Keep)));
        assert_eq!(times(7, 9, 0b1100), Err(Errno::Inval));
        assert_eq!(times(7, 9, 0b10000), Err(Errno::Inval));
    }
}
