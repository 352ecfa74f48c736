//! Every operation × every combination of permissions.

use super::spy::Spy;
use crate::*;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::fs::{Advice, Node};
use wasi_host_core::time::SetTime;

type Call = fn(&Descriptor) -> Result<()>;

const NONE: DirPerms = DirPerms::empty();
const LOOK: DirPerms = DirPerms::READ;
const MUTATE: DirPerms = DirPerms::MUTATE;
const LOOK_AND_MUTATE: DirPerms = DirPerms::all();
const NOT: FilePerms = FilePerms::empty();
const R: FilePerms = FilePerms::READ;
const W: FilePerms = FilePerms::WRITE;
const RW: FilePerms = FilePerms::all();

/// Every operation on a directory, what it needs, and itself.
pub(super) const CALLS: &[(&str, DirPerms, FilePerms, Call)] = &[
    ("open", LOOK, NOT, |d| d.open("file", NEITHER).map(drop)),
    ("open to read", LOOK, R, |d| d.open("file", READ).map(drop)),
    ("try to open to read", LOOK, R, |d| d.try_open("file", READ).map(drop)),
    ("open by a link", LOOK, R, |d| d.open("link", READ).map(drop)),
    ("open to write", LOOK, W, |d| d.open("file", WRITE).map(drop)),
    ("try to open to write", LOOK, W, |d| d.try_open("file", WRITE).map(drop)),
    ("open to do both", LOOK, RW, |d| d.open("file", BOTH).map(drop)),
    ("truncate", LOOK, W, |d| d.open("file", Open { truncate: true, ..NEITHER }).map(drop)),
    ("truncate to read", LOOK, RW, |d| d.open("file", Open { truncate: true, ..READ }).map(drop)),
    ("truncate to write", LOOK, W, |d| d.open("file", Open { truncate: true, ..WRITE }).map(drop)),
    ("create", LOOK_AND_MUTATE, NOT, |d| d.open("new", Open { create: true, ..NEITHER }).map(drop)),
    ("create to read", LOOK_AND_MUTATE, R, |d| d.open("new", Open { create: true, ..READ }).map(drop)),
    ("create to write", LOOK_AND_MUTATE, W, |d| d.open("new", Open { create: true, ..WRITE }).map(drop)),
    ("create to do both", LOOK_AND_MUTATE, RW, |d| d.open("new", CREATE).map(drop)),
    ("create what there is", LOOK_AND_MUTATE, RW, |d| d.open("file", CREATE).map(drop)),
    ("open a directory", LOOK, NOT, |d| d.open("dir", READ).map(drop)),
    ("open itself", LOOK, NOT, |d| d.open(".", Open { directory: true, ..READ }).map(drop)),
    ("stat", LOOK, NOT, |d| d.stat("file", Follow::Yes).map(drop)),
    ("try to stat", LOOK, NOT, |d| d.try_stat("file", Follow::Yes).map(drop)),
    ("entries", LOOK, NOT, |d| d.entries()?.try_for_each(|entry| entry.map(drop))),
    ("read_link", LOOK, NOT, |d| d.read_link("link").map(drop)),
    ("create_dir", MUTATE, NOT, |d| d.create_dir("new")),
    ("symlink", MUTATE, NOT, |d| d.symlink("target", "new")),
    ("hard_link", MUTATE, NOT, |d| d.hard_link("file", Follow::No, d, "new")),
    ("rename", MUTATE, NOT, |d| d.rename("file", d, "new")),
    ("unlink", MUTATE, NOT, |d| d.unlink("file")),
    ("remove_dir", MUTATE, NOT, |d| d.remove_dir("dir")),
    ("set_times_at", MUTATE, NOT, |d| d.set_times_at("file", Follow::No, SetTime::Now, SetTime::Now, None)),
    ("set_times", MUTATE, NOT, |d| d.set_times(SetTime::Now, SetTime::Now, None)),
    ("metadata", NONE, NOT, |d| d.metadata().map(drop)),
    ("sync", NONE, NOT, |d| d.sync(false)),
];

/// Every operation on a file, for what it must have been opened, and itself.
pub(super) const FILE_CALLS: &[(&str, Access, Call)] = &[
    ("read_at", Access::READ, |f| read(f).map(drop)),
    ("try_read_at", Access::READ, |f| f.try_read_at(&mut [IoSliceMut::new(&mut [0; 8])], 0).map(drop)),
    ("write_at", Access::WRITE, |f| f.write_at(&[IoSlice::new(b"x")], 0).map(drop)),
    ("append", Access::WRITE, |f| f.append(&[IoSlice::new(b"x")]).map(drop)),
    ("set_len", Access::WRITE, |f| f.set_len(2)),
    ("allocate", Access::WRITE, |f| f.allocate(0, 100)),
    ("advise", Access::empty(), |f| f.advise(0, 1, Advice::Normal)),
    ("metadata", Access::empty(), |f| f.metadata().map(drop)),
    ("sync", Access::empty(), |f| f.sync(true)),
    ("is_same_object", Access::empty(), |f| f.is_same_object(f).map(drop)),
];

#[test]
fn of_directories() {
    for (dir, file) in all_perms() {
        for (what, need_dir, need_file, call) in CALLS {
            let fs = fixture();
            let before = names(&fs);
            let (root, calls) = Spy::on(fs.root());
            let door = Descriptor::preopen(root, Arc::new(Grant::new(dir, file, Limits::default())));
            let got = call(&door);
            if dir.contains(*need_dir) && file.contains(*need_file) {
                assert_eq!(got, Ok(()), "{what} with {dir:?} {file:?}");
                continue;
            }
            assert_eq!(got, Err(Errno::Perm), "{what} with {dir:?} {file:?}");
            assert_eq!(names(&fs), before, "{what} with {dir:?} {file:?}");
            assert_eq!(fs.read("file").unwrap(), b"text", "{what} with {dir:?} {file:?}");
            // Only what may turn out to be a directory is looked at before reading it is refused.
            let looks = what.contains("open") && dir.contains(LOOK) && file.contains(*need_file - R);
            assert!(looks || calls.load(Relaxed) == 0, "{what} with {dir:?} {file:?} asked the backend");
        }
    }
}

#[test]
fn of_files_by_how_they_were_opened() {
    for access in [Access::empty(), Access::READ, Access::WRITE, Access::all()] {
        for (what, need, call) in FILE_CALLS {
            let fs = fixture();
            let (root, calls) = Spy::on(fs.root());
            let how = how(access.contains(Access::READ), access.contains(Access::WRITE));
            let file = Descriptor::preopen(root, Arc::new(Grant::full())).open("file", how).unwrap();
            assert_eq!(file.access(), access);
            let asked = calls.load(Relaxed);
            if access.contains(*need) {
                assert_eq!(call(&file), Ok(()), "{what} with {access:?}");
                assert!(calls.load(Relaxed) > asked, "{what} did not come through");
            } else {
                assert_eq!(call(&file), Err(Errno::BadF), "{what} with {access:?}");
                assert_eq!(calls.load(Relaxed), asked, "{what} with {access:?} asked the backend");
            }
        }
    }
}

/// A file's times are the grant's matter, not that of how it was opened.
#[test]
fn of_times_of_files() {
    for (dir, file) in all_perms() {
        let fs = fixture();
        let Node::File(node) = fs.root().open("file", READ).unwrap() else { panic!("a directory") };
        let grant = Arc::new(Grant::new(dir, file, Limits::default()));
        for access in [Access::empty(), Access::READ, Access::WRITE] {
            let got = Descriptor::file(node.clone(), access, grant.clone()).set_times(
                SetTime::Now,
                SetTime::Now,
                None,
            );
            assert_eq!(got.is_ok(), file.contains(W), "{file:?} {access:?}");
            assert!(matches!(got, Ok(()) | Err(Errno::Perm)));
        }
    }
}

/// What is opened inherits.
#[test]
fn of_what_lies_below() {
    for (dir, file) in all_perms().filter(|(dir, _)| dir.contains(LOOK)) {
        let fs = fixture();
        fs.write("dir/file", "text").unwrap();
        let below = granted(&fs, dir, file).open("dir", READ).unwrap();
        let again = below.open(".", READ).unwrap();
        for dir_below in [below, again] {
            assert_eq!(dir_below.access(), Access::all());
            let may = |ok: bool| if ok { Ok(()) } else { Err(Errno::Perm) };
            assert_eq!(dir_below.open("file", READ).map(drop), may(file.contains(R)));
            assert_eq!(dir_below.open("file", WRITE).map(drop), may(file.contains(W)));
            assert_eq!(dir_below.set_times(SetTime::Now, SetTime::Now, None), may(dir.contains(MUTATE)));
            assert_eq!(
                dir_below.open("file", Open { truncate: true, ..NEITHER }).map(drop),
                may(file.contains(W))
            );
        }
    }
}

#[test]
fn files_are_no_directories() {
    let fs = fixture();
    let file = full(&fs).open("file", BOTH).unwrap();
    for (what, _, _, call) in
        CALLS.iter().filter(|(what, ..)| !["metadata", "sync", "set_times"].contains(what))
    {
        assert_eq!(call(&file), Err(Errno::NotDir), "{what}");
    }
    let dir = full(&fs).open("dir", READ).unwrap();
    for (what, need, call) in FILE_CALLS.iter().filter(|(_, need, _)| !need.is_empty()) {
        assert_eq!(call(&dir), Err(Errno::IsDir), "{what} of a directory for {need:?}");
    }
}
