//! Archives as trees: those that are sound, and those that are made to do harm.
#![cfg(feature = "archive")]

mod common;
mod archive {
    pub(crate) mod hostile;
    pub(crate) mod make;
}

use archive::make::*;
use common::*;
use std::io::{IoSliceMut, Write};
use std::sync::Arc;
use tar::EntryType;
use wasi_host_core::conformance::fs::read_only;
use wasi_host_core::fs::{Blocking, Dir, File, FileType, Follow};
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};
use wasi_host_native::fs::NativeFile;
use wasi_host_virtual::archive::{ArchiveError, ArchiveFs, Limits, Source};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::overlay::OverlayFs;

fn tar(bytes: Vec<u8>) -> Arc<dyn Dir> {
    ArchiveFs::tar(bytes, Limits::default()).unwrap().root()
}

fn zip_fs(members: &[Member]) -> Arc<dyn Dir> {
    ArchiveFs::zip(zip(members), Limits::default()).unwrap().root()
}

/// The same bytes wherever they may be.
fn sources(bytes: &[u8]) -> [Source; 4] {
    let file = || {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    };
    let memory = MemoryFs::new();
    memory.write("archive", bytes).unwrap();
    let native: Arc<dyn File> = Arc::new(NativeFile::from_std(file()).unwrap());
    [bytes.to_vec().into(), open_file(&*memory.root(), "archive", READ).into(), native.into(), file().into()]
}

#[test]
fn conforms() {
    for source in sources(&tar_of_tree()) {
        read_only(|| ArchiveFs::tar(source.clone(), Limits::default()).unwrap().root());
    }
    for deflated in [false, true] {
        for source in sources(&zip_of_tree(deflated)) {
            read_only(|| ArchiveFs::zip(source.clone(), Limits::default()).unwrap().root());
        }
    }
}

/// Only as much is read as is asked for, from where it is.
#[test]
fn read_in_place() {
    let big: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    let tarred = Tar::new().file("a", "first").file("big", &big).file("b", "last").end();
    let zipped = zip(&[Member::file("a", "first"), Member::file("big", &big), Member::file("b", "last")]);
    for (n, root) in sources(&tarred)
        .map(|source| ArchiveFs::tar(source, Limits::default()))
        .into_iter()
        .chain(sources(&zipped).map(|source| ArchiveFs::zip(source, Limits::default())))
        .map(|fs| fs.unwrap().root())
        .enumerate()
    {
        let file = open_file(&*root, "big", READ);
        assert_eq!(read(&*file, 1000, 123_456), big[123_456..124_456]);
        let in_one_piece = n % 4 == 0;
        assert_eq!(file.lend(200_000, 150_000).as_deref(), in_one_piece.then_some(&big[150_000..]));
        let (mut head, mut tail) = ([0; 10], [0; 100]);
        let n = file.read_at(&mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)], 199_950).unwrap();
        assert!((1..=50).contains(&n));
        assert_eq!([&head[..], &tail].concat()[..n], big[199_950..][..n]);
        for beyond in [200_000, 200_001, u64::MAX] {
            assert_eq!(read(&*file, 10, beyond), b"");
        }
        assert_eq!((content(&*root, "a"), content(&*root, "b")), ("first".into(), "last".into()));
    }
}

#[test]
fn what_waits_and_what_does_not() {
    let bytes = zip(&[Member::file("stored", "text"), Member::deflated("deflated", "text")]);
    let [memory, _, _, disk] = sources(&bytes);
    let root = ArchiveFs::zip(memory, Limits::default()).unwrap().root();
    assert_eq!(root.blocking(), Blocking::Never);
    assert!(root.try_open("deflated", READ).is_ok());
    let root = ArchiveFs::zip(disk, Limits::default()).unwrap().root();
    assert_eq!(root.blocking(), Blocking::Maybe);
    assert_eq!(root.try_open("deflated", READ).map(drop), Err(Errno::Again));
    assert_eq!(root.try_stat("deflated", Follow::Yes).unwrap().size, 4, "that is known");
    let file = open_file(&*root, "deflated", READ);
    assert_eq!(file.blocking(), Blocking::Never, "it is in memory now");
    assert!(root.try_open("deflated", READ).is_ok());
    drop(file);
    assert_eq!(root.try_open("deflated", READ).map(drop), Err(Errno::Again));
}

#[test]
fn tar_members_of_all_kinds() -> Result<()> {
    let long = ["long".repeat(30), "name".repeat(40), "x".repeat(255)].join("/");
    let root = tar(Tar::new()
        .dir("./")
        .file("./dir/implied/file", "text")
        .hard_link("dir/other", "./dir/implied/file")
        .link("link", "dir/implied")
        .hard_link("same-link", "link")
        .raw(b"fifo", EntryType::Fifo, "", b"")
        .raw(b"null", EntryType::Char, "", b"")
        .raw(b"disk", EntryType::Block, "", b"")
        .raw(b"old/", EntryType::Regular, "", b"")
        .pax([("comment", &b"of everything"[..]), ("mtime", b"-1.5"), ("path", "ünï/\u{1F980}".as_bytes())])
        .file("short", "pax")
        .long(&long, b"gnu")
        .end());
    assert_eq!(content(&*root, "link/file"), "text");
    let (one, other) = (root.stat("dir/other", Follow::No)?, root.stat("dir/implied/file", Follow::No)?);
    assert_eq!((one.ino, one.nlink, one.modified), (other.ino, 2, Timestamp::new(1_000_000_000, 0).unwrap()));
    assert_eq!(root.read_link("same-link")?, "dir/implied");
    for (name, file_type) in
        [("fifo", FileType::Fifo), ("null", FileType::CharacterDevice), ("disk", FileType::BlockDevice)]
    {
        assert_eq!(root.stat(name, Follow::No)?.file_type, file_type);
        assert_eq!(root.open(name, READ).map(drop), Err(Errno::NxIo));
    }
    assert_eq!(root.stat("old", Follow::No)?.file_type, FileType::Directory);
    assert_eq!(content(&*root, "ünï/\u{1F980}"), "pax");
    assert_eq!(root.stat("ünï/\u{1F980}", Follow::No)?.modified, Timestamp::new(-2, 500_000_000).unwrap());
    assert_eq!(content(&*root, &long), "gnu");
    Ok(())
}

#[test]
fn the_last_of_several_counts() {
    let root = tar(Tar::new()
        .file("a", "old")
        .link("b", "a")
        .file("a", "new")
        .file("b", "file")
        .dir("d")
        .dir("d")
        .end());
    assert_eq!((content(&*root, "a"), content(&*root, "b")), ("new".into(), "file".into()));
    assert_eq!(names(&*root), [".", "..", "a", "b", "d"]);
    let root = zip_fs(&[Member::file("a", "old"), Member::deflated("a", "new")]);
    assert_eq!(content(&*root, "a"), "new");
    // What is hard-linked and then replaced lives on under the other name.
    let root = tar(Tar::new().file("a", "old").hard_link("b", "a").file("a", "new").end());
    assert_eq!((content(&*root, "a"), content(&*root, "b")), ("new".into(), "old".into()));
    assert_eq!(root.stat("b", Follow::No).unwrap().nlink, 1);
}

#[test]
fn zip_members_of_all_kinds() -> Result<()> {
    let unix_time = [0x55, 0x54, 5, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF];
    let root = zip_fs(&[
        Member::file("dir/", ""),
        Member { mode: 0o040_755, ..Member::file("other-dir", "") },
        Member { extra: unix_time.into(), ..Member::deflated("dir/file", "text".repeat(1000)) },
        Member { deflated: true, ..Member::link("link", "dir/file") },
        Member { flags: 1, ..Member::file("encrypted", "text") },
        Member { method: Some(12), ..Member::file("bzip2", "text") },
        Member { mode: 0o010_644, ..Member::file("fifo", "") },
        Member::deflated("empty", ""),
    ]);
    assert_eq!(content(&*root, "link"), "text".repeat(1000));
    assert_eq!(root.stat("dir/file", Follow::No)?.modified, Timestamp::new(-1, 0).unwrap());
    assert_eq!(root.stat("empty", Follow::No)?.modified.seconds(), 1_645_104_720);
    assert_eq!(root.stat("other-dir", Follow::No)?.file_type, FileType::Directory);
    assert_eq!(content(&*root, "empty"), "");
    for name in ["encrypted", "bzip2"] {
        assert_eq!(root.open(name, READ).map(drop), Err(Errno::NotSup));
    }
    assert_eq!(root.open("fifo", READ).map(drop), Err(Errno::NxIo));
    Ok(())
}

/// Something before it, as in an archive that unpacks itself, and a comment behind it.
#[test]
fn zip_archives_within_files() {
    let mut bytes = b"#!/bin/sh\n".repeat(100);
    bytes.extend(zip(&[Member::deflated("a", "text"), Member::file("b", "more")]));
    let comment = b"PK\x05\x06 is no end";
    let at = bytes.len() - 2;
    bytes[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    let root = ArchiveFs::zip(bytes, Limits::default()).unwrap().root();
    assert_eq!((content(&*root, "a"), content(&*root, "b")), ("text".into(), "more".into()));
}

/// With sizes and offsets of 64 bits, though none is large.
#[test]
fn large_zip_archives() {
    let mut extra = vec![1, 0, 24, 0];
    extra.extend([4_u64, 4, 0].into_iter().flat_map(u64::to_le_bytes));
    let member = Member {
        size: Some(u32::MAX),
        stored: Some(u32::MAX),
        header: Some(u32::MAX),
        extra,
        ..Member::file("a", "text")
    };
    let mut bytes = zip(&[member]);
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap() as u64;
    let end = bytes.len() - 22;
    bytes.truncate(end);
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend([1, 1, end as u64 - directory, directory].into_iter().flat_map(u64::to_le_bytes));
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((end as u64).to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    archive::make::end(&mut bytes, u16::MAX, u32::MAX, u32::MAX);
    for junk in [0, 1000] {
        let bytes = [vec![b'x'; junk], bytes.clone()].concat();
        let root = ArchiveFs::zip(bytes, Limits::default()).unwrap().root();
        assert_eq!(content(&*root, "a"), "text", "{junk}");
    }
}

#[test]
fn under_an_overlay() {
    let root = OverlayFs::new(MemoryFs::new().root(), [tar(tar_of_tree())]).unwrap().root();
    put(&*root, "dir/file", "new");
    root.rename("dir", &*root, "moved").unwrap();
    assert_eq!(content(&*root, "moved/sub/deep"), "deep");
    assert_eq!(content(&*root, "moved/file"), "new");
}

/// What is open at once is bounded, not what is in the archive.
#[test]
fn inflated_within_a_limit() {
    let text = "text".repeat(1000);
    let bytes = zip(&[Member::deflated("a", &text), Member::deflated("b", &text), Member::file("c", &text)]);
    let root = ArchiveFs::zip(bytes, Limits { inflated: 6000, ..Limits::default() }).unwrap().root();
    let a = open_file(&*root, "a", READ);
    let again = open_file(&*root, "a", READ);
    assert_eq!(root.open("b", READ).map(drop), Err(Errno::NoMem));
    assert_eq!(content(&*root, "c"), text, "what is not compressed takes nothing");
    drop(a);
    assert_eq!(root.open("b", READ).map(drop), Err(Errno::NoMem));
    drop(again);
    assert_eq!(content(&*root, "b"), text);
    assert_eq!(content(&*root, "a"), text);
}

#[test]
fn more_than_is_allowed() {
    let few = Limits { entries: 3, ..Limits::default() };
    let files = |n: usize| (0..n).fold(Tar::new(), |tar, i| tar.file(&format!("{i}"), "")).end();
    assert!(ArchiveFs::tar(files(3), few).is_ok());
    assert!(matches!(ArchiveFs::tar(files(4), few), Err(ArchiveError::TooMany(3))));
    let implied = Tar::new().file("a/b/c/d", "").end();
    assert!(matches!(ArchiveFs::tar(implied, few), Err(ArchiveError::TooMany(3))));
    let links = (0..4).fold(Tar::new().file("a", ""), |tar, i| tar.hard_link(&format!("{i}"), "a")).end();
    assert!(matches!(ArchiveFs::tar(links, few), Err(ArchiveError::TooMany(3))));
    let members: Vec<_> = (0..4).map(|i| Member::file(&format!("{i}"), "")).collect();
    assert!(ArchiveFs::zip(zip(&members[..3]), few).is_ok());
    assert!(matches!(ArchiveFs::zip(zip(&members), few), Err(ArchiveError::TooMany(3))));
}
