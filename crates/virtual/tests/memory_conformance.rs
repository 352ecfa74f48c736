//! The filesystem in memory against the suite that every backend must pass: as it is made, and as a fork.

use std::sync::Arc;
use wasi_host_core::conformance;
use wasi_host_core::fs::{Dir, Node, Open};
use wasi_host_virtual::memory::MemoryFs;

/// An empty directory of a filesystem that holds more.
fn room(fs: &MemoryFs) -> Arc<dyn Dir> {
    match fs.root().open("some/room", Open { directory: true, ..Open::default() }).unwrap() {
        Node::Dir(dir) => dir,
        Node::File(_) => panic!("a file"),
    }
}

fn full() -> MemoryFs {
    let fs = MemoryFs::new();
    fs.create_dir_all("some/room").unwrap();
    (0..500).for_each(|i| fs.write(&format!("some/{i}"), [7; 5000]).unwrap());
    fs
}

#[test]
fn memory() {
    conformance::fs::all(|| MemoryFs::new().root());
}

#[test]
fn a_fork() {
    let fs = MemoryFs::new();
    conformance::fs::all(|| fs.fork().root());
    let fs = full();
    conformance::fs::all(|| room(&fs.fork()));
}

#[test]
fn a_fork_of_a_fork() {
    let fs = MemoryFs::new().fork();
    conformance::fs::all(|| fs.fork().root());
    let fs = full().fork();
    fs.write("some/of the fork's own", "text").unwrap();
    conformance::fs::all(|| room(&fs.fork()));
}

/// One that has been forked, and goes on being used.
#[test]
fn an_origin() {
    let mut forks = Vec::new();
    conformance::fs::all(|| {
        let fs = full();
        forks.push(fs.fork());
        room(&fs)
    });
    for fork in forks {
        assert_eq!(room(&fork).entries().unwrap().count(), 2);
        (0..500).for_each(|i| assert_eq!(fork.read(&format!("some/{i}")).unwrap(), [7; 5000]));
    }
}
