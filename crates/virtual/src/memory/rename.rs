//! Moving a name, or replacing another by it.

use super::tree::{Entry, Tree};
use wasi_host_core::fs::walk::{self, Last};
use wasi_host_core::{Errno, Result};

/// Each end is a path and the directory where it begins. Nothing is changed unless all is.
pub(super) fn rename(tree: &mut Tree, from: (&Entry, &str), to: (&Entry, &str)) -> Result<()> {
    let from = walk::place(tree, from.0, from.1)?;
    let to = walk::place(tree, to.0, to.1)?;
    let (Last::Name(old), Last::Name(new)) = (&from.last, &to.last) else { return Err(Errno::Busy) };
    let source = from.node(tree)?.ok_or(Errno::NoEnt)?;
    let target = to.node(tree)?;
    let (from_dir, to_dir) = (from.dir.inode(), to.dir.inode());
    if !source.is_dir() && (from.must_be_dir || to.must_be_dir) {
        return Err(Errno::NotDir);
    }
    if source.is_dir() && tree.is_within(to_dir, source.inode()) {
        return Err(Errno::Inval);
    }
    if let Some(target) = &target {
        if target.inode().ino() == source.inode().ino() {
            return Ok(());
        }
        match (&source, target) {
            (_, Entry::Dir(dir)) if tree.is_within(from_dir, dir) => return Err(Errno::NotEmpty),
            (Entry::Dir(_), Entry::Dir(dir)) if !tree.names(dir)?.is_empty() => return Err(Errno::NotEmpty),
            (Entry::Dir(_), Entry::Dir(_)) => {}
            (Entry::Dir(_), _) => return Err(Errno::NotDir),
            (_, Entry::Dir(_)) => return Err(Errno::IsDir),
            _ => {}
        }
    }
    // First the new name, which may not fit; the old one then goes without fail.
    let replaced = tree.put(to_dir, new, source.clone())?;
    tree.take(from_dir, old)?;
    source.inode().changed();
    if let Some(replaced) = replaced {
        tree.forget(&replaced);
    }
    Ok(())
}
