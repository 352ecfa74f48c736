//! Files and directories, in memory and on a disk.

mod support;

use std::sync::Arc;
use support::*;
use wasi_host::fs::Dir;
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, WasiCtxBuilder};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;

/// Runs a test on every backend, by every linker and policy; its guest has an empty directory at 3.
fn everywhere(test: impl Fn(&mut Guest)) {
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let shm = tempfile::tempdir_in("/dev/shm").unwrap();
    let ways = [
        (Kind::Sync, BlockingPolicy::Adaptive),
        (Kind::Async, BlockingPolicy::Adaptive),
        (Kind::Async, BlockingPolicy::Inline),
        (Kind::Async, BlockingPolicy::Offload),
    ];
    for (i, (kind, policy)) in ways.into_iter().enumerate() {
        let native = |root: &std::path::Path| -> Arc<dyn Dir> {
            let path = root.join(i.to_string());
            std::fs::create_dir(&path).unwrap();
            Arc::new(NativeDir::open_ambient(path).unwrap())
        };
        for dir in [MemoryFs::new().root(), native(disk.path()), native(shm.path())] {
            let mut b = WasiCtxBuilder::new();
            b.blocking(policy).preopened_shared(dir, "/", DirPerms::all(), FilePerms::all());
            test(&mut Guest::new(kind, b.build_p1()));
        }
    }
}

fn file(g: &mut Guest, name: &str, content: &[u8]) -> u64 {
    let fd = g.open(3, name, CREAT | TRUNC, READ | WRITE, 0) as u64;
    assert_eq!(g.fd_write(fd, content), content.len() as i64);
    g.ok("fd_seek", &[fd, 0, 0, 0]);
    fd
}

#[test]
fn every_buffer_of_a_call_is_served() {
    everywhere(|g| {
        let fd = file(g, "file", b"");
        g.write(8192, b"abcdefgh");
        g.iovecs(0, &[(8196, 4), (100, 0), (8192, 4), (8192, 1)]);
        g.ok("fd_write", &[fd, 0, 4, 2048]);
        assert_eq!(g.u32(2048), 9);
        g.iovecs(0, &[(9000, 2), (8990, 3), (9010, 1), (9020, 100)]);
        g.ok("fd_pread", &[fd, 0, 4, 0, 2048]);
        assert_eq!(g.u32(2048), 9);
        let parts = [(9000, 2), (8990, 3), (9010, 1), (9020, 3)].map(|(at, n)| g.read(at, n));
        assert_eq!(parts.concat(), b"efghabcda");
        // The same address twice: a short count, nothing lost.
        g.ok("fd_seek", &[fd, 0, 0, 0]);
        g.iovecs(0, &[(9000, 4), (9002, 4)]);
        g.ok("fd_read", &[fd, 0, 2, 2048]);
        assert_eq!((g.u32(2048), g.read(9000, 4)), (4, b"efgh".to_vec()));
        assert_eq!(g.fd_read(fd, 99).unwrap(), b"abcda");
        // More buffers than a system call takes: a short count.
        g.iovecs(100_000, &[(8192, 1); 2000]);
        g.ok("fd_write", &[fd, 100_000, 2000, 2048]);
        assert_eq!(g.u32(2048), 1024);
        assert_eq!(g.call("fd_write", &[fd, 0, 0, 2048]), 0);
        assert_eq!(g.u32(2048), 0);
    });
}

#[test]
fn large_reads_and_writes_are_whole_or_say_how_much() {
    everywhere(|g| {
        let content: Vec<u8> = (0..200_000u32).map(|i| (i * 7 / 3) as u8).collect();
        let fd = g.open(3, "large", CREAT, READ | WRITE, 0) as u64;
        let mut sent = 0;
        while sent < content.len() {
            let n = g.fd_write(fd, &content[sent..]);
            assert!(n > 0, "{n}");
            sent += n as usize;
        }
        g.ok("fd_seek", &[fd, 0, 0, 0]);
        let mut got = Vec::new();
        loop {
            match g.fd_read(fd, 150_000).unwrap() {
                bytes if bytes.is_empty() => break,
                bytes => got.extend(bytes),
            }
        }
        assert!(got == content, "{} bytes of {}", got.len(), content.len());
    });
}

#[test]
fn a_position_per_descriptor() {
    everywhere(|g| {
        let a = file(g, "file", b"0123456789");
        let b = g.open(3, "file", 0, READ, 0) as u64;
        assert_eq!(g.fd_read(a, 3).unwrap(), b"012");
        assert_eq!(g.fd_read(b, 2).unwrap(), b"01");
        g.iovecs(4096, &[(8192, 2)]);
        g.ok("fd_pwrite", &[a, 4096, 1, 4, 2048]);
        g.ok("fd_tell", &[a, 0]);
        assert_eq!(g.u64(0), 3);
        g.ok("fd_seek", &[a, (-1i64) as u64, 2, 0]);
        assert_eq!((g.u64(0), g.fd_read(a, 9).unwrap()), (9, b"9".to_vec()));
        assert_eq!(g.call("fd_seek", &[a, (-11i64) as u64, 1, 0]), INVAL);
        assert_eq!(g.call("fd_seek", &[a, 0, 3, 0]), INVAL);
        g.ok("fd_seek", &[a, 1 << 40, 0, 0]);
        assert_eq!(g.fd_read(a, 9).unwrap(), b"");
        assert_eq!(g.call("fd_pread", &[a, 4096, 1, u64::MAX, 0]), INVAL);
    });
}

#[test]
fn sizes_times_and_hints() {
    everywhere(|g| {
        let fd = file(g, "file", b"0123456789");
        g.ok("fd_filestat_set_size", &[fd, 4]);
        g.ok("fd_allocate", &[fd, 2, 6]);
        g.ok("fd_filestat_set_times", &[fd, 1_000_000_007, 2_000_000_009, 0b101]);
        g.ok("fd_filestat_get", &[fd, 0]);
        assert_eq!((g.read(16, 1)[0], g.u64(24), g.u64(32)), (4, 1, 8));
        assert_eq!((g.u64(40), g.u64(48)), (1_000_000_007, 2_000_000_009));
        assert!(g.u64(56) > 2_000_000_009, "ctime is the backend's");
        let (dev, ino) = (g.u64(0), g.u64(8));
        let (p, n) = g.path("file");
        g.ok("path_filestat_get", &[3, 0, p, n, 0]);
        assert_eq!((g.u64(0), g.u64(8)), (dev, ino));
        for advice in 0..6 {
            g.ok("fd_advise", &[fd, 0, 4, advice]);
        }
        assert_eq!(g.call("fd_advise", &[fd, 0, 4, 6]), INVAL);
        assert_eq!(g.call("fd_allocate", &[fd, 0, 0]), INVAL);
        assert_eq!(g.call("fd_filestat_set_times", &[fd, 0, 0, 0b11]), INVAL);
        g.ok("fd_sync", &[fd]);
        g.ok("fd_datasync", &[fd]);
        g.ok("fd_sync", &[3]);
        for name in ["fd_advise", "fd_allocate"] {
            assert_eq!(g.call(name, &[3, 0, 4, 0]), BADF, "{name} of a directory");
        }
    });
}

#[test]
fn directories_of_1000_names_by_buffers_of_any_size() {
    everywhere(|g| {
        let (p, n) = g.path("dir");
        g.ok("path_create_directory", &[3, p, n]);
        let dir = g.open(3, "dir", DIRECTORY, 0, 0) as u64;
        let mut expected: Vec<String> = (0..1000).map(|i| format!("name-{i:04}")).collect();
        for name in &expected {
            let fd = g.open(dir, name, CREAT, 0, 0);
            assert!(fd > 0);
            g.ok("fd_close", &[fd as u64]);
        }
        expected.extend([".".to_owned(), "..".to_owned()]);
        expected.sort();
        for len in [40, 100, 4096, 65536] {
            let mut names: Vec<String> = g.list(dir, len).into_iter().map(|e| e.0).collect();
            names.sort();
            assert!(names == expected, "{} names by {len}", names.len());
        }
        // A directory's own number is that of `.`, and at the top that of `..`, too.
        g.ok("fd_filestat_get", &[3, 0]);
        let root = g.u64(8);
        let ino = |list: &[(String, u8, u64)], name: &str| list.iter().find(|e| e.0 == name).unwrap().2;
        let (top, below) = (g.list(3, 4096), g.list(dir, 65536));
        assert_eq!((ino(&top, "."), ino(&top, ".."), ino(&below, "..")), (root, root, root));
        assert_eq!(ino(&top, "dir"), ino(&below, "."));
        assert_eq!(top.iter().find(|e| e.0 == "dir").unwrap().1, 3);
    });
}

#[test]
fn cookies_lead_back() {
    everywhere(|g| {
        for i in 0..50 {
            file(g, &format!("f{i}"), b"");
        }
        let all = g.list(3, 65536);
        // Each entry by its cookie, from the last to the first, then in between.
        for at in (0..all.len()).rev().chain([20, 3, 40]) {
            g.ok("fd_readdir", &[3, 8192, 100, at as u64, 2048]);
            assert_eq!(g.u64(8192), at as u64 + 1);
            assert_eq!(g.u64(8200), all[at].2, "entry {at}");
        }
        g.ok("fd_readdir", &[3, 8192, 100, all.len() as u64 + 7, 2048]);
        assert_eq!(g.u32(2048), 0, "beyond the end");
        assert_eq!(g.call("fd_readdir", &[3, 8192, 100, u64::MAX, 2048]), INVAL);
        // A listing begun anew sees what is new; removing while listing skips nothing.
        let (p, n) = g.path("f7");
        g.ok("path_unlink_file", &[3, p, n]);
        assert_eq!(g.list(3, 100).len(), all.len() - 1);
    });
}

#[test]
fn names_lead_nowhere_else() {
    everywhere(|g| {
        file(g, "file", b"x");
        for path in ["/", "/file", "..", "../x", "a/../../x"] {
            let e = -g.open(3, path, 0, READ, 0) as i32;
            assert!([NOTCAPABLE, 44].contains(&e), "{path:?}: {e}");
        }
        assert_eq!(g.open(3, "..", 0, READ, 0), -i64::from(NOTCAPABLE));
        assert_eq!(g.open(3, "", 0, READ, 0), -44);
        assert_eq!(g.open(3, "a\0b", 0, READ, 0), -i64::from(INVAL));
        assert_eq!(g.open(3, &"x".repeat(5000), 0, READ, 0), -37);
        g.write(1024, b"\xff\xfe");
        assert_eq!(g.call("path_unlink_file", &[3, 1024, 2]), 25, "not UTF-8");
        g.write(512, b"/etc/passwd");
        let (p, n) = g.path("link");
        assert_eq!(g.call("path_symlink", &[512, 11, 3, p, n]), NOTCAPABLE);
        g.write(512, b"../up");
        g.ok("path_symlink", &[512, 5, 3, p, n]);
        assert_eq!(g.open(3, "link", CREAT, WRITE, 0), -i64::from(NOTCAPABLE));
        g.ok("path_readlink", &[3, p, n, 8192, 3, 2048]);
        assert_eq!((g.u32(2048), g.read(8192, 3)), (3, b"../".to_vec()));
        assert_eq!(g.open(3, "file/", 0, READ, 0), -54);
        assert_eq!(g.open(3, "file", DIRECTORY, READ, 0), -54);
        assert_eq!(g.open(3, ".", 0, WRITE, 0), -31);
    });
}

#[test]
fn what_was_not_granted_is_refused() {
    let fs = MemoryFs::new();
    fs.write("file", b"text").unwrap();
    for kind in KINDS {
        let mut b = WasiCtxBuilder::new();
        b.preopened_shared(fs.root(), "ro", DirPerms::READ, FilePerms::READ);
        b.preopened_shared(fs.root(), "rw", DirPerms::all(), FilePerms::all());
        let mut g = Guest::new(kind, b.build_p1());
        let fd = g.open(3, "file", 0, READ, 0) as u64;
        assert_eq!(g.fd_read(fd, 9).unwrap(), b"text");
        let perm = -63;
        assert_eq!(g.open(3, "file", 0, READ | WRITE, 0), perm);
        assert_eq!(g.open(3, "file", TRUNC, READ, 0), perm);
        assert_eq!(g.open(3, "new", CREAT, READ, 0), perm);
        assert_eq!(g.call("fd_filestat_set_times", &[fd, 0, 0, 0b1]), 63);
        let (p, n) = g.path("file");
        g.write(512, b"new");
        assert_eq!(g.call("path_unlink_file", &[3, p, n]), 63);
        assert_eq!(g.call("path_create_directory", &[3, 512, 3]), 63);
        assert_eq!(g.call("path_symlink", &[512, 3, 3, 512, 3]), 63);
        assert_eq!(g.call("path_filestat_set_times", &[3, 0, p, n, 0, 0, 0b1]), 63);
        // Neither end of a link or a move may widen what was granted.
        assert_eq!(g.call("path_link", &[3, 0, p, n, 4, 512, 3]), 63);
        assert_eq!(g.call("path_rename", &[3, p, n, 4, 512, 3]), 63);
        assert_eq!(g.call("path_rename", &[4, p, n, 3, 512, 3]), 63);
        assert_eq!(fs.read("file").unwrap(), b"text");
    }
}

#[test]
fn listings_are_kept_for_few() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..200 {
        std::fs::write(dir.path().join(format!("f{i}")), "").unwrap();
    }
    let of_the_dir = || {
        let fds = std::fs::read_dir("/proc/self/fd").unwrap();
        let target = |e: std::io::Result<std::fs::DirEntry>| std::fs::read_link(e.unwrap().path());
        fds.map(target).filter(|t| t.as_ref().is_ok_and(|t| t == dir.path())).count()
    };
    for kind in KINDS {
        let mut b = WasiCtxBuilder::new();
        b.preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
        let mut g = Guest::new(kind, b.build_p1());
        let fds: Vec<u64> = (0..150).map(|_| g.open(3, ".", DIRECTORY, 0, 0) as u64).collect();
        let before = of_the_dir();
        for fd in &fds {
            // Not to the end: there is something to keep.
            g.ok("fd_readdir", &[*fd, 8192, 100, 0, 2048]);
        }
        assert!(of_the_dir() <= before + 64, "{} more", of_the_dir() - before);
        // One that was forgotten goes on all the same.
        g.ok("fd_readdir", &[fds[0], 8192, 100, 7, 2048]);
        assert_eq!((g.u64(8192), g.u32(2048)), (8, 100));
        for fd in fds {
            assert_eq!(g.list(fd, 4096).len(), 202);
        }
        assert_eq!(of_the_dir(), before, "a listing that was read to its end is not kept");
    }
}
