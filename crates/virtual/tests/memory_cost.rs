//! What forks cost, and what is shared.

use allocation_counter::{AllocationInfo, measure};
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasi_host_core::fs::{File, Follow, Node, Open};
use wasi_host_virtual::memory::MemoryFs;

const WRITE: Open = Open { read: true, write: true, create: true, follow: true, ..CLOSED };
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

/// A tree of so many files, in directories of a hundred and one of all the rest.
fn tree(files: usize) -> MemoryFs {
    let fs = MemoryFs::with_limit(1 << 40);
    fs.create_dir_all("flat").unwrap();
    for i in 0..files {
        if i % 2 == 0 {
            fs.write(&format!("flat/file {i}"), b"content").unwrap();
        } else {
            if i % 200 == 1 {
                fs.create_dir_all(&format!("deep/{}/dir", i / 200)).unwrap();
            }
            fs.write(&format!("deep/{}/dir/{i}", i / 200), b"content").unwrap();
        }
    }
    fs
}

fn open(fs: &MemoryFs, path: &str) -> Arc<dyn File> {
    match fs.root().open(path, WRITE).unwrap() {
        Node::File(file) => file,
        Node::Dir(_) => panic!("{path} is a directory"),
    }
}

/// The time of one of a hundred forks, at the best of many tries.
fn fork_takes(fs: &MemoryFs) -> Duration {
    let try_once = |_| {
        let mut forks = Vec::with_capacity(100);
        let begin = Instant::now();
        forks.extend((0..100).map(|_| fs.fork()));
        begin.elapsed() / 100
    };
    (0..50).map(try_once).min().unwrap()
}

#[test]
fn a_fork_takes_the_same_whatever_the_tree_holds() {
    let trees = [1000, 10_000, 100_000].map(tree);
    let allocated: Vec<AllocationInfo> = trees.iter().map(|fs| measure(|| drop(fs.fork()))).collect();
    assert!(allocated.iter().all(|info| *info == allocated[0]), "{allocated:?}");
    assert!(allocated[0].count_total <= 4 && allocated[0].bytes_total <= 2048, "{:?}", allocated[0]);

    let took = trees.each_ref().map(fork_takes);
    println!("a fork of 1,000, 10,000 and 100,000 files: {took:?}");
    assert!(took.iter().all(|took| *took < Duration::from_micros(50)), "{took:?}");
    assert!(took[2] < took[0] * 10 + Duration::from_micros(1), "{took:?}");
}

#[test]
fn ten_thousand_forks_cost_what_they_write() {
    const FORKS: u64 = 10_000;
    for files in [1000, 100_000] {
        let fs = tree(files);
        let mut forks = Vec::with_capacity(FORKS as usize);
        let info = measure(|| {
            for i in 0..FORKS {
                let fork = fs.fork();
                // Something new, or something that was there, in a large directory or deep down.
                let path = ["flat/new", "flat/file 100", "deep/3/dir/new", "deep/3/dir/777"][i as usize % 4];
                fork.write(path, b"what the guest has to say").unwrap();
                forks.push(fork);
            }
        });
        let each = info.bytes_current / FORKS as i64;
        println!("each of {FORKS} forks of {files} files: {each} bytes");
        assert!(each < 20 * 1024, "{each} bytes");
        assert!(forks.iter().all(|fork| fork.usage().inodes >= fs.usage().inodes));
    }
}

#[test]
fn a_fork_that_only_reads_costs_nothing() {
    let fs = tree(1000);
    let fork = fs.fork();
    let info = measure(|| {
        for i in (0..1000).step_by(2) {
            let path = format!("flat/file {i}");
            assert_eq!(fork.read(&path).unwrap(), b"content");
            fork.root().stat(&path, Follow::Yes).unwrap();
        }
        assert_eq!(fork.root().entries().unwrap().count(), 4);
    });
    // Nothing but the table of what is open, which keeps its size.
    assert!(info.bytes_current < 1024, "{info:?}");
}

/// Whoever writes first to a page that two have gets one of its own; the other then has it alone.
#[test]
fn a_page_at_a_time() {
    let fs = MemoryFs::new();
    fs.write("large", vec![1; 64 << 20]).unwrap();
    let fork = fs.fork();
    let write = |fs: &MemoryFs| {
        let file = open(fs, "large");
        measure(|| assert_eq!(file.write_at(&[IoSlice::new(b"x")], 33 << 20), Ok(1))).bytes_current
    };
    let first = write(&fork);
    assert!((4096..16 << 10).contains(&first), "{first}");
    assert_eq!((write(&fs), write(&fork)), (0, 0));
    drop(fork);
    assert_eq!(fs.used(), 256 + 64 + 5 + (64 << 20));
}

#[test]
fn allocated_pages_are_one_page() {
    let fs = MemoryFs::with_limit(1 << 50);
    let file = open(&fs, "file");
    let info = measure(|| file.allocate(5000, 1 << 30).unwrap());
    assert!(info.bytes_max < 64 << 10, "{info:?}");
    assert_eq!(file.metadata().unwrap().size, (1 << 30) + 5000);
    assert_eq!(fs.used(), 256 + 64 + 4 + (1 << 30) + 4096);
    let info = measure(|| {
        file.allocate(0, 1 << 45).unwrap();
        file.write_at(&[IoSlice::new(b"text")], 1 << 40).unwrap();
        let mut read = [9; 8];
        file.read_at(&mut [IoSliceMut::new(&mut read)], (1 << 40) - 2).unwrap();
        assert_eq!(&read, b"\0\0text\0\0");
    });
    assert!(info.bytes_max < 64 << 10, "{info:?}");
}

/// What a guest can make the host hold is about what is counted, however it goes about it: here with one page far
/// from the next, and with names most of which go again.
#[test]
fn what_counts_is_about_what_is_held() {
    let fs = MemoryFs::with_limit(16 << 20);
    let info = measure(|| {
        let file = open(&fs, "file");
        let stride = (i64::MAX as u64) / 4096;
        let mut at = 0;
        while file.write_at(&[IoSlice::new(b"x")], at).is_ok() {
            at += stride;
        }
    });
    assert!(fs.used() > 15 << 20);
    assert!(info.bytes_current < 2 * (16 << 20), "{info:?}");

    let fs = MemoryFs::with_limit(16 << 20);
    let info = measure(|| {
        let root = fs.root();
        let made = (0..).take_while(|i| root.create_dir(&format!("{i:06}")).is_ok()).count();
        (0..made).filter(|i| i % 16 > 0).for_each(|i| root.remove_dir(&format!("{i:06}")).unwrap());
    });
    assert!(info.bytes_max < 2 * (16 << 20), "{info:?}");
    assert!(info.bytes_current < 4 * fs.used() as i64, "{info:?} of {}", fs.used());
}
