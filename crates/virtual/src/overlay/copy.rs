//! Copying up: what lower trees have comes to be in the upper one, and nobody sees a difference.

use super::layers::{UPPER, join};
use super::list::Names;
use super::place::Place;
use super::tree::{Entry, Leaf, Tree};
use crate::copy;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::fs::{File, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// What each file and directory costs at least of what one call may copy.
const LEAST: u64 = 4096;

/// How much of a file is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    All,
    /// It is about to be made empty.
    None,
}

impl Tree {
    /// What one call may copy.
    pub(super) fn budget(&self) -> u64 {
        self.copy_limit.load(Relaxed)
    }

    /// Sees to it that the upper tree has a directory, and says at which path.
    pub(super) fn raise_dir(&self, dir: &Arc<Place>) -> Result<String> {
        let mut missing = Vec::new();
        let mut at = dir.clone();
        while at.layers()?[0] != UPPER {
            // The root is in all trees.
            let (above, _) = at.at().ok_or(Errno::NoEnt)?;
            missing.push(std::mem::replace(&mut at, above));
        }
        for dir in missing.into_iter().rev() {
            let path = dir.path();
            let from = self.layers.of(dir.layers()?[0]).stat(&path, Follow::No)?;
            let above = dir.at().map_or(String::from("."), |(above, _)| above.path());
            self.unnoticed(&above, || {
                match self.layers.upper().create_dir(&path) {
                    Ok(()) | Err(Errno::Exist) => {}
                    Err(e) => return Err(e),
                }
                self.finish(&path, &from, dir.number)
            })?;
            dir.copied_up();
        }
        Ok(dir.path())
    }

    /// Sees to it that the upper tree has what is at a name, unless that is a directory.
    pub(super) fn raise_leaf(
        &self,
        dir: &Arc<Place>,
        name: &str,
        leaf: &Leaf,
        content: Content,
        budget: &mut u64,
    ) -> Result<()> {
        if leaf.layer == UPPER {
            return Ok(());
        }
        let size = if content == Content::All { leaf.metadata.size } else { 0 };
        *budget = budget.checked_sub(size.max(LEAST)).ok_or(Errno::FBig)?;
        let above = self.raise_dir(dir)?;
        let path = join(&above, name);
        self.unnoticed(&above, || {
            match (leaf.metadata.file_type, leaf.target()) {
                (FileType::RegularFile, _) => self.copy(leaf, content, &above, &path)?,
                (_, Some(target)) => self.layers.upper().symlink(target, &path)?,
                _ => return Err(Errno::NotSup),
            }
            self.finish(&path, &leaf.metadata, leaf.number)
        })?;
        if let Some(file) = self.opened(leaf) {
            file.rise(self.open_upper(&path, Open { read: true, ..Open::default() })?);
        }
        Ok(())
    }

    /// Sees to it that the upper tree has a directory with all that is below it, and gives the directories.
    pub(super) fn raise_all(&self, dir: &Arc<Place>, budget: &mut u64) -> Result<Vec<Arc<Place>>> {
        let (mut all, mut next) = (Vec::new(), vec![dir.clone()]);
        while let Some(dir) = next.pop() {
            // What the upper tree alone has holds nothing of others.
            if dir.layers()? == [UPPER] {
                continue;
            }
            *budget = budget.checked_sub(LEAST).ok_or(Errno::FBig)?;
            self.raise_dir(&dir)?;
            let mut names = Names::new(self, &dir)?;
            while let Some(entry) = names.next(self) {
                let name = entry?.name;
                if name == "." || name == ".." {
                    continue;
                }
                match self.lookup(&dir, &name)? {
                    Some(Entry::Dir(below)) => next.push(below),
                    Some(Entry::Leaf(leaf)) => self.raise_leaf(&dir, &name, &leaf, Content::All, budget)?,
                    None => {}
                }
            }
            all.push(dir);
        }
        Ok(all)
    }

    /// Leaves the times of a directory of the upper tree as they were.
    fn unnoticed(&self, dir: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let before = self.layers.upper().stat(dir, Follow::No)?;
        work()?;
        let (accessed, modified) = (SetTime::At(before.accessed), SetTime::At(before.modified));
        self.layers.upper().set_times(dir, Follow::No, accessed, modified)
    }

    /// Gives a copy the times and the number of what it was copied from.
    fn finish(&self, path: &str, from: &Metadata, number: u64) -> Result<()> {
        let (accessed, modified) = (SetTime::At(from.accessed), SetTime::At(from.modified));
        self.layers.upper().set_times(path, Follow::No, accessed, modified)?;
        // Other names of it stay below: from now on they are another file.
        if from.nlink == 1 || from.file_type == FileType::Directory {
            self.layers.keep_number(&self.layers.upper().stat(path, Follow::No)?, number);
        }
        Ok(())
    }

    /// Copies a file beside its place, and moves it there when it is complete.
    fn copy(&self, leaf: &Leaf, content: Content, above: &str, path: &str) -> Result<()> {
        let upper = self.layers.upper();
        let copy = self.layers.copy_in(above);
        let how = Open { write: true, create: true, truncate: true, ..Open::default() };
        let to = self.open_upper(&copy, how)?;
        let copied = match content {
            Content::None => Ok(()),
            Content::All => {
                match self.layers.of(leaf.layer).open(&leaf.path, Open { read: true, ..Open::default() })? {
                    Node::File(from) => copy::content(&*from, &*to, leaf.metadata.size),
                    Node::Dir(_) => Err(Errno::IsDir),
                }
            }
        };
        copied.and_then(|()| upper.rename(&copy, upper, path)).inspect_err(|_| {
            // What is left of it nobody sees.
            let _ = upper.unlink(&copy);
        })
    }

    pub(super) fn open_upper(&self, path: &str, how: Open) -> Result<Arc<dyn File>> {
        match self.layers.upper().open(path, how)? {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(Errno::IsDir),
        }
    }
}
