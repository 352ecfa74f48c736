//! Copies of whole trees.
//!
//! ```
//! use wasi_host_core::fs::Follow;
//! use wasi_host_virtual::{copy, memory::MemoryFs};
//!
//! let (from, to) = (MemoryFs::new(), MemoryFs::new());
//! from.create_dir_all("etc/app")?;
//! from.write("etc/app/config", "level = 3")?;
//! copy::tree(from.root(), to.root()).unwrap();
//! assert_eq!(to.read("etc/app/config")?, b"level = 3");
//! # Ok::<(), wasi_host_core::Errno>(())
//! ```

use std::collections::HashMap;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::{Dir, Entries, File, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// What is read at once.
const BLOCK: usize = 64 << 10;

/// What a copy came to grief over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Where, from the top.
    pub path: String,
    /// Why.
    pub error: Errno,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.path, self.error)
    }
}

impl std::error::Error for Failed {}

/// Copies all that is in `from` into `to`, which should be empty: files with their holes, directories, symbolic links as
/// they are, names of one file as names of one file, all with their times. Devices, FIFOs and sockets are left out.
///
/// # Errors
///
/// Those of reading and making each; `NoEnt` also for a name that is not UTF-8. What was copied before stays.
pub fn tree(from: Arc<dyn Dir>, to: Arc<dyn Dir>) -> std::result::Result<(), Failed> {
    let mut copy = Copy { open: Vec::new(), linked: HashMap::new() };
    copy.all(from, to).map_err(|error| {
        let names: Vec<&str> =
            copy.open.iter().map(|dir| &*dir.name).filter(|name| !name.is_empty()).collect();
        Failed { path: names.join("/"), error }
    })
}

struct Copy {
    /// The way from the top to what is being copied.
    open: Vec<Copied>,
    /// Where files are that have several names, by device and number of the origin.
    linked: HashMap<(u64, u64), (Arc<dyn Dir>, String)>,
}

/// A directory that is being copied, as long as there is more in it.
struct Copied {
    from: Arc<dyn Dir>,
    to: Arc<dyn Dir>,
    entries: Entries,
    metadata: Metadata,
    /// The name in it that is being copied.
    name: String,
}

impl Copy {
    fn all(&mut self, from: Arc<dyn Dir>, to: Arc<dyn Dir>) -> Result<()> {
        self.enter(from, to)?;
        while let Some(dir) = self.open.last_mut() {
            dir.name.clear();
            match dir.entries.next() {
                None => {
                    set_times(&*dir.to, ".", &dir.metadata)?;
                    self.open.pop();
                }
                Some(entry) => {
                    dir.name = entry?.name;
                    if dir.name != "." && dir.name != ".." {
                        self.one()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, from: Arc<dyn Dir>, to: Arc<dyn Dir>) -> Result<()> {
        let (entries, metadata) = (from.entries()?, from.metadata()?);
        self.open.push(Copied { from, to, entries, metadata, name: String::new() });
        Ok(())
    }

    /// Copies what the last of the directories has come to.
    fn one(&mut self) -> Result<()> {
        let Some(Copied { from, to, name, .. }) = self.open.last() else { return Ok(()) };
        let metadata = from.stat(name, Follow::No)?;
        let id = (metadata.dev, metadata.ino);
        if metadata.file_type == FileType::Directory {
            to.create_dir(name)?;
            let (from, to) = (dir(&**from, name)?, dir(&**to, name)?);
            return self.enter(from, to);
        }
        if let Some((at, known)) = self.linked.get(&id) {
            return at.hard_link(known, Follow::No, &**to, name);
        }
        match metadata.file_type {
            FileType::RegularFile => {
                let made = Open { write: true, create: true, exclusive: true, ..Open::default() };
                let (from, to) =
                    (file(&**from, name, Open { read: true, ..Open::default() })?, file(&**to, name, made)?);
                content(&*from, &*to, metadata.size)?;
            }
            FileType::SymbolicLink => to.symlink(&from.read_link(name)?, name)?,
            _ => return Ok(()),
        }
        set_times(&**to, name, &metadata)?;
        if metadata.nlink > 1 {
            let place = (to.clone(), name.clone());
            self.linked.insert(id, place);
        }
        Ok(())
    }
}

fn dir(of: &dyn Dir, name: &str) -> Result<Arc<dyn Dir>> {
    match of.open(name, Open { read: true, directory: true, ..Open::default() })? {
        Node::Dir(dir) => Ok(dir),
        Node::File(_) => Err(Errno::NotDir),
    }
}

fn file(of: &dyn Dir, name: &str, how: Open) -> Result<Arc<dyn File>> {
    match of.open(name, how)? {
        Node::File(file) => Ok(file),
        Node::Dir(_) => Err(Errno::IsDir),
    }
}

fn set_times(of: &dyn Dir, name: &str, as_of: &Metadata) -> Result<()> {
    of.set_times(name, Follow::No, SetTime::At(as_of.accessed), SetTime::At(as_of.modified))
}

/// Copies `size` bytes, or up to the end. Holes stay holes.
pub(crate) fn content(from: &dyn File, to: &dyn File, size: u64) -> Result<()> {
    let mut block = vec![0; BLOCK];
    let mut done = 0;
    while done < size {
        let most = usize::try_from(size - done).map_or(BLOCK, |rest| rest.min(BLOCK));
        let n = from.read_at(&mut [IoSliceMut::new(&mut block[..most])], done)?;
        let read = &block[..n];
        if read.is_empty() {
            break;
        }
        if read.iter().any(|byte| *byte != 0) {
            let mut written = 0;
            while written < n {
                match to.write_at(&[IoSlice::new(&read[written..])], done + written as u64)? {
                    0 => return Err(Errno::Io),
                    more => written += more,
                }
            }
        }
        done += n as u64;
    }
    to.set_len(done)
}
