//! Files and directories.

use super::common::{CREATE, READ, content, open_dir, open_file, put, write};
use super::{record, replay, same};
use std::io::IoSliceMut;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Blocking, Dir, Follow};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::record::Tape;

/// A directory on the tape, behind which is `fs` while it is recorded.
fn root(tape: &Tape, fs: &MemoryFs) -> Arc<dyn Dir> {
    tape.dir((!tape.replays()).then(|| fs.root()), "/")
}

#[test]
fn what_was_read_is_read_again() {
    let fs = MemoryFs::new();
    fs.write("a", "0123456789").unwrap();
    let text = same(|tape| {
        let file = open_file(&*root(tape, &fs), "a", READ);
        let (mut one, mut two) = ([0; 3], [0; 20]);
        let n = file.read_at(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)], 2).unwrap();
        (n, one, two)
    });
    assert_eq!(text, (8, *b"234", *b"56789\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

#[test]
fn every_answer_comes_again() {
    let seen = same(|tape| {
        let fs = MemoryFs::new();
        let root = root(tape, &fs);
        put(&*root, "a", "text");
        root.create_dir("d").unwrap();
        let (d, file) = (open_dir(&*root, "d"), open_file(&*root, "a", CREATE));
        root.symlink("a", "link").unwrap();
        root.hard_link("a", Follow::No, &*d, "b").unwrap();
        let at = SetTime::At(Timestamp::new(-5, 7).unwrap());
        root.set_times("a", Follow::Yes, at, SetTime::Keep).unwrap();
        file.set_times(SetTime::Keep, at).unwrap();
        file.set_len(100).unwrap();
        file.allocate(50, 100).unwrap();
        file.sync(true).unwrap();
        root.sync(false).unwrap();
        assert_eq!(file.append(&[std::io::IoSlice::new(b"end")]), Ok(3));
        let names: Vec<String> = root.entries().unwrap().map(|entry| entry.unwrap().name).collect();
        let errors = (
            root.open("none", READ).unwrap_err(),
            root.remove_dir("a").unwrap_err(),
            root.unlink("none").unwrap_err(),
            root.rename("a", &*MemoryFs::new().root(), "x").unwrap_err(),
        );
        assert_eq!(errors.3, Errno::XDev);
        root.rename("d/b", &*root.clone(), "c").unwrap();
        root.unlink("c").unwrap();
        root.remove_dir("d").unwrap();
        assert_eq!((file.blocking(), root.blocking()), (Blocking::Never, Blocking::Never));
        let about =
            (file.metadata().unwrap(), root.stat("link", Follow::No).unwrap(), root.metadata().unwrap());
        (names, errors, about, root.read_link("link"), file.file_type(), file.is_seekable())
    });
    assert!(seen.0.contains(&"link".to_owned()));
}

#[test]
fn what_is_not_what_was_recorded_is_found() {
    let fs = MemoryFs::new();
    fs.write("a", "one").unwrap();
    fs.write("b", "two").unwrap();
    let (log, _) = record(|tape| {
        let root = root(tape, &fs);
        let file = open_file(&*root, "a", CREATE);
        write(&*file, b"text", 0).unwrap();
        content(&*root, "b")
    });

    // Another path, other bytes, another place, one call less, one more.
    let wrong = |program: &dyn Fn(&Arc<dyn Dir>)| {
        let (_, ended) = replay(log.clone(), |tape| program(&root(tape, &fs)));
        ended.unwrap_err()
    };
    let e = wrong(&|root| assert_eq!(root.open("c", CREATE).unwrap_err(), Errno::Io));
    assert_eq!(e.call, 1);
    assert!(e.expected.contains("open \"a\"") && e.found.contains("open \"c\""), "{e}");
    assert!(e.to_string().contains("on directory \"/\""), "{e}");

    let e = wrong(&|root| {
        let file = open_file(&**root, "a", CREATE);
        assert_eq!(write(&*file, b"tent", 0), Err(Errno::Io));
        // From then on everything fails.
        assert_eq!(file.metadata(), Err(Errno::Io));
        assert_eq!(root.create_dir("x"), Err(Errno::Io));
    });
    assert_eq!(e.call, 2);
    assert!(
        e.expected.contains("write_at 0 4 bytes") && e.found.contains("file \"a\", which call 1 gave"),
        "{e}"
    );

    let e = wrong(&|root| {
        let _ = write(&*open_file(&**root, "a", CREATE), b"text", 1);
    });
    assert!(e.expected.contains("write_at 0") && e.found.contains("write_at 1"), "{e}");

    let e = wrong(&|root| drop(open_file(&**root, "a", CREATE)));
    assert_eq!((e.call, &e.found[..]), (2, "the end of the program"));

    let e = wrong(&|root| {
        write(&*open_file(&**root, "a", CREATE), b"text", 0).unwrap();
        assert_eq!(content(&**root, "b"), "two");
        assert_eq!(root.metadata(), Err(Errno::Io));
    });
    assert_eq!((e.call, &e.expected[..]), (5, "the end of the recording"));
}
