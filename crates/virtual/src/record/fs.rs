//! Directories and files on a tape.

use super::codec::{Codec, fields};
use super::log::{Damaged, Reader};
use super::tape::{Sum, Tape, Taped};
use crate::bufs;
use bytes::Bytes;
use std::any::Any;
use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::{
    Advice, Blocking, Dir, DirEntry, Entries, File, FileType, Follow, Interest, Metadata, Node, Open,
};
use wasi_host_core::time::SetTime;
use wasi_host_core::wait::{BoxFuture, Wait};
use wasi_host_core::{Errno, Result};

type TapedDir = Taped<Arc<dyn Dir>>;

/// What never changes about a file is asked once.
struct TapedFile {
    taped: Taped<Arc<dyn File>>,
    about: About,
}

#[derive(Clone, Copy)]
struct About {
    file_type: FileType,
    is_seekable: bool,
}

fields!(About: file_type is_seekable);

/// What was opened.
#[derive(Clone, Copy)]
enum Opened {
    Dir,
    File(About),
}

impl Codec for Opened {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Self::Dir => None,
            Self::File(about) => Some(*about),
        }
        .put(to);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Ok(Option::get(from)?.map_or(Self::Dir, Self::File))
    }
}

impl From<&dyn File> for About {
    fn from(file: &dyn File) -> Self {
        Self { file_type: file.file_type(), is_seekable: file.is_seekable() }
    }
}

/// As much as is kept of the path by which something was opened, in bytes.
const LONGEST: usize = 256;

impl Tape {
    /// A directory that was given to the guest by this name; there is none in a replay.
    pub fn dir(&self, dir: Option<Arc<dyn Dir>>, name: &str) -> Arc<dyn Dir> {
        Arc::new(self.taped(dir, format_args!("directory {name:?}")))
    }

    /// A file that was given to the guest by this name; there is none in a replay.
    pub fn file(&self, file: Option<Arc<dyn File>>, name: &str) -> Arc<dyn File> {
        let taped = self.taped(file, format_args!("file {name:?}"));
        let about: Result<About> = taped.call(format_args!("about"), |file| Ok((&**file).into()));
        let unknown = About { file_type: FileType::Unknown, is_seekable: true };
        Arc::new(TapedFile { taped, about: about.unwrap_or(unknown) })
    }
}

impl TapedDir {
    /// What was opened in this directory, and is called there.
    fn opened(&self, path: &str, opened: Opened, node: Option<Node>) -> Node {
        let path = path.char_indices().nth(LONGEST).map_or(path, |(end, _)| &path[..end]);
        let (dir, file) = match node {
            Some(Node::Dir(dir)) => (Some(dir), None),
            Some(Node::File(file)) => (None, Some(file)),
            None => (None, None),
        };
        match opened {
            Opened::Dir => Node::Dir(Arc::new(self.tape.taped(dir, format_args!("directory {path:?}")))),
            Opened::File(about) => {
                let taped = self.tape.taped(file, format_args!("file {path:?}"));
                Node::File(Arc::new(TapedFile { taped, about }))
            }
        }
    }

    fn other<'d>(&self, to: &'d dyn Dir) -> Option<&'d Self> {
        let to: &Self = (to as &dyn Any).downcast_ref()?;
        self.tape.is_same(&to.tape).then_some(to)
    }

    /// A call with a name here and one in another directory.
    fn call_with(
        &self,
        what: fmt::Arguments<'_>,
        to: &dyn Dir,
        real: impl FnOnce(&dyn Dir, &dyn Dir) -> Result<()>,
    ) -> Result<()> {
        // A directory of elsewhere is another filesystem's.
        let to = self.other(to).ok_or(Errno::XDev)?;
        self.call(format_args!("{what} in {}", to.thing.name()), |dir| match &to.inner {
            Some(to) => real(&**dir, &**to),
            None => Err(Errno::XDev),
        })
    }
}

/// The ways to open something, in short.
struct How(Open);

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Open { read, write, create, exclusive, truncate, directory, follow, sync } = self.0;
        let flags = [
            (read, "read"),
            (write, "write"),
            (create, "create"),
            (exclusive, "exclusive"),
            (truncate, "truncate"),
            (directory, "directory"),
            (follow, "follow"),
        ];
        let mut list = f.debug_set();
        flags.iter().filter(|(on, _)| *on).for_each(|(_, name)| {
            list.entry(&format_args!("{name}"));
        });
        list.entry(&format_args!("sync {sync:?}")).finish()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Dir for TapedDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        let mut node = None;
        let opened = self.call(format_args!("open {path:?} {}", How(how)), |dir| {
            let opened = dir.open(path, how)?;
            let kind = match &opened {
                Node::Dir(_) => Opened::Dir,
                Node::File(file) => Opened::File((&**file).into()),
            };
            node = Some(opened);
            Ok::<_, Errno>(kind)
        })?;
        Ok(self.opened(path, opened, node))
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.call(format_args!("stat {path:?}, follow {follow:?}"), |dir| dir.stat(path, follow))
    }

    fn metadata(&self) -> Result<Metadata> {
        self.call(format_args!("metadata"), |dir| dir.metadata())
    }

    fn entries(&self) -> Result<Entries> {
        let mut entries = None;
        self.call(format_args!("entries"), |dir| {
            entries = Some(dir.entries()?);
            Ok::<_, Errno>(())
        })?;
        Ok(Box::new(TapedEntries(self.tape.taped(entries, "a listing"))))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        self.call(format_args!("read_link {path:?}"), |dir| dir.read_link(path))
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        self.call(format_args!("create_dir {path:?}"), |dir| dir.create_dir(path))
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        self.call(format_args!("symlink {target:?} at {path:?}"), |dir| dir.symlink(target, path))
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let what = format_args!("hard_link {path:?}, follow {follow:?}, at {to_path:?}");
        self.call_with(what, to, |dir, to| dir.hard_link(path, follow, to, to_path))
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let what = format_args!("rename {path:?} to {to_path:?}");
        self.call_with(what, to, |dir, to| dir.rename(path, to, to_path))
    }

    fn unlink(&self, path: &str) -> Result<()> {
        self.call(format_args!("unlink {path:?}"), |dir| dir.unlink(path))
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        self.call(format_args!("remove_dir {path:?}"), |dir| dir.remove_dir(path))
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        let what = format_args!("set_times {path:?}, follow {follow:?}, {accessed:?}, {modified:?}");
        self.call(what, |dir| dir.set_times(path, follow, accessed, modified))
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.call(format_args!("sync, data only {data_only}"), |dir| dir.sync(data_only))
    }

    /// Nothing leaves the guest's thread, so that there is one order of all calls.
    fn blocking(&self) -> Blocking {
        Blocking::Never
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        self.open(path, how)
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.stat(path, follow)
    }
}

/// A listing that is read in turn.
struct TapedEntries(Taped<Entries>);

impl Iterator for TapedEntries {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Result<DirEntry>> {
        self.0.call_mut(format_args!("next"), Iterator::next)
    }
}

impl TapedFile {
    /// A call that reads. What was read goes to the log, and from the log to the guest.
    fn reading(
        &self,
        what: fmt::Arguments<'_>,
        bufs: &mut [IoSliceMut<'_>],
        real: impl FnOnce(&dyn File, &mut [IoSliceMut<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        let what = format_args!("{what} {} bytes", bufs::total_mut(bufs));
        read(bufs, |bufs| self.taped.call(what, |file| gather(bufs, |bufs| real(&**file, bufs))))
    }
}

/// What `read` puts into the buffers.
pub(super) fn gather<E>(
    bufs: &mut [IoSliceMut<'_>],
    read: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<usize, E>,
) -> Result<Bytes, E> {
    let n = read(bufs)? as u64;
    let mut bytes = Vec::new();
    bufs::first_mut(bufs, n).iter().for_each(|buf| bytes.extend_from_slice(buf));
    Ok(bytes.into())
}

/// Puts into the buffers what `call` gives, of which there is no more than they hold.
pub(super) fn read(
    bufs: &mut [IoSliceMut<'_>],
    call: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<Bytes>,
) -> Result<usize> {
    let bytes = call(bufs)?;
    if bytes.len() as u64 > bufs::total_mut(bufs) {
        return Err(Errno::Io);
    }
    let mut left = &bytes[..];
    for buf in bufs {
        let (some, rest) = left.split_at(left.len().min(buf.len()));
        buf[..some.len()].copy_from_slice(some);
        left = rest;
    }
    Ok(bytes.len())
}

/// How much of what the guest gave was taken: no more than there was.
pub(super) fn taken(n: Result<usize>, of: &[IoSlice<'_>]) -> Result<usize> {
    n.and_then(|n| if n as u64 <= bufs::total(of) { Ok(n) } else { Err(Errno::Io) })
}

/// What the guest gave.
pub(super) fn sum(bufs: &[IoSlice<'_>]) -> Sum {
    Sum::of(bufs.iter().map(|buf| &**buf))
}

#[deny(clippy::missing_trait_methods)]
impl File for TapedFile {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.reading(format_args!("read_at {offset}"), bufs, |file, bufs| file.read_at(bufs, offset))
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let what = format_args!("write_at {offset} {}", sum(bufs));
        taken(self.taped.call(what, |file| file.write_at(bufs, offset)), bufs)
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        taken(self.taped.call(format_args!("append {}", sum(bufs)), |file| file.append(bufs)), bufs)
    }

    fn metadata(&self) -> Result<Metadata> {
        self.taped.call(format_args!("metadata"), |file| file.metadata())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.taped.call(format_args!("set_len {len}"), |file| file.set_len(len))
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        let what = format_args!("set_times {accessed:?}, {modified:?}");
        self.taped.call(what, |file| file.set_times(accessed, modified))
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.taped.call(format_args!("sync, data only {data_only}"), |file| file.sync(data_only))
    }

    fn file_type(&self) -> FileType {
        self.about.file_type
    }

    fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        let what = format_args!("advise {advice:?} for {len} bytes at {offset}");
        self.taped.call(what, |file| file.advise(offset, len, advice))
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.taped.call(format_args!("allocate {len} bytes at {offset}"), |file| file.allocate(offset, len))
    }

    /// As with directories.
    fn blocking(&self) -> Blocking {
        Blocking::Never
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.read_at(bufs, offset)
    }

    /// Nothing, so that each read is in the log.
    fn lend(&self, _len: usize, _offset: u64) -> Option<Bytes> {
        None
    }

    fn is_seekable(&self) -> bool {
        self.about.is_seekable
    }

    fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        self.reading(format_args!("read"), bufs, |file, bufs| file.read(bufs))
    }

    fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        taken(self.taped.call(format_args!("write {}", sum(bufs)), |file| file.write(bufs)), bufs)
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.taped.wait(format_args!("wait to {interest:?}"), |file| file.wait(interest))
    }

    fn wait_async(&self, interest: Interest) -> BoxFuture<'_, ()> {
        match &self.taped.inner {
            Some(file) => file.wait_async(interest),
            None => Box::pin(std::future::ready(())),
        }
    }
}
