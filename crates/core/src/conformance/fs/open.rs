//! Opening: every flag, on whatever the name may stand for.

use super::check::*;
use crate::Errno::{self, Exist, Inval, IsDir, Loop, NoEnt, NotDir};
use crate::fs::{Blocking, Dir, FileType, Follow, Node, Open};
use std::sync::Arc;

super::list!("open": matrix, creates, leaves_alone, truncates, truncates_without_write, exclusive_is_atomic,
    neither_read_nor_write, dirs_are_dirs, through_dirs, cached);

/// What opening must give: a file of these bytes, a directory, or one of these errors.
#[derive(Debug)]
enum Gives {
    File(&'static str),
    Dir,
    Fails(&'static [Errno]),
}
use Gives::{Dir as ADir, Fails, File as AFile};

const NOFOLLOW: Open = Open { follow: false, ..READ };
const TRUNCATE: Open = Open { truncate: true, ..BOTH };

/// Each way to open × a file, a directory, nothing, a link to a file, to a directory, to nothing, to itself.
#[rustfmt::skip]
const MATRIX: &[(&str, Open, [Gives; 7])] = &[
    ("read", READ,
        [AFile("text"), ADir, Fails(&[NoEnt]), AFile("text"), ADir, Fails(&[NoEnt]), Fails(&[Loop])]),
    ("write", WRITE,
        [AFile("text"), Fails(&[IsDir]), Fails(&[NoEnt]), AFile("text"), Fails(&[IsDir]), Fails(&[NoEnt]), Fails(&[Loop])]),
    ("read and write", BOTH,
        [AFile("text"), Fails(&[IsDir]), Fails(&[NoEnt]), AFile("text"), Fails(&[IsDir]), Fails(&[NoEnt]), Fails(&[Loop])]),
    ("truncate", TRUNCATE,
        [AFile(""), Fails(&[IsDir]), Fails(&[NoEnt]), AFile(""), Fails(&[IsDir]), Fails(&[NoEnt]), Fails(&[Loop])]),
    ("create", CREATE,
        [AFile("text"), Fails(&[IsDir]), AFile(""), AFile("text"), Fails(&[IsDir]), AFile(""), Fails(&[Loop])]),
    ("create to read", Open { create: true, ..READ },
        [AFile("text"), Fails(&[IsDir]), AFile(""), AFile("text"), Fails(&[IsDir]), AFile(""), Fails(&[Loop])]),
    ("create and truncate", Open { create: true, ..TRUNCATE },
        [AFile(""), Fails(&[IsDir]), AFile(""), AFile(""), Fails(&[IsDir]), AFile(""), Fails(&[Loop])]),
    ("exclusive", EXCLUSIVE,
        [Fails(&[Exist]), Fails(&[Exist]), AFile(""), Fails(&[Exist]), Fails(&[Exist]), Fails(&[Exist]), Fails(&[Exist])]),
    ("directory", DIRECTORY,
        [Fails(&[NotDir]), ADir, Fails(&[NoEnt]), Fails(&[NotDir]), ADir, Fails(&[NoEnt]), Fails(&[Loop])]),
    ("directory to write", Open { write: true, ..DIRECTORY },
        [Fails(&[NotDir]), Fails(&[IsDir]), Fails(&[NoEnt]), Fails(&[NotDir]), Fails(&[IsDir]), Fails(&[NoEnt]), Fails(&[Loop])]),
    ("read, no follow", NOFOLLOW,
        [AFile("text"), ADir, Fails(&[NoEnt]), Fails(&[Loop]), Fails(&[Loop]), Fails(&[Loop]), Fails(&[Loop])]),
    ("create, no follow", Open { follow: false, ..CREATE },
        [AFile("text"), Fails(&[IsDir]), AFile(""), Fails(&[Loop]), Fails(&[Loop]), Fails(&[Loop]), Fails(&[Loop])]),
    ("truncate, no follow", Open { follow: false, ..TRUNCATE },
        [AFile(""), Fails(&[IsDir]), Fails(&[NoEnt]), Fails(&[Loop]), Fails(&[Loop]), Fails(&[Loop]), Fails(&[Loop])]),
    ("exclusive, no follow", Open { follow: false, ..EXCLUSIVE },
        [Fails(&[Exist]), Fails(&[Exist]), AFile(""), Fails(&[Exist]), Fails(&[Exist]), Fails(&[Exist]), Fails(&[Exist])]),
    ("directory, no follow", Open { follow: false, ..DIRECTORY },
        [Fails(&[NotDir]), ADir, Fails(&[NoEnt]), Fails(&[NotDir, Loop]), Fails(&[NotDir, Loop]), Fails(&[NotDir, Loop]), Fails(&[NotDir, Loop])]),
    ("create a directory", Open { create: true, ..DIRECTORY },
        [Fails(&[Inval]), Fails(&[Inval]), Fails(&[Inval]), Fails(&[Inval]), Fails(&[Inval]), Fails(&[Inval]), Fails(&[Inval])]),
];

const NAMES: [&str; 7] = ["file", "dir", "none", "to-file", "to-dir", "dangling", "loop"];

fn matrix(root: &Arc<dyn Dir>) {
    for (i, (call, how, gives)) in MATRIX.iter().enumerate() {
        for (name, gives) in NAMES.iter().zip(gives) {
            let dir = &*make_dir(&**root, &format!("{i}-{name}"));
            put(dir, "file", "text");
            make_dir(dir, "dir");
            link(dir, "file", "to-file");
            link(dir, "dir", "to-dir");
            link(dir, "nowhere", "dangling");
            link(dir, "loop", "loop");
            let before = names(dir);
            let what = format!("open {name:?} to {call}");
            match (gives, dir.open(name, *how)) {
                (Fails(expected), got) => {
                    fails(&what, got, expected);
                    equal(format_args!("the names after {what}"), names(dir), before);
                    equal(format_args!("the file after {what}"), content(dir, "file"), "text".into());
                }
                (ADir, got) => {
                    let Node::Dir(opened) = ok(&what, got) else { panic!("{what}: got a file") };
                    equal(&what, ok(&what, opened.metadata()).ino, lstat(dir, "dir").ino);
                }
                (AFile(expected), got) => {
                    let Node::File(opened) = ok(&what, got) else { panic!("{what}: got a directory") };
                    equal(&what, ok(&what, opened.metadata()).file_type, FileType::RegularFile);
                    equal(&what, content(dir, name), (*expected).into());
                    equal(&what, lstat(dir, "dangling").file_type, FileType::SymbolicLink);
                }
            }
        }
    }
}

fn creates(root: &Arc<dyn Dir>) {
    let file = open(&**root, "new", CREATE);
    equal("size", ok("metadata", file.metadata()).size, 0);
    equal("nlink", ok("metadata", file.metadata()).nlink, 1);
    equal("file_type", file.file_type(), FileType::RegularFile);
    holds("a regular file is seekable", file.is_seekable());
    write(&*file, b"abc", 0);
    equal("content", content(&**root, "new"), "abc".into());
    equal("names", names(&**root), vec!["new".to_owned()]);
}

fn leaves_alone(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    let ino = lstat(&**root, "file").ino;
    let file = open(&**root, "file", CREATE);
    equal("the file", ok("metadata", file.metadata()).ino, ino);
    equal("content", text(&*file), "text".into());
}

fn truncates(root: &Arc<dyn Dir>) {
    let old = put(&**root, "file", "text");
    let new = open(&**root, "file", Open { truncate: true, ..WRITE });
    equal("the size seen by who had it open", ok("metadata", old.metadata()).size, 0);
    equal("the file", ok("metadata", new.metadata()).ino, ok("metadata", old.metadata()).ino);
    write(&*new, b"b", 1);
    equal("content", text(&*old), "\0b".into());
}

fn truncates_without_write(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    let file = open(&**root, "file", Open { truncate: true, ..READ });
    equal("size", ok("metadata", file.metadata()).size, 0);
}

/// Of many that create the same name at once, one succeeds.
fn exclusive_is_atomic(root: &Arc<dyn Dir>) {
    for round in 0..50 {
        let name = &format!("{round}");
        let made = std::thread::scope(|s| {
            let all: Vec<_> = (0..4).map(|_| s.spawn(|| root.open(name, EXCLUSIVE).is_ok())).collect();
            all.into_iter().filter_map(|t| t.join().ok()).filter(|made| *made).count()
        });
        equal(format_args!("how many made {name:?}"), made, 1);
    }
}

fn neither_read_nor_write(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    let file = open(&**root, "file", NOTHING);
    equal("size", ok("metadata", file.metadata()).size, 4);
    make_dir(&**root, "dir");
    holds("a directory opens so", matches!(root.open("dir", NOTHING), Ok(Node::Dir(_))));
    fails(
        "a link that is not followed",
        {
            link(&**root, "file", "link");
            root.open("link", Open { follow: false, ..NOTHING })
        },
        &[Loop],
    );
}

fn dirs_are_dirs(root: &Arc<dyn Dir>) {
    for path in [".", "./", "./."] {
        let dir = open_dir(&**root, path);
        equal(path, ok(path, dir.metadata()).ino, ok("metadata", root.metadata()).ino);
        fails(format_args!("write {path:?}"), root.open(path, WRITE), &[IsDir]);
        fails(format_args!("create {path:?}"), root.open(path, CREATE), &[IsDir]);
        fails(format_args!("exclusive {path:?}"), root.open(path, EXCLUSIVE), &[Exist, IsDir]);
    }
}

fn through_dirs(root: &Arc<dyn Dir>) {
    let a = make_dir(&**root, "a");
    let b = make_dir(&*a, "b");
    put(&*b, "file", "deep");
    equal("from the top", content(&**root, "a/b/file"), "deep".into());
    equal("from between", content(&*a, "b/file"), "deep".into());
    equal("with dots and slashes", content(&**root, "./a//b/./../b///file"), "deep".into());
    fails("nothing on the way", root.open("a/c/file", CREATE), &[NoEnt]);
    fails("a file on the way", root.open("a/b/file/x", CREATE), &[NotDir]);
}

/// What needs no waiting gives the same or `Again`, and never `Again` from who says that it never blocks.
fn cached(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    make_dir(&**root, "dir");
    let again: &[Errno] = if root.blocking() == Blocking::Never { &[] } else { &[Errno::Again] };
    match root.try_open("file", READ) {
        Ok(Node::File(file)) => equal("content", text(&*file), "text".into()),
        Ok(Node::Dir(_)) => panic!("try_open of a file: got a directory"),
        Err(e) => holds(format_args!("try_open: got {e:?}"), again.contains(&e)),
    }
    match root.try_open("dir", READ) {
        Ok(node) => holds("try_open of a directory: got a file", matches!(node, Node::Dir(_))),
        Err(e) => holds(format_args!("try_open: got {e:?}"), again.contains(&e)),
    }
    match root.try_stat("file", Follow::Yes) {
        Ok(m) => equal("try_stat", m.ino, lstat(&**root, "file").ino),
        Err(e) => holds(format_args!("try_stat: got {e:?}"), again.contains(&e)),
    }
    let refused = [&[NoEnt], again].concat();
    fails("try_open of nothing", root.try_open("none", READ), &refused);
    fails("try_stat of nothing", root.try_stat("none", Follow::Yes), &refused);
    let outside = [&[Errno::NotCapable], again].concat();
    fails("try_open of what is outside", root.try_open("../x", READ), &outside);
    fails("try_stat of what is outside", root.try_stat("../x", Follow::No), &outside);
}
