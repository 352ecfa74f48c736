//! The length of paths and of files.

use super::spy::Spy;
use crate::*;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::limits::SharedLimits;
use wasi_host_core::time::SetTime;

type Call = fn(&Descriptor, &str) -> Result<()>;

/// Every operation that takes a path, with it in each place.
const CALLS: &[(&str, Call)] = &[
    ("open", |d, p| d.open(p, READ).map(drop)),
    ("create", |d, p| d.open(p, CREATE).map(drop)),
    ("try_open", |d, p| d.try_open(p, READ).map(drop)),
    ("stat", |d, p| d.stat(p, Follow::No).map(drop)),
    ("try_stat", |d, p| d.try_stat(p, Follow::No).map(drop)),
    ("read_link", |d, p| d.read_link(p).map(drop)),
    ("create_dir", |d, p| d.create_dir(p)),
    ("symlink at", |d, p| d.symlink("x", p)),
    ("symlink to", |d, p| d.symlink(p, "new")),
    ("hard_link from", |d, p| d.hard_link(p, Follow::No, d, "new")),
    ("hard_link to", |d, p| d.hard_link("file", Follow::No, d, p)),
    ("rename from", |d, p| d.rename(p, d, "new")),
    ("rename to", |d, p| d.rename("file", d, p)),
    ("unlink", |d, p| d.unlink(p)),
    ("remove_dir", |d, p| d.remove_dir(p)),
    ("set_times_at", |d, p| d.set_times_at(p, Follow::No, SetTime::Now, SetTime::Now, None)),
];

#[test]
fn paths_that_no_backend_sees() {
    for (what, call) in CALLS {
        let (root, calls) = Spy::on(fixture().root());
        let mut limits = Limits::default();
        limits.path = 10;
        let grant = Arc::new(Grant::new(DirPerms::all(), FilePerms::all(), limits));
        let door = Descriptor::preopen(root, grant);
        for (path, expected) in [
            ("", Errno::NoEnt),
            ("/", Errno::NotCapable),
            ("/file", Errno::NotCapable),
            ("fi\0le", Errno::Inval),
            ("\0", Errno::Inval),
            ("12345678901", Errno::NameTooLong),
            ("file/./././.", Errno::NameTooLong),
        ] {
            assert_eq!(call(&door, path), Err(expected), "{what} {path:?}");
        }
        assert_eq!(calls.load(Relaxed), 0, "{what} asked the backend");
        let at_the_limit = call(&door, "1234567890");
        assert_ne!(at_the_limit, Err(Errno::NameTooLong), "{what}");
        assert_eq!(calls.load(Relaxed), 1, "{what} did not come through");
    }
}

#[test]
fn sizes() {
    let fs = fixture();
    let file = limited(&fs, |limits| limits.file_size = 10).open("file", BOTH).unwrap();
    let text = |expected: &[u8]| assert_eq!(fs.read("file").unwrap(), expected);
    let write = |data: &[u8], offset| file.write_at(&[IoSlice::new(data)], offset);

    assert_eq!(write(b"0123456789", 0), Ok(10), "just as long");
    assert_eq!(write(b"x", 10), Err(Errno::FBig), "at the limit");
    assert_eq!(write(b"x", 11), Err(Errno::FBig), "beyond it");
    assert_eq!(write(b"x", u64::MAX), Err(Errno::FBig), "far beyond it");
    assert_eq!(write(b"", 11), Ok(0), "nothing, beyond it");
    assert_eq!(write(b"ABCD", 8), Ok(2), "over it: what fits");
    text(b"01234567AB");
    let parts = [&b""[..], b"ab", b"cd", b"ef"].map(IoSlice::new);
    assert_eq!(file.write_at(&parts, 7), Ok(2), "over it, in parts: what fits of the first");
    text(b"0123456abB");
    assert_eq!(file.write_at(&parts, 9), Ok(1));
    assert_eq!(file.write_at(&parts, 4), Ok(6), "in parts that fit");
    text(b"0123abcdef");

    assert_eq!(file.append(&[IoSlice::new(b"x")]), Err(Errno::FBig));
    assert_eq!(file.append(&[IoSlice::new(b"")]), Ok(0));
    file.set_len(8).unwrap();
    assert_eq!(file.append(&[IoSlice::new(b"xyz")]), Ok(2));
    text(b"0123abcdxy");

    assert_eq!(file.set_len(11), Err(Errno::FBig));
    assert_eq!(file.set_len(u64::MAX), Err(Errno::FBig));
    assert_eq!(file.allocate(0, 11), Err(Errno::FBig));
    assert_eq!(file.allocate(10, 1), Err(Errno::FBig));
    assert_eq!(file.allocate(u64::MAX, 1), Err(Errno::FBig));
    text(b"0123abcdxy");
    assert_eq!(file.set_len(3), Ok(()));
    assert_eq!(file.allocate(5, 5), Ok(()));
    text(b"012\0\0\0\0\0\0\0");
}

/// Not even without a limit is a file longer than an offset can say.
#[test]
fn off_t_is_signed() {
    let fs = fixture();
    let file = limited(&fs, |limits| *limits = Limits::UNLIMITED).open("file", BOTH).unwrap();
    assert_eq!(file.set_len(1 << 63), Err(Errno::FBig));
    assert_eq!(file.allocate((1 << 63) - 1, 1), Err(Errno::FBig));
    assert_eq!(file.allocate(u64::MAX, u64::MAX), Err(Errno::FBig));
    assert_eq!(file.write_at(&[IoSlice::new(b"x")], u64::MAX), Err(Errno::FBig));
    assert_eq!(fs.read("file").unwrap(), b"text");
}

/// A limit is not about files that were too long before: they may be read, written over and cut.
#[test]
fn a_file_that_was_longer() {
    let fs = fixture();
    let file = limited(&fs, |limits| limits.file_size = 2).open("file", BOTH).unwrap();
    assert_eq!(read(&file), Ok(4));
    assert_eq!(file.write_at(&[IoSlice::new(b"AB")], 0), Ok(2));
    assert_eq!(file.write_at(&[IoSlice::new(b"x")], 2), Err(Errno::FBig));
    assert_eq!(file.append(&[IoSlice::new(b"x")]), Err(Errno::FBig));
    assert_eq!(file.set_len(3), Err(Errno::FBig));
    assert_eq!(file.set_len(2), Ok(()));
    assert_eq!(fs.read("file").unwrap(), b"AB");
}

#[test]
fn they_change_with_whom_they_are_shared() {
    let fs = fixture();
    let limits = SharedLimits::from(Limits::default());
    let granted = |limits: &SharedLimits| {
        let grant = Grant::new(DirPerms::all(), FilePerms::all(), limits.clone());
        Descriptor::preopen(fs.root(), Arc::new(grant))
    };
    let (here, there) = (granted(&limits), granted(&limits));
    let elsewhere = granted(&Limits::default().into());
    let file = here.open("file", BOTH).unwrap();
    assert_eq!(file.write_at(&[IoSlice::new(b"0123456789")], 0), Ok(10));
    let mut less = Limits::default();
    (less.file_size, less.path) = (4, 4);
    limits.set(&less);
    assert_eq!(file.write_at(&[IoSlice::new(b"x")], 4), Err(Errno::FBig), "a file that was open before");
    assert_eq!(file.set_len(5), Err(Errno::FBig));
    assert_eq!(file.metadata().unwrap().size, 10, "what is larger stays so");
    assert_eq!(here.stat("12345", Follow::No), Err(Errno::NameTooLong));
    assert_eq!(here.rename("file", &there, "new"), Ok(()), "both go by the same");
    assert_eq!(here.rename("new", &elsewhere, "file"), Err(Errno::Perm), "there is more allowed");
    limits.set(&Limits::default());
    assert_eq!(here.rename("new", &elsewhere, "file"), Ok(()), "as much is allowed again");
    assert_eq!(file.write_at(&[IoSlice::new(b"x")], 4), Ok(1));
}

#[test]
fn offsets_to_read_at() {
    let fs = fixture();
    let file = limited(&fs, |_| {}).open("file", BOTH).unwrap();
    let mut byte = [0];
    assert_eq!(file.read_at(&mut [IoSliceMut::new(&mut byte)], i64::MAX as u64), Ok(0));
    for offset in [i64::MAX as u64 + 1, u64::MAX] {
        assert_eq!(file.read_at(&mut [IoSliceMut::new(&mut byte)], offset), Err(Errno::Inval));
        assert_eq!(file.try_read_at(&mut [IoSliceMut::new(&mut byte)], offset), Err(Errno::Inval));
    }
}
