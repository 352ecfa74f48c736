//! WASI 0.2.

use crate::guest::{open as network, *};
use crate::{builder, fifo, meanwhile, tree};
use std::net::{TcpListener, TcpStream, UdpSocket};
use wasi_host::bindings::filesystem::preopens::Host as _;
use wasi_host::bindings::filesystem::types::ErrorCode as FsCode;
use wasi_host::bindings::sockets::network::ErrorCode;
use wasi_host::bindings::sync;
use wasi_host::bindings::sync::filesystem::types::{
    Advice, DescriptorFlags, HostDescriptor as _, HostDirectoryEntryStream as _, NewTimestamp, OpenFlags,
    PathFlags,
};
use wasi_host::fs::Descriptor;
use wasi_host::limits::Limits;
use wasi_host::net::AddrCheck;
use wasi_host::{
    DirPerms, Errno, FilePerms, FsResult, Handle, StreamError, StreamResult, WasiCtxBuilder, WasiImpl,
};
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::component::Resource;

type Fd = Resource<Descriptor>;

fn guest(kind: Kind, builder: &mut WasiCtxBuilder) -> (Guest, Handle) {
    let guest = Guest::new(kind, builder);
    let handle = guest.state.ctx.handle();
    (guest, handle)
}

fn fs<T>(result: FsResult<T>) -> Result<T, FsCode> {
    result.map_err(|e| e.downcast().expect("an error code"))
}

fn directories(g: &mut Guest) -> Vec<(Fd, String)> {
    WasiImpl(&mut g.state).get_directories().unwrap()
}

fn root(g: &mut Guest) -> Fd {
    directories(g).remove(0).0
}

fn open(g: &mut Guest, dir: &Fd, path: &str, open: OpenFlags) -> Result<Fd, FsCode> {
    let is_dir = open.contains(OpenFlags::DIRECTORY);
    let flags = if is_dir { DescriptorFlags::READ } else { DescriptorFlags::READ | DescriptorFlags::WRITE };
    fs(WasiImpl(&mut g.state).open_at(b(dir), PathFlags::empty(), path.into(), open, flags))
}

fn failure<T>(result: StreamResult<T>) -> Option<Errno> {
    match result {
        Err(StreamError::LastOperationFailed(e)) => e.downcast_ref().copied(),
        _ => None,
    }
}

#[test]
fn what_was_revoked_is_a_bad_descriptor() {
    let (mut g, handle) = guest(Kind::Sync, &mut builder(&tree()));
    let top = root(&mut g);
    let file = open(&mut g, &top, "file", OpenFlags::empty()).unwrap();
    let dir = open(&mut g, &top, "dir", OpenFlags::DIRECTORY).unwrap();
    let mut v = WasiImpl(&mut g.state);
    let listing = fs(v.read_directory(b(&dir))).unwrap();
    assert!(fs(v.read_directory_entry(b(&listing))).unwrap().is_some());
    let input = fs(v.read_via_stream(b(&file), 0)).unwrap();
    let outputs = [fs(v.write_via_stream(b(&file), 0)).unwrap(), fs(v.append_via_stream(b(&file))).unwrap()];
    assert!(handle.revoke_preopen("/a"));
    let flag = PathFlags::empty;
    for fd in [&top, &dir, &file] {
        let now = || NewTimestamp::Now;
        let path = || "file".to_owned();
        for (what, said) in [
            ("advise", fs(v.advise(b(fd), 0, 0, Advice::Normal))),
            ("append-via-stream", fs(v.append_via_stream(b(fd))).map(drop)),
            ("create-directory-at", fs(v.create_directory_at(b(fd), path()))),
            ("get-flags", fs(v.get_flags(b(fd))).map(drop)),
            ("get-type", fs(v.get_type(b(fd))).map(drop)),
            ("link-at", fs(v.link_at(b(fd), flag(), path(), b(fd), path()))),
            ("metadata-hash", fs(v.metadata_hash(b(fd))).map(drop)),
            ("metadata-hash-at", fs(v.metadata_hash_at(b(fd), flag(), path())).map(drop)),
            ("read", fs(v.read(b(fd), 1, 0)).map(drop)),
            ("read-directory", fs(v.read_directory(b(fd))).map(drop)),
            ("read-via-stream", fs(v.read_via_stream(b(fd), 0)).map(drop)),
            ("readlink-at", fs(v.readlink_at(b(fd), path())).map(drop)),
            ("remove-directory-at", fs(v.remove_directory_at(b(fd), path()))),
            ("rename-at", fs(v.rename_at(b(fd), path(), b(fd), path()))),
            ("set-size", fs(v.set_size(b(fd), 1))),
            ("set-times", fs(v.set_times(b(fd), now(), now()))),
            ("set-times-at", fs(v.set_times_at(b(fd), flag(), path(), now(), now()))),
            ("stat", fs(v.stat(b(fd))).map(drop)),
            ("stat-at", fs(v.stat_at(b(fd), flag(), path())).map(drop)),
            ("symlink-at", fs(v.symlink_at(b(fd), path(), path()))),
            ("sync", fs(v.sync(b(fd)))),
            ("sync-data", fs(v.sync_data(b(fd)))),
            ("unlink-file-at", fs(v.unlink_file_at(b(fd), path()))),
            ("write", fs(v.write(b(fd), vec![0], 0)).map(drop)),
            ("write-via-stream", fs(v.write_via_stream(b(fd), 0)).map(drop)),
        ] {
            assert_eq!(said, Err(FsCode::BadDescriptor), "{what}");
        }
        assert!(!v.is_same_object(b(fd), b(fd)).unwrap());
    }
    assert_eq!(fs(v.read_directory_entry(b(&listing))).err(), Some(FsCode::BadDescriptor));
    assert_eq!(open(&mut g, &dir, "000", OpenFlags::empty()).err(), Some(FsCode::BadDescriptor));
    assert_eq!(failure(g.read(&input, 1)), Some(Errno::BadF));
    assert!(matches!(g.read(&input, 1), Err(StreamError::Closed)));
    for output in outputs {
        assert_eq!(failure(g.write(&output, b"x")), Some(Errno::BadF));
        assert!(matches!(g.write(&output, b"x"), Err(StreamError::Closed)));
    }
    // The other directory is the same tree, and what is open can be dropped.
    let others = directories(&mut g);
    assert_eq!(others.iter().map(|(_, name)| &**name).collect::<Vec<_>>(), ["/b"]);
    let same = open(&mut g, &others[0].0, "file", OpenFlags::empty()).unwrap();
    let mut v = WasiImpl(&mut g.state);
    assert_eq!(fs(v.read(b(&same), 20, 0)).unwrap().0, b"0123456789");
    sync::filesystem::types::HostDescriptor::drop(&mut v, file).unwrap();
}

#[test]
fn who_waits_for_it_is_woken() {
    for kind in KINDS {
        let disk = fifo();
        for what in ["read", "poll"] {
            let mut b2 = WasiCtxBuilder::new();
            b2.preopened_dir(disk.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
            let (mut g, handle) = guest(kind, &mut b2);
            let top = root(&mut g);
            let mut v = WasiImpl(&mut g.state);
            let flags = DescriptorFlags::READ;
            let fd = v.open_at(b(&top), PathFlags::empty(), "fifo".into(), OpenFlags::empty(), flags);
            let input = fs(v.read_via_stream(b(&fs(fd).unwrap()), 0)).unwrap();
            let _writer = std::fs::File::options().write(true).open(disk.path().join("fifo")).unwrap();
            let interrupt = handle.interrupt();
            let revoke = || assert!(handle.revoke_preopen("/"));
            let said = meanwhile(&interrupt, revoke, || {
                if what == "poll" {
                    let pollable = wasi_host::subscribe(&mut g.state.table, b(&input)).unwrap();
                    g.block(pollable);
                }
                failure(g.read(&input, 10))
            });
            assert_eq!(said, Some(Errno::BadF), "{kind:?} {what}");
        }
    }
}

#[test]
fn sockets_are_in_no_state_and_nothing_is_made_anew() {
    for kind in KINDS {
        let (mut g, handle) = guest(kind, network().allow_ip_name_lookup(true));
        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let c = g.connect(there.local_addr().unwrap()).unwrap();
        let (mut peer, _) = there.accept().unwrap();
        let (listener, at) = g.listener(V4);
        let (udp, _) = g.bound_udp(V4);
        let (incoming, outgoing) = g.stream(&udp, None).unwrap();
        assert!(handle.revoke_network());
        assert_eq!(std::io::Read::read(&mut peer, &mut [0; 8]).unwrap(), 0, "the other side sees the end");
        assert!(TcpStream::connect(at).is_err(), "nobody listens");
        assert_eq!(failure(g.read(&c.input, 1)), Some(Errno::ConnAborted));
        assert!(matches!(g.read(&c.input, 1), Err(StreamError::Closed)));
        assert_eq!(failure(g.write(&c.output, b"x")), Some(Errno::ConnAborted));
        assert_eq!(g.remote_address(&c.socket), Err(ErrorCode::InvalidState));
        assert_eq!(g.try_accept(&listener).err(), Some(ErrorCode::InvalidState));
        assert!(!g.is_listening(&listener));
        assert_eq!(g.try_receive(&incoming, 1), Err(ErrorCode::InvalidState));
        assert_eq!(g.check_send(&outgoing), Err(ErrorCode::InvalidState));
        assert_eq!(g.look_up("localhost").err(), Some(ErrorCode::AccessDenied));
        assert_eq!(g.start_connect(&c.socket, at), Err(ErrorCode::InvalidState));
        use wasi_host::bindings::sockets::{tcp_create_socket, udp_create_socket};
        let mut v = WasiImpl(&mut g.state);
        let tcp = tcp_create_socket::Host::create_tcp_socket(&mut v, family(at));
        assert_eq!(code(tcp).err(), Some(ErrorCode::AccessDenied));
        let udp = udp_create_socket::Host::create_udp_socket(&mut v, family(at));
        assert_eq!(code(udp).err(), Some(ErrorCode::AccessDenied));
        g.drop_connection(c);
    }
}

#[test]
fn who_waits_for_a_socket_is_woken() {
    for kind in KINDS {
        for what in ["read", "accept", "receive"] {
            let (mut g, handle) = guest(kind, &mut network());
            let there = TcpListener::bind("127.0.0.1:0").unwrap();
            let c = g.connect(there.local_addr().unwrap()).unwrap();
            let _peer = there.accept().unwrap();
            let (listener, _) = g.listener(V4);
            let (udp, _) = g.bound_udp(V4);
            let (incoming, _outgoing) = g.stream(&udp, None).unwrap();
            let interrupt = handle.interrupt();
            let revoke = || assert!(handle.revoke_network());
            meanwhile(&interrupt, revoke, || match what {
                // The connection's end may come first.
                "read" => assert!(g.read(&c.input, 1).is_err()),
                "accept" => {
                    let pollable = wasi_host::subscribe(&mut g.state.table, b(&listener)).unwrap();
                    g.block(pollable);
                    assert_eq!(g.try_accept(&listener).err(), Some(ErrorCode::InvalidState));
                }
                _ => assert_eq!(g.receive(&incoming), Err(ErrorCode::InvalidState)),
            });
        }
    }
}

#[test]
fn another_check_holds_for_what_comes_later() {
    for kind in KINDS {
        // Before the guest has used the network, and after.
        for before in [true, false] {
            let (mut g, handle) = guest(kind, &mut network());
            let there = TcpListener::bind("127.0.0.1:0").unwrap();
            let at = there.local_addr().unwrap();
            let (udp, here) = if before { (None, at) } else { bound(&mut g) };
            assert!(handle.set_addr_check(AddrCheck::deny_all()));
            assert_eq!(g.connect(at).err(), Some(ErrorCode::AccessDenied));
            if let Some((_, outgoing)) = &udp {
                assert_eq!(g.send(outgoing, &[(b"x", Some(here))]), Err(ErrorCode::AccessDenied));
            }
            assert!(handle.set_addr_check(AddrCheck::when(move |addr, _| addr == at || addr == here)));
            assert!(g.connect(at).is_ok());
            if let Some((_, outgoing)) = &udp {
                assert_eq!(g.send(outgoing, &[(b"x", Some(here))]), Ok(1));
            }
        }
    }
}

type Datagrams = (Udp, Resource<wasi_host::net::UdpOutput>);

/// A socket that sends, and who receives nothing of it.
fn bound(g: &mut Guest) -> (Option<Datagrams>, std::net::SocketAddr) {
    let there = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (udp, _) = g.bound_udp(V4);
    let (_, outgoing) = g.stream(&udp, None).unwrap();
    (Some((udp, outgoing)), there.local_addr().unwrap())
}

#[test]
fn a_directory_that_is_added_is_found_by_who_asks_later() {
    let more = MemoryFs::new();
    more.write("new", "here").unwrap();
    let (mut g, handle) = guest(Kind::Sync, &mut builder(&tree()));
    assert_eq!(directories(&mut g).len(), 2);
    assert!(handle.add_preopen(more.root(), "/new", DirPerms::READ, FilePerms::READ));
    assert!(handle.revoke_preopen("/a"));
    let mut found = directories(&mut g);
    assert_eq!(found.iter().map(|(_, name)| &**name).collect::<Vec<_>>(), ["/b", "/new"]);
    let new = found.remove(1).0;
    assert_eq!(open(&mut g, &new, "new", OpenFlags::empty()).err(), Some(FsCode::NotPermitted));
    let mut v = WasiImpl(&mut g.state);
    assert_eq!(fs(v.stat_at(b(&new), PathFlags::empty(), "new".into())).unwrap().size, 4);
    assert!(handle.revoke_preopen("/new"));
    let stat = fs(v.stat_at(b(&new), PathFlags::empty(), "new".into()));
    assert_eq!(stat.err(), Some(FsCode::BadDescriptor));
}

#[test]
fn limits_rise_and_fall() {
    // What is counted when it is used first, before that and after.
    for before in [true, false] {
        let ctx = &mut builder(&tree());
        ctx.inherit_network();
        let (mut g, handle) = guest(Kind::Sync, ctx);
        // They count, too.
        let mut tops = directories(&mut g);
        let (given, top) = (tops.len(), tops.remove(0).0);
        let open_one = |g: &mut Guest| open(g, &top, "file", OpenFlags::empty());
        let mut limits = Limits::default();
        let mut set = |change: &dyn Fn(&mut Limits)| {
            change(&mut limits);
            assert!(handle.set_limits(limits.clone()));
        };
        let mut held = Vec::new();
        if !before {
            held.push(open_one(&mut g).unwrap());
            held.push(open_one(&mut g).unwrap());
        }
        set(&|l| (l.descriptors, l.random, l.subscriptions) = (given + 1, 8, 1));
        if before {
            held.push(open_one(&mut g).unwrap());
        }
        assert_eq!(open_one(&mut g).err(), Some(FsCode::InsufficientMemory));
        use wasi_host::bindings::random::random::Host as _;
        assert!(WasiImpl(&mut g.state).get_random_bytes(9).is_err());
        assert_eq!(WasiImpl(&mut g.state).get_random_bytes(8).unwrap().len(), 8);
        set(&|l| (l.descriptors, l.random, l.subscriptions) = (given + held.len() + 1, 9, 2));
        assert_eq!(WasiImpl(&mut g.state).get_random_bytes(9).unwrap().len(), 9);
        let last = open_one(&mut g).unwrap();
        assert_eq!(open_one(&mut g).err(), Some(FsCode::InsufficientMemory));
        sync::filesystem::types::HostDescriptor::drop(&mut WasiImpl(&mut g.state), last).unwrap();
        let fd = open_one(&mut g).unwrap();
        set(&|l| l.file_size = 4);
        let mut v = WasiImpl(&mut g.state);
        assert_eq!(fs(v.write(b(&fd), vec![0], 4)), Err(FsCode::FileTooLarge));
        set(&|l| l.file_size = u64::MAX);
        let mut v = WasiImpl(&mut g.state);
        assert_eq!(fs(v.write(b(&fd), vec![0], 4)), Ok(1));
        // Sockets.
        let one = g.tcp(wasi_host::bindings::sockets::network::IpAddressFamily::Ipv4);
        set(&|l| l.sockets = 1);
        use wasi_host::bindings::sockets::tcp_create_socket::Host as _;
        let v4 = wasi_host::bindings::sockets::network::IpAddressFamily::Ipv4;
        let mut v = WasiImpl(&mut g.state);
        assert_eq!(code(v.create_tcp_socket(v4)).err(), Some(ErrorCode::NewSocketLimit));
        set(&|l| l.sockets = 2);
        assert!(WasiImpl(&mut g.state).create_tcp_socket(v4).is_ok());
        g.drop_tcp(one);
    }
}
