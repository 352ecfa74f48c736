//! Streams of files whose grant was taken back.

use super::doubles::{Disk, Fifo, Held};
use crate::{all, failure, granted, is_closed, is_ready, memory};
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{FileInputStream, FileOutputStream};
use wasi_host_core::stream::{HostInputStream, HostOutputStream, ReadAhead, Subscribe};

#[test]
fn an_input_fails_and_gives_nothing_that_it_had() {
    let (_fs, file) = memory("0123456789");
    let held = Arc::new(Held::default());
    let file = granted(Disk::new(file, 0));
    let mut here = FileInputStream::new(file.clone(), 0, None).unwrap();
    let mut had = FileInputStream::new(file.clone(), 0, all(&held)).unwrap();
    let mut pending = FileInputStream::new(file.clone(), 0, all(&held)).unwrap();
    assert_eq!(had.read(10).unwrap(), "");
    held.run_one();
    assert_eq!(had.read(1).unwrap(), "0");
    assert_eq!(pending.read(10).unwrap(), "");
    assert!(!is_ready(pending.wait()));
    file.grant().revoke();
    assert_eq!(here.granted(), Err(Errno::BadF));
    for stream in [&mut here, &mut had, &mut pending] {
        assert!(is_ready(stream.wait()));
        assert_eq!(failure(stream.read(1)), Errno::BadF);
        assert!(is_closed(stream.skip(1)));
        assert!(is_closed(stream.read_into(&mut [0])));
    }
    held.run_one();
    assert!(is_closed(pending.read(10)), "what was being read meanwhile");
    assert_eq!(FileInputStream::new(file, 0, None).unwrap_err(), Errno::BadF);
}

#[test]
fn nor_does_who_has_read_ahead_of_it() {
    let (_fs, file) = memory("0123456789");
    let file = granted(file);
    let ahead = || {
        let stream = FileInputStream::new(file.clone(), 0, None).unwrap();
        let mut ahead = ReadAhead::new(Box::new(stream));
        assert_eq!(ahead.read(1).unwrap(), "0");
        ahead
    };
    let (mut one, mut two) = (ahead(), ahead());
    assert_eq!(one.granted(), Ok(()));
    file.grant().revoke();
    assert_eq!(one.granted(), Err(Errno::BadF));
    assert_eq!(failure(one.read(1)), Errno::BadF);
    assert!(is_closed(one.read(1)));
    assert_eq!(failure(two.skip(1)), Errno::BadF);
}

#[test]
fn an_output_takes_nothing_more() {
    let (fs, file) = memory("0123456789");
    let held = Arc::new(Held::default());
    let file = granted(file);
    let mut open = FileOutputStream::at(file.clone(), 0, None).unwrap();
    assert!(open.check_write().unwrap() > 0);
    let fifo = Fifo::new(2);
    let pipe = granted(fifo.clone());
    let mut behind = FileOutputStream::at(pipe.clone(), 0, None).unwrap();
    behind.write("abc".into()).unwrap();
    assert!(!is_ready(behind.wait()));
    let disk = granted(Disk::new(memory("").1, 0));
    let mut pending = FileOutputStream::at(disk.clone(), 0, all(&held)).unwrap();
    pending.write("abc".into()).unwrap();
    assert!(!is_ready(pending.wait()));
    for granted in [&file, &pipe, &disk] {
        granted.grant().revoke();
    }
    for stream in [&mut open, &mut behind, &mut pending] {
        assert!(is_ready(stream.wait()));
        assert_eq!(failure(stream.write("x".into())), Errno::BadF);
        assert!(is_closed(stream.check_write()));
        assert!(is_closed(stream.flush()));
    }
    drop(behind);
    assert_eq!(fs.read("file").unwrap(), b"0123456789");
    assert_eq!(fifo.drain(), b"ab");
}

#[test]
fn nobody_waits_for_a_pipe() {
    let pipe = granted(Fifo::new(2));
    let mut stream = FileInputStream::new(pipe.clone(), 0, None).unwrap();
    assert_eq!(stream.read(1).unwrap(), "");
    assert!(!is_ready(stream.wait()));
    pipe.grant().revoke();
    assert!(is_ready(stream.wait()));
    assert!(is_ready(pipe.wait(wasi_host_core::fs::Interest::Read)));
    assert_eq!(failure(stream.read(1)), Errno::BadF);
}
