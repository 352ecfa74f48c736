//! The few words that these tests are written in.
#![allow(dead_code, reason = "not every test needs each")]

use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::fs::{Dir, File, Node, Open, Sync};

pub(crate) const CLOSED: Open = Open {
    read: false,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
    sync: Sync::No,
};
pub(crate) const READ: Open = Open { read: true, ..CLOSED };
pub(crate) const WRITE: Open = Open { write: true, ..CLOSED };
pub(crate) const BOTH: Open = Open { read: true, ..WRITE };
pub(crate) const CREATE: Open = Open { create: true, ..BOTH };

#[track_caller]
pub(crate) fn open_file(dir: &dyn Dir, path: &str, how: Open) -> Arc<dyn File> {
    match dir.open(path, how) {
        Ok(Node::File(file)) => file,
        other => panic!("{path}: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn open_dir(dir: &dyn Dir, path: &str) -> Arc<dyn Dir> {
    match dir.open(path, READ) {
        Ok(Node::Dir(dir)) => dir,
        other => panic!("{path}: {other:?}"),
    }
}

pub(crate) fn write(file: &dyn File, data: &[u8], offset: u64) -> Result<usize> {
    file.write_at(&[IoSlice::new(data)], offset)
}

pub(crate) fn read(file: &dyn File, len: usize, offset: u64) -> Vec<u8> {
    let mut data = vec![0xEE; len];
    let n = file.read_at(&mut [IoSliceMut::new(&mut data)], offset).unwrap();
    data.truncate(n);
    data
}

/// Makes the file of this name hold `text` and nothing else.
#[track_caller]
pub(crate) fn put(dir: &dyn Dir, path: &str, text: &str) {
    let file = open_file(dir, path, Open { truncate: true, ..CREATE });
    assert_eq!(write(&*file, text.as_bytes(), 0), Ok(text.len()));
}

#[track_caller]
pub(crate) fn content(dir: &dyn Dir, path: &str) -> String {
    String::from_utf8(read(&*open_file(dir, path, READ), 1 << 16, 0)).unwrap()
}

/// The names in a directory, sorted.
pub(crate) fn names(dir: &dyn Dir) -> Vec<String> {
    let mut names: Vec<_> = dir.entries().unwrap().map(|entry| entry.unwrap().name).collect();
    names.sort();
    names
}
