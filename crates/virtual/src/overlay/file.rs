//! An open file: of the upper tree, or of a lower one until it is copied up.

use super::copy::Content;
use super::layers::UPPER;
use super::place::Place;
use super::tree::{Entry, Leaf, Tree};
use crate::forward::forward_file;
use bytes::Bytes;
use std::io::{IoSlice, IoSliceMut};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use wasi_host_core::fs::{Advice, Blocking, File, Metadata};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

pub(super) struct OverlayFile {
    tree: Arc<Tree>,
    inner: Arc<dyn File>,
    number: u64,
    lower: Option<Lower>,
}

/// What is remembered of a file of a lower tree.
struct Lower {
    key: (usize, String),
    /// Where it is as long as it was not copied up.
    at: (Arc<Place>, Box<str>),
    /// The copy, to go on with once there is one.
    copy: OnceLock<Arc<dyn File>>,
    /// Its name was removed, which its own tree knows nothing of.
    unnamed: AtomicBool,
}

impl OverlayFile {
    pub(super) fn upper(tree: Arc<Tree>, inner: Arc<dyn File>) -> Result<Self> {
        let m = inner.metadata()?;
        let number = tree.layers.number(UPPER, m.dev, m.ino);
        Ok(Self { tree, inner, number, lower: None })
    }

    pub(super) fn lower(
        tree: Arc<Tree>,
        inner: Arc<dyn File>,
        leaf: &Leaf,
        at: (Arc<Place>, Box<str>),
    ) -> Self {
        let key = (leaf.layer, leaf.path.clone());
        let lower = Lower { key, at, copy: OnceLock::new(), unnamed: AtomicBool::new(false) };
        Self { tree, inner, number: leaf.number, lower: Some(lower) }
    }

    /// It was copied up.
    pub(super) fn rise(&self, copy: Arc<dyn File>) {
        if let Some(lower) = &self.lower {
            // Whoever comes second has the same.
            let _ = lower.copy.set(copy);
        }
    }

    /// Its name was removed.
    pub(super) fn lose_name(&self) {
        if let Some(lower) = &self.lower {
            lower.unnamed.store(true, Relaxed);
        }
    }

    fn now(&self) -> &dyn File {
        let copy = self.lower.as_ref().and_then(|lower| lower.copy.get());
        &**copy.unwrap_or(&self.inner)
    }

    /// Sees to it that this is not a file of a lower tree any more.
    fn raise(&self) -> Result<()> {
        let Some(lower) = &self.lower else { return Ok(()) };
        let _lock = self.tree.write();
        if lower.copy.get().is_some() {
            return Ok(());
        }
        let (dir, name) = &lower.at;
        match self.tree.lookup(dir, name)? {
            Some(Entry::Leaf(leaf)) if (leaf.layer, &leaf.path) == (lower.key.0, &lower.key.1) => {
                self.tree.raise_leaf(dir, name, &leaf, Content::All, &mut self.tree.budget())
            }
            // It was removed, and there is no place for a copy.
            _ => Err(Errno::RoFs),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl File for OverlayFile {
    forward_file!(file_type is_seekable read write wait wait_async);

    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.now().read_at(bufs, offset)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.inner.write_at(bufs, offset)
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.inner.append(bufs)
    }

    fn metadata(&self) -> Result<Metadata> {
        let mut m = self.tree.layers.told(self.now().metadata()?, self.number);
        if let Some(lower) = &self.lower
            && lower.copy.get().is_none()
            && lower.unnamed.load(Relaxed)
        {
            m.nlink = m.nlink.saturating_sub(1);
        }
        Ok(m)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.inner.set_len(len)
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.raise()?;
        self.now().set_times(accessed, modified)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.now().sync(data_only)
    }

    fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        self.now().advise(offset, len, advice)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.inner.allocate(offset, len)
    }

    fn blocking(&self) -> Blocking {
        self.now().blocking()
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.now().try_read_at(bufs, offset)
    }

    fn lend(&self, len: usize, offset: u64) -> Option<Bytes> {
        self.now().lend(len, offset)
    }
}

impl Drop for OverlayFile {
    fn drop(&mut self) {
        if let Some(lower) = &self.lower {
            self.tree.remove_opened(&lower.key);
        }
    }
}
