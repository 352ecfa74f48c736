//! Moving and linking between grants: nobody gains by it.

use crate::*;
use wasi_host_core::fs::Node;

#[test]
fn every_pair_of_permissions() {
    for from in all_perms() {
        for to in all_perms() {
            let both_mutate = (from.0 & to.0).contains(DirPerms::MUTATE);
            let narrower = from.0.contains(to.0) && from.1.contains(to.1);
            let may = |ok: bool| if both_mutate && ok { Ok(()) } else { Err(Errno::Perm) };
            let (link, rename) = (may(narrower), may(from == to));
            let what = format!("from {from:?} to {to:?}");
            let fs = fixture();
            let (a, b) = (granted(&fs, from.0, from.1), granted(&fs, to.0, to.1));
            let before = names(&fs);
            assert_eq!(a.hard_link("file", Follow::No, &b, "linked"), link, "hard_link {what}");
            assert_eq!(a.rename("file", &b, "moved"), rename, "rename {what}");
            assert_eq!(a.rename("dir", &b, "moved dir"), rename, "rename of a directory {what}");
            assert_eq!(names(&fs) == before, link.is_err() && rename.is_err(), "{what}");
        }
    }
}

/// Whoever has a directory open keeps it when it is moved; so it is moved only to where as much is allowed.
#[test]
fn an_open_directory_is_no_way_in() {
    let fs = fixture();
    fs.create_dir_all("wide/sub").unwrap();
    fs.create_dir_all("narrow").unwrap();
    fs.write("narrow/secret", "text").unwrap();
    let below = |path| match fs.root().open(path, READ).unwrap() {
        Node::Dir(dir) => dir,
        Node::File(_) => panic!("a file"),
    };
    let wide = Descriptor::preopen(below("wide"), Arc::new(Grant::full()));
    let grant = Grant::new(DirPerms::all(), FilePerms::READ, Limits::default());
    let narrow = Descriptor::preopen(below("narrow"), Arc::new(grant));
    let held = wide.open("sub", READ).unwrap();
    assert_eq!(wide.rename("sub", &narrow, "sub"), Err(Errno::Perm));
    assert_eq!(narrow.rename("secret", &narrow, "sub/secret"), Err(Errno::NoEnt));
    assert_eq!(held.open("secret", WRITE).map(drop), Err(Errno::NoEnt));
}

/// What may only be read cannot be moved to where it may be written.
#[test]
fn read_only_stays_read_only() {
    let fs = fixture();
    let source = granted(&fs, DirPerms::all(), FilePerms::READ);
    let target = full(&fs).open("dir", READ).unwrap();
    assert_eq!(source.rename("file", &target, "file"), Err(Errno::Perm));
    assert_eq!(source.hard_link("file", Follow::No, &target, "file"), Err(Errno::Perm));
    assert_eq!(fs.read("file").unwrap(), b"text");
    assert_eq!(target.rename("../file", &source, "x"), Err(Errno::Perm));
    assert_eq!(target.rename("../file", &target, "x"), Err(Errno::NotCapable));
}

#[test]
fn to_what_is_no_directory() {
    let fs = fixture();
    let (dir, file) = (full(&fs), full(&fs).open("file", BOTH).unwrap());
    assert_eq!(dir.rename("file", &file, "x"), Err(Errno::NotDir));
    assert_eq!(dir.hard_link("file", Follow::No, &file, "x"), Err(Errno::NotDir));
}

#[test]
fn to_another_backend() {
    let (one, other) = (fixture(), fixture());
    assert_eq!(full(&one).rename("file", &full(&other), "x"), Err(Errno::XDev));
    assert_eq!(full(&one).hard_link("file", Follow::No, &full(&other), "x"), Err(Errno::XDev));
}
