//! What a backend says about files.

use super::check::*;
use crate::Errno::{NoEnt, NotDir};
use crate::fs::{Dir, FileType, Follow};
use std::collections::HashSet;
use std::sync::Arc;

super::list!("metadata": types, sizes, numbers_are_stable, numbers_are_distinct, one_device, links_counted,
    directories_counted, errors);

fn types(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "");
    let dir = make_dir(&**root, "dir");
    link(&**root, "file", "link");
    let of = |path, follow| ok(path, root.stat(path, follow)).file_type;
    equal("file", of("file", Follow::Yes), FileType::RegularFile);
    equal("dir", of("dir", Follow::Yes), FileType::Directory);
    equal("link", of("link", Follow::No), FileType::SymbolicLink);
    equal("link, followed", of("link", Follow::Yes), FileType::RegularFile);
    equal("open file", ok("metadata", file.metadata()).file_type, FileType::RegularFile);
    equal("open file, remembered", file.file_type(), FileType::RegularFile);
    equal("open directory", ok("metadata", dir.metadata()).file_type, FileType::Directory);
    equal("root", of(".", Follow::No), FileType::Directory);
}

fn sizes(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "12345");
    link(&**root, "far/away", "link");
    equal("file", lstat(&**root, "file").size, 5);
    equal("open file", ok("metadata", file.metadata()).size, 5);
    equal("link: the length of what it holds", lstat(&**root, "link").size, 8);
    ok("set_len", file.set_len(3));
    equal("cut", lstat(&**root, "file").size, 3);
}

fn numbers_are_stable(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "1");
    let dir = make_dir(&**root, "dir");
    let (file_ino, dir_ino) = (lstat(&**root, "file").ino, lstat(&**root, "dir").ino);
    write(&*file, b"more", 1);
    ok("rename", root.rename("file", &**root, "dir/moved"));
    ok("rename", root.rename("dir", &**root, "elsewhere"));
    equal("a file moved", lstat(&**root, "elsewhere/moved").ino, file_ino);
    equal("a file open", ok("metadata", file.metadata()).ino, file_ino);
    equal("a directory moved", lstat(&**root, "elsewhere").ino, dir_ino);
    equal("a directory open", ok("metadata", dir.metadata()).ino, dir_ino);
    equal("a directory itself", lstat(&**root, "elsewhere/.").ino, dir_ino);
    equal("the root", lstat(&**root, ".").ino, ok("metadata", root.metadata()).ino);
    equal("up again", lstat(&**root, "elsewhere/..").ino, ok("metadata", root.metadata()).ino);
}

fn numbers_are_distinct(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    put(&**root, "other", "");
    make_dir(&**root, "dir");
    put(&**root, "dir/file", "");
    link(&**root, "file", "link");
    let all = [".", "file", "other", "dir", "dir/file", "link"];
    let distinct: HashSet<_> = all.iter().map(|path| lstat(&**root, path).ino).collect();
    equal("how many of six are distinct", distinct.len(), all.len());
}

fn one_device(root: &Arc<dyn Dir>) {
    let dev = ok("metadata", root.metadata()).dev;
    let file = put(&**root, "file", "");
    make_dir(&**root, "dir");
    link(&**root, "file", "link");
    for path in [".", "file", "dir", "link"] {
        equal(path, lstat(&**root, path).dev, dev);
    }
    equal("open", ok("metadata", file.metadata()).dev, dev);
}

fn links_counted(root: &Arc<dyn Dir>) {
    let file = put(&**root, "a", "");
    for (i, name) in ["b", "c", "d"].iter().enumerate() {
        ok(name, root.hard_link("a", Follow::No, &**root, name));
        equal(name, lstat(&**root, name).nlink, i as u64 + 2);
    }
    ok("unlink", root.unlink("a"));
    equal("one less", ok("metadata", file.metadata()).nlink, 3);
    put(&**root, "other", "");
    ok("rename over", root.rename("other", &**root, "b"));
    equal("another less", ok("metadata", file.metadata()).nlink, 2);
    ok("rename", root.rename("c", &**root, "e"));
    equal("moved, not lost", ok("metadata", file.metadata()).nlink, 2);
}

/// Two, and one more for the `..` of each directory in it; or always 1, as some filesystems have it.
fn directories_counted(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    let count = || ok("metadata", dir.metadata()).nlink;
    if count() == 1 {
        make_dir(&*dir, "a");
        return equal("always 1", count(), 1);
    }
    equal("empty", count(), 2);
    make_dir(&*dir, "a");
    make_dir(&*dir, "b");
    put(&*dir, "file", "");
    equal("with two directories", count(), 4);
    ok("rename", dir.rename("b", &**root, "c"));
    equal("with one moved out", count(), 3);
    ok("rename", root.rename("c", &*dir, "c"));
    equal("and in again", count(), 4);
    ok("rename", dir.rename("c", &*dir, "a"));
    equal("one over the other", count(), 3);
    ok("remove_dir", dir.remove_dir("a"));
    equal("with none", count(), 2);
}

fn errors(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    for follow in [Follow::No, Follow::Yes] {
        for (path, expected) in
            [("none", NoEnt), ("none/x", NoEnt), ("", NoEnt), ("file/x", NotDir), ("file/", NotDir)]
        {
            fails(format_args!("stat {path:?}"), root.stat(path, follow), &[expected]);
        }
    }
}
