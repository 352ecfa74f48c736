//! What a tree must do that cannot be changed: all that reads, and `RoFs` for the rest.

use super::check::*;
use super::paths::CALLS;
use crate::Errno::{self, Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir, NotEmpty, Perm, RoFs};
use crate::fs::{Blocking, Dir, FileType, Follow, Node, Open};
use crate::time::SetTime;
use std::collections::{BTreeMap, HashSet};
use std::io::IoSlice;
use std::sync::Arc;

/// What a name in [`TREE`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A regular file that holds this.
    File(&'static str),
    /// A symbolic link that holds this.
    Link(&'static str),
}

/// The tree that [`read_only`](super::read_only) wants: paths, each behind the directory that it is in.
pub const TREE: &[(&str, Kind)] = &[
    ("file", Kind::File("text")),
    ("empty", Kind::File("")),
    ("dir", Kind::Dir),
    ("dir/file", Kind::File("another text")),
    ("dir/sub", Kind::Dir),
    ("dir/sub/deep", Kind::File("deep")),
    ("dir/sub/up", Kind::Link("../file")),
    ("bare", Kind::Dir),
    ("to-file", Kind::Link("file")),
    ("to-dir", Kind::Link("dir")),
    ("chain", Kind::Link("to-dir/sub/up")),
    ("dangling", Kind::Link("nowhere")),
    ("loop", Kind::Link("loop")),
    ("outside", Kind::Link("../file")),
    ("round", Kind::Link("dir/../../file")),
];

pub(super) const CASES: &[super::Case] = &[
    ("read only::contents", contents),
    ("read only::listings", listings),
    ("read only::metadata", metadata),
    ("read only::links", links),
    ("read only::paths", paths),
    ("read only::nothing_changes", nothing_changes),
    ("read only::open_to_change", open_to_change),
    ("read only::open_files", open_files),
    ("read only::cached", cached),
];

fn contents(root: &Arc<dyn Dir>) {
    for (path, kind) in TREE {
        if let Kind::File(expected) = kind {
            let file = open(&**root, path, READ);
            equal(path, text(&*file), (*expected).into());
            equal("past the end", read(&*file, expected.len() as u64 + 5, 10), vec![]);
            equal("in part", read(&*file, 1, 2), expected.bytes().skip(1).take(2).collect::<Vec<_>>());
            lent(&*file, expected.as_bytes());
            equal("file_type", file.file_type(), FileType::RegularFile);
        }
    }
    equal("by way of links", content(&**root, "chain"), "another text".into());
    let dir = open_dir(&**root, "dir");
    equal("from below", content(&*dir, "sub/deep"), "deep".into());
    fails("above what was opened", dir.open("../file", READ), &[NotCapable]);
}

fn listings(root: &Arc<dyn Dir>) {
    for dir in [".", "dir", "dir/sub", "bare", "to-dir"] {
        let opened = open_dir(&**root, dir);
        let real = if dir == "to-dir" { "dir" } else { dir };
        let mut expected: BTreeMap<_, _> = [(".", None), ("..", None)].into();
        for (path, kind) in TREE {
            let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
            if parent == real {
                expected.insert(name, Some(kind));
            }
        }
        for entry in ok("entries", opened.entries()) {
            let entry = ok("the next entry", entry);
            let Some(kind) = expected.remove(&*entry.name) else {
                panic!("{dir} lists {:?}, which is not there, or twice", entry.name)
            };
            let as_listed = match kind {
                None | Some(Kind::Dir) => FileType::Directory,
                Some(Kind::File(_)) => FileType::RegularFile,
                Some(Kind::Link(_)) => FileType::SymbolicLink,
            };
            let known = entry.file_type != FileType::Unknown;
            equal(&entry.name, entry.file_type, if known { as_listed } else { FileType::Unknown });
            if entry.name != ".." {
                equal(&entry.name, entry.ino, lstat(&*opened, &entry.name).ino);
            }
        }
        holds(format_args!("{dir} does not list {expected:?}"), expected.is_empty());
    }
}

fn metadata(root: &Arc<dyn Dir>) {
    let mut numbers = HashSet::from([lstat(&**root, ".").ino]);
    let dev = ok("metadata", root.metadata()).dev;
    for (path, kind) in TREE {
        let m = lstat(&**root, path);
        holds(format_args!("{path}: a number of its own"), numbers.insert(m.ino));
        equal(path, m, lstat(&**root, path));
        equal(path, m.dev, dev);
        match kind {
            Kind::Dir => {
                equal(path, m.file_type, FileType::Directory);
                equal(path, ok(path, open_dir(&**root, path).metadata()).ino, m.ino);
            }
            Kind::File(text) => {
                equal(path, (m.file_type, m.size), (FileType::RegularFile, text.len() as u64));
                equal(path, ok(path, open(&**root, path, READ).metadata()).ino, m.ino);
            }
            Kind::Link(to) => equal(path, (m.file_type, m.size), (FileType::SymbolicLink, to.len() as u64)),
        }
    }
    equal("up again", lstat(&**root, "dir/sub/../..").ino, lstat(&**root, ".").ino);
    equal("followed", ok("stat", root.stat("to-file", Follow::Yes)).ino, lstat(&**root, "file").ino);
}

fn links(root: &Arc<dyn Dir>) {
    for (path, kind) in TREE {
        match kind {
            Kind::Link(to) => equal(path, ok(path, root.read_link(path)), (*to).into()),
            _ => fails(path, root.read_link(path), &[Inval]),
        }
    }
    fails("no follow", root.open("to-file", Open { follow: false, ..READ }), &[Loop]);
    equal("a slash follows", lstat(&**root, "to-dir/").ino, lstat(&**root, "dir").ino);
}

fn paths(root: &Arc<dyn Dir>) {
    for (path, expected) in [
        ("../file", NotCapable),
        ("dir/../../file", NotCapable),
        ("outside", NotCapable),
        ("round", NotCapable),
        ("/file", NotCapable),
        ("none", NoEnt),
        ("none/x", NoEnt),
        ("", NoEnt),
        ("dangling", NoEnt),
        ("dangling/x", NoEnt),
        ("file/", NotDir),
        ("file/x", NotDir),
        ("to-file/x", NotDir),
        ("loop", Loop),
        ("loop/x", Loop),
    ] {
        fails(format_args!("open {path:?}"), root.open(path, READ), &[expected]);
        fails(format_args!("stat {path:?}"), root.stat(path, Follow::Yes), &[expected]);
    }
    for path in ["../x", "dir/../../x", "outside/x", "/x"] {
        for (call, run) in CALLS {
            fails(format_args!("{call} {path:?}"), run(&**root, path), &[NotCapable, RoFs]);
        }
    }
    for path in ["./file", "dir/../file", "dir//sub/../../file", "to-dir/../file", "to-dir/sub/../../file"] {
        equal(path, content(&**root, path), "text".into());
    }
    let long = "x".repeat(256);
    fails("a name too long", root.stat(&long, Follow::No), &[Errno::NameTooLong]);
}

/// A change that could be made fails with `RoFs`; one that could not may fail with what else is wrong.
fn nothing_changes(root: &Arc<dyn Dir>) {
    let before = everything(root);
    for (path, _) in TREE.iter().filter(|(path, _)| !path.contains('/')) {
        for (call, run) in CALLS.iter().filter(|(call, _)| changes(call)) {
            let expected: &[Errno] = match *call {
                "create" => &[RoFs, IsDir, Loop, NotCapable],
                "create exclusively" | "create_dir" | "symlink" | "hard_link to" => &[Exist, RoFs],
                "hard_link from" | "hard_link from, followed" => &[RoFs, Perm, NoEnt, Loop, NotCapable],
                "remove_dir" => &[RoFs, NotDir, NotEmpty],
                "rename to" => &[RoFs, IsDir],
                "unlink" => &[RoFs, IsDir],
                "set_times, followed" => &[RoFs, NoEnt, Loop, NotCapable],
                _ => &[RoFs],
            };
            fails(format_args!("{call} {path:?}"), run(&**root, path), expected);
        }
    }
    let now = SetTime::Now;
    for (what, got) in [
        ("create_dir", root.create_dir("new")),
        ("symlink", root.symlink("file", "new")),
        ("hard_link", root.hard_link("file", Follow::No, &**root, "new")),
        ("rename", root.rename("file", &**root, "dir/new")),
        ("unlink", root.unlink("file")),
        ("unlink of a link", root.unlink("dangling")),
        ("remove_dir", root.remove_dir("bare")),
        ("set_times", root.set_times("file", Follow::No, now, now)),
        ("set_times of itself", root.set_times(".", Follow::No, now, now)),
        ("create", root.open("new", CREATE).map(drop)),
        ("create below", root.open("dir/new", EXCLUSIVE).map(drop)),
        ("create to read", root.open("new", Open { create: true, ..READ }).map(drop)),
    ] {
        fails(what, got, &[RoFs]);
    }
    equal("what there is", everything(root), before);
}

fn changes(call: &str) -> bool {
    !matches!(call, "open" | "open, no follow" | "open a directory" | "stat" | "stat, followed" | "read_link")
}

fn everything(root: &Arc<dyn Dir>) -> Vec<(u64, FileType, u64)> {
    let mut all = vec![names(&**root).len() as u64, names(&*open_dir(&**root, "dir")).len() as u64]
        .into_iter()
        .map(|n| (n, FileType::Directory, 0))
        .collect::<Vec<_>>();
    all.extend(TREE.iter().map(|(path, _)| {
        let m = lstat(&**root, path);
        (m.ino, m.file_type, m.size)
    }));
    all
}

fn open_to_change(root: &Arc<dyn Dir>) {
    let truncate = Open { truncate: true, ..READ };
    for how in [WRITE, BOTH, truncate, Open { create: true, ..WRITE }] {
        fails(format_args!("a file {how:?}"), root.open("file", how), &[RoFs]);
        fails(format_args!("a link {how:?}"), root.open("to-file", how), &[RoFs]);
        fails(format_args!("a directory {how:?}"), root.open("dir", how), &[IsDir]);
        fails(format_args!("a loop {how:?}"), root.open("loop", how), &[Loop]);
        let missing = if how.create { RoFs } else { NoEnt };
        fails(format_args!("nothing {how:?}"), root.open("none", how), &[missing]);
        fails(format_args!("nowhere {how:?}"), root.open("none/x", how), &[NoEnt, RoFs]);
    }
    let there = Open { create: true, ..READ };
    equal("what is there needs no making", text(&*open(&**root, "file", there)), "text".into());
    fails("create a directory", root.open("dir", Open { create: true, ..DIRECTORY }), &[Inval]);
}

/// What was opened to read is not changed either, whoever asks.
fn open_files(root: &Arc<dyn Dir>) {
    let file = open(&**root, "file", READ);
    let refused = &[RoFs, Errno::BadF];
    fails("write_at", file.write_at(&[IoSlice::new(b"x")], 0), refused);
    fails("append", file.append(&[IoSlice::new(b"x")]), refused);
    fails("set_len", file.set_len(0), refused);
    fails("allocate", file.allocate(0, 100), refused);
    fails("set_times", file.set_times(SetTime::Now, SetTime::Now), refused);
    ok("sync", file.sync(false));
    equal("content", text(&*file), "text".into());
}

fn cached(root: &Arc<dyn Dir>) {
    let never = root.blocking() == Blocking::Never;
    match root.try_open("dir/file", READ) {
        Ok(Node::File(file)) => equal("content", text(&*file), "another text".into()),
        Ok(Node::Dir(_)) => panic!("try_open of a file: got a directory"),
        Err(e) => equal("try_open", (e, never), (Errno::Again, false)),
    }
    match root.try_stat("to-file", Follow::Yes) {
        Ok(m) => equal("try_stat", m.ino, lstat(&**root, "file").ino),
        Err(e) => equal("try_stat", (e, never), (Errno::Again, false)),
    }
    if never {
        fails("try_open to write", root.try_open("file", WRITE), &[RoFs]);
        fails("try_open of nothing", root.try_open("none", READ), &[NoEnt]);
    }
}
