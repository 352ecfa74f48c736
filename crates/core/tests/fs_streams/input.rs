use super::doubles::{Disk, Held, Threads};
use crate::{adaptive, all, block_on, failure, granted, is_closed, is_ready, memory};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Access, Descriptor, FileInputStream, Node, Open};
use wasi_host_core::grant::Grant;
use wasi_host_core::stream::{HostInputStream, Scratch, Subscribe};

#[test]
fn it_reads_from_its_offset_to_the_end() {
    let (fs, file) = memory("0123456789");
    let mut stream = FileInputStream::new(granted(file), 2, None).unwrap();
    assert_eq!(stream.read(3).unwrap(), "234");
    let mut buf = [0; 2];
    assert_eq!(stream.read_into(&mut buf).unwrap(), 2);
    assert_eq!(&buf, b"56");
    assert_eq!(stream.read(0).unwrap(), "");
    assert_eq!(stream.skip(1).unwrap(), 1);
    let mut scratch = Scratch::default();
    let bytes = stream.read_with(100, &mut scratch).unwrap();
    assert_eq!(bytes, "89");
    assert!(is_closed(stream.read(1)));
    assert!(is_closed(stream.skip(1)));
    assert!(is_closed(stream.read_into(&mut buf)));
    assert!(is_ready(stream.wait()));
    fs.write("file", "0123456789abc").unwrap();
    assert_eq!(stream.read(100).unwrap(), "abc", "a file that grows can be followed");
}

#[test]
fn reads_with_one_scratch_share_its_buffer() {
    let (_fs, file) = memory(&"x".repeat(10_000));
    let mut stream = FileInputStream::new(granted(Disk::new(file, 0)), 0, None).unwrap();
    let mut scratch = Scratch::default();
    let place = stream.read_with(4096, &mut scratch).unwrap().as_ptr();
    assert_eq!(stream.read_with(4096, &mut scratch).unwrap().as_ptr(), place);
    let rest = stream.read_with(4096, &mut scratch).unwrap();
    assert_eq!((rest.as_ptr(), rest.len()), (place, 10_000 - 8192));
}

#[test]
fn what_is_lent_comes_in_order_and_ends() {
    let content: String = (0..1500).map(|i| format!("{i:7},")).collect();
    let (fs, file) = memory(&content);
    fs.read("file").unwrap();
    let mut stream = FileInputStream::new(granted(file.clone()), 0, None).unwrap();
    let mut read = Vec::new();
    for size in [96, 4000, 4096, 1000, 4096].into_iter().cycle() {
        match stream.read(size) {
            Ok(bytes) => read.extend_from_slice(&bytes),
            Err(_) => break,
        }
    }
    assert_eq!(read, content.as_bytes());
    assert!(is_closed(stream.read(4096)));
    let mut stream = FileInputStream::new(granted(file.clone()), 4096, None).unwrap();
    let place = file.lend(4096, 4096).map(|bytes| bytes.as_ptr());
    assert_eq!(stream.read(4096).ok().map(|bytes| bytes.as_ptr()), place);
}

#[test]
fn skipping_does_not_pass_the_end() {
    let (_fs, file) = memory("0123456789");
    let mut stream = FileInputStream::new(granted(file), 4, None).unwrap();
    assert_eq!(stream.skip(0).unwrap(), 0);
    assert_eq!(stream.skip(usize::MAX).unwrap(), 6);
    assert!(is_closed(stream.skip(usize::MAX)));
}

#[test]
fn huge_sizes_and_offsets_are_harmless() {
    let (_fs, file) = memory("0123");
    let mut stream = FileInputStream::new(granted(file.clone()), 0, None).unwrap();
    assert_eq!(stream.read(usize::MAX).unwrap(), "0123");
    let mut stream = FileInputStream::new(granted(file), u64::MAX, None).unwrap();
    assert!(stream.read(10).is_err());
    assert!(stream.skip(10).is_err());
}

#[test]
fn it_is_opened_through_the_door() {
    let (fs, file) = memory("text");
    let grant = Arc::new(Grant::full());
    let closed = Descriptor::file(file.clone(), Access::WRITE, grant.clone());
    assert_eq!(FileInputStream::new(closed, 0, None).unwrap_err(), Errno::BadF);
    let dir = Descriptor::preopen(fs.root(), grant.clone());
    assert_eq!(FileInputStream::new(dir, 0, None).unwrap_err(), Errno::IsDir);

    let held = Arc::new(Held::default());
    let open = Descriptor::file(Disk::new(file, 0), Access::READ, grant.clone());
    let mut here = FileInputStream::new(open.clone(), 0, None).unwrap();
    let mut there = FileInputStream::new(open, 0, all(&held)).unwrap();
    assert_eq!(there.read(4).unwrap(), "");
    grant.revoke();
    assert_eq!(failure(here.read(4)), Errno::BadF);
    assert!(is_closed(here.read(4)));
    held.run_one();
    assert_eq!(failure(there.read(4)), Errno::BadF, "also for what is under way");
    assert!(is_closed(there.read(4)));
}

#[test]
fn what_is_cached_is_read_here_and_the_rest_elsewhere() {
    let (_fs, file) = memory("0123456789");
    let held = Arc::new(Held::default());
    let disk = Disk::new(file, 4);
    let mut stream = FileInputStream::new(granted(disk.clone()), 0, adaptive(&held)).unwrap();
    assert_eq!(stream.read(6).unwrap(), "0123", "short, and not the end");
    assert_eq!(held.count(), 0);

    assert_eq!(stream.read(4).unwrap(), "");
    assert!(!is_ready(stream.wait()));
    assert_eq!(stream.read(4).unwrap(), "");
    assert_eq!(stream.read_into(&mut [0; 9]).unwrap(), 0);
    assert_eq!(stream.skip(9).unwrap(), 0);
    assert_eq!(held.count(), 1, "one at a time");
    held.run_one();
    assert!(is_ready(stream.wait()));
    assert_eq!(stream.read(1).unwrap(), "4");
    assert!(is_ready(stream.wait()));
    assert_eq!(stream.read(0).unwrap(), "");
    let mut buf = [0; 9];
    assert_eq!(stream.read_into(&mut buf[..2]).unwrap(), 2);
    assert_eq!(&buf[..2], b"56");
    assert_eq!(stream.read_with(9, &mut Scratch::default()).unwrap(), "7");

    disk.cached.store(10, Relaxed);
    assert_eq!(stream.read(9).unwrap(), "89");
    assert_eq!(held.count(), 0);
    assert_eq!(stream.read(9).unwrap(), "", "whether it has ended only the disk knows");
    held.run_one();
    assert!(is_closed(stream.read(9)));
}

#[test]
fn everything_elsewhere() {
    let (_fs, file) = memory(&"x".repeat(200_000));
    let held = Arc::new(Held::default());
    let mut stream = FileInputStream::new(granted(Disk::new(file, 200_000)), 0, all(&held)).unwrap();
    assert_eq!(stream.read(0).unwrap(), "");
    assert_eq!(held.count(), 0);
    assert!(is_ready(stream.wait()), "nothing is read before it is asked for");
    let mut total = 0;
    loop {
        match stream.read(usize::MAX) {
            Ok(bytes) if bytes.is_empty() => held.run_one(),
            Ok(bytes) => {
                assert!(bytes.len() <= 64 << 10, "what the host holds for a guest is bounded");
                total += bytes.len();
            }
            end => break assert!(is_closed(end)),
        }
    }
    assert_eq!(total, 200_000);
}

#[test]
fn a_file_in_memory_never_leaves_the_thread() {
    let (_fs, file) = memory("text");
    let held = Arc::new(Held::default());
    let mut stream = FileInputStream::new(granted(file), 0, all(&held)).unwrap();
    assert_eq!(stream.read(9).unwrap(), "text");
    assert_eq!(held.count(), 0);
}

#[test]
fn failures_are_told_once() {
    for here in [true, false] {
        let (_fs, file) = memory("text");
        let disk = Disk::new(file, 0);
        disk.broken.store(0, Relaxed);
        let held = Arc::new(Held::default());
        let mut stream =
            FileInputStream::new(granted(disk), 0, if here { None } else { all(&held) }).unwrap();
        if !here {
            assert_eq!(stream.read(9).unwrap(), "");
            held.run_one();
        }
        assert!(is_ready(stream.wait()));
        assert_eq!(failure(stream.read(9)), Errno::NoSpc);
        assert!(is_closed(stream.read(9)));
        assert!(is_closed(stream.read(0)));
        assert!(is_ready(stream.wait()));
    }
}

#[test]
fn a_job_that_is_lost_is_a_failure_and_no_hang() {
    let (_fs, file) = memory("text");
    let held = Arc::new(Held::default());
    let mut stream = FileInputStream::new(granted(Disk::new(file, 0)), 0, adaptive(&held)).unwrap();
    assert_eq!(stream.read(9).unwrap(), "");
    held.lose_all();
    assert!(is_ready(stream.wait()));
    assert_eq!(failure(stream.read(9)), Errno::Canceled);
}

#[test]
fn a_job_may_outlive_its_stream() {
    let (_fs, file) = memory("text");
    let held = Arc::new(Held::default());
    let mut stream = FileInputStream::new(granted(Disk::new(file, 0)), 0, adaptive(&held)).unwrap();
    assert_eq!(stream.read(9).unwrap(), "");
    block_on(stream.cancel());
    drop(stream);
    held.run_one();
}

#[test]
fn awaited_it_needs_no_runtime() {
    let (_fs, file) = memory("0123456789");
    let mut stream =
        FileInputStream::new(granted(Disk::new(file, 3)), 0, adaptive(&Arc::new(Threads))).unwrap();
    let mut got = Vec::new();
    while let Ok(bytes) = block_on(stream.blocking_read(4)) {
        assert_ne!(bytes, Bytes::new());
        got.extend(bytes);
    }
    assert_eq!(got, b"0123456789");
    let how = Open { read: true, ..Open::default() };
    let Ok(Node::File(file)) = _fs.root().open("file", how) else { panic!() };
    let mut stream = FileInputStream::new(granted(Disk::new(file, 0)), 0, all(&Arc::new(Threads))).unwrap();
    assert_eq!(block_on(stream.blocking_skip(4)).unwrap(), 4);
    assert_eq!(block_on(stream.blocking_read(4)).unwrap(), "4567");
}
