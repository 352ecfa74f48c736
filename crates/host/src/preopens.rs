//! The directories that a guest is given, before it runs and while it does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasi_host_core::fs::{Descriptor, Node};

/// Those of one context, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Preopens {
    dirs: Mutex<Vec<Preopen>>,
    /// So many there have been, counting those that were revoked.
    given: AtomicUsize,
}

struct Preopen {
    /// So many were given before.
    place: usize,
    dir: Descriptor,
    name: String,
}

impl Preopens {
    pub(crate) fn add(&self, dir: Descriptor, name: String) {
        let mut dirs = self.dirs();
        let place = self.given.fetch_add(1, Ordering::Release);
        dirs.push(Preopen { place, dir, name });
    }

    /// Puts something around each, given its name, before anybody uses it.
    pub(crate) fn decorate(&mut self, mut around: impl FnMut(&str, Node) -> Node) {
        for Preopen { dir, name, .. } in self.dirs.get_mut().unwrap_or_else(PoisonError::into_inner) {
            *dir = dir.clone().around(|node| around(name, node));
        }
    }

    /// Takes back all of this name, and says whether there was any.
    pub(crate) fn revoke(&self, name: &str) -> bool {
        let revoked: Vec<_> = self.dirs().extract_if(.., |preopen| preopen.name == name).collect();
        revoked.iter().for_each(|preopen| preopen.dir.grant().revoke());
        !revoked.is_empty()
    }

    /// Those that there are, under their names.
    pub(crate) fn current(&self) -> Vec<(Descriptor, String)> {
        self.since(&mut 0)
    }

    /// How many have been given so far: changes with each.
    #[inline]
    pub(crate) fn given(&self) -> usize {
        self.given.load(Ordering::Acquire)
    }

    /// Those that there are but for the first that were `given`, which then are so many.
    pub(crate) fn since(&self, given: &mut usize) -> Vec<(Descriptor, String)> {
        let dirs = self.dirs();
        let known = std::mem::replace(given, self.given());
        let new = dirs.iter().filter(|preopen| preopen.place >= known);
        new.map(|preopen| (preopen.dir.clone(), preopen.name.clone())).collect()
    }

    fn dirs(&self) -> MutexGuard<'_, Vec<Preopen>> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
