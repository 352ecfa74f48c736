//! Directories: making, removing, listing.

use super::check::*;
use crate::Errno::{Exist, Inval, IsDir, NoEnt, NotCapable, NotDir, NotEmpty};
use crate::fs::{Dir, DirEntry, FileType, Follow};
use std::collections::HashSet;
use std::sync::Arc;

super::list!("dirs": create, remove, unlink, list, list_types, list_numbers, list_many, list_while_changing,
    moved_while_open, removed_while_open, deep);

fn all(dir: &dyn Dir) -> Vec<DirEntry> {
    ok("entries", dir.entries()).map(|entry| ok("the next entry", entry)).collect()
}

fn create(root: &Arc<dyn Dir>) {
    ok("create_dir", root.create_dir("dir"));
    ok("in another", root.create_dir("dir/sub"));
    ok("with a slash", root.create_dir("slash/"));
    equal("an empty one", names(&*open_dir(&**root, "slash")), vec![]);
    put(&**root, "file", "");
    link(&**root, "nowhere", "dangling");
    for (path, expected) in [
        ("dir", Exist),
        ("dir/", Exist),
        ("file", Exist),
        ("dangling", Exist),
        (".", Exist),
        ("dir/.", Exist),
        ("dir/..", Exist),
        ("none/sub", NoEnt),
        ("none/.", NoEnt),
        ("dangling/sub", NoEnt),
        ("file/sub", NotDir),
        ("file/.", NotDir),
    ] {
        fails(format_args!("create_dir {path:?}"), root.create_dir(path), &[expected]);
    }
}

fn remove(root: &Arc<dyn Dir>) {
    for path in ["dir", "dir/sub", "slash"] {
        ok(path, root.create_dir(path));
    }
    put(&**root, "file", "");
    link(&**root, "dir", "link");
    for (path, expected) in [
        ("dir", &[NotEmpty, Exist][..]),
        ("file", &[NotDir]),
        ("link", &[NotDir]),
        ("link/", &[NotDir]),
        ("none", &[NoEnt]),
        ("none/sub", &[NoEnt]),
        ("file/sub", &[NotDir]),
        (".", &[Inval]),
        ("dir/.", &[Inval]),
        ("dir/sub/.", &[Inval]),
        ("dir/..", &[NotEmpty, Exist, Inval]),
        ("..", &[NotEmpty, Exist, Inval, NotCapable]),
    ] {
        fails(format_args!("remove_dir {path:?}"), root.remove_dir(path), expected);
    }
    ok("remove_dir", root.remove_dir("dir/sub"));
    ok("remove_dir", root.remove_dir("dir"));
    ok("with a slash", root.remove_dir("slash/"));
    equal("what is left", names(&**root), vec!["file".to_owned(), "link".into()]);
}

fn unlink(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    make_dir(&**root, "dir");
    link(&**root, "file", "link");
    for (path, expected) in [
        ("dir", IsDir),
        ("dir/", IsDir),
        (".", IsDir),
        ("dir/.", IsDir),
        ("dir/..", IsDir),
        ("none", NoEnt),
        ("none/", NoEnt),
        ("none/x", NoEnt),
        ("file/", NotDir),
        ("file/x", NotDir),
        ("link/", NotDir),
    ] {
        fails(format_args!("unlink {path:?}"), root.unlink(path), &[expected]);
    }
    ok("unlink of a link", root.unlink("link"));
    equal("what it led to", content(&**root, "file"), "text".into());
    ok("unlink", root.unlink("file"));
    equal("what is left", names(&**root), vec!["dir".to_owned()]);
    fails("unlink again", root.unlink("file"), &[NoEnt]);
}

/// `.` and `..` are listed once each, and everything else once.
fn list(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    put(&*dir, "b", "");
    put(&*dir, "a", "");
    for (listed, expected) in [(root, &[".", "..", "dir"][..]), (&dir, &[".", "..", "a", "b"])] {
        for _ in 0..2 {
            let mut found: Vec<_> = all(&**listed).into_iter().map(|entry| entry.name).collect();
            found.sort();
            equal("the entries", found, expected.iter().map(|name| (*name).to_owned()).collect());
        }
    }
}

fn list_many(root: &Arc<dyn Dir>) {
    let mut expected: Vec<_> = (0..2000).map(|i| format!("name-{i:04}")).collect();
    for name in &expected {
        open(&**root, name, CREATE);
    }
    equal("the names", names(&**root) == expected, true);
    for name in expected.drain(..1990) {
        ok("unlink", root.unlink(&name));
    }
    equal("the names that are left", names(&**root), expected);
}

fn list_types(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    make_dir(&**root, "dir");
    link(&**root, "dir", "link");
    for entry in all(&**root) {
        let expected = match &*entry.name {
            "." | ".." | "dir" => FileType::Directory,
            "file" => FileType::RegularFile,
            "link" => FileType::SymbolicLink,
            other => panic!("an entry that nobody made: {other:?}"),
        };
        let known = entry.file_type != FileType::Unknown;
        equal(&entry.name, entry.file_type, if known { expected } else { FileType::Unknown });
    }
}

fn list_numbers(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    put(&*dir, "file", "");
    make_dir(&*dir, "sub");
    for entry in all(&*dir) {
        let stat = if entry.name == ".." { lstat(&**root, ".") } else { lstat(&*dir, &entry.name) };
        equal(&entry.name, entry.ino, stat.ino);
    }
}

fn list_while_changing(root: &Arc<dyn Dir>) {
    for i in 0..400 {
        put(&**root, &format!("stays-{i}"), "");
        put(&**root, &format!("goes-{i}"), "");
    }
    let mut seen = HashSet::new();
    for (i, entry) in ok("entries", root.entries()).enumerate().take(100_000) {
        let name = ok("the next entry", entry).name;
        holds(format_args!("{name:?} is listed twice"), seen.insert(name.clone()));
        if i < 400 {
            ok("unlink", root.unlink(&format!("goes-{i}")));
            put(&**root, &format!("comes-{i}"), "");
        }
    }
    for i in 0..400 {
        let name = format!("stays-{i}");
        holds(format_args!("{name:?} was not listed"), seen.contains(&name));
    }
    holds("a name that nobody made", seen.iter().all(|n| n.starts_with(['s', 'g', 'c', '.'])));
}

fn moved_while_open(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    make_dir(&**root, "other");
    ok("rename", root.rename("dir", &**root, "other/moved"));
    put(&*dir, "file", "text");
    equal("under the new name", content(&**root, "other/moved/file"), "text".into());
    equal("through the open directory", content(&*dir, "file"), "text".into());
    let up = all(&*dir).into_iter().find(|entry| entry.name == "..").map(|entry| entry.ino);
    equal("its parent", up, Some(lstat(&**root, "other").ino));
}

/// A directory that has no name any more is empty for ever.
fn removed_while_open(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    ok("remove_dir", root.remove_dir("dir"));
    put(&**root, "file", "");
    make_dir(&**root, "sub");
    fails("create in it", dir.open("x", CREATE), &[NoEnt]);
    fails("create_dir in it", dir.create_dir("x"), &[NoEnt]);
    fails("symlink in it", dir.symlink("x", "y"), &[NoEnt]);
    fails("hard_link into it", root.hard_link("file", Follow::No, &*dir, "x"), &[NoEnt]);
    fails("rename into it", root.rename("file", &*dir, "x"), &[NoEnt]);
    fails("rename a directory into it", root.rename("sub", &*dir, "x"), &[NoEnt]);
    fails("open in it", dir.open("x", READ), &[NoEnt]);
    fails("unlink in it", dir.unlink("x"), &[NoEnt]);
    fails("remove_dir in it", dir.remove_dir("x"), &[NoEnt]);
    equal("what it is", ok("metadata", dir.metadata()).file_type, FileType::Directory);
    if let Ok(entries) = dir.entries() {
        // Linux says NoEnt at the first entry, others list nothing, or the two dots.
        let left: Vec<_> = entries.filter_map(Result::ok).map(|e| e.name).collect();
        holds(format_args!("its names: {left:?}"), left.iter().all(|name| name == "." || name == ".."));
    }
    let new = make_dir(&**root, "dir");
    put(&*new, "file", "");
    fails("the old one is not the new one", dir.open("file", READ), &[NoEnt]);
}

fn deep(root: &Arc<dyn Dir>) {
    let mut path = String::from("d");
    ok("create_dir", root.create_dir(&path));
    for _ in 0..200 {
        path += "/d";
        ok("create_dir", root.create_dir(&path));
    }
    put(&**root, &format!("{path}/file"), "deep");
    equal("content", content(&**root, &format!("{path}/file")), "deep".into());
    let back = format!("{path}/{}.", "../".repeat(201));
    equal("up again", lstat(&**root, &back).ino, lstat(&**root, ".").ino);
    let outside = format!("{path}/{}.", "../".repeat(202));
    fails("too far up", root.stat(&outside, Follow::Yes), &[NotCapable]);
}
