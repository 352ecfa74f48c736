//! What the upper tree changes.

use super::layers::{Layers, UPPER, hides, join, shown};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::{Errno, Result};

/// How what is at a path differs from the lower trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was nothing.
    Added,
    /// There was something else.
    Changed,
    /// There is nothing any more.
    Removed,
}

/// A directory of the upper tree.
struct Compared {
    /// In the trees, and as guests see it.
    path: String,
    shown: String,
    /// The lower trees that had it.
    lowers: Vec<usize>,
    /// Nothing of theirs shows.
    alone: bool,
}

pub(super) fn diff(layers: &Layers) -> Result<Vec<(String, Change)>> {
    let mut changes = BTreeMap::new();
    let lowers = layers.shown_below()?;
    let alone = layers.is_opaque(UPPER, ".")?;
    let mut next = vec![Compared { path: ".".into(), shown: String::new(), lowers, alone }];
    while let Some(dir) = next.pop() {
        for entry in layers.open_dir(UPPER, &dir.path)?.entries()? {
            let name = entry?.name;
            if let Some(hidden) = hides(&name) {
                gone(layers, &dir, &hidden, &mut changes)?;
            } else if let Some(name) = seen(&name) {
                compare(layers, &dir, &name, &mut changes, &mut next)?;
            }
        }
        for layer in dir.lowers.iter().filter(|_| dir.alone) {
            for entry in layers.open_dir(*layer, &dir.path)?.entries()? {
                if let Some(name) = seen(&entry?.name) {
                    gone(layers, &dir, &name, &mut changes)?;
                }
            }
        }
    }
    Ok(changes.into_iter().collect())
}

/// The name that guests see, unless it is one of the two dots.
fn seen(name: &str) -> Option<Cow<'_, str>> {
    shown(name).filter(|name| !matches!(&**name, "." | ".."))
}

impl Compared {
    fn shown(&self, name: &str) -> String {
        if self.shown.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown) }
    }
}

/// Takes account of a name that is hidden, unless there is something new.
fn gone(layers: &Layers, dir: &Compared, name: &str, changes: &mut BTreeMap<String, Change>) -> Result<()> {
    let path = join(&dir.path, name);
    if layers.stat(UPPER, &path)?.is_none() && layers.look(&dir.lowers, &dir.path, name)?.is_some() {
        changes.insert(dir.shown(name), Change::Removed);
    }
    Ok(())
}

/// Takes account of a name in the upper tree.
fn compare(
    layers: &Layers,
    dir: &Compared,
    name: &str,
    changes: &mut BTreeMap<String, Change>,
    next: &mut Vec<Compared>,
) -> Result<()> {
    let path = join(&dir.path, name);
    let new = match layers.stat(UPPER, &path) {
        Ok(Some(new)) => new,
        // Its true name cannot be said.
        Ok(None) | Err(Errno::IlSeq) => return Ok(()),
        Err(e) => return Err(e),
    };
    let old = layers.look(&dir.lowers, &dir.path, name)?;
    match &old {
        None => drop(changes.insert(dir.shown(name), Change::Added)),
        Some(old) if differ(&old.metadata, &new) => drop(changes.insert(dir.shown(name), Change::Changed)),
        Some(_) => {}
    }
    if new.file_type == FileType::Directory {
        let alone =
            dir.alone || layers.is_hidden_by(UPPER, &dir.path, name)? || layers.is_opaque(UPPER, &path)?;
        let lowers = old.map_or(Vec::new(), |old| old.dirs);
        next.push(Compared { path, shown: dir.shown(name), lowers, alone });
    }
    Ok(())
}

/// A copy has the times of what it was copied from.
fn differ(old: &Metadata, new: &Metadata) -> bool {
    let is_dir = new.file_type == FileType::Directory;
    old.file_type != new.file_type || !is_dir && (old.size, old.modified) != (new.size, new.modified)
}
