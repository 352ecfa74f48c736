//! A directory in an archive. What would change it never comes so far: it is given out to read alone.

use super::Archive;
use super::file::MemberFile;
use super::index::{ROOT, What};
use std::ops::Bound;
use std::sync::Arc;
use wasi_host_core::fs::{Blocking, Dir, DirEntry, Entries, FileType, Follow, Metadata, Node, Open, walk};
use wasi_host_core::{Errno, Result};

#[derive(Clone)]
pub(super) struct ArchiveDir {
    archive: Arc<Archive>,
    number: u32,
}

impl Archive {
    pub(super) fn metadata(&self, number: u32) -> Metadata {
        let node = self.index.node(number);
        Metadata {
            file_type: node.file_type(),
            dev: self.dev,
            ino: u64::from(number) + 1,
            nlink: node.nlink,
            size: node.size(),
            accessed: node.modified,
            modified: node.modified,
            changed: node.modified,
        }
    }
}

impl ArchiveDir {
    pub(super) fn root(archive: Arc<Archive>) -> Self {
        Self { archive, number: ROOT }
    }

    fn find(&self, path: &str, follow: Follow) -> Result<u32> {
        walk::lookup(&self.archive.index, &self.number, path, follow)?.1.ok_or(Errno::NoEnt)
    }

    fn open_by(&self, path: &str, how: Open, patient: bool) -> Result<Node> {
        let number = walk::lookup(&self.archive.index, &self.number, path, how.follow())?.1;
        let number =
            how.to_read_alone(number.map(|number| (number, self.archive.index.node(number).file_type())))?;
        match &self.archive.index.node(number).what {
            What::Dir { .. } => Ok(Node::Dir(Arc::new(Self { archive: self.archive.clone(), number }))),
            What::Link(_) => Err(Errno::Loop),
            What::Special(_) => Err(Errno::NxIo),
            What::File(member) => MemberFile::open(&self.archive, number, *member, patient)
                .map(|file| Node::File(Arc::new(file))),
        }
    }
}

impl Dir for ArchiveDir {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        self.open_by(path, how, true)
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        Ok(self.archive.metadata(self.find(path, follow)?))
    }

    fn metadata(&self) -> Result<Metadata> {
        Ok(self.archive.metadata(self.number))
    }

    fn entries(&self) -> Result<Entries> {
        Ok(Box::new(List { dir: self.clone(), last: Last::Nothing }))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        match &self.archive.index.node(self.find(path, Follow::No)?).what {
            What::Link(target) => Ok(target.to_string()),
            _ => Err(Errno::Inval),
        }
    }

    fn blocking(&self) -> Blocking {
        self.archive.source.blocking()
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        self.open_by(path, how, self.blocking() == Blocking::Never)
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.stat(path, follow)
    }
}

/// The names of a directory in their order.
struct List {
    dir: ArchiveDir,
    last: Last,
}

/// What was listed last.
enum Last {
    Nothing,
    Dot,
    DotDot,
    Name(Box<str>),
}

impl Iterator for List {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = &self.dir.archive.index;
        let What::Dir { parent, names } = &index.node(self.dir.number).what else { return None };
        let after = match &self.last {
            Last::Nothing => {
                self.last = Last::Dot;
                return Some(Ok(entry(".", FileType::Directory, self.dir.number)));
            }
            Last::Dot => {
                self.last = Last::DotDot;
                return Some(Ok(entry("..", FileType::Directory, *parent)));
            }
            Last::DotDot => Bound::Unbounded,
            Last::Name(name) => Bound::Excluded(&**name),
        };
        let (name, number) = names.range::<str, _>((after, Bound::Unbounded)).next()?;
        let next = entry(name, index.node(*number).file_type(), *number);
        self.last = Last::Name(name.clone());
        Some(Ok(next))
    }
}

fn entry(name: &str, file_type: FileType, number: u32) -> DirEntry {
    DirEntry { name: name.into(), file_type, ino: u64::from(number) + 1 }
}
