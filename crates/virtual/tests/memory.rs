//! What the filesystem in memory promises beyond POSIX: forks, its limits, free holes, threads in one filesystem, an
//! embedder's clock.

mod memory {
    mod fork;
    mod limit;
    mod threads;
    mod times;
}

use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::{Dir, File, Follow, Node, Open};
use wasi_host_core::{Errno, Result};
use wasi_host_virtual::memory::MemoryFs;

const CREATE: Open = Open { read: true, write: true, create: true, follow: true, ..CLOSED };
const READ: Open = Open { read: true, follow: true, ..CLOSED };
const CLOSED: Open = Open {
    read: false,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: false,
    sync: wasi_host_core::fs::Sync::No,
};

fn open(dir: &dyn Dir, path: &str, how: Open) -> Arc<dyn File> {
    match dir.open(path, how).unwrap() {
        Node::File(file) => file,
        Node::Dir(_) => panic!("{path} is a directory"),
    }
}

fn open_dir(dir: &dyn Dir, path: &str) -> Arc<dyn Dir> {
    match dir.open(path, READ).unwrap() {
        Node::Dir(dir) => dir,
        Node::File(_) => panic!("{path} is a file"),
    }
}

fn write(file: &dyn File, data: &[u8], offset: u64) -> Result<usize> {
    file.write_at(&[IoSlice::new(data)], offset)
}

fn read(file: &dyn File, len: usize, offset: u64) -> Vec<u8> {
    let mut data = vec![0xEE; len];
    let n = file.read_at(&mut [IoSliceMut::new(&mut data)], offset).unwrap();
    data.truncate(n);
    data
}

#[test]
fn embedders_read_and_write() {
    let fs = MemoryFs::new();
    fs.create_dir_all("a/b/../c/./d/").unwrap();
    fs.create_dir_all("a/c").unwrap();
    fs.write("a/c/d/file", "first and longer").unwrap();
    fs.write("a/c/d/file", "second").unwrap();
    assert_eq!(fs.read("a/c/d/file").unwrap(), b"second");
    assert_eq!(fs.read("a/b/../c/d/file").unwrap(), b"second");
    fs.root().symlink("a/c", "link").unwrap();
    fs.create_dir_all("link/e/f").unwrap();
    fs.write("a/c/e/f/g", vec![7; 100_000]).unwrap();
    assert_eq!(fs.read("link/e/f/g").unwrap(), vec![7; 100_000]);

    assert_eq!(fs.read("none"), Err(Errno::NoEnt));
    assert_eq!(fs.read("a"), Err(Errno::IsDir));
    assert_eq!(fs.write("none/file", ""), Err(Errno::NoEnt));
    assert_eq!(fs.write("a", ""), Err(Errno::IsDir));
    assert_eq!(fs.create_dir_all("a/c/d/file"), Err(Errno::NotDir));
    assert_eq!(fs.create_dir_all("a/c/d/file/x"), Err(Errno::NotDir));
    assert_eq!(fs.create_dir_all("../x"), Err(Errno::NotCapable));
    assert_eq!(fs.create_dir_all("/x"), Err(Errno::NotCapable));
    assert_eq!(fs.create_dir_all(""), Err(Errno::NoEnt));
}

/// What lies in one page is lent as soon as its time of access is told; a few bytes, what lies in two, and holes are not.
#[test]
fn pages_are_lent() {
    let fs = MemoryFs::new();
    fs.write("file", [7; 10_000]).unwrap();
    let file = open(&*fs.root(), "file", CREATE);
    assert_eq!(file.lend(4096, 0), None, "nobody has read it since it was written");
    read(&*file, 1, 0);
    for (len, offset, expected) in [(4096, 0, 4096), (1024, 4096 + 3072, 1024), (4096, 8192, 1808)] {
        assert_eq!(file.lend(len, offset).as_deref(), Some(&vec![7; expected][..]), "{len} at {offset}");
    }
    for (len, offset) in [(1023, 0), (4096, 1), (4096, 10_000), (4096, u64::MAX), (0, 0)] {
        assert_eq!(file.lend(len, offset), None, "{len} at {offset}");
    }
    file.set_len(1 << 20).unwrap();
    read(&*file, 1, 0);
    assert_eq!(file.lend(4096, 1 << 19), None, "a hole");
    write(&*file, &[8], 0).unwrap();
    assert_eq!(file.lend(4096, 0), None, "written again");
}

/// A guest's hole is not the embedder's memory.
#[test]
fn a_hole_longer_than_the_limit_is_not_read_whole() {
    let fs = MemoryFs::with_limit(1 << 20);
    let file = open(&*fs.root(), "file", CREATE);
    file.set_len(1 << 20).unwrap();
    assert_eq!(fs.read("file").unwrap().len(), 1 << 20);
    file.set_len(1 << 50).unwrap();
    assert_eq!(fs.read("file"), Err(Errno::FBig));
}

#[test]
fn clones_are_the_same_and_others_are_not() {
    let (one, other) = (MemoryFs::new(), MemoryFs::new());
    one.write("file", "text").unwrap();
    assert_eq!(one.clone().read("file").unwrap(), b"text");
    assert_eq!(other.read("file"), Err(Errno::NoEnt));
    assert_ne!(one.root().metadata().unwrap().dev, other.root().metadata().unwrap().dev);
    assert_eq!(one.root().rename("file", &*other.root(), "file"), Err(Errno::XDev));
    assert_eq!(one.root().hard_link("file", Follow::No, &*other.root(), "file"), Err(Errno::XDev));
}

#[test]
fn what_is_held_outlives_the_filesystem() {
    let fs = MemoryFs::new();
    fs.create_dir_all("a/b").unwrap();
    fs.write("a/b/file", "text").unwrap();
    let dir = open_dir(&*fs.root(), "a/b");
    let file = open(&*dir, "file", READ);
    drop(fs);
    assert_eq!(read(&*open(&*dir, "file", READ), 10, 0), b"text");
    dir.create_dir("c").unwrap();
    drop(dir);
    assert_eq!(read(&*file, 10, 0), b"text");
}

/// Neither made nor dropped by recursion, which a guest could drive over the end of a stack.
#[test]
fn a_hundred_thousand_directories_deep() {
    let fs = MemoryFs::new();
    let mut dir = fs.root();
    for _ in 0..100_000 {
        dir.create_dir("d").unwrap();
        dir = open_dir(&*dir, "d");
    }
    assert_eq!(fs.root().rename("d", &*dir, "x"), Err(Errno::Inval));
    drop(dir);
    drop(fs);
}
