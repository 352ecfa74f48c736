//! The trees that lie over one another, by number: 0 is the upper one. Paths are from their tops.

use super::place::Place;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasi_host_core::fs::{Blocking, Dir, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::{Errno, Result};

/// Devices of overlays count from here, where no operating system has any.
static NEXT_DEVICE: AtomicU64 = AtomicU64::new(0x6f76_6c00_0000_0001);

/// What all names begin with that are not the guest's: with what they hide behind that.
const HIDDEN: &str = ".wh.";

/// What stands for that in a name that is the guest's.
const ESCAPED: &str = ".wh..wh.+";

/// Hides all that lower trees have in the directory that holds it.
const OPAQUE: &str = ".wh..wh..opq";

/// A copy that is not complete.
const COPY: &str = ".wh..wh..copy";

pub(super) const UPPER: usize = 0;

pub(super) struct Layers {
    roots: Vec<Arc<dyn Dir>>,
    devices: Vec<u64>,
    dev: u64,
    blocking: Blocking,
    /// The numbers of what was copied up, by its device and number in the upper tree: it keeps those that it had.
    origins: Mutex<HashMap<(u64, u64), u64>>,
}

/// What is at a path.
pub(super) struct Found {
    /// The topmost tree that has it.
    pub(super) layer: usize,
    pub(super) metadata: Metadata,
    /// The trees that have it as a directory, all of which show.
    pub(super) dirs: Vec<usize>,
}

/// The path of a name in a directory.
pub(super) fn join(dir: &str, name: &str) -> String {
    beside(dir, &stored(name))
}

/// The path of what is not a guest's.
fn beside(dir: &str, name: &str) -> String {
    if dir == "." { name.to_owned() } else { format!("{dir}/{name}") }
}

/// The name that a guest's name has in the trees.
pub(super) fn stored(name: &str) -> Cow<'_, str> {
    match name.strip_prefix(HIDDEN) {
        Some(rest) => Cow::Owned(format!("{ESCAPED}{rest}")),
        None => Cow::Borrowed(name),
    }
}

/// The name that guests see of a name in the trees, if they see it.
pub(super) fn shown(name: &str) -> Option<Cow<'_, str>> {
    match name.strip_prefix(ESCAPED) {
        Some(rest) => Some(Cow::Owned(format!("{HIDDEN}{rest}"))),
        None if name.starts_with(HIDDEN) => None,
        None => Some(Cow::Borrowed(name)),
    }
}

/// The guest's name that this name in the trees hides, if it hides one.
pub(super) fn hides(name: &str) -> Option<Cow<'_, str>> {
    match name.strip_prefix(HIDDEN) {
        Some(hidden) if !name.starts_with(ESCAPED) => shown(hidden),
        _ => None,
    }
}

/// The path of what hides a name of a directory.
fn hider(dir: &str, name: &str) -> String {
    beside(dir, &format!("{HIDDEN}{}", stored(name)))
}

impl Layers {
    pub(super) fn new(roots: Vec<Arc<dyn Dir>>) -> Result<Self> {
        let devices = roots.iter().map(|root| Ok(root.metadata()?.dev)).collect::<Result<_>>()?;
        let never = roots.iter().all(|root| root.blocking() == Blocking::Never);
        Ok(Self {
            roots,
            devices,
            dev: NEXT_DEVICE.fetch_add(1, Relaxed),
            blocking: if never { Blocking::Never } else { Blocking::Maybe },
            origins: Mutex::default(),
        })
    }

    pub(super) fn root(&self) -> Result<Arc<Place>> {
        let m = self.upper().metadata()?;
        let mut shown = vec![UPPER];
        if !self.is_opaque(UPPER, ".")? {
            shown.extend(self.shown_below()?);
        }
        Ok(Arc::new(Place::new(self.number(UPPER, m.dev, m.ino), None, shown)))
    }

    /// The lower trees whose tops show.
    pub(super) fn shown_below(&self) -> Result<Vec<usize>> {
        let mut shown = Vec::new();
        for layer in UPPER + 1..self.roots.len() {
            shown.push(layer);
            if self.is_opaque(layer, ".")? {
                break;
            }
        }
        Ok(shown)
    }

    pub(super) fn of(&self, layer: usize) -> &dyn Dir {
        &*self.roots[layer]
    }

    pub(super) fn upper(&self) -> &dyn Dir {
        self.of(UPPER)
    }

    pub(super) fn blocking(&self) -> Blocking {
        self.blocking
    }

    pub(super) fn open_dir(&self, layer: usize, path: &str) -> Result<Arc<dyn Dir>> {
        match self.of(layer).open(path, Open { read: true, directory: true, ..Open::default() })? {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) => Err(Errno::NotDir),
        }
    }

    pub(super) fn stat(&self, layer: usize, path: &str) -> Result<Option<Metadata>> {
        match self.of(layer).stat(path, Follow::No) {
            Ok(m) => Ok(Some(m)),
            Err(Errno::NoEnt) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Whether a directory hides all that trees below have in it.
    pub(super) fn is_opaque(&self, layer: usize, dir: &str) -> Result<bool> {
        Ok(layer + 1 < self.roots.len() && self.stat(layer, &beside(dir, OPAQUE))?.is_some())
    }

    /// Whether a tree hides a name from those below it. One that is so long that nothing can hide it is not hidden.
    pub(super) fn is_hidden_by(&self, layer: usize, dir: &str, name: &str) -> Result<bool> {
        match self.stat(layer, &hider(dir, name)) {
            Err(Errno::NameTooLong) => Ok(false),
            found => Ok(found?.is_some()),
        }
    }

    /// What these trees, the topmost first, show at a name of a directory that all of them have.
    pub(super) fn look(&self, layers: &[usize], dir: &str, name: &str) -> Result<Option<Found>> {
        let (path, mut found) = (join(dir, name), None::<Found>);
        for (i, &layer) in layers.iter().enumerate() {
            let here = self.stat(layer, &path)?;
            let is_dir = here.is_some_and(|m| m.file_type == FileType::Directory);
            match (&mut found, here) {
                (Some(found), Some(_)) if is_dir => found.dirs.push(layer),
                // Something else below a directory is hidden by it, with all that lies below that.
                (Some(_), Some(_)) => break,
                (None, Some(metadata)) => {
                    found = Some(Found { layer, metadata, dirs: if is_dir { vec![layer] } else { vec![] } });
                    if !is_dir {
                        break;
                    }
                }
                (_, None) => {}
            }
            if i + 1 < layers.len()
                && (self.is_hidden_by(layer, dir, name)? || is_dir && self.is_opaque(layer, &path)?)
            {
                break;
            }
        }
        Ok(found)
    }

    /// Hides what lower trees have at a name, for good: what is made there later stands above it.
    pub(super) fn hide(&self, dir: &str, name: &str) -> Result<()> {
        let how = Open { write: true, create: true, ..Open::default() };
        self.upper().open(&hider(dir, name), how).map(drop)
    }

    /// Removes what hides names in a directory of the upper tree that is to be removed.
    pub(super) fn show_all(&self, dir: &str) -> Result<()> {
        let opened = self.open_dir(UPPER, dir)?;
        for entry in opened.entries()? {
            let name = entry?.name;
            if shown(&name).is_none() {
                opened.unlink(&name)?;
            }
        }
        Ok(())
    }

    /// Where a copy is made before it is complete.
    pub(super) fn copy_in(&self, dir: &str) -> String {
        beside(dir, COPY)
    }

    /// The number that guests see.
    pub(super) fn number(&self, layer: usize, dev: u64, ino: u64) -> u64 {
        let origin = if layer == UPPER { self.origins().get(&(dev, ino)).copied() } else { None };
        origin.unwrap_or_else(|| {
            let place = mix(layer as u64 ^ mix(dev.wrapping_sub(self.devices[layer])));
            mix(place ^ ino)
        })
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<(u64, u64), u64>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something in the upper tree keep the number that it had below.
    pub(super) fn keep_number(&self, copy: &Metadata, number: u64) {
        self.origins().insert((copy.dev, copy.ino), number);
    }

    /// Something in the upper tree is gone: its number there may become another's.
    pub(super) fn forget_number(&self, gone: &Metadata) {
        self.origins().remove(&(gone.dev, gone.ino));
    }

    /// What guests are told.
    pub(super) fn told(&self, m: Metadata, number: u64) -> Metadata {
        let nlink = if m.file_type == FileType::Directory { 1 } else { m.nlink };
        Metadata { dev: self.dev, ino: number, nlink, ..m }
    }
}

/// Spreads numbers so that those of several trees do not meet (the finish of SplitMix64).
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ n >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_guest_is_stored_and_shown() {
        for name in ["a", ".wh", ".wh.", ".wh.a", ".wh..wh..opq", ".wh..wh.+a", ".wh..wh.+.wh.a"] {
            let stored = stored(name);
            assert_eq!(shown(&stored).as_deref(), Some(name));
            assert_eq!(hides(&stored), None, "{stored}");
            let hider = hider(".", name);
            assert_eq!((shown(&hider), hides(&hider).as_deref()), (None, Some(name)), "{hider}");
        }
        for name in [OPAQUE, COPY] {
            assert_eq!((shown(name), hides(name)), (None, None));
        }
    }
}
