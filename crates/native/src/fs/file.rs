//! An open file of the operating system, and whatever else is not a directory.

use super::filesystem::Filesystem;
use super::metadata::{self, file_type, times};
use crate::errno::from_os;
use crate::kernel::{PIPE_BUF, first, first_mut, ready};
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{OFlags, SeekFrom, Stat};
use rustix::io::{Errno as Os, retry_on_intr};
use std::io::{IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::sync::Arc;
use wasi_host_core::fs::{Advice, Blocking, File, FileType, Interest, Metadata};
use wasi_host_core::time::SetTime;
use wasi_host_core::wait::{BoxFuture, Wait};
use wasi_host_core::{Errno, Result};

/// An open file of the operating system: a regular file, a FIFO, a terminal, a device.
#[derive(Debug)]
pub struct NativeFile {
    fd: OwnedFd,
    file_type: FileType,
    stream: Option<Stream>,
    fs: Arc<Filesystem>,
}

/// The largest file that this process may write, in bytes (`RLIMIT_FSIZE`). Beyond that the kernel sends a signal, which
/// ends the process unless it is handled.
pub fn largest_file() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current.unwrap_or(u64::MAX)
}

/// What has no position, and how it is kept from waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    /// It answers `EAGAIN` by itself.
    NonBlocking,
    /// It would wait, and must stay as it is, as others share its flags: look first.
    LookFirst,
}

impl NativeFile {
    /// Takes a file that the host has opened. Its flags stay as they are: if it appends, so does every write.
    ///
    /// # Errors
    ///
    /// `IsADirectory`; what the operating system says when it is asked what this is.
    pub fn from_std(file: std::fs::File) -> std::io::Result<Self> {
        let fd = OwnedFd::from(file);
        let stat = rustix::fs::fstat(&fd)?;
        if file_type(&stat) == FileType::Directory {
            return Err(Os::ISDIR.into());
        }
        let fs = Filesystem::new(fd.as_fd(), metadata::metadata(&stat).dev);
        let mut file = Self::beneath(fd, &stat, &fs);
        if file.stream.is_some() && !rustix::fs::fcntl_getfl(&file.fd)?.contains(OFlags::NONBLOCK) {
            file.stream = Some(Stream::LookFirst);
        }
        Ok(file)
    }

    /// One that was opened beneath a directory on `near`, with `NONBLOCK`.
    #[inline]
    pub(super) fn beneath(fd: OwnedFd, stat: &Stat, near: &Arc<Filesystem>) -> Self {
        let file_type = file_type(stat);
        let seekable = match file_type {
            FileType::RegularFile | FileType::BlockDevice => true,
            FileType::Fifo | FileType::Socket => false,
            _ => rustix::fs::seek(&fd, SeekFrom::Current(0)).is_ok(),
        };
        let fs = near.of(&fd, metadata::metadata(stat).dev);
        Self { fd, file_type, stream: (!seekable).then_some(Stream::NonBlocking), fs }
    }

    /// Offsets must mean something here, and the kernel must not take them for something else: to some calls -1
    /// is the position that all users of the descriptor share.
    #[inline]
    fn at(&self, offset: u64) -> Result<()> {
        match self.stream {
            Some(_) => Err(Errno::SPipe),
            None if i64::try_from(offset).is_err() => Err(Errno::Inval),
            None => Ok(()),
        }
    }

    fn stream(&self) -> Result<Stream> {
        self.stream.ok_or(Errno::SPipe)
    }

    /// Whether a stream that would wait can go on.
    fn ready(&self, flags: PollFlags) -> Result<()> {
        if ready(&self.fd, flags).map_err(from_os)? { Ok(()) } else { Err(Errno::Again) }
    }

    #[cfg(target_os = "linux")]
    fn append_at_end(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        use rustix::io::{ReadWriteFlags, pwritev2};
        match retry_on_intr(|| pwritev2(&self.fd, bufs, 0, ReadWriteFlags::APPEND)) {
            Err(Os::OPNOTSUPP | Os::NOSYS) => self.append_behind_size(bufs),
            written => written.map_err(from_os),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn append_at_end(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.append_behind_size(bufs)
    }

    /// The nearest thing where the kernel cannot do it in one step: another process may come in between.
    fn append_behind_size(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let end = self.metadata()?.size;
        retry_on_intr(|| rustix::io::pwritev(&self.fd, bufs, end)).map_err(from_os)
    }
}

impl AsFd for NativeFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl File for NativeFile {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.at(offset)?;
        match bufs {
            [one] => retry_on_intr(|| rustix::io::pread(&self.fd, &mut one[..], offset)),
            many => {
                let many = first_mut(many);
                retry_on_intr(|| rustix::io::preadv(&self.fd, many, offset))
            }
        }
        .map_err(from_os)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.at(offset)?;
        match bufs {
            [one] => retry_on_intr(|| rustix::io::pwrite(&self.fd, one, offset)),
            many => retry_on_intr(|| rustix::io::pwritev(&self.fd, first(many), offset)),
        }
        .map_err(from_os)
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.at(0)?;
        self.append_at_end(first(bufs))
    }

    fn metadata(&self) -> Result<Metadata> {
        metadata::of(&self.fd)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        retry_on_intr(|| rustix::fs::ftruncate(&self.fd, len)).map_err(from_os)
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        rustix::fs::futimens(&self.fd, &times(accessed, modified)).map_err(from_os)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        retry_on_intr(
            || if data_only { rustix::fs::fdatasync(&self.fd) } else { rustix::fs::fsync(&self.fd) },
        )
        .map_err(from_os)
    }

    fn file_type(&self) -> FileType {
        self.file_type
    }

    fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        self.at(offset)?;
        let advice = match advice {
            Advice::Normal => rustix::fs::Advice::Normal,
            Advice::Sequential => rustix::fs::Advice::Sequential,
            Advice::Random => rustix::fs::Advice::Random,
            Advice::WillNeed => rustix::fs::Advice::WillNeed,
            Advice::DontNeed => rustix::fs::Advice::DontNeed,
            Advice::NoReuse => rustix::fs::Advice::NoReuse,
        };
        rustix::fs::fadvise(&self.fd, offset, NonZeroU64::new(len), advice).map_err(from_os)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.at(offset)?;
        let end = offset.checked_add(len).filter(|end| i64::try_from(*end).is_ok()).ok_or(Errno::FBig)?;
        let mode = rustix::fs::FallocateFlags::empty();
        match retry_on_intr(|| rustix::fs::fallocate(&self.fd, mode, offset, len)) {
            Err(Os::OPNOTSUPP | Os::NOSYS) if self.metadata()?.size < end => self.set_len(end),
            Err(Os::OPNOTSUPP | Os::NOSYS) => Ok(()),
            done => done.map_err(from_os),
        }
    }

    fn blocking(&self) -> Blocking {
        match self.file_type {
            _ if self.stream.is_some() => Blocking::Never,
            FileType::RegularFile => self.fs.blocking(),
            // A device may lie on a filesystem in memory and be slow all the same.
            _ => Blocking::Maybe,
        }
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        match self.blocking() {
            Blocking::Never => self.read_at(bufs, offset),
            Blocking::Maybe => self.read_nowait(bufs, offset),
        }
    }

    fn is_seekable(&self) -> bool {
        self.stream.is_none()
    }

    fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        if self.stream()? == Stream::LookFirst {
            self.ready(PollFlags::IN)?;
        }
        let bufs = first_mut(bufs);
        retry_on_intr(|| rustix::io::readv(&self.fd, bufs)).map_err(from_os)
    }

    fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        match self.stream()? {
            Stream::NonBlocking => retry_on_intr(|| rustix::io::writev(&self.fd, first(bufs))),
            Stream::LookFirst => {
                self.ready(PollFlags::OUT)?;
                let some =
                    bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| &b[..b.len().min(PIPE_BUF)]);
                retry_on_intr(|| rustix::io::write(&self.fd, some))
            }
        }
        .map_err(from_os)
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        match (self.stream, interest) {
            (None, _) => Wait::Ready,
            (Some(_), Interest::Read) => Wait::Readable(self.fd.as_fd()),
            (Some(_), Interest::Write) => Wait::Writable(self.fd.as_fd()),
        }
    }

    fn wait_async(&self, interest: Interest) -> BoxFuture<'_, ()> {
        Box::pin(crate::wait::one(self.wait(interest)))
    }
}

impl NativeFile {
    /// Reads from the page cache. A filesystem that cannot say what is there is not asked again.
    #[cfg(target_os = "linux")]
    fn read_nowait(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.at(offset)?;
        if self.file_type != FileType::RegularFile || !self.fs.has_nowait() {
            return Err(Errno::Again);
        }
        let bufs = first_mut(bufs);
        match retry_on_intr(|| {
            rustix::io::preadv2(&self.fd, bufs, offset, rustix::io::ReadWriteFlags::NOWAIT)
        }) {
            Err(Os::OPNOTSUPP | Os::NOSYS) => {
                self.fs.refused_nowait();
                Err(Errno::Again)
            }
            read => read.map_err(from_os),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn read_nowait(&self, _bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.at(offset)?;
        Err(Errno::Again)
    }
}
