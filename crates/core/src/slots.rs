//! Counting what a guest holds open.

use crate::wait::{Notify, Wait};
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
pub struct Slots(Arc<Places>);

#[derive(Debug)]
struct Places {
    most: usize,
    taken: AtomicUsize,
    /// Told when there is room where none was.
    room: Notify,
}

impl Slots {
    /// `most` places, all of them free.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Places { most, taken: AtomicUsize::new(0), room: Notify::default() }))
    }

    /// One of them, if one is free.
    pub fn take(&self) -> Option<Slot> {
        let more = |n: usize| (n < self.0.most).then_some(n + 1);
        self.0.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Slot(self.0.clone()))
    }

    /// What to wait for before one may be free.
    pub fn wait(&self) -> Wait<'_> {
        let watch = self.0.room.watch();
        if self.0.taken.load(Ordering::Relaxed) < self.0.most { Wait::Ready } else { Wait::Notify(watch) }
    }
}

/// One of the places that a context has for descriptors, for sockets, or for look-ups. Dropping it makes room.
#[derive(Debug)]
#[must_use = "dropped at once it counts nothing"]
pub struct Slot(Arc<Places>);

impl Drop for Slot {
    fn drop(&mut self) {
        if self.0.taken.fetch_sub(1, Ordering::Relaxed) == self.0.most {
            self.0.room.notify();
        }
    }
}
