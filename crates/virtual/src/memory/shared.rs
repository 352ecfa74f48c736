//! What all that is open in one filesystem has in common.

use super::Clock;
use super::image::{Image, ROOT};
use super::limits::Limits;
use super::tree::Tree;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasi_host_core::Result;
use wasi_host_core::fs::Metadata;
use wasi_host_core::time::Timestamp;

/// Devices in memory count from here, where no operating system has any.
static NEXT_DEVICE: AtomicU64 = AtomicU64::new(0x6d65_6d00_0000_0001);

pub(super) struct Shared {
    pub(super) dev: u64,
    pub(super) clock: Clock,
    /// The only lock there is. It is fair, so that a guest that is always in it keeps nobody out; content is copied
    /// under it by the megabyte, and freed when it is no longer held; and meanwhile no embedder's code is called
    /// and no [`Hold`] dropped, which would take it again.
    pub(super) tree: RwLock<Tree>,
}

impl Shared {
    pub(super) fn new(image: Image, limits: Limits, clock: Clock) -> Arc<Self> {
        let (dev, tree) = (NEXT_DEVICE.fetch_add(1, Relaxed), RwLock::new(Tree::new(image, limits)));
        Arc::new(Self { dev, clock, tree })
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// A file or directory that is open: as long as there is one, it stays, whatever becomes of its names.
pub(super) struct Hold {
    pub(super) shared: Arc<Shared>,
    pub(super) ino: u64,
}

impl Hold {
    /// The root needs no account of it: it cannot be removed.
    pub(super) fn root(shared: &Arc<Shared>) -> Self {
        Self { shared: shared.clone(), ino: ROOT }
    }

    /// `tree` is the one of `shared`.
    pub(super) fn new(shared: &Arc<Shared>, tree: &mut Tree, ino: u64) -> Self {
        tree.open(ino);
        Self { shared: shared.clone(), ino }
    }

    pub(super) fn metadata(&self) -> Result<Metadata> {
        Ok(self.shared.tree.read().inode(self.ino)?.metadata(self.shared.dev, self.ino))
    }

    /// Takes account of its having been read.
    pub(super) fn accessed(&self) {
        let time = self.shared.now();
        let mut tree = self.shared.tree.write();
        let now = tree.at(time);
        // Somebody may have been faster, or a fork been made.
        if tree.inode(self.ino).is_ok_and(|inode| inode.is_unread(now.generation))
            && let Ok(inode) = tree.inode_mut(self.ino)
        {
            inode.accessed(now);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.ino != ROOT {
            // What goes is freed when the lock is no longer held.
            let gone = self.shared.tree.write().close(self.ino);
            drop(gone);
        }
    }
}
