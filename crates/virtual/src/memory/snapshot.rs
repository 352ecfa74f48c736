//! What a filesystem held at one moment.

use super::image::Image;
use super::limits::{Limits, Usage};
use super::shared::Shared;
use super::{Clock, MemoryFs};

/// What a [`MemoryFs`] held at one moment, for filesystems to begin with. Nobody can change it; a clone is as cheap
/// as the snapshot itself.
///
/// ```
/// use wasi_host_virtual::memory::{Limits, MemoryFs};
///
/// let fs = MemoryFs::new();
/// fs.write("input", b"the same for all")?;
/// let warm = fs.snapshot();
/// fs.write("input", b"and now another")?;
///
/// let store = warm.fork();
/// store.set_limits(Limits { bytes: 1 << 20, inodes: 100 });
/// assert_eq!(store.read("input")?, b"the same for all");
/// # Ok::<(), wasi_host_core::Errno>(())
/// ```
#[derive(Clone)]
pub struct Snapshot {
    image: Image,
    limits: Limits,
    clock: Clock,
}

impl Snapshot {
    pub(super) fn new(image: Image, limits: Limits, clock: Clock) -> Self {
        Self { image, limits, clock }
    }

    /// A filesystem that begins with this. [`MemoryFs::fork`] says what is in it and what it costs.
    #[must_use]
    pub fn fork(&self) -> MemoryFs {
        self.fork_with_clock(self.clock.clone())
    }

    /// The same, with times from `clock`.
    #[must_use]
    pub fn fork_with_clock(&self, clock: Clock) -> MemoryFs {
        MemoryFs { shared: Shared::new(self.image.clone(), self.limits, clock) }
    }

    /// What it holds.
    pub fn usage(&self) -> Usage {
        self.image.used
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("used", &self.usage().bytes).finish_non_exhaustive()
    }
}
