use super::doubles::{Disk, Held, Threads};
use crate::{adaptive, all, block_on, failure, granted, is_closed, is_ready, is_trap, memory};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Access, Descriptor, FileInputStream, FileOutputStream};
use wasi_host_core::grant::{DirPerms, FilePerms, Grant};
use wasi_host_core::limits::Limits;
use wasi_host_core::stream::{HostOutputStream, Scratch, Subscribe, splice};

#[test]
fn it_writes_from_its_offset_on() {
    let (fs, file) = memory("0123456789");
    let mut stream = FileOutputStream::at(granted(file), 2, None).unwrap();
    assert_eq!(stream.check_write().unwrap(), 1 << 20);
    stream.write("ab".into()).unwrap();
    stream.write_from(b"cd").unwrap();
    stream.write("".into()).unwrap();
    stream.write_zeroes(2).unwrap();
    assert_eq!(stream.write_some(b"e").unwrap(), 1);
    stream.flush().unwrap();
    assert!(is_ready(stream.wait()));
    assert_eq!(fs.read("file").unwrap(), b"01abcd\0\0e9");
}

#[test]
fn it_appends_wherever_the_end_is() {
    let (fs, file) = memory("a");
    let mut one = FileOutputStream::append(granted(file.clone()), None).unwrap();
    let mut two = FileOutputStream::append(granted(file), None).unwrap();
    one.write("b".into()).unwrap();
    two.write("c".into()).unwrap();
    one.write("d".into()).unwrap();
    assert_eq!(fs.read("file").unwrap(), b"abcd");
}

#[test]
fn it_is_opened_through_the_door() {
    let (fs, file) = memory("");
    let grant = Arc::new(Grant::full());
    let closed = Descriptor::file(file.clone(), Access::READ, grant.clone());
    assert_eq!(FileOutputStream::at(closed.clone(), 0, None).unwrap_err(), Errno::BadF);
    assert_eq!(FileOutputStream::append(closed, None).unwrap_err(), Errno::BadF);
    let dir = Descriptor::preopen(fs.root(), grant);
    assert_eq!(FileOutputStream::at(dir, 0, None).unwrap_err(), Errno::IsDir);

    let mut limits = Limits::default();
    limits.file_size = 4;
    let grant = Arc::new(Grant::new(DirPerms::all(), FilePerms::all(), limits));
    let small = Descriptor::file(file, Access::all(), grant);
    let mut stream = FileOutputStream::at(small, 2, None).unwrap();
    assert_eq!(failure(stream.write("abcdef".into())), Errno::FBig);
    assert_eq!(fs.read("file").unwrap(), b"\0\0ab", "as much as fits");
    assert!(is_closed(stream.check_write()));
}

#[test]
fn an_adaptive_host_writes_here_but_not_much() {
    let (fs, file) = memory("");
    let held = Arc::new(Held::default());
    let mut stream = FileOutputStream::at(granted(Disk::new(file, 0)), 0, adaptive(&held)).unwrap();
    assert_eq!(stream.check_write().unwrap(), 64 << 10);
    stream.write("0123456789".into()).unwrap();
    assert_eq!(held.count(), 0);
    assert_eq!(fs.read("file").unwrap(), b"0123456789", "in as many steps as it takes");
}

#[test]
fn a_write_elsewhere_holds_the_permit() {
    let (fs, file) = memory("");
    let held = Arc::new(Held::default());
    let mut stream = FileOutputStream::at(granted(Disk::new(file, 0)), 0, all(&held)).unwrap();
    let permit = stream.check_write().unwrap();
    stream.write("01234".into()).unwrap();
    assert_eq!(fs.read("file").unwrap(), b"");
    for _ in 0..2 {
        assert_eq!(stream.check_write().unwrap(), 0);
        assert!(!is_ready(stream.wait()));
        stream.flush().unwrap();
        stream.write("".into()).unwrap();
        stream.write_from(b"").unwrap();
        assert_eq!(stream.write_some(b"x").unwrap(), 0);
    }
    assert!(is_trap(stream.write("x".into())));
    assert!(is_trap(stream.write_from(b"x")));
    assert_eq!(held.count(), 1);
    held.run_one();
    assert!(is_ready(stream.wait()));
    assert_eq!(stream.check_write().unwrap(), permit);
    stream.write_from(b"56").unwrap();
    drop(stream);
    held.run_one();
    assert_eq!(fs.read("file").unwrap(), b"0123456", "accepted is written, though the stream is gone");
}

#[test]
fn zeroes_elsewhere_are_one_write() {
    let (fs, file) = memory("");
    let held = Arc::new(Held::default());
    let mut stream = FileOutputStream::append(granted(Disk::new(file, 0)), all(&held)).unwrap();
    let permit = stream.check_write().unwrap();
    stream.write_zeroes(permit).unwrap();
    held.run_one();
    assert_eq!(fs.read("file").unwrap(), vec![0; permit]);
}

#[test]
fn failures_are_told_once() {
    for here in [true, false] {
        let (fs, file) = memory("");
        let held = Arc::new(Held::default());
        let disk = Disk::new(file, 0);
        disk.broken.store(3, Relaxed);
        let offload = if here { None } else { all(&held) };
        let mut stream = FileOutputStream::at(granted(disk), 0, offload).unwrap();
        let told = stream.write("01234".into());
        let told = if here {
            told
        } else {
            told.unwrap();
            held.run_one();
            assert!(is_ready(stream.wait()));
            stream.flush()
        };
        assert_eq!(failure(told), Errno::NoSpc);
        assert_eq!(fs.read("file").unwrap(), b"012");
        assert!(is_closed(stream.check_write()));
        assert!(is_closed(stream.write("x".into())));
        assert!(is_closed(stream.flush()));
        assert!(is_ready(stream.wait()));
    }
}

#[test]
fn a_job_that_is_lost_is_a_failure_and_no_hang() {
    let (_fs, file) = memory("");
    let held = Arc::new(Held::default());
    let mut stream = FileOutputStream::at(granted(Disk::new(file, 0)), 0, all(&held)).unwrap();
    stream.write("x".into()).unwrap();
    held.lose_all();
    assert!(is_ready(stream.wait()));
    assert_eq!(failure(stream.check_write()), Errno::Canceled);
}

#[test]
fn awaited_it_needs_no_runtime() {
    let (fs, file) = memory("");
    let threads = Arc::new(Threads);
    let mut stream = FileOutputStream::at(granted(Disk::new(file, 0)), 0, all(&threads)).unwrap();
    let text = "0123456789".repeat(20_000);
    block_on(stream.blocking_write_and_flush(text.clone().into())).unwrap();
    assert_eq!(fs.read("file").unwrap(), text.as_bytes());
    block_on(stream.blocking_write_zeroes_and_flush(70_000)).unwrap();
    assert_eq!(fs.read("file").unwrap().len(), text.len() + 70_000);
}

#[test]
fn splice_waits_for_either_side_and_loses_nothing() {
    let text = "0123456789".repeat(30_000);
    let (_from, file) = memory(&text);
    let (to, target) = memory("");
    let (reads, writes) = (Arc::new(Held::default()), Arc::new(Held::default()));
    let mut src = FileInputStream::new(granted(Disk::new(file, 5)), 0, adaptive(&reads)).unwrap();
    let mut dst = FileOutputStream::at(granted(Disk::new(target, 0)), 0, all(&writes)).unwrap();
    let mut scratch = Scratch::default();
    let mut moved = 0;
    while moved < text.len() {
        match splice(&mut src, &mut dst, usize::MAX, &mut scratch).unwrap() {
            0 if dst.check_write().unwrap() == 0 => writes.run_one(),
            0 => reads.run_one(),
            n => moved += n,
        }
    }
    writes.run_one();
    assert_eq!(to.read("file").unwrap(), text.as_bytes());
}
