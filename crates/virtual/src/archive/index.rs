//! What is in an archive: a tree of numbers, built member by member.

use super::error::{ArchiveError, told};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wasi_host_core::Result;
use wasi_host_core::fs::FileType;
use wasi_host_core::fs::path::{self, Component, NAME_MAX};
use wasi_host_core::fs::walk::{self, Shape};
use wasi_host_core::time::Timestamp;

/// The longest target of a symbolic link, in bytes.
pub(super) const TARGET_MAX: usize = 4095;

pub(super) const ROOT: u32 = 0;

pub(super) struct Index {
    nodes: Vec<Node>,
}

pub(super) struct Node {
    pub(super) what: What,
    pub(super) modified: Timestamp,
    pub(super) nlink: u64,
}

pub(super) enum What {
    Dir {
        parent: u32,
        names: BTreeMap<Box<str>, u32>,
    },
    File(Member),
    Link(Box<str>),
    /// A device or a FIFO, which is seen and cannot be opened.
    Special(FileType),
}

/// The content of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// How long it is, or says that it is.
    pub(super) size: u64,
    pub(super) data: Data,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Data {
    /// It begins there.
    At(u64),
    /// It is a member of a zip archive, and begins behind the header there.
    Zip { header: u64, stored: u64, crc: u32, deflated: bool },
    /// It cannot be read.
    Unsupported,
}

/// An index as it is built.
pub(super) struct Builder {
    nodes: Vec<Node>,
    names: usize,
    limit: usize,
}

impl Builder {
    pub(super) fn new(limit: usize) -> Self {
        let what = What::Dir { parent: ROOT, names: BTreeMap::new() };
        let root = Node { what, modified: Timestamp::default(), nlink: 1 };
        Self { nodes: vec![root], names: 0, limit }
    }

    pub(super) fn finish(self) -> Index {
        Index { nodes: self.nodes }
    }

    fn names_of(&mut self, dir: u32) -> Option<&mut BTreeMap<Box<str>, u32>> {
        match &mut self.nodes[dir as usize].what {
            What::Dir { names, .. } => Some(names),
            _ => None,
        }
    }

    fn child(&mut self, dir: u32, name: &str) -> Option<u32> {
        self.names_of(dir)?.get(name).copied()
    }

    fn push(&mut self, node: Node) -> Result<u32, ArchiveError> {
        let number = u32::try_from(self.nodes.len()).ok().filter(|n| (*n as usize) <= self.limit);
        let number = number.ok_or(ArchiveError::TooMany(self.limit))?;
        self.nodes.push(node);
        Ok(number)
    }

    /// Lets a name stand for a node, and gives what it stood for before.
    fn name(&mut self, dir: u32, name: &str, node: u32) -> Result<Option<u32>, ArchiveError> {
        let Some(names) = self.names_of(dir) else { return Err(ArchiveError::Conflict(told(name))) };
        let before = names.insert(name.into(), node);
        if before.is_none() {
            self.names += 1;
        }
        if self.names > self.limit {
            return Err(ArchiveError::TooMany(self.limit));
        }
        Ok(before)
    }

    fn make_dir(&mut self, dir: u32, name: &str) -> Result<u32, ArchiveError> {
        let what = What::Dir { parent: dir, names: BTreeMap::new() };
        let new = self.push(Node { what, modified: Timestamp::default(), nlink: 1 })?;
        self.name(dir, name, new)?;
        Ok(new)
    }

    /// The directory that a member is in, made if it is missing, and the member's name; none for the top itself.
    fn place<'p>(&mut self, path: &'p str) -> Result<(u32, Option<&'p str>), ArchiveError> {
        let refused = || ArchiveError::Name(told(path));
        if path.starts_with('/') || path.contains('\0') {
            return Err(refused());
        }
        let (mut dir, mut last, mut rest) = (ROOT, None, path);
        while let Some((component, behind)) = path::first(rest) {
            rest = behind;
            let name = match component {
                Component::Here => continue,
                Component::Name(name) if name.len() <= NAME_MAX => name,
                _ => return Err(refused()),
            };
            if let Some(above) = last.replace(name) {
                dir = match self.child(dir, above) {
                    None => self.make_dir(dir, above)?,
                    Some(known) if self.names_of(known).is_some() => known,
                    // Also a link: it is not followed, be it to a directory.
                    Some(_) => return Err(ArchiveError::Conflict(told(path))),
                };
            }
        }
        Ok((dir, last))
    }

    pub(super) fn add_dir(&mut self, path: &str, modified: Timestamp) -> Result<(), ArchiveError> {
        let (above, name) = self.place(path)?;
        let dir = match name {
            None => ROOT,
            Some(name) => match self.child(above, name) {
                None => self.make_dir(above, name)?,
                Some(known) if self.names_of(known).is_some() => known,
                Some(_) => return Err(ArchiveError::Conflict(told(path))),
            },
        };
        self.nodes[dir as usize].modified = modified;
        Ok(())
    }

    /// Adds anything that is not a directory.
    pub(super) fn add(&mut self, path: &str, what: What, modified: Timestamp) -> Result<(), ArchiveError> {
        if let What::Link(target) = &what
            && !(1..=TARGET_MAX).contains(&target.len())
        {
            return Err(ArchiveError::Link(told(path)));
        }
        let new = self.push(Node { what, modified, nlink: 0 })?;
        self.link(path, new)
    }

    /// Gives what is at `target` another name.
    pub(super) fn add_hard_link(&mut self, path: &str, target: &str) -> Result<(), ArchiveError> {
        let found = match self.place(target)? {
            (dir, Some(name)) => self.child(dir, name),
            (_, None) => None,
        };
        match found {
            Some(node) if self.names_of(node).is_none() => self.link(path, node),
            _ => Err(ArchiveError::Link(told(path))),
        }
    }

    fn link(&mut self, path: &str, node: u32) -> Result<(), ArchiveError> {
        let conflict = || ArchiveError::Conflict(told(path));
        let (dir, Some(name)) = self.place(path)? else { return Err(conflict()) };
        if self.child(dir, name).is_some_and(|known| self.names_of(known).is_some()) {
            return Err(conflict());
        }
        self.nodes[node as usize].nlink += 1;
        if let Some(before) = self.name(dir, name, node)? {
            self.nodes[before as usize].nlink -= 1;
        }
        Ok(())
    }
}

impl Index {
    pub(super) fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }
}

impl Node {
    pub(super) fn file_type(&self) -> FileType {
        match self.what {
            What::Dir { .. } => FileType::Directory,
            What::File(_) => FileType::RegularFile,
            What::Link(_) => FileType::SymbolicLink,
            What::Special(file_type) => file_type,
        }
    }

    pub(super) fn size(&self) -> u64 {
        match &self.what {
            What::File(member) => member.size,
            What::Link(target) => target.len() as u64,
            _ => 0,
        }
    }
}

impl walk::Tree for Index {
    type Node = u32;

    fn child(&self, dir: &u32, name: &str) -> Result<Option<u32>> {
        Ok(match &self.node(*dir).what {
            What::Dir { names, .. } => names.get(name).copied(),
            _ => None,
        })
    }

    fn shape<'a>(&'a self, node: &'a u32) -> Shape<'a> {
        match &self.node(*node).what {
            What::Dir { .. } => Shape::Dir,
            What::Link(target) => Shape::Link(Cow::Borrowed(target)),
            _ => Shape::Leaf,
        }
    }
}
