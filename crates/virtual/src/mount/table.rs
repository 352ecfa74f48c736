//! Which tree is mounted where.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use wasi_host_core::fs::{Blocking, Dir};
use wasi_host_core::{Errno, Result};

/// A tree, where it is mounted.
pub(super) struct Mounted {
    id: u64,
    pub(super) root: Arc<dyn Dir>,
    /// How many are mounted in it. While there are none, it may resolve paths by itself.
    holds: AtomicUsize,
}

impl Mounted {
    pub(super) fn holds_others(&self) -> bool {
        self.holds.load(Relaxed) > 0
    }
}

/// A directory: its tree, its device, its number there. So trees stay where they are when what holds them is moved.
type Holder = (u64, u64, u64);

/// The names in one directory where trees are mounted.
pub(super) type Points = BTreeMap<Box<str>, Arc<Mounted>>;

pub(super) struct Table {
    points: RwLock<HashMap<Holder, Points>>,
    next_id: AtomicU64,
    /// Whether a tree of any is slow.
    slow: AtomicBool,
}

impl Table {
    pub(super) fn new(base: &Arc<dyn Dir>) -> Self {
        let slow = AtomicBool::new(base.blocking() == Blocking::Maybe);
        Self { points: RwLock::default(), next_id: AtomicU64::new(0), slow }
    }

    pub(super) fn mounted(&self, root: Arc<dyn Dir>) -> Arc<Mounted> {
        if root.blocking() == Blocking::Maybe {
            self.slow.store(true, Relaxed);
        }
        Arc::new(Mounted { id: self.next_id.fetch_add(1, Relaxed), root, holds: AtomicUsize::new(0) })
    }

    pub(super) fn blocking(&self) -> Blocking {
        if self.slow.load(Relaxed) { Blocking::Maybe } else { Blocking::Never }
    }

    fn holder(tree: &Mounted, dir: &dyn Dir) -> Result<Holder> {
        let m = dir.metadata()?;
        Ok((tree.id, m.dev, m.ino))
    }

    /// What is mounted at a name of a directory.
    pub(super) fn at(&self, tree: &Mounted, dir: &dyn Dir, name: &str) -> Result<Option<Arc<Mounted>>> {
        if !tree.holds_others() {
            return Ok(None);
        }
        let holder = Self::holder(tree, dir)?;
        let points = self.points.read().unwrap_or_else(PoisonError::into_inner);
        Ok(points.get(&holder).and_then(|points| points.get(name)).cloned())
    }

    /// All that is mounted at names of a directory.
    pub(super) fn within(&self, tree: &Mounted, dir: &dyn Dir) -> Result<Points> {
        if !tree.holds_others() {
            return Ok(Points::new());
        }
        let holder = Self::holder(tree, dir)?;
        let points = self.points.read().unwrap_or_else(PoisonError::into_inner);
        Ok(points.get(&holder).cloned().unwrap_or_default())
    }

    pub(super) fn add(&self, tree: &Mounted, dir: &dyn Dir, name: &str, new: Arc<dyn Dir>) -> Result<()> {
        let holder = Self::holder(tree, dir)?;
        let new = self.mounted(new);
        let mut points = self.points.write().unwrap_or_else(PoisonError::into_inner);
        let points = points.entry(holder).or_default();
        if points.contains_key(name) {
            return Err(Errno::Busy);
        }
        points.insert(name.into(), new);
        tree.holds.fetch_add(1, Relaxed);
        Ok(())
    }

    pub(super) fn remove(&self, tree: &Mounted, dir: &dyn Dir, name: &str) -> Result<()> {
        let holder = Self::holder(tree, dir)?;
        let mut all = self.points.write().unwrap_or_else(PoisonError::into_inner);
        let points = all.get_mut(&holder).ok_or(Errno::Inval)?;
        let gone = points.remove(name).ok_or(Errno::Inval)?;
        if points.is_empty() {
            all.remove(&holder);
        }
        tree.holds.fetch_sub(1, Relaxed);
        // What is mounted in what is gone, and in that, is not to be reached by new paths.
        let mut gone = vec![gone];
        while let Some(tree) = gone.pop() {
            let held: Vec<_> = all.extract_if(|holder, _| holder.0 == tree.id).collect();
            gone.extend(held.into_iter().flat_map(|(_, points)| points.into_values()));
        }
        Ok(())
    }
}
