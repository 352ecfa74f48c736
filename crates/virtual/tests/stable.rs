//! Trees that say the same of themselves, made in different orders, on different filesystems, at different times.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Dir, File, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::mount::MountFs;
use wasi_host_virtual::stable::Stable;
use wasi_host_virtual::time::{Frozen, VirtualTime};

const CREATE: Open = Open {
    read: true,
    write: true,
    create: true,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
    sync: wasi_host_core::fs::Sync::No,
};

fn file(dir: &dyn Dir, path: &str, how: Open) -> Arc<dyn File> {
    match dir.open(path, how) {
        Ok(Node::File(file)) => file,
        other => panic!("{path}: {other:?}"),
    }
}

fn put(dir: &dyn Dir, path: &str, text: &str) {
    file(dir, path, CREATE).append(&[IoSlice::new(text.as_bytes())]).unwrap();
}

fn native() -> (TempDir, Arc<dyn Dir>) {
    let dir = TempDir::new().unwrap();
    let root = NativeDir::open_ambient(dir.path()).unwrap();
    (dir, Arc::new(root))
}

/// All that a tree says of itself, and what it says after each of several changes.
fn told(root: &dyn Dir, time: &VirtualTime) -> Vec<String> {
    let mut told = Vec::new();
    let list = |dir: &dyn Dir, told: &mut Vec<String>| {
        for entry in dir.entries().unwrap() {
            let entry = entry.unwrap();
            told.push(format!("{entry:?}"));
            if entry.name != ".." {
                told.push(format!("{:?}", dir.stat(&entry.name, Follow::No)));
            }
        }
    };
    list(root, &mut told);
    time.advance(Duration::from_secs(1));
    put(root, "new", "text");
    list(root, &mut told);
    root.hard_link("new", Follow::No, root, "dir/other").unwrap();
    root.rename("a", root, "dir/moved").unwrap();
    time.advance(Duration::from_secs(1));
    root.unlink("new").unwrap();
    root.symlink("fresh", "dangling").unwrap();
    put(root, "dangling", "by way of a link");
    root.create_dir("dir/sub").unwrap();
    list(root, &mut told);
    match root.open("dir", Open { read: true, directory: true, ..Open::default() }) {
        Ok(Node::Dir(dir)) => list(&*dir, &mut told),
        other => panic!("{other:?}"),
    }
    told
}

#[test]
fn wherever_and_whenever_it_was_made() {
    let (_a, forward) = native();
    let (_b, backward) = native();
    let memory = MemoryFs::new().root();
    for (root, names) in
        [(&forward, ["a", "b", "c"]), (&backward, ["c", "b", "a"]), (&memory, ["b", "c", "a"])]
    {
        root.create_dir("dir").unwrap();
        for name in names {
            put(&**root, name, name);
        }
        // Otherwise the directories differ in when they were changed by no more than what they are given now.
        root.set_times("b", Follow::No, SetTime::Keep, SetTime::Now).unwrap();
    }
    let all = [forward, backward, memory].map(|root| {
        let time = VirtualTime::new();
        let stable = Stable::new(time.wall());
        told(&*stable.over(root), &time)
    });
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
    assert!(all[0].iter().any(|line| line.contains("\"moved\"")), "{:?}", all[0]);
}

#[test]
fn numbers_that_the_kernel_gives_again_do_not_show() {
    let (_kept, inner) = native();
    let root = Stable::new(Frozen(Duration::ZERO)).over(inner.clone());
    let mut numbers = Vec::new();
    for _ in 0..50 {
        put(&*root, "file", "");
        numbers.push(root.stat("file", Follow::No).unwrap().ino);
        root.unlink("file").unwrap();
    }
    assert_eq!(numbers, (2..52).collect::<Vec<_>>());

    // A directory, a link, and a file over which another is moved.
    root.create_dir("dir").unwrap();
    root.symlink("x", "link").unwrap();
    put(&*root, "under", "");
    root.remove_dir("dir").unwrap();
    root.unlink("link").unwrap();
    put(&*root, "over", "");
    root.rename("over", &*root, "under").unwrap();
    for name in ["1", "2", "3", "4"] {
        put(&*root, name, "");
    }
    let now = ["under", "1", "2", "3", "4"].map(|name| root.stat(name, Follow::No).unwrap().ino);
    assert_eq!(now, [55, 56, 57, 58, 59]);
}

#[test]
fn what_is_open_keeps_its_number() {
    let (_kept, inner) = native();
    let root = Stable::new(Frozen(Duration::ZERO)).over(inner);
    put(&*root, "file", "text");
    let open = file(&*root, "file", Open { read: true, ..Open::default() });
    root.unlink("file").unwrap();
    for name in ["1", "2", "3"] {
        put(&*root, name, "");
    }
    let m = open.metadata().unwrap();
    assert_eq!((m.ino, m.nlink, m.size), (2, 0, 4));
}

/// Below are two backends that take themselves for the same device, so that the same numbers are there twice.
#[test]
fn backends_that_share_a_number() {
    let parts = [(); 2].map(|()| Stable::new(Frozen(Duration::ZERO)).over(MemoryFs::new().root()));
    let mounts = MountFs::new(MemoryFs::new().root());
    for (path, part) in ["a", "b"].iter().zip(&parts) {
        mounts.mount(path, part.clone()).unwrap();
    }
    let root = Stable::new(Frozen(Duration::ZERO)).over(mounts.root());
    let open = file(&*root, "a/file", CREATE);
    let other = file(&*root, "b/file", CREATE);
    let numbers = parts.map(|part| part.stat("file", Follow::No).map(|m| (m.dev, m.ino)).unwrap());
    assert_eq!(numbers[0], numbers[1]);
    drop((other, open));
    put(&*root, "b/file", "text");
    assert_eq!(root.stat("b/file", Follow::No).unwrap().size, 4);
}

#[test]
fn times_are_those_of_the_clock_and_those_that_are_set() {
    let time = VirtualTime::starting_at(Duration::from_secs(100));
    let fs = MemoryFs::new();
    fs.write("old", "text").unwrap();
    let root = Stable::new(time.wall()).over(fs.root());
    let at = |m: Metadata| [m.accessed, m.modified, m.changed].map(Timestamp::seconds);
    let old = || at(root.stat("old", Follow::No).unwrap());
    assert_eq!(old(), [100; 3]);
    time.advance(Duration::from_secs(5));
    assert_eq!(old(), [100; 3]);
    put(&*root, "old", "more");
    assert_eq!(old(), [100, 105, 105]);
    time.advance(Duration::from_secs(5));
    file(&*root, "old", CREATE).read_at(&mut [std::io::IoSliceMut::new(&mut [0; 2])], 0).unwrap();
    assert_eq!(old(), [100, 105, 105]);
    let then = SetTime::At(Timestamp::new(-7, 0).unwrap());
    root.set_times("old", Follow::No, then, SetTime::Keep).unwrap();
    assert_eq!(old(), [-7, 105, 110]);
    file(&*root, "old", CREATE).set_times(SetTime::Keep, SetTime::Now).unwrap();
    assert_eq!(old(), [-7, 110, 110]);
}

#[test]
fn two_trees_of_one_know_each_other() {
    let (_kept, inner) = native();
    inner.create_dir("a").unwrap();
    inner.create_dir("b").unwrap();
    let below = |name| match inner.open(name, Open { read: true, directory: true, ..Open::default() }) {
        Ok(Node::Dir(dir)) => dir,
        other => panic!("{other:?}"),
    };
    let stable = Stable::new(Frozen(Duration::ZERO));
    let (a, b) = (stable.over(below("a")), stable.over(below("b")));
    assert_eq!((a.metadata().unwrap().ino, b.metadata().unwrap().ino), (1, 2));
    put(&*a, "file", "");
    a.rename("file", &*b, "moved").unwrap();
    assert_eq!(b.stat("moved", Follow::No).unwrap().ino, 3);
    let other = Stable::new(Frozen(Duration::ZERO)).over(below("a"));
    assert_eq!(b.rename("moved", &*other, "back"), Err(Errno::XDev));
    // Given what it gave, it gives that.
    assert_eq!(stable.over(b.clone()).stat("moved", Follow::No).unwrap().ino, 3);
}

#[test]
fn names_that_cannot_be_said_are_listed() {
    use std::os::unix::ffi::OsStrExt;
    let (dir, inner) = native();
    std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let root = Stable::new(Frozen(Duration::ZERO)).over(inner);
    let all: Vec<_> = root.entries().unwrap().map(Result::unwrap).collect();
    assert_eq!(all.len(), 3);
    assert_eq!((&*all[1].name, all[1].file_type, all[1].ino), ("..", FileType::Directory, 1));
    assert_eq!((&*all[2].name, all[2].ino), ("\u{fffd}", 2));
}
