//! The life of a TCP socket, and what each misuse of it is called.

use super::guest::*;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use wasi_host::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasi_host::bindings::sockets::{network, tcp};
use wasi_host::bindings::sync;
use wasi_host::{Errno, StreamError, WasiImpl};
use wasmtime::component::Resource;

macro_rules! option {
    ($guest:expr, $f:ident $(, $arg:expr)*) => {
        code(call!($guest, tcp::HostTcpSocket::$f($($arg),*)))
    };
}

macro_rules! shutdown {
    ($guest:expr, $socket:expr, $how:ident) => {{
        let guest: &mut Guest = $guest;
        let mut view = WasiImpl(&mut guest.state);
        code(match guest.runtime {
            None => {
                use sync::sockets::tcp;
                tcp::HostTcpSocket::shutdown(&mut view, b($socket), tcp::ShutdownType::$how)
            }
            Some(_) => tcp::HostTcpSocket::shutdown(&mut view, b($socket), tcp::ShutdownType::$how),
        })
    }};
}

fn both(test: impl Fn(&mut Guest, &'static str)) {
    for kind in KINDS {
        for here in loopbacks() {
            test(&mut Guest::new(kind, &mut open()), here);
        }
    }
}

#[test]
fn two_guests_talk() {
    both(|g, here| {
        let (listener, at) = g.listener(here);
        assert!(g.is_listening(&listener));
        let client = g.connect(at).unwrap();
        let server = g.accept(&listener);
        assert_eq!(g.remote_address(&client.socket), Ok(at));
        assert_eq!(g.local_address(&server.socket), Ok(at));
        let local = g.local_address(&client.socket).unwrap();
        assert_eq!(g.remote_address(&server.socket), Ok(local));

        g.write(&client.output, b"question").unwrap();
        assert_eq!(g.read(&server.input, 100).unwrap(), b"question");
        g.write(&server.output, b"answer").unwrap();
        assert_eq!(g.read(&client.input, 3).unwrap(), b"ans");
        assert_eq!(g.read(&client.input, 100).unwrap(), b"wer");

        assert_eq!(shutdown!(g, &client.socket, Send), Ok(()));
        assert_eq!(shutdown!(g, &client.socket, Send), Ok(()));
        assert!(matches!(g.write(&client.output, b"more"), Err(StreamError::Closed)));
        assert!(matches!(g.read(&server.input, 1), Err(StreamError::Closed)));
        g.write(&server.output, b"late").unwrap();
        assert_eq!(g.read(&client.input, 4).unwrap(), b"late");
        assert_eq!(shutdown!(g, &client.socket, Receive), Ok(()));
        assert!(matches!(g.read(&client.input, 1), Err(StreamError::Closed)));
        assert_eq!(shutdown!(g, &client.socket, Both), Ok(()));

        g.drop_connection(client);
        g.drop_connection(server);
        g.drop_tcp(listener);
        assert_eq!(g.state.table.iter_mut().count(), 1, "only the network");
    });
}

#[test]
fn streams_outlive_their_socket() {
    both(|g, here| {
        let outside = TcpListener::bind(here).unwrap();
        let c = g.connect(outside.local_addr().unwrap()).unwrap();
        let (mut peer, _) = outside.accept().unwrap();
        g.drop_tcp(c.socket);
        g.write(&c.output, b"still here").unwrap();
        let mut buf = [0; 10];
        peer.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"still here");
        peer.write_all(b"so am I").unwrap();
        assert_eq!(g.read(&c.input, 100).unwrap(), b"so am I");
        g.drop_streams(c.input, c.output);
        assert_eq!(peer.read(&mut buf).unwrap(), 0);
    });
}

#[test]
fn much_in_both_directions() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, &mut open());
        let outside = TcpListener::bind(V4).unwrap();
        let at = outside.local_addr().unwrap();
        let echo = std::thread::spawn(move || {
            let (mut peer, _) = outside.accept().unwrap();
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            peer.write_all(&all).unwrap();
        });
        let c = g.connect(at).unwrap();
        let bytes = pattern(5 << 20);
        g.write(&c.output, &bytes).unwrap();
        shutdown!(g, &c.socket, Send).unwrap();
        assert!(g.read_to_end(&c.input) == bytes);
        echo.join().unwrap();
    }
}

#[test]
fn each_half_of_a_step_in_its_turn() {
    both(|g, here| {
        let s = g.tcp(family(addr(here)));
        assert_eq!(g.finish_bind(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(g.finish_listen(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(g.finish_connect(&s).err(), Some(ErrorCode::NotInProgress));
        assert_eq!(g.local_address(&s), Err(ErrorCode::InvalidState));
        assert_eq!(g.remote_address(&s), Err(ErrorCode::InvalidState));
        assert_eq!(g.start_listen(&s), Err(ErrorCode::InvalidState));
        assert_eq!(shutdown!(g, &s, Both), Err(ErrorCode::InvalidState));

        g.start_bind(&s, addr(here)).unwrap();
        assert_eq!(g.start_bind(&s, addr(here)), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.start_listen(&s), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.start_connect(&s, addr(here)), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.finish_listen(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(g.local_address(&s), Err(ErrorCode::InvalidState));
        g.finish_bind(&s).unwrap();
        assert_eq!(g.finish_bind(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(g.start_bind(&s, addr(here)), Err(ErrorCode::InvalidState));
        let at = g.local_address(&s).unwrap();
        assert_ne!(at.port(), 0);
        assert_eq!(g.try_accept(&s).err(), Some(ErrorCode::InvalidState));

        g.start_listen(&s).unwrap();
        assert!(!g.is_listening(&s));
        assert_eq!(g.try_accept(&s).err(), Some(ErrorCode::InvalidState));
        assert_eq!(g.start_listen(&s), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.local_address(&s), Ok(at));
        g.finish_listen(&s).unwrap();
        assert!(g.is_listening(&s));
        assert_eq!(g.finish_listen(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(g.start_listen(&s), Err(ErrorCode::InvalidState));
        assert_eq!(g.start_connect(&s, at), Err(ErrorCode::InvalidState));
        assert_eq!(g.try_accept(&s).err(), Some(ErrorCode::WouldBlock));
        assert_eq!(g.remote_address(&s), Err(ErrorCode::InvalidState));

        let c = g.tcp(family(at));
        g.start_connect(&c, at).unwrap();
        assert_eq!(g.start_connect(&c, at), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.start_listen(&c), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.start_bind(&c, addr(here)), Err(ErrorCode::InvalidState));
        g.finish_connect(&c).unwrap();
        assert_eq!(g.finish_connect(&c).err(), Some(ErrorCode::NotInProgress));
        assert_eq!(g.start_connect(&c, at), Err(ErrorCode::InvalidState));
        assert_eq!(option!(g, set_listen_backlog_size, b(&c), 1), Err(ErrorCode::InvalidState));
    });
}

#[test]
fn addresses_that_are_never_right() {
    both(|g, here| {
        let other = if here == V4 { V6 } else { "127.0.0.1:0" };
        let s = g.tcp(family(addr(here)));
        let multicast = if here == V4 { "224.0.0.1:1" } else { "[ff02::1]:1" };
        for bad in [other, multicast, "[::ffff:127.0.0.1]:1"] {
            assert_eq!(g.start_bind(&s, addr(bad)), Err(ErrorCode::InvalidArgument), "{bad}");
        }
        let (any, nowhere) = if here == V4 { ("0.0.0.0:1", V4) } else { ("[::]:1", V6) };
        for bad in [other, multicast, any, nowhere, "[::ffff:127.0.0.1]:1"] {
            assert_eq!(g.start_connect(&s, addr(bad)), Err(ErrorCode::InvalidArgument), "{bad}");
        }
        // None of that has changed its state.
        g.bind(&s, addr(here)).unwrap();

        let foreign = if here == V4 { "192.0.2.1:0" } else { "[2001:db8::1]:0" };
        let s = g.tcp(family(addr(here)));
        assert_eq!(g.start_bind(&s, addr(foreign)), Err(ErrorCode::AddressNotBindable));
        let taken = TcpListener::bind(here).unwrap().local_addr().unwrap();
        let holder = TcpListener::bind(taken).unwrap();
        assert_eq!(g.start_bind(&s, taken), Err(ErrorCode::AddressInUse));
        drop(holder);
        // Nobody is there any more.
        assert_eq!(g.connect(taken).err(), Some(ErrorCode::ConnectionRefused));
    });
}

#[test]
fn options_are_remembered_and_none_is_zero() {
    both(|g, here| {
        let (listener, at) = g.listener(here);
        let s = &listener;
        assert_eq!(call!(g, tcp::HostTcpSocket::address_family(b(s))).unwrap(), family(at));
        assert_eq!(option!(g, keep_alive_enabled, b(s)), Ok(false));
        option!(g, set_keep_alive_enabled, b(s), true).unwrap();
        option!(g, set_keep_alive_idle_time, b(s), 42_000_000_000).unwrap();
        option!(g, set_keep_alive_interval, b(s), 1).unwrap();
        option!(g, set_keep_alive_count, b(s), 7).unwrap();
        option!(g, set_hop_limit, b(s), 42).unwrap();
        option!(g, set_receive_buffer_size, b(s), 50_000).unwrap();
        option!(g, set_send_buffer_size, b(s), 1 << 40).unwrap();
        option!(g, set_listen_backlog_size, b(s), u64::MAX).unwrap();
        let refused = Err(ErrorCode::InvalidArgument);
        assert_eq!(option!(g, set_keep_alive_idle_time, b(s), 0), refused);
        assert_eq!(option!(g, set_keep_alive_interval, b(s), 0), refused);
        assert_eq!(option!(g, set_keep_alive_count, b(s), 0), refused);
        assert_eq!(option!(g, set_hop_limit, b(s), 0), refused);
        assert_eq!(option!(g, set_receive_buffer_size, b(s), 0), refused);
        assert_eq!(option!(g, set_send_buffer_size, b(s), 0), refused);
        assert_eq!(option!(g, set_listen_backlog_size, b(s), 0), refused);
        // Those of a connection are the listener's.
        let _client = TcpStream::connect(at).unwrap();
        let accepted = g.accept(s).socket;
        for s in [s, &accepted] {
            assert_eq!(option!(g, keep_alive_enabled, b(s)), Ok(true));
            assert_eq!(option!(g, keep_alive_idle_time, b(s)), Ok(42_000_000_000));
            assert_eq!(option!(g, keep_alive_interval, b(s)), Ok(1_000_000_000));
            assert_eq!(option!(g, keep_alive_count, b(s)), Ok(7));
            assert_eq!(option!(g, hop_limit, b(s)), Ok(42));
            assert!(option!(g, receive_buffer_size, b(s)).unwrap() >= 50_000);
            assert!(option!(g, send_buffer_size, b(s)).unwrap() > 0);
        }
    });
}

#[test]
fn an_address_of_ipv6_keeps_all_of_its_parts() {
    let wit = IpSocketAddress::from(SocketAddr::V6(std::net::SocketAddrV6::new(
        "fe80::1:2".parse().unwrap(),
        3,
        4,
        5,
    )));
    let IpSocketAddress::Ipv6(v6) = &wit else { panic!("{wit:?}") };
    assert_eq!((v6.port, v6.flow_info, v6.address, v6.scope_id), (3, 4, (0xfe80, 0, 0, 0, 0, 0, 1, 2), 5));
    let SocketAddr::V6(back) = wit.into() else { panic!("another family") };
    assert_eq!((back.port(), back.flowinfo(), back.scope_id()), (3, 4, 5));
    assert_eq!(back.ip().to_string(), "fe80::1:2");
}

#[test]
fn a_stream_tells_how_its_connection_failed() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, &mut open());
        let outside = TcpListener::bind(V4).unwrap();
        let c = g.connect(outside.local_addr().unwrap()).unwrap();
        let (peer, _) = outside.accept().unwrap();
        g.write(&c.output, b"never read").unwrap();
        let pollable = wasi_host::subscribe(&mut g.state.table, b(&c.input)).unwrap();
        drop(peer);
        g.block(pollable);
        let Err(StreamError::LastOperationFailed(e)) = g.read(&c.input, 1) else { panic!("not reset") };
        let e = g.state.table.push(e).unwrap();
        let mut view = WasiImpl(&mut g.state);
        assert_eq!(
            network::Host::network_error_code(&mut view, b(&e)).unwrap(),
            Some(ErrorCode::ConnectionReset)
        );
        let other: Resource<anyhow::Error> = g.state.table.push(Errno::IsDir.into()).unwrap();
        let mut view = WasiImpl(&mut g.state);
        assert_eq!(network::Host::network_error_code(&mut view, other).unwrap(), None);
    }
}

#[test]
fn a_guest_has_so_many_sockets_and_no_more() {
    for kind in KINDS {
        let mut limits = wasi_host::limits::Limits::default();
        limits.sockets = 2;
        let g = &mut Guest::new(kind, open().limits(limits));
        let (listener, at) = g.listener(V4);
        let _spare = g.tcp(IpAddressFamily::Ipv4);
        let _client = TcpStream::connect(at).unwrap();
        let pollable = call!(g, tcp::HostTcpSocket::subscribe(b(&listener))).unwrap();
        g.block(pollable);
        assert_eq!(g.try_accept(&listener).err(), Some(ErrorCode::NewSocketLimit));
        g.drop_tcp(_spare);
        g.accept(&listener);
    }
}

#[test]
fn inside_a_task() {
    let everything = || {
        let g = &mut Guest::new(Kind::Sync, &mut open());
        let (listener, at) = g.listener(V4);
        let client = g.connect(at).unwrap();
        let server = g.accept(&listener);
        g.write(&client.output, b"hello").unwrap();
        assert_eq!(g.read(&server.input, 100).unwrap(), b"hello");
    };
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    current.block_on(current.spawn(async move { everything() })).unwrap();
    let several = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    several.block_on(several.spawn(async move { everything() })).unwrap();
}
