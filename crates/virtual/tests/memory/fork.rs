//! Forks and snapshots: what they have of their origin, and that nothing leads from one to the other.

use crate::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasi_host_core::fs::{Blocking, FileType, Metadata};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_virtual::memory::{Limits, Usage};

fn names(dir: &dyn Dir) -> Vec<String> {
    dir.entries().unwrap().map(|entry| entry.unwrap().name).skip(2).collect()
}

fn stat(fs: &MemoryFs, path: &str) -> Metadata {
    fs.root().stat(path, Follow::No).unwrap()
}

#[test]
fn each_goes_its_own_way() {
    let fs = MemoryFs::new();
    fs.create_dir_all("a/b").unwrap();
    fs.write("a/file", [1; 10_000]).unwrap();
    let (one, other) = (fs.fork(), fs.fork());
    one.write("a/file", "one").unwrap();
    one.root().rename("a/b", &*one.root(), "moved").unwrap();
    other.root().unlink("a/file").unwrap();
    other.write("a/b/new", "other").unwrap();
    let file = open(&*fs.root(), "a/file", CREATE);
    write(&*file, &[2], 5000).unwrap();

    assert_eq!(one.read("a/file").unwrap(), b"one");
    assert_eq!(
        (names(&*one.root()), names(&*open_dir(&*one.root(), "moved"))),
        (vec!["a".into(), "moved".into()], vec![])
    );
    assert_eq!(other.read("a/file"), Err(Errno::NoEnt));
    assert_eq!(other.read("a/b/new").unwrap(), b"other");
    let origin = fs.read("a/file").unwrap();
    assert_eq!((origin[4999], origin[5000], origin[5001], origin.len()), (1, 2, 1, 10_000));
    assert_eq!(names(&*open_dir(&*fs.root(), "a")), ["b", "file"]);
    assert_eq!(names(&*open_dir(&*fs.root(), "a/b")), <[&str; 0]>::default());
    let third = one.fork();
    third.write("a/file", "third").unwrap();
    assert_eq!([one.read("a/file").unwrap(), third.read("a/file").unwrap()], [&b"one"[..], b"third"]);
}

/// As a disk that was copied: names, numbers, links, times. Only the device is another.
#[test]
fn a_fork_has_all_that_there_is() {
    let fs = MemoryFs::new();
    let root = fs.root();
    fs.create_dir_all("dir").unwrap();
    fs.write("dir/file", [3; 9000]).unwrap();
    root.hard_link("dir/file", Follow::No, &*root, "second name").unwrap();
    root.symlink("dir/file", "link").unwrap();
    open(&*root, "holes", CREATE).set_len(1 << 40).unwrap();
    let time = Timestamp::new(-7, 5).unwrap();
    root.set_times("dir/file", Follow::No, SetTime::At(time), SetTime::At(time)).unwrap();
    let fork = fs.fork();
    for path in [".", "dir", "dir/file", "second name", "link", "holes"] {
        let (a, b) = (stat(&fs, path), stat(&fork, path));
        assert_ne!(a.dev, b.dev);
        assert_eq!(Metadata { dev: 0, ..a }, Metadata { dev: 0, ..b }, "{path}");
    }
    assert_eq!(fork.root().read_link("link").unwrap(), "dir/file");
    assert_eq!(fork.usage(), fs.usage());
    assert_eq!(fork.limits(), fs.limits());
    let blocking = [fork.root().blocking(), open(&*fork.root(), "holes", READ).blocking()];
    assert_eq!(blocking, [Blocking::Never; 2]);

    // Two names of one file are so in the fork, too.
    fork.write("second name", "by the other name").unwrap();
    assert_eq!(fork.read("dir/file").unwrap(), b"by the other name");
    assert_eq!(fs.read("dir/file").unwrap(), [3; 9000]);
    fork.root().unlink("dir/file").unwrap();
    assert_eq!((stat(&fork, "second name").nlink, stat(&fs, "second name").nlink), (1, 2));
    // Different filesystems are different filesystems.
    assert_eq!(root.rename("link", &*fork.root(), "x"), Err(Errno::XDev));
    assert_eq!(root.hard_link("holes", Follow::No, &*fork.root(), "x"), Err(Errno::XDev));
    // Whatever either makes has a number that nothing in it has.
    let mut numbers = vec![stat(&fork, "holes").ino, stat(&fork, "link").ino, stat(&fork, "dir").ino];
    numbers.extend(["x", "y"].map(|name| {
        fork.write(name, "").unwrap();
        stat(&fork, name).ino
    }));
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 5);
}

#[test]
fn what_is_open_stays_with_the_origin() {
    let fs = MemoryFs::new();
    fs.create_dir_all("dir").unwrap();
    (0..200).for_each(|i| fs.write(&format!("dir/{i:03}"), "x").unwrap());
    let root = fs.root();
    let (file, gone) = (open(&*root, "file", CREATE), open(&*root, "gone", CREATE));
    let (dir, removed) = (open_dir(&*root, "dir"), {
        root.create_dir("removed").unwrap();
        open_dir(&*root, "removed")
    });
    let mut listing = dir.entries().unwrap();
    let begun: Vec<_> = listing.by_ref().take(50).map(|entry| entry.unwrap().name).collect();
    write(&*gone, &[1; 5000], 0).unwrap();
    root.unlink("gone").unwrap();
    root.remove_dir("removed").unwrap();
    let with_gone = fs.usage();

    let fork = fs.fork();
    // What has no name is no part of what was copied, and does not count there.
    assert_eq!(names(&*fork.root()), ["dir", "file"]);
    let Usage { bytes, inodes } = fork.usage();
    assert_eq!((bytes, inodes), (with_gone.bytes - 2 * 256 - 2 * 4096, with_gone.inodes - 2));
    (0..200).for_each(|i| fork.root().unlink(&format!("dir/{i:03}")).unwrap());
    fork.root().remove_dir("dir").unwrap();
    fork.write("file", "of the fork").unwrap();

    write(&*file, b"of the origin", 0).unwrap();
    assert_eq!(fs.read("file").unwrap(), b"of the origin");
    assert_eq!(fork.read("file").unwrap(), b"of the fork");
    assert_eq!(read(&*gone, 9000, 0), [1; 5000]);
    gone.append(&[IoSlice::new(&[2; 1000])]).unwrap();
    assert_eq!((gone.metadata().unwrap().size, gone.metadata().unwrap().nlink), (6000, 0));
    assert_eq!(removed.metadata().unwrap().nlink, 0);
    assert_eq!(removed.create_dir("x"), Err(Errno::NoEnt));
    dir.create_dir("of the origin").unwrap();
    let rest: Vec<_> = listing.map(|entry| entry.unwrap().name).collect();
    assert_eq!(begun.len() + rest.len(), 2 + 200 + 1);
    drop((gone, removed));
    assert_eq!(fs.usage().inodes, with_gone.inodes - 2 + 1);
}

/// It had its name when the fork was made, and lost it later: in the origin alone.
#[test]
fn what_loses_its_name_later_keeps_it_in_the_fork() {
    let fs = MemoryFs::new();
    fs.write("file", "text").unwrap();
    let root = fs.root();
    let file = open(&*root, "file", CREATE);
    let fork = fs.fork();
    root.unlink("file").unwrap();
    write(&*file, b"n", 0).unwrap();
    assert_eq!(read(&*file, 9, 0), b"next");
    assert_eq!(fork.read("file").unwrap(), b"text");
    drop(file);
    assert_eq!((fs.used(), fork.read("file").unwrap()), (0, b"text".to_vec()));
}

#[test]
fn forks_outlive_their_origin() {
    let fs = MemoryFs::new();
    fs.write("file", vec![5; 100_000]).unwrap();
    let (snapshot, fork) = (fs.snapshot(), fs.fork());
    fs.write("file", "").unwrap();
    drop(fs);
    let of_snapshot = snapshot.fork();
    drop(snapshot);
    for fs in [fork.fork(), fork, of_snapshot.clone(), of_snapshot.fork()] {
        assert_eq!(fs.read("file").unwrap(), vec![5; 100_000]);
    }
}

/// Every fork counts all that it holds, as if nothing were shared.
#[test]
fn limits_are_each_ones_own() {
    let fs = MemoryFs::with_limit(100_000);
    fs.write("file", [1; 40_960]).unwrap();
    let used = fs.used();
    let fork = fs.fork();
    fork.write("more", [2; 40_960]).unwrap();
    assert_eq!((fs.used(), fork.used()), (used, 2 * used));
    assert_eq!(fork.write("even more", [3; 40_960]), Err(Errno::NoSpc));
    fs.write("more", [4; 40_960]).unwrap();
    // To write over what is shared takes nothing of the limit, for it was counted all along.
    fork.set_limits(Limits { bytes: 0, inodes: 0 });
    write(&*open(&*fork.root(), "file", CREATE), &[5; 40_960], 0).unwrap();
    assert_eq!((fork.read("file").unwrap()[0], fs.read("file").unwrap()[0]), (5, 1));
    assert_eq!(fork.root().create_dir("dir"), Err(Errno::NoSpc));
    assert_eq!(fs.limits(), Limits { bytes: 100_000, inodes: u64::MAX });
    for name in ["file", "more", "even more"] {
        fork.root().unlink(name).unwrap();
    }
    assert_eq!((fork.usage(), fs.used()), (Usage::default(), 2 * used));
}

#[test]
fn so_many_inodes_and_no_more() {
    let fs = MemoryFs::new();
    fs.set_limits(Limits { inodes: 3, ..Limits::default() });
    let root = fs.root();
    let file = open(&*root, "file", CREATE);
    root.create_dir("dir").unwrap();
    root.symlink("x", "link").unwrap();
    let refused = [
        root.open("new", CREATE).map(drop),
        root.create_dir("new"),
        root.symlink("x", "new"),
        fs.fork().root().create_dir("new"),
    ];
    assert_eq!(refused, [Err(Errno::NoSpc); 4]);
    assert_eq!(fs.usage().inodes, 3);
    // Further names are no further files.
    root.hard_link("file", Follow::No, &*root, "second name").unwrap();
    for name in ["file", "second name"] {
        root.unlink(name).unwrap();
    }
    assert_eq!(root.create_dir("new"), Err(Errno::NoSpc), "it is still open");
    drop(file);
    root.create_dir("new").unwrap();
    root.remove_dir("dir").unwrap();
    let fork = fs.fork();
    fork.write("one", "").unwrap();
    assert_eq!(fork.write("two", ""), Err(Errno::NoSpc));
    assert_eq!((fs.usage().inodes, fork.usage().inodes), (2, 3));
}

/// Times of access are kept as on a disk, but for what nobody has changed since a fork.
#[test]
fn reading_does_not_undo_the_sharing() {
    let now = Arc::new(AtomicU64::new(10));
    let clock = now.clone();
    let fs = MemoryFs::with_clock(
        1 << 20,
        Arc::new(move || Timestamp::new(clock.load(Relaxed) as i64, 0).unwrap()),
    );
    fs.write("file", "text").unwrap();
    let snapshot = fs.snapshot();
    now.store(20, Relaxed);
    let (fork, own_clock) =
        (snapshot.fork(), snapshot.fork_with_clock(Arc::new(|| Timestamp::new(99, 0).unwrap())));
    let accessed = |fs: &MemoryFs| {
        fs.read("file").unwrap();
        assert_eq!(fs.root().entries().unwrap().count(), 3);
        [stat(fs, "file"), stat(fs, ".")].map(|m| m.accessed.seconds())
    };
    assert_eq!([&fs, &fork, &own_clock].map(accessed), [[10, 10]; 3]);
    for fs in [&fs, &fork, &own_clock] {
        fs.write("file", "new").unwrap();
    }
    now.store(30, Relaxed);
    assert_eq!([&fs, &fork, &own_clock].map(accessed), [[30, 10], [30, 10], [99, 10]]);
    assert_eq!(stat(&own_clock, "file").modified.seconds(), 99);
    assert_eq!(stat(&snapshot.fork(), "file").file_type, FileType::RegularFile);
}
