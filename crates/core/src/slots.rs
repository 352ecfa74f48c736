//! Counting what a guest holds open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many at once and no more.
///
/// ```
/// use wasi_host_core::slots::Slots;
/// let slots = Slots::new(1);
/// let slot = slots.take();
/// assert!(slot.is_some() && slots.take().is_none());
/// drop(slot);
/// assert!(slots.take().is_some());
/// ```
#[derive(Debug)]
pub struct Slots {
    most: usize,
    taken: Arc<AtomicUsize>,
}

impl Slots {
    /// `most` places, all of them free.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// One of them, if one is free.
    pub fn take(&self) -> Option<Slot> {
        let more = |n: usize| (n < self.most).then_some(n + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Slot(self.taken.clone()))
    }
}

/// One of the places that a context has for descriptors, for sockets, or for look-ups. Dropping it makes room.
#[derive(Debug)]
#[must_use = "dropped at once it counts nothing"]
pub struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
