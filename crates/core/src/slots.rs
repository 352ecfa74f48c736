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
    most: AtomicUsize,
    taken: AtomicUsize,
    /// Told when there is room where none was.
    room: Notify,
}

impl Slots {
    /// `most` places, all of them free.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Places {
            most: AtomicUsize::new(most),
            taken: AtomicUsize::new(0),
            room: Notify::default(),
        }))
    }

    /// One of them, if one is free.
    pub fn take(&self) -> Option<Slot> {
        let most = self.0.most.load(Ordering::Relaxed);
        let more = |n: usize| (n < most).then_some(n + 1);
        self.0.taken.fetch_update(Ordering::SeqCst, Ordering::Relaxed, more).ok()?;
        Some(Slot(self.0.clone()))
    }

    /// Changes how many there are. If more are taken already they stay taken, and none is free before so many are left.
    ///
    /// ```
    /// use wasi_host_core::slots::Slots;
    /// let slots = Slots::new(2);
    /// let (one, two) = (slots.take(), slots.take());
    /// slots.set_most(1);
    /// drop(one);
    /// assert!(slots.take().is_none());
    /// slots.set_most(2);
    /// assert!(slots.take().is_some());
    /// # drop(two);
    /// ```
    pub fn set_most(&self, most: usize) {
        self.0.most.store(most, Ordering::SeqCst);
        self.0.room.notify();
    }

    /// What to wait for before one may be free.
    pub fn wait(&self) -> Wait<'_> {
        let watch = self.0.room.watch();
        // In one order with changes of both: whoever makes room after this was seen tells.
        let most = self.0.most.load(Ordering::SeqCst);
        if self.0.taken.load(Ordering::SeqCst) < most { Wait::Ready } else { Wait::Notify(watch) }
    }
}

/// One of the places that a context has for descriptors, for sockets, or for look-ups. Dropping it makes room.
#[derive(Debug)]
#[must_use = "dropped at once it counts nothing"]
pub struct Slot(Arc<Places>);

impl Drop for Slot {
    fn drop(&mut self) {
        if self.0.taken.fetch_sub(1, Ordering::SeqCst) == self.0.most.load(Ordering::SeqCst) {
            self.0.room.notify();
        }
    }
}
