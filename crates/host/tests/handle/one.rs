//! WASI 0.1.

use crate::support::*;
use crate::{builder, fifo, meanwhile, tree};
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use wasi_host::limits::Limits;
use wasi_host::{DirPerms, FilePerms, Handle, WasiCtxBuilder};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::mount::MountFs;

const MFILE: i32 = 33;
const NAMETOOLONG: i32 = 37;
const NOMEM: i32 = 48;
const FBIG: i32 = 22;

fn guest(kind: Kind, builder: &mut WasiCtxBuilder) -> (Guest, Handle) {
    let ctx = builder.build_p1();
    let handle = ctx.handle();
    (Guest::new(kind, ctx), handle)
}

/// A subscription to reading from a descriptor.
fn subscribe(g: &mut Guest, fd: u64) {
    let mut record = [0; 48];
    record[8] = 1;
    record[16..20].copy_from_slice(&(fd as u32).to_le_bytes());
    g.write(0, &record);
}

/// The error in the only event of a poll.
fn polled(g: &mut Guest) -> u16 {
    g.ok("poll_oneoff", &[0, 8192, 1, 2048]);
    assert_eq!(g.u32(2048), 1);
    u16::from_le_bytes(g.read(8200, 2).try_into().unwrap())
}

/// The directories that a guest finds: their numbers and names.
fn enumerated(g: &mut Guest) -> Vec<(u64, String)> {
    let found = |fd| {
        let e = g.call("fd_prestat_get", &[fd, 0]);
        if e != 0 {
            assert_eq!(e, BADF);
            return None;
        }
        let len = u64::from(g.u32(4));
        g.ok("fd_prestat_dir_name", &[fd, 16, len]);
        Some((fd, String::from_utf8(g.read(16, len as usize)).unwrap()))
    };
    (3..).map_while(found).collect()
}

#[test]
fn what_was_revoked_is_closed_to_every_call() {
    for kind in KINDS {
        let fs = tree();
        let (mut g, handle) = guest(kind, &mut builder(&fs));
        let file = g.open(3, "file", 0, READ | WRITE, 0) as u64;
        let dir = g.open(3, "dir", DIRECTORY, READ, 0) as u64;
        assert_eq!(g.fd_read(file, 3).unwrap(), b"012");
        // A listing that has been begun: what is left of it is known already.
        g.ok("fd_readdir", &[dir, 8192, 100, 0, 2048]);
        assert_eq!(g.u32(2048), 100);
        assert!(handle.revoke_preopen("/a"));
        g.iovecs(4096, &[(8192, 4)]);
        g.iovecs(4104, &[(8192, 0)]);
        let (p, n) = g.path("file");
        for fd in [3, dir, file] {
            for (name, args) in [
                ("fd_advise", &[fd, 0, 0, 0][..]),
                ("fd_allocate", &[fd, 0, 100]),
                ("fd_datasync", &[fd]),
                ("fd_fdstat_get", &[fd, 0]),
                ("fd_fdstat_set_flags", &[fd, 0]),
                ("fd_fdstat_set_rights", &[fd, 0, 0]),
                ("fd_filestat_get", &[fd, 0]),
                ("fd_filestat_set_size", &[fd, 1]),
                ("fd_filestat_set_times", &[fd, 0, 0, 2]),
                ("fd_pread", &[fd, 4096, 1, 0, 2048]),
                ("fd_pwrite", &[fd, 4096, 1, 0, 2048]),
                ("fd_read", &[fd, 4096, 1, 2048]),
                ("fd_read", &[fd, 4104, 1, 2048]),
                ("fd_write", &[fd, 4096, 1, 2048]),
                ("fd_write", &[fd, 4104, 1, 2048]),
                ("fd_readdir", &[fd, 8192, 100, 1, 2048]),
                ("fd_renumber", &[fd, 4]),
                ("fd_renumber", &[4, fd]),
                ("fd_seek", &[fd, 0, 0, 0]),
                ("fd_sync", &[fd]),
                ("fd_tell", &[fd, 0]),
                ("path_create_directory", &[fd, p, n]),
                ("path_filestat_get", &[fd, 0, p, n, 0]),
                ("path_filestat_set_times", &[fd, 0, p, n, 0, 0, 2]),
                ("path_link", &[fd, 0, p, n, 4, p, n]),
                ("path_link", &[4, 0, p, n, fd, p, n]),
                ("path_open", &[fd, 0, p, n, 0, READ, READ, 0, 2048]),
                ("path_readlink", &[fd, p, n, 8192, 10, 2048]),
                ("path_remove_directory", &[fd, p, n]),
                ("path_rename", &[fd, p, n, 4, p, n]),
                ("path_rename", &[4, p, n, fd, p, n]),
                ("path_symlink", &[p, n, fd, p, n]),
                ("path_unlink_file", &[fd, p, n]),
                ("sock_accept", &[fd, 0, 2048]),
            ] {
                assert_eq!(g.call(name, args), BADF, "{name}{args:?}");
            }
            subscribe(&mut g, fd);
            assert_eq!(i32::from(polled(&mut g)), BADF);
        }
        // What was not revoked is as it was, though it is the same tree.
        let other = g.open(4, "file", 0, READ, 0) as u64;
        assert_eq!(g.fd_read(other, 20).unwrap(), b"0123456789");
        // What is dead can be closed; its number is free then.
        for fd in [3, dir, file] {
            g.ok("fd_close", &[fd]);
            assert_eq!(g.call("fd_close", &[fd]), BADF);
        }
        assert_eq!(g.open(4, "file", 0, READ, 0), 3);
    }
}

#[test]
fn who_waits_for_it_is_woken() {
    for kind in KINDS {
        let disk = fifo();
        for poll in [false, true] {
            let mut b = WasiCtxBuilder::new();
            b.preopened_dir(disk.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
            let (mut g, handle) = guest(kind, &mut b);
            let fd = g.open(3, "fifo", 0, READ, 0) as u64;
            // Somebody might write yet.
            let _writer = std::fs::File::options().write(true).open(disk.path().join("fifo")).unwrap();
            let interrupt = g.interrupt.clone();
            subscribe(&mut g, fd);
            let revoke = || assert!(handle.revoke_preopen("/"));
            let said = meanwhile(&interrupt, revoke, || {
                if poll { i32::from(polled(&mut g)) } else { g.fd_read(fd, 10).unwrap_err() }
            });
            assert_eq!(said, BADF, "{kind:?} {poll}");
        }
    }
}

/// A listener at 3, whose network may be taken back.
fn listening(kind: Kind) -> (Guest, Handle, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (g, handle) = guest(kind, WasiCtxBuilder::new().preopened_listener(listener).unwrap());
    (g, handle, addr)
}

#[test]
fn sockets_are_closed_to_every_call() {
    for kind in KINDS {
        let (mut g, handle, addr) = listening(kind);
        let mut client = TcpStream::connect(addr).unwrap();
        g.ok("sock_accept", &[3, 0, 2048]);
        let fd = u64::from(g.u32(2048));
        assert!(handle.revoke_network());
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "the other side sees the end");
        g.iovecs(4096, &[(8192, 4)]);
        for fd in [3, fd] {
            for (name, args) in [
                ("sock_accept", &[fd, 0, 2048][..]),
                ("sock_recv", &[fd, 4096, 1, 0, 2048, 2052]),
                ("sock_send", &[fd, 4096, 1, 0, 2048]),
                ("sock_shutdown", &[fd, 3]),
                ("fd_read", &[fd, 4096, 1, 2048]),
                ("fd_write", &[fd, 4096, 1, 2048]),
                ("fd_fdstat_get", &[fd, 0]),
                ("fd_filestat_get", &[fd, 0]),
            ] {
                assert_eq!(g.call(name, args), BADF, "{name}{args:?}");
            }
            subscribe(&mut g, fd);
            assert_eq!(i32::from(polled(&mut g)), BADF);
            g.ok("fd_close", &[fd]);
        }
    }
}

#[test]
fn who_waits_for_a_socket_is_woken() {
    for kind in KINDS {
        for what in ["accept", "recv", "read", "poll a listener", "poll a connection"] {
            let (mut g, handle, addr) = listening(kind);
            let _client = TcpStream::connect(addr).unwrap();
            g.ok("sock_accept", &[3, 0, 2048]);
            let fd = u64::from(g.u32(2048));
            subscribe(&mut g, if what == "poll a listener" { 3 } else { fd });
            g.iovecs(4096, &[(8192, 4)]);
            let interrupt = g.interrupt.clone();
            let revoke = || assert!(handle.revoke_network());
            let said = meanwhile(&interrupt, revoke, || match what {
                "accept" => g.call("sock_accept", &[3, 0, 2048]),
                "recv" => g.call("sock_recv", &[fd, 4096, 1, 0, 2048, 2052]),
                "read" => g.fd_read(fd, 10).unwrap_err(),
                _ => i32::from(polled(&mut g)),
            });
            // A poll may be ended by the socket's end, just before it is told why.
            assert!(said == BADF || (what.starts_with("poll") && said == 0), "{kind:?} {what}: {said}");
            assert_eq!(g.call("fd_fdstat_get", &[fd, 0]), BADF);
        }
    }
}

#[test]
fn a_directory_that_is_added_is_found_by_who_asks_later() {
    for kind in KINDS {
        let (fs, more) = (tree(), MemoryFs::new());
        more.write("new", "here").unwrap();
        let (mut g, handle) = guest(kind, &mut builder(&fs));
        let add = |name| assert!(handle.add_preopen(more.root(), name, DirPerms::READ, FilePerms::READ));
        let names = |list: &[&str]| (3..).zip(list.iter().map(|n| n.to_string())).collect::<Vec<_>>();
        add("/before");
        assert_eq!(enumerated(&mut g), names(&["/a", "/b", "/before"]));
        assert_eq!(enumerated(&mut g), names(&["/a", "/b", "/before"]), "once is enough");
        // One that was taken back keeps its place, or what comes behind it would not be found.
        handle.revoke_preopen("/b");
        add("/b");
        assert_eq!(enumerated(&mut g), names(&["/a", "/b", "/before", "/b"]));
        assert_eq!(g.open(4, "new", 0, READ, 0), -i64::from(BADF));
        let fd = g.open(6, "new", 0, READ, 0) as u64;
        assert_eq!(g.fd_read(fd, 10).unwrap(), b"here");
        assert_eq!(g.open(6, "x", CREAT, WRITE, 0), -63, "what it was given for");
        // The lowest number that is free.
        g.ok("fd_close", &[4]);
        add("/c");
        assert_eq!(enumerated(&mut g), names(&["/a", "/c", "/before", "/b"]));
        handle.revoke_preopen("/c");
        assert_eq!(g.open(4, "new", 0, READ, 0), -i64::from(BADF), "it can be taken back too");
    }
}

#[test]
fn one_that_has_asked_gets_it_in_a_directory_that_it_has() {
    for kind in KINDS {
        let fs = MountFs::new(tree().root());
        let mut b = WasiCtxBuilder::new();
        b.preopened_shared(fs.root(), "/", DirPerms::all(), FilePerms::all());
        let (mut g, _) = guest(kind, &mut b);
        assert_eq!(enumerated(&mut g).len(), 1);
        assert_eq!(g.open(3, "plugins/new/code", 0, READ, 0), -44);
        let plugin = MemoryFs::new();
        plugin.write("code", "return 1").unwrap();
        fs.mount("plugins/new", plugin.root()).unwrap();
        let fd = g.open(3, "plugins/new/code", 0, READ, 0) as u64;
        assert_eq!(g.fd_read(fd, 10).unwrap(), b"return 1");
        fs.unmount("plugins/new").unwrap();
        assert_eq!(g.open(3, "plugins/new/code", 0, READ, 0), -44);
    }
}

#[test]
fn limits_rise_and_fall() {
    for kind in KINDS {
        let (mut g, handle) = guest(kind, &mut builder(&tree()));
        let set = |change: fn(&mut Limits)| {
            let mut limits = handle.limits().unwrap();
            change(&mut limits);
            assert!(handle.set_limits(limits));
        };
        let file = g.open(3, "file", 0, READ | WRITE, 0) as u64;
        // Descriptors: six are open.
        set(|l| l.descriptors = 4);
        assert_eq!(g.open(3, "file", 0, READ, 0), -i64::from(MFILE));
        assert_eq!(g.fd_read(file, 3).unwrap(), b"012", "what is open stays open");
        set(|l| l.descriptors = 7);
        assert_eq!(g.open(3, "file", 0, READ, 0), 6);
        assert_eq!(g.open(3, "file", 0, READ, 0), -i64::from(MFILE));
        g.ok("fd_close", &[6]);
        assert_eq!(g.open(3, "file", 0, READ, 0), 6);
        set(|l| l.descriptors = 100);
        // Files that are open already, and paths.
        set(|l| (l.file_size, l.path) = (4, 8));
        g.ok("fd_seek", &[file, 4, 0, 0]);
        assert_eq!(g.fd_write(file, b"x"), -i64::from(FBIG));
        assert_eq!(g.open(3, "dir/./././000", 0, READ, 0), -i64::from(NAMETOOLONG));
        set(|l| (l.file_size, l.path) = (u64::MAX, 100));
        assert_eq!(g.fd_write(file, b"x"), 1);
        assert_eq!(g.open(3, "dir/./././000", 0, READ, 0), 7);
        // Randomness, polls, bookkeeping.
        set(|l| (l.random, l.subscriptions, l.hostcall) = (8, 1, 64));
        assert_eq!(g.call("random_get", &[0, 9]), INVAL);
        g.ok("random_get", &[0, 8]);
        assert_eq!(g.call("poll_oneoff", &[0, 8192, 2, 2048]), INVAL);
        g.iovecs(4096, &[(8192, 1); 20]);
        assert_eq!(g.call("fd_read", &[file, 4096, 20, 2048]), NOMEM);
        set(|l| (l.random, l.subscriptions, l.hostcall) = (9, 2, 1 << 20));
        g.ok("random_get", &[0, 9]);
        g.write(0, &[0; 96]);
        g.ok("poll_oneoff", &[0, 8192, 2, 2048]);
        g.ok("fd_read", &[file, 4096, 20, 2048]);
    }
}

#[test]
fn a_single_file_is_all_that_there_is() {
    for kind in KINDS {
        let disk = tempfile::tempdir().unwrap();
        for name in ["config", "secret"] {
            std::fs::write(disk.path().join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("config", disk.path().join("link")).unwrap();
        for (host, perms) in [("config", FilePerms::READ), ("link", FilePerms::all())] {
            let mut b = WasiCtxBuilder::new();
            b.preopened_file(disk.path().join(host), "/etc/guest.toml", perms).unwrap();
            let (mut g, _) = guest(kind, &mut b);
            assert_eq!(enumerated(&mut g), [(3, "/etc".to_owned())]);
            let names: Vec<_> = g.list(3, 1024).into_iter().map(|(name, ..)| name).collect();
            assert_eq!(names, [".", "..", "guest.toml"]);
            let fd = g.open(3, "guest.toml", 0, READ, 0) as u64;
            assert_eq!(g.fd_read(fd, 20).unwrap(), b"config");
            assert_eq!(g.open(3, "secret", 0, READ, 0), -44);
            assert!(g.open(3, "../secret", 0, READ, 0) < 0);
            assert_eq!(g.open(3, "new", CREAT, WRITE, 0), -63);
            // As a C library opens it to be written anew.
            let written = g.open(3, "guest.toml", CREAT | TRUNC, WRITE, 0);
            if perms == FilePerms::READ {
                assert_eq!(written, -63);
            } else {
                assert_eq!(g.fd_write(written as u64, b"new"), 3);
                assert_eq!(std::fs::read(disk.path().join("config")).unwrap(), b"new");
            }
            let (p, n) = g.path("guest.toml");
            assert_eq!(g.call("path_unlink_file", &[3, p, n]), 63);
        }
        let mut b = WasiCtxBuilder::new();
        assert!(b.preopened_file(disk.path().join("none"), "/x", FilePerms::READ).is_err());
        assert!(b.preopened_file(disk.path(), "/x", FilePerms::READ).is_err(), "a directory");
        for name in ["", "/", "/x/", "..", "/x/.."] {
            assert!(b.preopened_file(disk.path().join("config"), name, FilePerms::READ).is_err(), "{name:?}");
        }
    }
}
