//! The trees of files that the program is given: directories of this machine, and such as are in memory, overlaid or
//! packed.

mod host;
mod trace;
mod words;

pub(crate) use words::{Archive, Bound, Memory, Overlay, Preopen};

use crate::options::RunOptions;
use crate::outcome;
use anyhow::{Context, Result, bail};
use host::Opened;
use std::io::Write;
use std::sync::Arc;
use trace::Lines;
use wasi_host::fs::Dir;
use wasi_host::{DirPerms, Errno, FilePerms, WasiCtxBuilder};
use wasi_host_virtual::copy;
use wasi_host_virtual::memory::{Limits, MemoryFs};
use wasi_host_virtual::overlay::{Change, OverlayFs};
use wasi_host_virtual::quota::{Allowance, Quota};

/// All of them.
pub(crate) struct Trees {
    trees: Vec<Tree>,
    /// Those of which is told what changed.
    told: Vec<(String, OverlayFs)>,
}

struct Tree {
    guest: String,
    root: Arc<dyn Dir>,
    read_only: bool,
    /// What it is, for the trace.
    what: String,
}

impl Trees {
    /// Makes and opens what the options name.
    ///
    /// # Errors
    ///
    /// Those of opening each, and if options do not go together.
    pub(crate) fn open(options: &RunOptions) -> Result<Self> {
        distinct(options)?;
        let bounds = Bounds::new(options)?;
        let mut all = Self { trees: Vec::new(), told: Vec::new() };
        for dir in &options.dirs {
            all.trees.push(directory(dir, &bounds)?);
        }
        for tree in &options.mem {
            all.trees.push(memory(tree, &bounds)?);
        }
        for tree in &options.overlays {
            let (tree, overlay) = overlay(tree, &bounds)?;
            if options.diff {
                all.told.push((tree.guest.clone(), overlay));
            }
            all.trees.push(tree);
        }
        for Archive { file, guest } in &options.archives {
            let Opened { root, what } = host::archive("--archive", file)?;
            all.trees.push(Tree { guest: guest.clone(), root, read_only: true, what });
        }
        if let Some(to) = &options.trace_fs {
            all.trace(&Lines::to(to.as_deref())?);
        }
        Ok(all)
    }

    fn trace(&mut self, lines: &Lines) {
        for tree in &mut self.trees {
            let Tree { guest, what, read_only, .. } = tree;
            lines.line(&format!("{guest:?} is {what}{}", if *read_only { ", read-only" } else { "" }));
            tree.root = lines.around(tree.root.clone(), &tree.guest);
        }
    }

    /// Gives them to the program.
    pub(crate) fn give(&self, builder: &mut WasiCtxBuilder) {
        for Tree { guest, root, read_only, .. } in &self.trees {
            let (dirs, files) = match read_only {
                true => (DirPerms::READ, FilePerms::READ),
                false => (DirPerms::all(), FilePerms::all()),
            };
            builder.preopened_shared(root.clone(), guest, dirs, files);
        }
    }

    /// Says on stderr what changed of those of which that is to be told. That nobody reads it is no error.
    pub(crate) fn tell(&self) {
        for (guest, overlay) in &self.told {
            match overlay.diff() {
                Ok(changes) => {
                    let lines: String =
                        changes.iter().map(|(path, change)| line(*change, &join(guest, path))).collect();
                    let _ = std::io::stderr().write_all(lines.as_bytes());
                }
                Err(error) => outcome::report(&format_args!("--diff of {guest}"), &error),
            }
        }
    }
}

/// The line of one change. Names are the program's choice: none makes a second line, or commands a terminal.
fn line(change: Change, path: &str) -> String {
    let letter = match change {
        Change::Added => 'A',
        Change::Changed => 'M',
        Change::Removed => 'D',
    };
    let mut line = format!("{letter} ");
    for c in path.chars() {
        match c {
            '\\' | '\0'..='\x1f' | '\x7f'..='\u{9f}' => line.extend(c.escape_default()),
            _ => line.push(c),
        }
    }
    line + "\n"
}

/// A path in a tree, as the program writes it.
fn join(dir: &str, path: &str) -> String {
    match (dir, path) {
        (_, "" | ".") => dir.to_owned(),
        _ if dir.ends_with('/') => format!("{dir}{path}"),
        _ => format!("{dir}/{path}"),
    }
}

/// The same for names of one directory.
fn plain(guest: &str) -> &str {
    match guest.trim_end_matches('/') {
        "" => "/",
        name => name,
    }
}

/// Refuses a GUEST that is there twice: which of the two is meant, each program would decide for itself. Of
/// directories alone that has always been left to it.
fn distinct(options: &RunOptions) -> Result<()> {
    let dirs = options.dirs.iter().map(|dir| ("--dir", &dir.guest));
    let made = options
        .mem
        .iter()
        .map(|tree| ("--mem", &tree.guest))
        .chain(options.overlays.iter().map(|tree| ("--overlay", &tree.guest)))
        .chain(options.archives.iter().map(|tree| ("--archive", &tree.guest)));
    let mut known: Vec<(&str, &String)> = dirs.collect();
    for (option, guest) in made {
        if let Some((other, _)) = known.iter().find(|(_, other)| plain(other) == plain(guest)) {
            bail!("{option}: GUEST is {guest}, and so it is of another {other}; give each its own");
        }
        known.push((option, guest));
    }
    if options.diff && options.overlays.is_empty() {
        bail!("--diff: there is no --overlay of which it could tell what changed");
    }
    Ok(())
}

/// What trees may hold.
struct Bounds<'a>(&'a [Bound]);

impl<'a> Bounds<'a> {
    /// Each must be meant for a tree, and one alone.
    fn new(options: &'a RunOptions) -> Result<Self> {
        let bounds = &options.quotas;
        let writable = options
            .dirs
            .iter()
            .filter(|dir| !dir.read_only)
            .map(|dir| &dir.guest)
            .chain(options.mem.iter().map(|tree| &tree.guest))
            .chain(options.overlays.iter().map(|tree| &tree.guest));
        let writable: Vec<&str> = writable.map(|guest| plain(guest)).collect();
        for (at, bound) in bounds.iter().enumerate() {
            let guest = bound.guest.as_deref().map(plain);
            let shown = bound.guest.as_deref().unwrap_or("all trees");
            if bounds[..at].iter().any(|other| other.guest.as_deref().map(plain) == guest) {
                bail!("--quota: there are two of {shown}; leave one out");
            }
            if guest.map_or(writable.is_empty(), |guest| !writable.contains(&guest)) {
                bail!(
                    "--quota: {shown}: there is no such tree to write to; --dir, --mem and --overlay make some"
                );
            }
        }
        Ok(Self(bounds))
    }

    fn of(&self, guest: &str) -> Option<&'a Bound> {
        let own = self.0.iter().find(|bound| bound.guest.as_deref().map(plain) == Some(plain(guest)));
        own.or_else(|| self.0.iter().find(|bound| bound.guest.is_none()))
    }

    /// A directory of this machine, within its bounds.
    fn within(&self, guest: &str, root: Arc<dyn Dir>) -> Result<Arc<dyn Dir>> {
        let Some(&Bound { bytes, inodes, .. }) = self.of(guest) else { return Ok(root) };
        let quota = Quota::new(root, Allowance { bytes, inodes, ..Allowance::default() });
        let quota = quota.with_context(|| format!("--quota: cannot look through {guest}"))?;
        Ok(quota.root())
    }

    /// A tree in memory, which counts by itself.
    fn memory(&self, guest: &str) -> MemoryFs {
        let fs = MemoryFs::new();
        if let Some(&Bound { bytes, inodes, .. }) = self.of(guest) {
            fs.set_limits(Limits { bytes, inodes });
        }
        fs
    }
}

fn directory(dir: &Preopen, bounds: &Bounds<'_>) -> Result<Tree> {
    let Preopen { host, guest, read_only } = dir;
    let Opened { mut root, what } = host::directory("--dir", host)?;
    if !read_only {
        root = bounds.within(guest, root)?;
    }
    Ok(Tree { guest: guest.clone(), root, read_only: *read_only, what })
}

fn memory(tree: &Memory, bounds: &Bounds<'_>) -> Result<Tree> {
    let Memory { guest, host } = tree;
    let fs = bounds.memory(guest);
    let mut what = "memory".to_owned();
    if let Some(host) = host {
        let origin = host::open("--mem", host)?;
        copy::tree(origin.root, fs.root()).map_err(|failed| {
            let hint = match failed.error {
                Errno::NoSpc => format!(" (--quota {guest}=BYTES gives more)"),
                Errno::NoEnt => " (the name may not be UTF-8)".into(),
                _ => String::new(),
            };
            anyhow::anyhow!("--mem {guest}={}: cannot copy {failed}{hint}", host.display())
        })?;
        what += &format!(", a copy of {}", origin.what);
    }
    Ok(Tree { guest: guest.clone(), root: fs.root(), read_only: false, what })
}

fn overlay(tree: &Overlay, bounds: &Bounds<'_>) -> Result<(Tree, OverlayFs)> {
    let Overlay { host, guest, upper } = tree;
    let lower = host::open("--overlay", host)?;
    let (upper, what) = match upper {
        None => (bounds.memory(guest).root(), "memory".into()),
        Some(upper) => {
            let Opened { root, what } = host::directory("--overlay: UPPER", upper)?;
            host::apart(host, upper)?;
            (bounds.within(guest, root)?, what)
        }
    };
    let overlay =
        OverlayFs::new(upper, [lower.root]).with_context(|| format!("--overlay {}", host.display()))?;
    // It is this program alone that waits for a copy, and what there is room for is the upper tree's business.
    overlay.set_copy_limit(u64::MAX);
    let what = format!("{what} over {}", lower.what);
    Ok((Tree { guest: guest.clone(), root: overlay.root(), read_only: false, what }, overlay))
}
