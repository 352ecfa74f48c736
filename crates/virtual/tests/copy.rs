//! Copies of whole trees.

use std::io::IoSlice;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Follow, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::copy::{self, Failed};
use wasi_host_virtual::memory::MemoryFs;

#[test]
fn all_that_makes_a_tree() {
    let from = MemoryFs::new();
    from.create_dir_all("a/b/c").unwrap();
    from.write("a/file", vec![7; 200_000]).unwrap();
    let root = from.root();
    root.hard_link("a/file", Follow::No, &*root, "a/b/same").unwrap();
    root.symlink("/etc/../none", "a/b/c/link").unwrap();
    let how = Open { write: true, create: true, ..Open::default() };
    let Node::File(holes) = root.open("holes", how).unwrap() else { unreachable!() };
    holes.write_at(&[IoSlice::new(b"end")], 1 << 40).unwrap();
    let then = |seconds| SetTime::At(Timestamp::new(seconds, 5).unwrap());
    for path in ["a/b/c/link", "a/b/c", "a/b", "a/file", "a", "."] {
        root.set_times(path, Follow::No, then(1), then(path.len() as i64)).unwrap();
    }

    let copied = MemoryFs::new();
    // The size of a hole is no work, unless somebody reads it.
    holes.set_len(1 << 20).unwrap();
    copy::tree(root.clone(), copied.root()).unwrap();
    assert_eq!(copied.read("a/b/same").unwrap(), vec![7; 200_000]);
    let to = copied.root();
    assert_eq!(to.read_link("a/b/c/link").unwrap(), "/etc/../none");
    let stat = |path| to.stat(path, Follow::No).unwrap();
    assert_eq!((stat("a/file").ino, stat("a/file").nlink), (stat("a/b/same").ino, 2));
    for path in ["a/b/c/link", "a/b/c", "a/b", "a/file", "a", "."] {
        let (one, other) = (root.stat(path, Follow::No).unwrap(), stat(path));
        assert_eq!((one.file_type, one.size, one.modified), (other.file_type, other.size, other.modified));
        assert_eq!(other.modified, Timestamp::new(path.len() as i64, 5).unwrap(), "{path}");
    }
    assert_eq!(stat("holes").size, 1 << 20);
    assert!(copied.used() < from.used() + 4096, "{} of {}", copied.used(), from.used());
}

#[test]
fn what_it_fails_over_is_named() {
    let from = MemoryFs::new();
    from.create_dir_all("a/b").unwrap();
    from.write("a/b/large", vec![0x55; 100_000]).unwrap();
    let to = MemoryFs::with_limit(50_000);
    let failed = Failed { path: "a/b/large".into(), error: Errno::NoSpc };
    assert_eq!(copy::tree(from.root(), to.root()), Err(failed.clone()));
    assert_eq!(failed.to_string(), r#""a/b/large": no space left on device"#);
    // What is there is not written over.
    let to = MemoryFs::new();
    to.write("a", "").unwrap();
    assert_eq!(copy::tree(from.root(), to.root()), Err(Failed { path: "a".into(), error: Errno::Exist }));
}

#[test]
fn what_is_no_file_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    std::fs::write(dir.path().join("file"), "text").unwrap();
    let to = MemoryFs::new();
    let from = std::sync::Arc::new(NativeDir::open_ambient(dir.path()).unwrap());
    copy::tree(from.clone(), to.root()).unwrap();
    assert_eq!(to.read("file").unwrap(), b"text");
    assert_eq!(to.root().stat("socket", Follow::No), Err(Errno::NoEnt));
    // A name that cannot be said.
    let odd = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    std::fs::write(dir.path().join::<&std::ffi::OsStr>(odd), "").unwrap();
    let to = MemoryFs::new();
    assert_eq!(copy::tree(from, to.root()).unwrap_err().error, Errno::NoEnt);
}
