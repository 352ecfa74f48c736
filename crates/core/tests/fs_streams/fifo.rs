use super::doubles::{Fifo, Held};
use crate::{all, block_on, failure, granted, is_closed, is_ready, is_trap};
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{FileInputStream, FileOutputStream};
use wasi_host_core::stream::{HostInputStream, HostOutputStream, Subscribe};

#[test]
fn it_is_read_as_it_comes() {
    let fifo = Fifo::new(10);
    let held = Arc::new(Held::default());
    let mut stream = FileInputStream::new(granted(fifo.clone()), 7, all(&held)).unwrap();
    assert_eq!(stream.read(9).unwrap(), "");
    assert!(!is_ready(stream.wait()));
    fifo.put(b"abc");
    assert!(is_ready(stream.wait()));
    assert_eq!(stream.read(2).unwrap(), "ab");
    assert_eq!(stream.skip(2).unwrap(), 1);
    assert_eq!(stream.skip(2).unwrap(), 0);
    fifo.end();
    assert!(is_ready(stream.wait()));
    assert!(is_closed(stream.read(1)));
    assert_eq!(held.count(), 0, "it says itself when it would wait");
}

#[test]
fn what_it_has_no_room_for_is_brought_out_later() {
    let fifo = Fifo::new(4);
    let mut stream = FileOutputStream::at(granted(fifo.clone()), 7, None).unwrap();
    assert_eq!(stream.check_write().unwrap(), 64 << 10);
    stream.write("0123456789".into()).unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    assert!(!is_ready(stream.wait()));
    assert!(is_trap(stream.write("x".into())), "one permit's worth is kept, no more");
    stream.write("".into()).unwrap();
    assert_eq!(fifo.drain(), b"0123");
    assert!(is_ready(stream.wait()));
    stream.flush().unwrap();
    assert_eq!(fifo.drain(), b"4567");
    assert!(stream.check_write().unwrap() > 0);
    assert_eq!(fifo.drain(), b"89");
}

#[test]
fn dropped_it_tries_once_more() {
    let fifo = Fifo::new(4);
    let mut stream = FileOutputStream::append(granted(fifo.clone()), None).unwrap();
    stream.write("012345".into()).unwrap();
    assert_eq!(fifo.drain(), b"0123");
    drop(stream);
    assert_eq!(fifo.drain(), b"45");
}

#[test]
fn without_a_reader_it_fails() {
    let fifo = Fifo::new(4);
    let mut stream = FileOutputStream::append(granted(fifo.clone()), None).unwrap();
    stream.write("012345".into()).unwrap();
    fifo.end();
    assert!(is_ready(stream.wait()));
    assert_eq!(failure(stream.flush()), Errno::Pipe);
    assert!(is_closed(stream.check_write()));
    assert!(is_closed(stream.write("x".into())));
}

#[test]
fn both_ends_awaited() {
    let fifo = Fifo::new(1000);
    let text = "0123456789".repeat(20_000);
    let mut src = FileInputStream::new(granted(fifo.clone()), 0, None).unwrap();
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        while let Ok(bytes) = block_on(src.blocking_read(4096)) {
            got.extend(bytes);
        }
        got
    });
    let mut dst = FileOutputStream::append(granted(fifo.clone()), None).unwrap();
    block_on(dst.blocking_write_and_flush(text.clone().into())).unwrap();
    fifo.end();
    assert!(reader.join().unwrap() == text.as_bytes());
}
