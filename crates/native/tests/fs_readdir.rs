//! Listings: long ones, odd names, and what they hold open.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, symlink};
use tempfile::TempDir;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Dir, DirEntry, FileType, Node, Open};
use wasi_host_native::fs::NativeDir;

/// A directory in memory and one on the disk: their `getdents` are different code.
fn places() -> [TempDir; 2] {
    ["/dev/shm", env!("CARGO_TARGET_TMPDIR")].map(|parent| TempDir::new_in(parent).unwrap())
}

fn list(dir: &NativeDir) -> Vec<DirEntry> {
    dir.entries().unwrap().map(|entry| entry.unwrap()).collect()
}

/// How many descriptors this process holds on directories below `dir`; other tests have others.
fn held(dir: &TempDir) -> usize {
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
        .filter(|path| path.starts_with(dir.path()))
        .count()
}

#[test]
fn three_thousand_names() {
    for place in places() {
        let mut expected: BTreeMap<String, FileType> = BTreeMap::new();
        for n in 0..3000 {
            let name = format!("a name that is not quite short, number {n}");
            let path = place.path().join(&name);
            let kind = match n % 100 {
                0 => fs::create_dir(path).map(|()| FileType::Directory),
                1 => symlink("nowhere", path).map(|()| FileType::SymbolicLink),
                _ => fs::write(path, "").map(|()| FileType::RegularFile),
            };
            expected.insert(name, kind.unwrap());
        }
        let inodes: BTreeMap<_, _> = fs::read_dir(place.path())
            .unwrap()
            .map(|e| e.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), e.ino()))
            .collect();
        expected.extend([(".".into(), FileType::Directory), ("..".into(), FileType::Directory)]);

        let dir = NativeDir::open_ambient(place.path()).unwrap();
        let listed = list(&dir);
        assert_eq!(listed.len(), 3002, "none twice");
        for entry in &listed {
            assert!(!inodes.contains_key(&entry.name) || inodes[&entry.name] == entry.ino, "{}", entry.name);
        }
        let listed: BTreeMap<_, _> = listed.into_iter().map(|e| (e.name, e.file_type)).collect();
        assert_eq!(listed, expected);
        assert_eq!(list(&dir).len(), 3002, "a second listing begins at the beginning");
    }
}

#[test]
fn two_listings_do_not_share_a_position() {
    for place in places() {
        for n in 0..2000 {
            fs::write(place.path().join(n.to_string()), "").unwrap();
        }
        let dir = NativeDir::open_ambient(place.path()).unwrap();
        let (mut one, mut two) = (dir.entries().unwrap(), dir.entries().unwrap());
        let (mut names, mut others) = (Vec::new(), Vec::new());
        for _ in 0..2002 {
            names.push(one.next().unwrap().unwrap().name);
            others.push(two.next().unwrap().unwrap().name);
        }
        assert_eq!(names, others);
        for _ in 0..2 {
            assert!(one.next().is_none(), "the end stays the end");
        }
    }
}

#[test]
fn names_that_are_not_utf_8_are_shown_and_hide_no_others() {
    for place in places() {
        fs::write(place.path().join(OsStr::from_bytes(b"bad\xff\xfename")), "").unwrap();
        fs::write(place.path().join("good"), "").unwrap();
        let dir = NativeDir::open_ambient(place.path()).unwrap();
        let mut names: Vec<_> = list(&dir).into_iter().map(|e| e.name).collect();
        names.sort();
        assert_eq!(names, [".", "..", "bad\u{fffd}\u{fffd}name", "good"]);
        let bad = dir.open("bad\u{fffd}\u{fffd}name", Open { read: true, ..Open::default() });
        assert_eq!(bad.unwrap_err(), Errno::NoEnt);

        symlink(OsStr::from_bytes(b"\xff"), place.path().join("link")).unwrap();
        assert_eq!(dir.read_link("link"), Err(Errno::IlSeq));
    }
}

#[test]
fn a_listing_holds_one_descriptor_and_gives_it_back() {
    for place in places() {
        for n in 0..100 {
            fs::write(place.path().join(n.to_string()), "").unwrap();
        }
        let dir = NativeDir::open_ambient(place.path()).unwrap();
        let before = held(&place);
        for _ in 0..50 {
            let mut entries = dir.entries().unwrap();
            assert!(entries.next().is_some());
            assert_eq!(held(&place), before + 1);
        }
        assert_eq!(held(&place), before);
        let mut entries = dir.entries().unwrap();
        assert_eq!(entries.by_ref().count(), 102);
        assert_eq!(held(&place), before, "at the end already");
    }
}

#[test]
fn it_can_be_read_in_another_thread_and_outlives_its_directory() {
    for place in places() {
        fs::write(place.path().join("f"), "").unwrap();
        let entries = NativeDir::open_ambient(place.path()).unwrap().entries().unwrap();
        let n = std::thread::spawn(move || entries.filter(|e| e.is_ok()).count()).join().unwrap();
        assert_eq!(n, 3);
    }
}

#[test]
fn a_removed_directory_has_no_names() {
    for place in places() {
        fs::create_dir(place.path().join("d")).unwrap();
        let above = NativeDir::open_ambient(place.path()).unwrap();
        let Node::Dir(dir) =
            above.open("d", Open { read: true, directory: true, ..Open::default() }).unwrap()
        else {
            panic!("not a directory")
        };
        above.remove_dir("d").unwrap();
        assert_eq!(dir.entries().unwrap().count(), 0);
        assert_eq!(dir.metadata().unwrap().nlink, 0);
        assert_eq!(dir.create_dir("below"), Err(Errno::NoEnt));
    }
}
