//! Moving a name, or replacing another by it.

use super::inode::{Entry, Moment};
use super::tree::{Gone, Tree};
use wasi_host_core::fs::walk::{self, Last};
use wasi_host_core::{Errno, Result};

/// Each end is a path and the directory where it begins. Nothing is changed unless all is.
pub(super) fn rename(tree: &mut Tree, from: (Entry, &str), to: (Entry, &str), now: Moment) -> Result<Gone> {
    let image = &tree.image;
    let from = walk::place(image, &from.0, from.1)?;
    let to = walk::place(image, &to.0, to.1)?;
    let (Last::Name(old), Last::Name(new)) = (&from.last, &to.last) else { return Err(Errno::Busy) };
    let source = from.node(image)?.ok_or(Errno::NoEnt)?;
    let target = to.node(image)?;
    let (from_dir, to_dir) = (from.dir.ino, to.dir.ino);
    if !source.is_dir() && (from.must_be_dir || to.must_be_dir) {
        return Err(Errno::NotDir);
    }
    if source.is_dir() && image.is_within(to_dir, source.ino) {
        return Err(Errno::Inval);
    }
    if let Some(target) = target {
        if target.ino == source.ino {
            return Ok(None);
        }
        match (source.is_dir(), target.is_dir()) {
            (_, true) if image.is_within(from_dir, target.ino) => return Err(Errno::NotEmpty),
            (true, true) if !image.dir(target.ino)?.1.is_empty() => return Err(Errno::NotEmpty),
            (true, false) => return Err(Errno::NotDir),
            (false, true) => return Err(Errno::IsDir),
            _ => {}
        }
    }
    // First the new name, which may not fit; the old one then goes without fail.
    let replaced = tree.put(to_dir, new, source, now)?;
    tree.take(from_dir, old, now)?;
    tree.image.inode_mut(source.ino)?.changed(now);
    replaced.map_or(Ok(None), |replaced| tree.forget(replaced, now))
}
