//! What counts of a tree with a bound, and what is said where it is reached.

mod common;

use common::*;
use std::io::IoSlice;
use std::sync::Arc;
use wasi_host_core::Errno::{DQuot, Exist, FBig, NoEnt, NoSpc};
use wasi_host_core::fs::{Dir, Follow, Open};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::quota::{Allowance, Full, Quota, Usage};

fn quota(bytes: u64, inodes: u64) -> (Quota, Arc<dyn Dir>) {
    let allowance = Allowance { bytes, inodes, ..Allowance::default() };
    let quota = Quota::new(MemoryFs::new().root(), allowance).unwrap();
    let root = quota.root();
    (quota, root)
}

#[track_caller]
fn used(quota: &Quota, bytes: u64, inodes: u64) {
    assert_eq!(quota.used(), Usage { bytes, inodes });
}

#[test]
fn what_fits_in_part_is_short() {
    let (quota, root) = quota(100, 10);
    let file = open_file(&*root, "file", CREATE);
    assert_eq!(write(&*file, &[1; 60], 0), Ok(60));
    assert_eq!(write(&*file, &[2; 60], 50), Ok(50));
    assert_eq!(write(&*file, &[3; 60], 100), Err(NoSpc));
    assert_eq!(file.append(&[IoSlice::new(&[3])]), Err(NoSpc));
    used(&quota, 100, 1);
    assert_eq!(write(&*file, &[4; 100], 0), Ok(100), "what is there may be overwritten");
    assert_eq!(write(&*file, &[], 1000), Ok(0));
    file.set_len(10).unwrap();
    let parts = [&[5; 40][..], &[], &[6; 80]].map(IoSlice::new);
    assert_eq!(file.append(&parts), Ok(90));
    assert_eq!(read(&*file, 200, 0), [&[4; 10][..], &[5; 40], &[6; 50]].concat());
    used(&quota, 100, 1);
}

#[test]
fn holes_count_as_if_filled() {
    let (quota, root) = quota(1000, 10);
    let file = open_file(&*root, "file", CREATE);
    assert_eq!(write(&*file, b"x", 899), Ok(1));
    used(&quota, 900, 1);
    assert_eq!(write(&*file, b"x", 1000), Err(NoSpc));
    assert_eq!(write(&*file, b"xx", 999), Ok(1));
    used(&quota, 1000, 1);
    assert_eq!(write(&*file, &[7; 998], 1), Ok(998), "filling what was skipped");
    used(&quota, 1000, 1);
    assert_eq!(file.set_len(1001), Err(NoSpc));
    assert_eq!(file.allocate(500, 501), Err(NoSpc));
    file.set_len(0).unwrap();
    used(&quota, 0, 1);
    file.allocate(10, 20).unwrap();
    file.allocate(0, 20).unwrap();
    used(&quota, 30, 1);
    file.set_len(1000).unwrap();
    used(&quota, 1000, 1);
    for offset in [u64::MAX, i64::MAX as u64] {
        assert!(write(&*file, b"x", offset).is_err());
        assert!(file.set_len(offset).is_err());
        assert!(file.allocate(offset, offset).is_err());
    }
    used(&quota, 1000, 1);
}

#[test]
fn unlinked_counts_until_closed() {
    let (quota, root) = quota(100, 10);
    put(&*root, "file", "0123456789");
    let (one, two) = (open_file(&*root, "file", BOTH), open_file(&*root, "file", READ));
    root.unlink("file").unwrap();
    used(&quota, 10, 1);
    assert_eq!(write(&*one, &[1; 100], 10), Ok(90));
    assert_eq!(open_file(&*root, "new", CREATE).set_len(1), Err(NoSpc));
    used(&quota, 100, 2);
    drop(one);
    used(&quota, 100, 2);
    drop(two);
    used(&quota, 0, 1);
    root.unlink("new").unwrap();
    used(&quota, 0, 0);
}

#[test]
fn names_of_one_file_count_once() {
    let (quota, root) = quota(100, 1);
    put(&*root, "a", "0123456789");
    root.hard_link("a", Follow::No, &*root, "b").unwrap();
    used(&quota, 10, 1);
    root.rename("a", &*root, "b").unwrap();
    root.unlink("a").unwrap();
    used(&quota, 10, 1);
    root.rename("b", &*root, "c").unwrap();
    root.rename("c", &*root, "./c").unwrap();
    used(&quota, 10, 1);
    root.unlink("c").unwrap();
    used(&quota, 0, 0);
}

#[test]
fn what_is_renamed_over_is_given_back() {
    let (quota, root) = quota(100, 10);
    put(&*root, "small", "1");
    put(&*root, "large", "0123456789");
    let open = open_file(&*root, "large", READ);
    root.rename("small", &*root, "large").unwrap();
    used(&quota, 11, 2);
    drop(open);
    used(&quota, 1, 1);
    root.symlink("over there", "link").unwrap();
    used(&quota, 11, 2);
    root.rename("large", &*root, "link").unwrap();
    used(&quota, 1, 1);
    root.create_dir("a").unwrap();
    root.create_dir("b").unwrap();
    root.rename("a", &*root, "b").unwrap();
    used(&quota, 1, 2);
    root.remove_dir("b").unwrap();
    used(&quota, 1, 1);
}

#[test]
fn truncated_at_open() {
    let (quota, root) = quota(100, 10);
    put(&*root, "file", "0123456789");
    let held = open_file(&*root, "file", BOTH);
    open_file(&*root, "file", Open { truncate: true, ..READ });
    used(&quota, 0, 1);
    assert_eq!(write(&*held, &[1; 100], 50), Ok(50));
    drop(held);
    open_file(&*root, "file", Open { truncate: true, ..CREATE });
    used(&quota, 0, 1);
    assert!(root.open(".", Open { truncate: true, ..WRITE }).is_err());
    assert!(root.open("none", Open { truncate: true, ..WRITE }).is_err());
    used(&quota, 0, 1);
}

#[test]
fn every_name_is_an_inode() {
    let (quota, root) = quota(100, 3);
    root.create_dir("dir").unwrap();
    root.symlink("x", "link").unwrap();
    open_file(&*root, "file", CREATE);
    used(&quota, 1, 3);
    let full = [
        root.create_dir("new"),
        root.symlink("x", "new"),
        root.open("new", CREATE).map(drop),
        root.open("link", CREATE).map(drop),
    ];
    assert_eq!(full, [Err(NoSpc); 4]);
    // What is wrong anyway is said first: `mkdir -p` goes on if a directory is there.
    assert_eq!(root.create_dir("dir"), Err(Exist));
    assert_eq!(root.symlink("x", "file"), Err(Exist));
    assert!(root.open("dir", CREATE).is_err());
    assert_eq!(root.unlink("none"), Err(NoEnt));
    open_file(&*root, "file", CREATE);
    used(&quota, 1, 3);
    root.unlink("link").unwrap();
    assert_eq!(root.create_dir("none/x"), Err(NoEnt));
    used(&quota, 0, 2);
    root.symlink(&"x".repeat(100), "link").unwrap();
    root.unlink("link").unwrap();
    assert_eq!(root.symlink(&"x".repeat(101), "link"), Err(NoSpc));
    used(&quota, 0, 2);
}

#[test]
fn largest_file_and_share() {
    let allowance = Allowance { bytes: 100, file_size: 50, full: Full::Share, ..Allowance::default() };
    let quota = Quota::new(MemoryFs::new().root(), allowance).unwrap();
    let root = quota.root();
    let file = open_file(&*root, "file", CREATE);
    assert_eq!(write(&*file, &[1; 60], 0), Ok(50));
    assert_eq!(write(&*file, &[1; 60], 50), Err(FBig));
    assert_eq!(file.set_len(51), Err(FBig));
    assert_eq!(file.allocate(0, 51), Err(FBig));
    open_file(&*root, "other", CREATE).set_len(45).unwrap();
    let third = open_file(&*root, "third", CREATE);
    assert_eq!(write(&*third, &[1; 60], 0), Ok(5));
    assert_eq!(write(&*third, &[1; 60], 5), Err(DQuot));
    quota.set(Allowance { bytes: 10, ..allowance });
    assert_eq!(write(&*third, &[1; 60], 5), Err(DQuot));
    assert_eq!(write(&*third, &[1; 5], 0), Ok(5), "what is there may be overwritten");
    quota.set(Allowance::default());
    assert_eq!(write(&*third, &[1; 60], 5), Ok(60));
}

#[test]
fn what_is_there_counts() {
    let place = tempfile::TempDir::new().unwrap();
    let root = place.path();
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(root.join("a/b/file"), [1; 100]).unwrap();
    std::fs::hard_link(root.join("a/b/file"), root.join("a/other")).unwrap();
    std::os::unix::fs::symlink("a/b", root.join("link")).unwrap();
    let dir = Arc::new(NativeDir::open_ambient(root).unwrap());
    let quota = Quota::new(dir, Allowance { bytes: 110, ..Allowance::default() }).unwrap();
    used(&quota, 103, 4);
    let root = quota.root();
    root.unlink("a/other").unwrap();
    used(&quota, 103, 4);
    root.unlink("a/b/file").unwrap();
    used(&quota, 3, 3);
    assert_eq!(write(&*open_file(&*root, "a/b/file", CREATE), &[1; 200], 0), Ok(107));
}

/// Whatever many threads do at once, in the end what is charged is what is there.
#[test]
fn threads() {
    let (quota, root) = quota(20_000, 40);
    std::thread::scope(|s| {
        for i in 0..8_usize {
            let root = &root;
            s.spawn(move || {
                for round in 0..500_usize {
                    let name = format!("{}", (i + round) % 6);
                    let other = format!("{}", round % 6);
                    if let Ok(wasi_host_core::fs::Node::File(file)) = root.open(&name, CREATE) {
                        let _ = write(&*file, &vec![1; round * 37 % 5000], (round * 11 % 3000) as u64);
                        let _ = file.set_len((round * 7 % 4000) as u64);
                        let _ = file.append(&[IoSlice::new(&[2; 300])]);
                    }
                    let _ = match round % 4 {
                        0 => root.unlink(&other),
                        1 => root.rename(&name, &**root, &other),
                        2 => root.hard_link(&name, Follow::No, &**root, &other),
                        _ => root.open(&other, Open { truncate: true, ..WRITE }).map(drop),
                    };
                }
            });
        }
    });
    let again = Quota::new(root, Allowance::default()).unwrap();
    assert_eq!(quota.used(), again.used());
    assert!(quota.used().bytes <= 20_000);
}
