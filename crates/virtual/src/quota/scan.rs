//! What a tree holds before it is given to anybody.

use super::Usage;
use std::collections::HashSet;
use std::sync::Arc;
use wasi_host_core::fs::{Dir, FileType, Follow, Node, Open};
use wasi_host_core::{Errno, Result};

/// Goes through all directories, each open only while it or what is below it is listed.
pub(super) fn usage(root: Arc<dyn Dir>) -> Result<Usage> {
    let look = Open { read: true, directory: true, ..Open::default() };
    let (mut used, mut seen) = (Usage::default(), HashSet::new());
    let entries = root.entries()?;
    let mut inside = vec![(root, entries)];
    while let Some((dir, entries)) = inside.last_mut() {
        let Some(entry) = entries.next() else {
            inside.pop();
            continue;
        };
        let name = entry?.name;
        if name == "." || name == ".." {
            continue;
        }
        let m = match dir.stat(&name, Follow::No) {
            // Its true name cannot be said: then it can be neither read nor changed.
            Err(Errno::NoEnt) => continue,
            found => found?,
        };
        if m.nlink > 1 && m.file_type != FileType::Directory && !seen.insert((m.dev, m.ino)) {
            continue;
        }
        used.inodes += 1;
        match m.file_type {
            FileType::RegularFile | FileType::SymbolicLink => used.bytes = used.bytes.saturating_add(m.size),
            FileType::Directory => {
                if let Node::Dir(below) = dir.open(&name, look)? {
                    let entries = below.entries()?;
                    inside.push((below, entries));
                }
            }
            _ => {}
        }
    }
    Ok(used)
}
