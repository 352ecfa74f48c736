//! Hard links.

use super::check::*;
use crate::Errno::{Exist, Loop, NoEnt, NotDir, Perm};
use crate::fs::{Dir, FileType, Follow};
use std::sync::Arc;

super::list!("links": same_file, survives_unlink, between_directories, errors, directories_refused,
    of_symlinks, through_symlinks, slashes);

fn same_file(root: &Arc<dyn Dir>) {
    put(&**root, "a", "text");
    ok("hard_link", root.hard_link("a", Follow::No, &**root, "b"));
    equal("ino", lstat(&**root, "b").ino, lstat(&**root, "a").ino);
    equal("nlink", lstat(&**root, "a").nlink, 2);
    write(&*open(&**root, "b", WRITE), b"X", 0);
    equal("content", content(&**root, "a"), "Xext".into());
}

fn survives_unlink(root: &Arc<dyn Dir>) {
    put(&**root, "a", "text");
    ok("hard_link", root.hard_link("a", Follow::No, &**root, "b"));
    ok("unlink", root.unlink("a"));
    equal("content", content(&**root, "b"), "text".into());
    equal("nlink", lstat(&**root, "b").nlink, 1);
    put(&**root, "a", "new");
    equal("content", content(&**root, "b"), "text".into());
}

fn between_directories(root: &Arc<dyn Dir>) {
    let (a, b) = (make_dir(&**root, "a"), make_dir(&**root, "b"));
    put(&*a, "file", "text");
    ok("hard_link", a.hard_link("file", Follow::No, &*b, "other"));
    equal("content", content(&**root, "b/other"), "text".into());
    ok("back, by a path", b.hard_link("./other", Follow::No, &**root, "a/third"));
    equal("nlink", lstat(&*a, "file").nlink, 3);
}

fn errors(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    put(&**root, "other", "");
    make_dir(&**root, "dir");
    link(&**root, "nowhere", "dangling");
    for (from, to, expected) in [
        ("none", "new", NoEnt),
        ("none/x", "new", NoEnt),
        ("file", "none/x", NoEnt),
        ("file/x", "new", NotDir),
        ("file", "file/x", NotDir),
        ("file", "other", Exist),
        ("file", "file", Exist),
        ("file", "dir", Exist),
        ("file", "dangling", Exist),
        ("file", ".", Exist),
        ("file", "dir/..", Exist),
        ("", "new", NoEnt),
        ("file", "", NoEnt),
    ] {
        let got = root.hard_link(from, Follow::No, &**root, to);
        fails(format_args!("hard_link {from:?} to {to:?}"), got, &[expected]);
    }
    equal("nlink", lstat(&**root, "file").nlink, 1);
    equal("names", names(&**root).len(), 4);
}

fn directories_refused(root: &Arc<dyn Dir>) {
    make_dir(&**root, "dir");
    link(&**root, "dir", "link");
    for (from, follow) in
        [("dir", Follow::No), ("dir/", Follow::No), (".", Follow::No), ("dir/.", Follow::No)]
    {
        fails(from, root.hard_link(from, follow, &**root, "new"), &[Perm]);
    }
    fails("by way of a link", root.hard_link("link", Follow::Yes, &**root, "new"), &[Perm]);
    fails("by way of a link and a slash", root.hard_link("link/", Follow::No, &**root, "new"), &[Perm]);
    absent(&**root, "new");
}

/// The link itself gets the other name, or what it leads to.
fn of_symlinks(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    link(&**root, "file", "link");
    link(&**root, "nowhere", "dangling");
    link(&**root, "loop", "loop");
    ok("not followed", root.hard_link("link", Follow::No, &**root, "a"));
    equal("not followed", lstat(&**root, "a").file_type, FileType::SymbolicLink);
    equal("not followed", lstat(&**root, "a").ino, lstat(&**root, "link").ino);
    equal("nlink of the link", lstat(&**root, "a").nlink, 2);
    ok("followed", root.hard_link("link", Follow::Yes, &**root, "b"));
    equal("followed", lstat(&**root, "b").ino, lstat(&**root, "file").ino);
    ok("dangling, not followed", root.hard_link("dangling", Follow::No, &**root, "c"));
    fails("dangling, followed", root.hard_link("dangling", Follow::Yes, &**root, "d"), &[NoEnt]);
    ok("a loop, not followed", root.hard_link("loop", Follow::No, &**root, "e"));
    fails("a loop, followed", root.hard_link("loop", Follow::Yes, &**root, "f"), &[Loop]);
}

fn through_symlinks(root: &Arc<dyn Dir>) {
    put(&*make_dir(&**root, "dir"), "file", "text");
    link(&**root, "dir", "link");
    ok("from", root.hard_link("link/file", Follow::No, &**root, "a"));
    ok("to", root.hard_link("a", Follow::No, &**root, "link/b"));
    equal("nlink", lstat(&**root, "dir/b").nlink, 3);
}

fn slashes(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    fails("from", root.hard_link("file/", Follow::No, &**root, "new"), &[NotDir]);
    fails("to", root.hard_link("file", Follow::No, &**root, "new/"), &[NoEnt]);
    fails("to what there is", root.hard_link("file", Follow::No, &**root, "file/"), &[Exist, NotDir]);
}
