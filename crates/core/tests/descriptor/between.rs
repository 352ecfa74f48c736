//! Moving and linking between grants: nobody gains by it.

use crate::*;

#[test]
fn every_pair_of_permissions() {
    for from in all_perms() {
        for to in all_perms() {
            let both_mutate = (from.0 & to.0).contains(DirPerms::MUTATE);
            let narrower = from.0.contains(to.0) && from.1.contains(to.1);
            let expected = if both_mutate && narrower { Ok(()) } else { Err(Errno::Perm) };
            let what = format!("from {from:?} to {to:?}");
            let fs = fixture();
            let (a, b) = (granted(&fs, from.0, from.1), granted(&fs, to.0, to.1));
            let before = names(&fs);
            assert_eq!(a.hard_link("file", Follow::No, &b, "linked"), expected, "hard_link {what}");
            assert_eq!(a.rename("file", &b, "moved"), expected, "rename {what}");
            assert_eq!(a.rename("dir", &b, "moved dir"), expected, "rename of a directory {what}");
            assert_eq!(names(&fs) == before, expected.is_err(), "{what}");
        }
    }
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
    assert_eq!(target.rename("../file", &source, "x"), Err(Errno::NotCapable));
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
