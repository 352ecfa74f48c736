//! What several trees under one root promise: closed trees, names that stay, changes while guests run.

mod common;

use common::*;
use std::sync::Arc;
use wasi_host_core::Errno::{Busy, Exist, Inval, IsDir, NoEnt, NotCapable, NotDir, NotEmpty, RoFs, XDev};
use wasi_host_core::fs::{Dir, FileType, Follow};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::mount::MountFs;

/// A base that holds "file" and "covered/secret", with a tree at "covered" and one at "new/a", which hold "inside".
fn two() -> (MountFs, MemoryFs, [MemoryFs; 2]) {
    let base = MemoryFs::new();
    base.create_dir_all("covered").unwrap();
    base.write("covered/secret", "hidden").unwrap();
    base.write("file", "base").unwrap();
    let fs = MountFs::new(base.root());
    let trees = [MemoryFs::new(), MemoryFs::new()];
    for (path, tree) in ["covered", "new/a"].iter().zip(&trees) {
        tree.write("inside", *path).unwrap();
        fs.mount(path, tree.root()).unwrap();
    }
    (fs, base, trees)
}

#[test]
fn mount_points_are_listed_and_cover() {
    let (fs, ..) = two();
    let root = fs.root();
    assert_eq!(names(&*root), [".", "..", "covered", "file", "new"]);
    for entry in root.entries().unwrap().map(Result::unwrap) {
        let m = root.stat(if entry.name == ".." { "." } else { &entry.name }, Follow::No).unwrap();
        assert_eq!((entry.ino, entry.file_type), (m.ino, m.file_type), "{}", entry.name);
    }
    assert_eq!(names(&*open_dir(&*root, "covered")), [".", "..", "inside"]);
    assert_eq!(names(&*open_dir(&*root, "new")), [".", "..", "a"]);
    assert_eq!(content(&*root, "new/a/inside"), "new/a");
    assert_eq!(root.stat("covered/secret", Follow::No), Err(NoEnt));
    assert_eq!(root.stat("./covered/../covered/secret", Follow::No), Err(NotCapable));
    assert_eq!(root.create_dir("new/b"), Err(RoFs), "what is there only to hold others");
    root.create_dir("new/a/b").unwrap();
}

#[test]
fn no_tree_leads_into_another() {
    let (fs, _, [covered, a]) = two();
    let root = fs.root();
    for (name, to) in
        [("up", ".."), ("file", "../file"), ("other", "../../covered/inside"), ("self", "b/../inside")]
    {
        a.root().symlink(to, name).unwrap();
    }
    a.create_dir_all("b").unwrap();
    for path in
        ["new/a/up", "new/a/up/a", "new/a/file", "new/a/other", "new/a/..", "new/a/b/../..", "new/a/../a"]
    {
        assert_eq!(root.stat(path, Follow::Yes), Err(NotCapable), "{path}");
    }
    assert_eq!(content(&*root, "new/a/self"), "new/a");
    // Also from a tree that holds others itself.
    fs.mount("new/a/b", covered.root()).unwrap();
    for path in ["new/a/up", "new/a/file", "new/a/b/..", "new/a/b/../inside", "new/a/..", "new/a/self"] {
        assert_eq!(root.stat(path, Follow::Yes), Err(NotCapable), "{path}");
    }
    assert_eq!(content(&*root, "new/a/b/inside"), "covered");
    // In through links, by the names that guests see.
    root.symlink("new/a/b", "in").unwrap();
    root.symlink("covered", "to-covered").unwrap();
    assert_eq!(content(&*root, "in/inside"), "covered");
    assert_eq!(root.stat("to-covered/secret", Follow::No), Err(NoEnt));
    let opened = open_dir(&*root, "to-covered");
    assert_eq!(names(&*opened), [".", "..", "inside"]);
    assert_eq!(opened.stat("..", Follow::No), Err(NotCapable));
}

#[test]
fn mount_points_stay() {
    let (fs, ..) = two();
    let root = fs.root();
    for point in ["covered", "new"] {
        for path in [point.to_owned(), format!("{point}/")] {
            assert_eq!(root.remove_dir(&path), Err(Busy));
            assert_eq!(root.unlink(&path), Err(IsDir));
            assert_eq!(root.rename(&path, &*root, "x"), Err(Busy));
            assert_eq!(root.rename("file", &*root, &path), Err(Busy));
            assert_eq!(root.create_dir(&path), Err(Exist));
            assert_eq!(root.symlink("x", &path), Err(Exist));
            assert_eq!(root.hard_link("file", Follow::No, &*root, &path), Err(Exist));
        }
    }
    assert_eq!(root.hard_link("file", Follow::No, &*root, "covered/x"), Err(XDev));
    assert_eq!(root.rename("file", &*root, "covered/x"), Err(XDev));
    assert_eq!(root.rename("covered/inside", &*root, "new/a/x"), Err(XDev));
    assert_eq!(root.rename("covered/inside", &*MemoryFs::new().root(), "x"), Err(XDev));
    root.rename("covered/inside", &*open_dir(&*root, "covered"), "x").unwrap();
    assert_eq!(content(&*root, "covered/x"), "covered");
}

/// Trees are mounted in directories, not at paths.
#[test]
fn what_holds_a_tree_may_be_moved_but_not_removed() {
    let base = MemoryFs::new();
    base.create_dir_all("dir").unwrap();
    let fs = MountFs::new(base.root());
    let tree = MemoryFs::new();
    tree.write("inside", "text").unwrap();
    let opened = open_dir(&*fs.root(), "dir");
    fs.mount("dir/point", tree.root()).unwrap();
    assert_eq!(content(&*opened, "point/inside"), "text", "who had it open sees it");
    let root = fs.root();
    root.create_dir("other").unwrap();
    assert_eq!(root.remove_dir("dir"), Err(NotEmpty));
    assert_eq!(root.rename("other", &*root, "dir"), Err(NotEmpty));
    root.rename("dir", &*root, "other").unwrap();
    assert_eq!(content(&*root, "other/point/inside"), "text");
    assert_eq!(root.stat("dir", Follow::No), Err(NoEnt));
    root.create_dir("dir").unwrap();
    assert_eq!(names(&*open_dir(&*root, "dir")), [".", ".."]);
}

#[test]
fn trees_go() {
    let (fs, _, [_, a]) = two();
    let root = fs.root();
    let file = open_file(&*root, "covered/inside", READ);
    fs.mount("covered/more", a.root()).unwrap();
    let more = open_dir(&*root, "covered/more");
    fs.unmount("covered").unwrap();
    assert_eq!(content(&*root, "covered/secret"), "hidden");
    assert_eq!(root.stat("covered/more", Follow::No), Err(NoEnt));
    assert_eq!(read(&*file, 10, 0), b"covered", "what is open stays open");
    assert_eq!(content(&*more, "inside"), "new/a");
    assert_eq!(fs.unmount("covered"), Err(Inval));
    assert_eq!(fs.unmount("none/x"), Err(NoEnt));
    fs.unmount("new/a").unwrap();
    assert_eq!(names(&*open_dir(&*root, "new")), [".", ".."]);
}

#[test]
fn where_nothing_can_be_mounted() {
    let (fs, ..) = two();
    let tree = || MemoryFs::new().root();
    fs.root().symlink("covered", "link").unwrap();
    for (path, expected) in [
        ("", NoEnt),
        ("/a", NotCapable),
        (".", Inval),
        ("..", Inval),
        ("a/../b", Inval),
        ("file", NotDir),
        ("file/x", NotDir),
        ("link", NotDir),
        ("covered", Busy),
        ("./new//a/", Busy),
    ] {
        assert_eq!(fs.mount(path, tree()), Err(expected), "{path:?}");
    }
}

#[test]
fn trees_on_disk() {
    let place = tempfile::TempDir::new().unwrap();
    std::fs::create_dir_all(place.path().join("base/a/b")).unwrap();
    std::fs::create_dir_all(place.path().join("tree/c/d")).unwrap();
    std::fs::write(place.path().join("tree/c/d/file"), "text").unwrap();
    std::os::unix::fs::symlink("../../base", place.path().join("tree/out")).unwrap();
    let dir = |name| Arc::new(NativeDir::open_ambient(place.path().join(name)).unwrap()) as Arc<dyn Dir>;
    let fs = MountFs::new(dir("base"));
    fs.mount("a/b/point", dir("tree")).unwrap();
    let root = fs.root();
    assert_eq!(content(&*root, "a/b/point/c/d/file"), "text");
    assert_eq!(root.stat("a/b/point/out", Follow::Yes), Err(NotCapable));
    assert_eq!(root.stat("a/b/point/c/../..", Follow::Yes), Err(NotCapable));
    assert_eq!(names(&*open_dir(&*root, "a/b")), [".", "..", "point"]);
    let top = open_dir(&*root, "a/b/point");
    for entry in top.entries().unwrap().map(Result::unwrap).filter(|entry| entry.name.starts_with('.')) {
        assert_eq!(entry.ino, top.metadata().unwrap().ino, "above a tree there is nothing: {entry:?}");
        assert_eq!(entry.file_type, FileType::Directory);
    }
}
