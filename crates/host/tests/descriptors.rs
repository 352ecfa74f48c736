//! Descriptors: what they are, what they may do, how they come and go.

mod support;

use support::*;
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::{DirPerms, FilePerms, I32Exit, WasiCtxBuilder};
use wasi_host_virtual::memory::MemoryFs;

fn builder() -> WasiCtxBuilder {
    let mut b = WasiCtxBuilder::new();
    let fs = MemoryFs::new();
    fs.write("file", b"0123456789").unwrap();
    fs.create_dir_all("dir/sub").unwrap();
    b.preopened_shared(fs.root(), "/", DirPerms::all(), FilePerms::all());
    b
}

/// The file type, flags and rights of a descriptor.
fn fdstat(g: &mut Guest, fd: u64) -> (u8, u8, u64, u64) {
    g.ok("fd_fdstat_get", &[fd, 0]);
    (g.read(0, 1)[0], g.read(2, 1)[0], g.u64(8), g.u64(16))
}

#[test]
fn what_a_guest_begins_with() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for kind in KINDS {
        let mut b = builder();
        b.preopened_listener(listener.try_clone().unwrap()).unwrap();
        b.preopened_shared(MemoryFs::new().root(), "other", DirPerms::all(), FilePerms::all());
        let mut g = Guest::new(kind, b.env("A", "b").build_p1());
        // Directories first, whatever the order in which they were given; a listener ends the scan.
        for (fd, name) in [(3, "/"), (4, "other")] {
            g.ok("fd_prestat_get", &[fd, 0]);
            assert_eq!((g.u32(0), g.u32(4)), (0, name.len() as u32));
            g.ok("fd_prestat_dir_name", &[fd, 16, 64]);
            assert_eq!(g.read(16, name.len()), name.as_bytes());
            assert_eq!(g.call("fd_prestat_dir_name", &[fd, 16, 0]), 37, "no room for {name}");
            assert_eq!(fdstat(&mut g, fd).0, 3);
        }
        assert_eq!(g.call("fd_prestat_get", &[5, 0]), BADF);
        assert_eq!(fdstat(&mut g, 5).0, 6, "a socket that streams");
        assert_eq!(g.call("fd_prestat_get", &[6, 0]), BADF);
        g.ok("environ_sizes_get", &[0, 4]);
        assert_eq!(g.u32(0), 2);
        g.ok("environ_get", &[64, 128]);
        assert_eq!(g.read(128, 18), b"A=b\0LISTEN_FDS=1\0\0");
        assert_eq!((g.u32(64), g.u32(68)), (128, 132));
    }
}

#[test]
fn rights_are_kept_and_only_narrow() {
    for kind in KINDS {
        let mut g = Guest::new(kind, builder().build_p1());
        let fd = g.open(3, "file", 0, READ, 0) as u64;
        let (kind, _, base, _) = fdstat(&mut g, fd);
        assert_eq!((kind, base & (READ | WRITE)), (4, READ));
        assert_eq!(g.fd_write(fd, b"x"), -i64::from(NOTCAPABLE));
        assert_eq!(g.call("fd_fdstat_set_rights", &[fd, base | WRITE, 0]), NOTCAPABLE);
        assert_eq!(g.fd_read(fd, 3).unwrap(), b"012");
        g.ok("fd_fdstat_set_rights", &[fd, base & !READ, 0]);
        assert_eq!(g.fd_read(fd, 3), Err(NOTCAPABLE));
        assert_eq!(fdstat(&mut g, fd).2, base & !READ);
        // A directory that may not pass on the right to write.
        let (_, _, base, inheriting) = fdstat(&mut g, 3);
        g.ok("fd_fdstat_set_rights", &[3, base, inheriting & !WRITE]);
        assert_eq!(g.open(3, "file", 0, READ | WRITE, 0), -i64::from(NOTCAPABLE));
        let dir = g.open(3, "dir", DIRECTORY, READ, 0) as u64;
        assert_eq!(g.open(dir, "new", CREAT, WRITE, 0), -i64::from(NOTCAPABLE));
        // Nor open anything, create directories, or list.
        let (_, _, base, _) = fdstat(&mut g, dir);
        g.ok("fd_fdstat_set_rights", &[dir, base & !(1 << 9 | 1 << 13 | 1 << 14), 0]);
        let (p, n) = g.path("new");
        assert_eq!(g.call("path_create_directory", &[dir, p, n]), NOTCAPABLE);
        assert_eq!(g.open(dir, "sub", DIRECTORY, 0, 0), -i64::from(NOTCAPABLE));
        assert_eq!(g.call("fd_readdir", &[dir, 8192, 100, 0, 0]), NOTCAPABLE);
    }
}

#[test]
fn programs_need_not_name_every_right() {
    let mut g = Guest::new(Kind::Sync, builder().build_p1());
    let fd = g.open(3, "file", 0, READ | WRITE, 0) as u64;
    g.ok("fd_seek", &[fd, 4, 0, 0]);
    g.ok("fd_filestat_get", &[fd, 0]);
    g.ok("fd_filestat_set_size", &[fd, 4]);
    g.ok("fd_allocate", &[fd, 0, 8]);
    let dir = g.open(3, "dir", DIRECTORY, 0, 0) as u64;
    assert!(g.open(dir, "new", CREAT, WRITE, 0) > 0);
}

#[test]
fn flags_are_switched() {
    for kind in KINDS {
        let mut g = Guest::new(kind, builder().build_p1());
        let fd = g.open(3, "file", 0, READ | WRITE, APPEND) as u64;
        assert_eq!(g.fd_write(fd, b"ab"), 2);
        g.ok("fd_tell", &[fd, 0]);
        assert_eq!(g.u64(0), 12);
        g.ok("fd_fdstat_set_flags", &[fd, 0]);
        g.ok("fd_seek", &[fd, 0, 0, 0]);
        assert_eq!(g.fd_write(fd, b"xy"), 2);
        g.ok("fd_fdstat_set_flags", &[fd, APPEND | NONBLOCK]);
        assert_eq!(fdstat(&mut g, fd).1, (APPEND | NONBLOCK) as u8);
        assert_eq!(g.call("fd_fdstat_set_flags", &[fd, 1 << 4]), 58, "when writes reach the disk is settled");
        assert_eq!(g.call("fd_fdstat_set_flags", &[fd, 1 << 5]), INVAL);
        g.ok("fd_seek", &[fd, 0, 0, 0]);
        assert_eq!(g.fd_read(fd, 99).unwrap(), b"xy23456789ab");
    }
}

#[test]
fn renumbering_closes_what_was_there() {
    for kind in KINDS {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "a").unwrap();
        std::fs::write(dir.path().join("b"), "b").unwrap();
        let open_files = || {
            std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .filter(|e| {
                    let target = std::fs::read_link(e.as_ref().unwrap().path());
                    target.is_ok_and(|t| t.starts_with(dir.path()))
                })
                .count()
        };
        let mut b = WasiCtxBuilder::new();
        b.preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
        let mut g = Guest::new(kind, b.build_p1());
        let before = open_files();
        let (a, b) = (g.open(3, "a", 0, READ, 0) as u64, g.open(3, "b", 0, READ, 0) as u64);
        assert_eq!((a, b, open_files()), (4, 5, before + 2));
        g.ok("fd_renumber", &[b, a]);
        assert_eq!(open_files(), before + 1);
        assert_eq!(g.fd_read(a, 9).unwrap(), b"b");
        assert_eq!(g.call("fd_close", &[b]), BADF);
        assert_eq!(g.call("fd_renumber", &[a, b]), BADF, "a number that is not open cannot be taken");
        g.ok("fd_renumber", &[a, a]);
        g.ok("fd_renumber", &[a, 1]);
        g.ok("fd_renumber", &[3, 0]);
        assert_eq!(g.open(0, "a", 0, READ, 0), 3, "the lowest free number");
        for fd in [0, 1, 3] {
            g.ok("fd_close", &[fd]);
        }
        assert_eq!(open_files(), before - 1, "the directory is closed, too");
    }
}

#[test]
fn descriptors_are_limited() {
    let mut limits = wasi_host::limits::Limits::default();
    limits.descriptors = 6;
    let mut g = Guest::new(Kind::Sync, builder().limits(limits).build_p1());
    assert_eq!((g.open(3, "file", 0, READ, 0), g.open(3, "file", 0, READ, 0)), (4, 5));
    assert_eq!(g.open(3, "file", 0, READ, 0), -33);
    assert_eq!(g.open(3, "new", CREAT, WRITE, 0), -33);
    let (p, n) = g.path("new");
    assert_eq!(g.call("path_filestat_get", &[3, 0, p, n, 0]), 44, "nothing was made in vain");
    g.ok("fd_close", &[4]);
    assert_eq!(g.open(3, "file", 0, READ, 0), 4);
}

#[test]
fn a_limit_on_bookkeeping_spares_payload() {
    let mut limits = wasi_host::limits::Limits::default();
    limits.hostcall = 64;
    let mut g = Guest::new(Kind::Sync, builder().limits(limits).build_p1());
    let fd = g.open(3, "file", 0, READ | WRITE, 0) as u64;
    assert_eq!(g.fd_write(fd, &[7; 4096]), 4096);
    g.iovecs(0, &[(8192, 1); 9]);
    assert_eq!(g.call("fd_write", &[fd, 0, 9, 2048]), 48);
    g.ok("fd_write", &[fd, 0, 8, 2048]);
    assert_eq!(g.call("poll_oneoff", &[0, 8192, 2, 2048]), 48);
    assert_eq!(g.open(3, &"x/".repeat(40), 0, READ, 0), -48);
}

#[test]
fn standard_streams_are_no_files() {
    for kind in KINDS {
        let (input, output) = (MemoryInputPipe::new("input"), MemoryOutputPipe::new(8));
        let mut g = Guest::new(kind, builder().stdin(input).stdout(output.clone()).build_p1());
        assert_eq!(g.fd_read(0, 3).unwrap(), b"inp");
        g.iovecs(4096, &[(8192, 1), (9000, 0), (9001, 7)]);
        g.ok("fd_read", &[0, 4096, 3, 2048]);
        assert_eq!((g.u32(2048), g.read(8192, 1), g.read(9001, 1)), (2, b"u".to_vec(), b"t".to_vec()));
        assert_eq!(g.fd_read(0, 3).unwrap(), b"", "the end");
        assert_eq!((g.fd_read(1, 3), g.fd_write(0, b"x")), (Err(BADF), -i64::from(BADF)));
        assert_eq!((g.fd_read(3, 3), g.fd_write(3, b"x")), (Err(31), -31), "a directory");
        for fd in [0, 1, 2] {
            assert_eq!(g.call("fd_seek", &[fd, 0, 0, 0]), 70, "{fd}");
            assert_eq!(g.call("fd_tell", &[fd, 0]), 70, "{fd}");
            assert_eq!(g.call("fd_pread", &[fd, 4096, 1, 0, 0]), 70, "{fd}");
            assert_eq!(fdstat(&mut g, fd).0, 0, "no terminal");
            g.ok("fd_filestat_get", &[fd, 0]);
        }
        assert_eq!(g.fd_write(1, b"hello"), 5);
        assert_eq!(g.fd_write(1, b"world"), 3, "what still fits");
        assert_eq!(g.fd_write(1, b"!"), -64, "a pipe that nobody empties is broken");
        assert_eq!(output.contents(), "hellowor");
        assert_eq!(g.fd_write(2, &[0; 4096]), 4096, "taken and forgotten");
    }
}

#[test]
fn exits_and_signals() {
    for kind in KINDS {
        let mut g = Guest::new(kind, builder().build_p1());
        let e = g.try_call("proc_exit", &[42]).unwrap_err();
        assert_eq!(e.downcast_ref::<I32Exit>(), Some(&I32Exit(42)));
        assert_eq!(g.call("proc_raise", &[6]), 58);
        g.ok("sched_yield", &[]);
        g.ok("random_get", &[0, 64]);
        assert_ne!(g.read(0, 64), [0; 64]);
        assert_eq!(g.call("random_get", &[0, u64::from(u32::MAX)]), INVAL);
    }
}

#[test]
fn clocks_are_those_that_were_given() {
    struct Fixed;
    impl wasi_host::HostWallClock for Fixed {
        fn resolution(&self) -> std::time::Duration {
            std::time::Duration::from_micros(1)
        }
        fn now(&self) -> std::time::Duration {
            std::time::Duration::new(12, 34)
        }
    }
    impl wasi_host::HostMonotonicClock for Fixed {
        fn resolution(&self) -> u64 {
            5
        }
        fn now(&self) -> u64 {
            77
        }
    }
    let mut g = Guest::new(Kind::Sync, builder().wall_clock(Fixed).monotonic_clock(Fixed).build_p1());
    for (id, resolution, now) in [(0, 1000, 12_000_000_034), (1, 5, 77)] {
        g.ok("clock_res_get", &[id, 0]);
        assert_eq!(g.u64(0), resolution);
        g.ok("clock_time_get", &[id, 1, 0]);
        assert_eq!(g.u64(0), now);
    }
    assert_eq!([2, 3, 4].map(|id| g.call("clock_time_get", &[id, 0, 0])), [58, 58, INVAL]);
    // Now, for a file's times, is what the guest calls so.
    let (p, n) = g.path("file");
    g.ok("path_filestat_set_times", &[3, 1, p, n, 0, 0, 0b1010]);
    g.ok("path_filestat_get", &[3, 1, p, n, 0]);
    assert_eq!((g.u64(40), g.u64(48)), (12_000_000_034, 12_000_000_034));
}
