//! The directories that a guest is given, before it runs and while it does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasi_host_core::fs::{Descriptor, Dir, Node};
use wasi_host_core::grant::{DirPerms, FilePerms, Grant};
use wasi_host_core::limits::SharedLimits;
use wasi_host_virtual::stable::Stable;

/// Something that the guest is given.
#[derive(Debug)]
pub(crate) enum Given {
    /// A directory, and what is to be allowed in it: limits may still change until the context is built.
    Dir(Arc<dyn Dir>, DirPerms, FilePerms),
    Descriptor(Descriptor),
}

impl Given {
    /// As the guest gets it.
    pub(crate) fn descriptor(self, limits: &SharedLimits, stable: Option<&Stable>) -> Descriptor {
        let descriptor = match self {
            Self::Dir(dir, dir_perms, file_perms) => {
                Descriptor::preopen(dir, Arc::new(Grant::new(dir_perms, file_perms, limits.clone())))
            }
            Self::Descriptor(descriptor) => descriptor,
        };
        let Some(stable) = stable else { return descriptor };
        descriptor.around(|node| match node {
            Node::Dir(dir) => Node::Dir(stable.over(dir)),
            Node::File(file) => Node::File(stable.over_file(file)),
        })
    }
}

/// Those of one context, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Preopens {
    dirs: Mutex<Vec<Preopen>>,
    /// So many there have been, counting those that were revoked.
    given: AtomicUsize,
}

struct Preopen {
    name: String,
    grant: Arc<Grant>,
    /// Until somebody has taken it, who then alone holds it open.
    dir: Option<Descriptor>,
}

impl Preopens {
    pub(crate) fn add(&self, dir: Descriptor, name: String) {
        let mut dirs = self.dirs();
        self.given.fetch_add(1, Ordering::Release);
        dirs.push(Preopen { name, grant: dir.grant().clone(), dir: Some(dir) });
    }

    /// Puts something around each, given its name, before anybody uses it.
    #[cfg(feature = "record")]
    pub(crate) fn decorate(&mut self, mut around: impl FnMut(&str, Node) -> Node) {
        for Preopen { dir, name, .. } in self.dirs.get_mut().unwrap_or_else(PoisonError::into_inner) {
            *dir = dir.take().map(|dir| dir.around(|node| around(name, node)));
        }
    }

    /// Takes back all of this name, and says whether there was any.
    pub(crate) fn revoke(&self, name: &str) -> bool {
        let revoked: Vec<_> = self.dirs().extract_if(.., |preopen| preopen.name == name).collect();
        revoked.iter().for_each(|preopen| preopen.grant.revoke());
        !revoked.is_empty()
    }

    /// Those that there are, under their names, but for those that were taken.
    pub(crate) fn current(&self) -> Vec<(Descriptor, String)> {
        let dirs = self.dirs();
        dirs.iter().filter_map(|preopen| Some((preopen.dir.clone()?, preopen.name.clone()))).collect()
    }

    /// How many have been given so far: changes with each.
    #[inline]
    pub(crate) fn given(&self) -> usize {
        self.given.load(Ordering::Acquire)
    }

    /// Takes those that nobody has taken, for who closes them by himself; and how many have been given by now.
    pub(crate) fn take(&self) -> (usize, Vec<(Descriptor, String)>) {
        let mut dirs = self.dirs();
        let new =
            dirs.iter_mut().filter_map(|preopen| Some((preopen.dir.take()?, preopen.name.clone()))).collect();
        (self.given(), new)
    }

    fn dirs(&self) -> MutexGuard<'_, Vec<Preopen>> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
