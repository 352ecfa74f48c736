//! Moving a name, or replacing another by it.

use super::copy::Content;
use super::dir::dir_of;
use super::place::Place;
use super::tree::{Entry, Tree};
use std::sync::Arc;
use wasi_host_core::fs::walk::{self, Last};
use wasi_host_core::fs::{Follow, Metadata};
use wasi_host_core::{Errno, Result};

/// Each end is a path and the directory where it begins. Whoever looks sees it before or after.
pub(super) fn rename(tree: &Tree, from: (&Entry, &str), to: (&Entry, &str)) -> Result<()> {
    let from = walk::place(tree, from.0, from.1)?;
    let to = walk::place(tree, to.0, to.1)?;
    let (Last::Name(old), Last::Name(new)) = (&from.last, &to.last) else { return Err(Errno::Busy) };
    let source = from.node(tree)?.ok_or(Errno::NoEnt)?;
    let target = to.node(tree)?;
    let slash = from.must_be_dir || to.must_be_dir;
    let (from, to) = (dir_of(from.dir)?, dir_of(to.dir)?);
    if !source.is_dir() && slash {
        return Err(Errno::NotDir);
    }
    if let Entry::Dir(dir) = &source
        && to.is_within(dir)
    {
        return Err(Errno::Inval);
    }
    to.layers()?;
    if let Some(target) = &target {
        if target.is_same(&source) {
            return Ok(());
        }
        match (&source, target) {
            (_, Entry::Dir(dir)) if from.is_within(dir) => return Err(Errno::NotEmpty),
            (Entry::Dir(_), Entry::Dir(dir)) if !tree.is_empty(dir)? => return Err(Errno::NotEmpty),
            (Entry::Dir(_), Entry::Dir(_)) => {}
            (Entry::Dir(_), _) => return Err(Errno::NotDir),
            (_, Entry::Dir(_)) => return Err(Errno::IsDir),
            _ => {}
        }
    }
    let budget = &mut tree.budget();
    match source {
        Entry::Leaf(leaf) => {
            tree.raise_leaf(&from, old, &leaf, Content::All, budget)?;
            move_name(tree, (&from, old), (&to, new), target.as_ref(), false)?;
        }
        Entry::Dir(dir) => {
            // Programs take that for two disks, and copy it themselves.
            let copied =
                tree.raise_all(&dir, budget).map_err(|e| if e == Errno::FBig { Errno::XDev } else { e })?;
            move_name(tree, (&from, old), (&to, new), target.as_ref(), true)?;
            copied.iter().for_each(|dir| dir.only_upper());
            dir.move_to(&to, new);
        }
    }
    Ok(())
}

/// Moves what the upper tree has whole. Until that is done, what is hidden has its like above: if it fails, all shows
/// as before.
fn move_name(
    tree: &Tree,
    (from, old): (&Arc<Place>, &str),
    (to, new): (&Arc<Place>, &str),
    target: Option<&Entry>,
    is_dir: bool,
) -> Result<()> {
    let upper = tree.layers.upper();
    tree.raise_dir(to)?;
    if tree.is_below(from, old)? {
        tree.layers.hide(&from.path(), old)?;
    }
    let replaced = match target {
        Some(Entry::Dir(dir)) => {
            let path = tree.raise_dir(dir)?;
            Some((dir, upper.stat(&path, Follow::No)?))
        }
        _ => None,
    };
    // A file hides what is below it; a directory would let it show.
    if is_dir && tree.is_below(to, new)? {
        tree.layers.hide(&to.path(), new)?;
    }
    if let Some((dir, _)) = replaced {
        tree.layers.show_all(&dir.path())?;
    }
    upper.rename(&from.join(old), upper, &to.join(new))?;
    if let Some((dir, copy)) = replaced {
        tree.layers.forget_number(&copy);
        dir.remove(Metadata { nlink: 0, ..tree.layers.told(copy, dir.number) });
    }
    if let Some(Entry::Leaf(leaf)) = target {
        tree.lost(leaf);
    }
    Ok(())
}
