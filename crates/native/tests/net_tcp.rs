//! What `wasi:sockets/tcp` promises of a socket's states.

mod sockets;

use sockets::*;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{
    AddrCheck, Error, Family, Permissions, Shutdown, SocketAddrUse, Sockets, Tcp, TcpOption, TcpOptionName,
};
use wasi_host_core::stream::{HostInputStream, HostOutputStream, StreamError, Subscribe};

/// An address that nobody else can take, and where nobody listens.
fn nobody(sockets: &Sockets) -> (Tcp, SocketAddr) {
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    bind(&mut socket, HERE).unwrap();
    let there = socket.local_address().unwrap();
    (socket, there)
}

/// A socket in each of its states.
fn in_each_state(sockets: &Sockets) -> Vec<(&'static str, Tcp)> {
    let new = || sockets.tcp(Family::Ipv4).unwrap();
    let mut bound = new();
    bind(&mut bound, HERE).unwrap();
    let listening = listener(sockets);
    let mut connecting = new();
    start_connect(&mut connecting, listening.local_address().unwrap()).unwrap();
    let connected = connect(sockets, listening.local_address().unwrap()).socket;
    let mut closed = new();
    let (_nobody, there) = nobody(sockets);
    start_connect(&mut closed, there).unwrap();
    assert_eq!(finish_connect(&mut closed).err(), Some(Error::ConnectionRefused));
    vec![
        ("unbound", new()),
        ("bound", bound),
        ("listening", listening),
        ("connecting", connecting),
        ("connected", connected),
        ("closed", closed),
    ]
}

/// Which states something may be done in, and what is said in the others.
fn only_in(good: &[&str], mut op: impl FnMut(&mut Tcp) -> Result<(), Error>) {
    for (state, mut socket) in in_each_state(&sockets()) {
        let done = op(&mut socket);
        match done {
            Ok(()) => assert!(good.contains(&state), "in {state}"),
            Err(Error::ConcurrencyConflict) => assert_eq!(state, "connecting"),
            Err(e) => {
                assert_eq!(e, Error::InvalidState, "in {state}");
                assert!(!good.contains(&state), "in {state}");
            }
        }
    }
}

const BOUND: &[&str] = &["bound", "listening", "connecting", "connected"];
const NOT_CLOSED: &[&str] = &["unbound", "bound", "listening", "connecting", "connected"];

#[test]
fn each_method_in_each_state() {
    only_in(&["unbound"], |s| bind(s, HERE));
    only_in(&["unbound", "bound"], |s| s.check_connect(addr("127.0.0.1:1")).map(|_| ()));
    only_in(&["bound"], Tcp::listen);
    only_in(&["listening"], |s| match s.accept() {
        Err(Error::WouldBlock) => Ok(()),
        done => done.map(|_| ()),
    });
    only_in(BOUND, |s| s.local_address().map(|_| ()));
    only_in(&["connected"], |s| s.remote_address().map(|_| ()));
    for how in [Shutdown::Receive, Shutdown::Send, Shutdown::Both] {
        only_in(&["connected"], |s| s.shutdown(how).and_then(|()| s.shutdown(how)));
    }
    only_in(&["unbound", "bound", "listening"], |s| s.set_backlog(7));
    only_in(NOT_CLOSED, |s| s.get(TcpOptionName::KeepAlive).map(|_| ()));
    only_in(NOT_CLOSED, |s| s.set(TcpOption::KeepAlive(true)));
    for (state, mut socket) in in_each_state(&sockets()) {
        assert_eq!(socket.is_listening(), state == "listening");
        assert_eq!(socket.family(), Family::Ipv4);
        if state != "connecting" {
            assert_eq!(socket.finish_connect().err(), Some(Error::NotInProgress), "in {state}");
        }
        if !["listening", "connecting"].contains(&state) {
            assert!(is_ready(socket.wait()), "in {state}");
        }
    }
}

#[test]
fn a_misuse_does_not_change_the_state() {
    for (state, mut socket) in in_each_state(&sockets()) {
        let (local, peer) = (socket.local_address(), socket.remote_address());
        if state != "unbound" {
            assert!(bind(&mut socket, HERE).is_err());
        }
        if state != "bound" {
            assert!(socket.listen().is_err());
        }
        let _ = socket.check_connect(addr("0.0.0.0:0")).unwrap_err();
        assert_eq!((socket.local_address(), socket.remote_address()), (local, peer), "in {state}");
        assert_eq!(socket.is_listening(), state == "listening");
    }
}

#[test]
fn bind_refuses_an_address_that_is_of_the_wrong_family_or_not_unicast() {
    let socket = sockets().tcp(Family::Ipv4).unwrap();
    for bad in ["[::1]:0", "224.0.0.1:0", "255.255.255.255:0"] {
        assert_eq!(socket.check_bind(addr(bad)).err(), Some(Error::InvalidArgument), "{bad}");
    }
    if has_ipv6() {
        let socket = sockets().tcp(Family::Ipv6).unwrap();
        for bad in ["127.0.0.1:0", "[::ffff:127.0.0.1]:0", "[::127.0.0.1]:0", "[ff02::1]:0"] {
            assert_eq!(socket.check_bind(addr(bad)).err(), Some(Error::InvalidArgument), "{bad}");
        }
    }
}

#[test]
fn bind_can_be_attempted_again_while_the_previous_one_failed() {
    let holder = TcpListener::bind(HERE).unwrap();
    let taken = holder.local_addr().unwrap();
    let mut socket = sockets().tcp(Family::Ipv4).unwrap();
    assert_eq!(bind(&mut socket, &taken.to_string()), Err(Error::AddressInUse));
    assert_eq!(bind(&mut socket, "192.0.2.1:0"), Err(Error::AddressNotBindable));
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
    bind(&mut socket, HERE).unwrap();
    assert_ne!(socket.local_address().unwrap().port(), 0, "a random free port");
    assert_eq!(bind(&mut socket, HERE), Err(Error::InvalidState));
}

#[test]
fn bind_is_not_affected_by_time_wait() {
    let sockets = sockets();
    let mut first = listener(&sockets);
    let here = first.local_address().unwrap();
    let mut client = connect(&sockets, here);
    let mut accepted = accept(&mut first).unwrap();
    // Whoever ends first is left in TIME_WAIT.
    accepted.socket.shutdown(Shutdown::Both).unwrap();
    assert_eq!(read(&mut client.input), None);
    drop((first, accepted, client));
    let mut second = sockets.tcp(Family::Ipv4).unwrap();
    bind(&mut second, &here.to_string()).unwrap();
    second.listen().unwrap();
}

#[test]
fn connect_refuses_an_address_that_leads_nowhere() {
    let socket = sockets().tcp(Family::Ipv4).unwrap();
    for bad in ["[::1]:1", "224.0.0.1:1", "255.255.255.255:1", "0.0.0.0:1", "127.0.0.1:0"] {
        assert_eq!(socket.check_connect(addr(bad)).err(), Some(Error::InvalidArgument), "{bad}");
    }
    if has_ipv6() {
        let socket = sockets().tcp(Family::Ipv6).unwrap();
        for bad in
            ["127.0.0.1:1", "[::ffff:127.0.0.1]:1", "[::127.0.0.1]:1", "[ff02::1]:1", "[::]:1", "[::1]:0"]
        {
            assert_eq!(socket.check_connect(addr(bad)).err(), Some(Error::InvalidArgument), "{bad}");
        }
    }
}

#[test]
fn connect_binds_implicitly_or_from_where_it_is_bound() {
    let sockets = sockets();
    let mut listener = listener(&sockets);
    let there = listener.local_address().unwrap();
    let client = connect(&sockets, there);
    let accepted = accept(&mut listener).unwrap();
    assert_eq!(client.socket.local_address(), accepted.socket.remote_address());
    assert_eq!(client.socket.remote_address(), Ok(there));
    assert_eq!(accepted.socket.local_address(), Ok(there));

    let mut bound = sockets.tcp(Family::Ipv4).unwrap();
    bind(&mut bound, HERE).unwrap();
    let own = bound.local_address().unwrap();
    start_connect(&mut bound, there).unwrap();
    finish_connect(&mut bound).unwrap();
    assert_eq!(bound.local_address(), Ok(own));
    assert_eq!(accept(&mut listener).unwrap().socket.remote_address(), Ok(own));
}

#[test]
fn after_a_failed_attempt_to_connect_the_socket_is_closed() {
    let sockets = sockets();
    let (_nobody, there) = nobody(&sockets);
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    start_connect(&mut socket, there).unwrap();
    assert_eq!(finish_connect(&mut socket).err(), Some(Error::ConnectionRefused));
    assert_eq!(socket.finish_connect().err(), Some(Error::NotInProgress));
    assert_eq!(start_connect(&mut socket, there), Err(Error::InvalidState));
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
    assert!(is_ready(socket.wait()));
}

#[test]
fn two_versions_of_the_protocol_on_one_port() {
    if !has_ipv6() {
        return;
    }
    let sockets = sockets();
    // Somebody else may have the other one's port.
    let (mut six, mut four, port) = (0..100)
        .find_map(|_| {
            let mut six = sockets.tcp(Family::Ipv6).unwrap();
            bind(&mut six, "[::]:0").unwrap();
            let port = six.local_address().unwrap().port();
            let mut four = sockets.tcp(Family::Ipv4).unwrap();
            bind(&mut four, &format!("0.0.0.0:{port}")).ok()?;
            Some((six, four, port))
        })
        .unwrap();
    six.listen().unwrap();
    let mut client = sockets.tcp(Family::Ipv4).unwrap();
    start_connect(&mut client, SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    assert_eq!(finish_connect(&mut client).err(), Some(Error::ConnectionRefused), "IPV6_V6ONLY");
    let client = connect(&sockets, addr(&format!("[::1]:{port}")));
    assert_eq!(accept(&mut six).unwrap().socket.family(), Family::Ipv6);
    assert_eq!(client.socket.family(), Family::Ipv6);
    four.listen().unwrap();
}

#[test]
fn a_listener_is_ready_when_somebody_has_come() {
    let sockets = sockets();
    let mut listener = listener(&sockets);
    assert!(!is_ready(listener.wait()));
    assert_eq!(listener.accept().err(), Some(Error::WouldBlock));
    let _client = connect(&sockets, listener.local_address().unwrap());
    pause(listener.wait());
    let (accepted, ..) = listener.accept().unwrap();
    assert_eq!(accepted.family(), Family::Ipv4);
    assert!(!accepted.is_listening());
}

#[test]
fn the_backlog_may_be_hinted_before_and_after_listening() {
    let mut socket = sockets().tcp(Family::Ipv4).unwrap();
    assert_eq!(socket.set_backlog(0), Err(Error::InvalidArgument));
    socket.set_backlog(u64::MAX).unwrap();
    bind(&mut socket, HERE).unwrap();
    socket.set_backlog(1).unwrap();
    socket.listen().unwrap();
    assert_eq!(socket.set_backlog(0), Err(Error::InvalidArgument));
    socket.set_backlog(u64::MAX).unwrap();
    let _client = connect(&sockets(), socket.local_address().unwrap());
    accept(&mut socket).unwrap();
}

const NAMES: [TcpOptionName; 7] = [
    TcpOptionName::KeepAlive,
    TcpOptionName::KeepAliveIdleTime,
    TcpOptionName::KeepAliveInterval,
    TcpOptionName::KeepAliveCount,
    TcpOptionName::HopLimit,
    TcpOptionName::ReceiveBufferSize,
    TcpOptionName::SendBufferSize,
];

#[test]
fn an_accepted_socket_inherits_the_options() {
    use TcpOption::*;
    let set = [
        KeepAlive(true),
        KeepAliveIdleTime(Duration::from_secs(123)),
        KeepAliveInterval(Duration::from_secs(45)),
        KeepAliveCount(6),
        HopLimit(42),
        ReceiveBufferSize(20_000),
        SendBufferSize(30_000),
    ];
    for (family, here) in [(Family::Ipv4, HERE), (Family::Ipv6, "[::1]:0")] {
        if family == Family::Ipv6 && !has_ipv6() {
            continue;
        }
        // Before and after it listens.
        for late in [false, true] {
            let sockets = sockets();
            let mut listener = sockets.tcp(family).unwrap();
            let set_all = |listener: &Tcp| set.iter().for_each(|o| listener.set(*o).unwrap());
            if !late {
                set_all(&listener);
            }
            bind(&mut listener, here).unwrap();
            listener.listen().unwrap();
            if late {
                set_all(&listener);
            }
            let _client = connect(&sockets, listener.local_address().unwrap());
            let accepted = accept(&mut listener).unwrap().socket;
            for (name, expected) in NAMES.into_iter().zip(set) {
                assert_eq!(accepted.get(name), Ok(expected), "{family:?}, late: {late}");
            }
        }
    }
}

#[test]
fn an_option_of_0_is_an_invalid_argument_and_any_other_is_no_error() {
    use TcpOption::*;
    let socket = sockets().tcp(Family::Ipv4).unwrap();
    for zero in [
        KeepAliveIdleTime(Duration::ZERO),
        KeepAliveInterval(Duration::ZERO),
        KeepAliveCount(0),
        HopLimit(0),
        ReceiveBufferSize(0),
        SendBufferSize(0),
    ] {
        assert_eq!(socket.set(zero), Err(Error::InvalidArgument), "{zero:?}");
    }
    for any in [
        KeepAliveIdleTime(Duration::from_nanos(1)),
        KeepAliveIdleTime(Duration::MAX),
        KeepAliveInterval(Duration::from_nanos(1)),
        KeepAliveInterval(Duration::MAX),
        KeepAliveCount(1),
        KeepAliveCount(u32::MAX),
        HopLimit(1),
        HopLimit(u8::MAX),
        ReceiveBufferSize(1),
        ReceiveBufferSize(u64::MAX),
        SendBufferSize(1),
        SendBufferSize(u64::MAX),
    ] {
        socket.set(any).unwrap();
    }
    for name in NAMES {
        socket.get(name).unwrap();
    }
}

#[test]
fn nothing_is_allowed_by_default_but_to_make_a_socket() {
    let sockets = sockets_with(Permissions::default(), &Limits::default());
    let socket = sockets.tcp(Family::Ipv4).unwrap();
    assert_eq!(known(socket.check_bind(addr(HERE))).err(), Some(Error::AccessDenied));
    assert_eq!(known(socket.check_connect(addr("127.0.0.1:1"))).err(), Some(Error::AccessDenied));
    // A check of addresses alone does not allow the protocol.
    let sockets = sockets_with(Permissions { tcp: false, ..everything() }, &Limits::default());
    let socket = sockets.tcp(Family::Ipv4).unwrap();
    assert_eq!(known(socket.check_bind(addr(HERE))).err(), Some(Error::AccessDenied));
}

#[tokio::test]
async fn each_use_of_an_address_is_asked_about_and_no_other_is_possible() {
    use std::sync::{Arc, Mutex};
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let check = AddrCheck::new(move |addr, to| {
        log.lock().unwrap().push((addr, to));
        Box::pin(async move {
            tokio::task::yield_now().await;
            addr.port() != 1
        })
    });
    let sockets = sockets_with(Permissions { check, ..everything() }, &Limits::default());
    let mut listener = sockets.tcp(Family::Ipv4).unwrap();
    let checking = listener.check_bind(addr("127.0.0.1:1")).unwrap();
    assert!(checking.known().is_none());
    assert_eq!(checking.await.err(), Some(Error::AccessDenied));
    let may_bind = listener.check_bind(addr(HERE)).unwrap().await.unwrap();
    listener.bind(may_bind).unwrap();
    listener.listen().unwrap();
    let there = listener.local_address().unwrap();

    let mut client = sockets.tcp(Family::Ipv4).unwrap();
    let may_bind = client.check_bind(there).unwrap().await.unwrap();
    assert_eq!(client.connect(may_bind), Err(Error::AccessDenied), "checked for another use");
    let may_connect = client.check_connect(there).unwrap().await.unwrap();
    assert_eq!(client.bind(may_connect), Err(Error::AccessDenied), "checked for another use");
    let may_connect = client.check_connect(there).unwrap().await.unwrap();
    client.connect(may_connect).unwrap();
    finish_connect(&mut client).unwrap();
    use SocketAddrUse::{TcpBind, TcpConnect};
    let expected = [
        (addr("127.0.0.1:1"), TcpBind),
        (addr(HERE), TcpBind),
        (there, TcpBind),
        (there, TcpConnect),
        (there, TcpConnect),
    ];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn sockets_are_counted_until_nothing_holds_them() {
    let mut limits = Limits::default();
    limits.sockets = 3;
    let sockets = sockets_with(everything(), &limits);
    let mut listener = listener(&sockets);
    let client = connect(&sockets, listener.local_address().unwrap());
    let third = sockets.udp(Family::Ipv4).unwrap();
    assert_eq!(sockets.tcp(Family::Ipv4).err(), Some(Error::NewSocketLimit));
    assert_eq!(sockets.udp(Family::Ipv4).err(), Some(Error::NewSocketLimit));
    pause(listener.wait());
    assert_eq!(listener.accept().err(), Some(Error::NewSocketLimit));
    drop(third);
    // The connection has waited.
    let Connection { socket, input, output } = accept(&mut listener).unwrap();
    assert_eq!(client.socket.local_address(), socket.remote_address());
    drop((socket, input));
    assert_eq!(sockets.tcp(Family::Ipv4).err(), Some(Error::NewSocketLimit), "a stream holds it");
    drop(output);
    sockets.tcp(Family::Ipv4).unwrap();
}

#[test]
fn shutdown_closes_the_streams_at_once_and_only_those() {
    let sockets = sockets();
    let (mut a, mut b) = pair(&sockets);
    write(&mut a.output, b"unread");
    pause(b.input.wait());
    b.socket.shutdown(Shutdown::Receive).unwrap();
    assert!(matches!(b.input.read(1), Err(StreamError::Closed)), "what was not read is lost");
    assert!(is_ready(b.input.wait()));
    write(&mut b.output, b"still");
    assert_eq!(read(&mut a.input).unwrap(), b"still");

    b.socket.shutdown(Shutdown::Send).unwrap();
    assert!(matches!(b.output.check_write(), Err(StreamError::Closed)));
    assert!(matches!(b.output.flush(), Err(StreamError::Closed)));
    assert_eq!(read(&mut a.input), None, "a FIN was sent");
    b.socket.shutdown(Shutdown::Both).unwrap();
    assert_eq!(b.socket.remote_address(), a.socket.local_address(), "it is not dropped by that");
}

#[test]
fn dropping_a_stream_closes_nothing() {
    let sockets = sockets();
    let (a, mut b) = pair(&sockets);
    let Connection { socket, input, output } = a;
    drop(output);
    write(&mut b.output, b"one");
    let mut input = input;
    assert_eq!(read(&mut input).unwrap(), b"one");
    drop(input);
    assert_eq!(b.input.read(1).unwrap(), "", "no end yet");
    drop(socket);
    assert_eq!(read(&mut b.input), None);
}

#[test]
fn dropping_the_socket_leaves_its_streams() {
    let sockets = sockets();
    let (a, mut b) = pair(&sockets);
    let Connection { socket, mut input, mut output } = a;
    drop(socket);
    write(&mut output, b"out");
    assert_eq!(read(&mut b.input).unwrap(), b"out");
    write(&mut b.output, b"in");
    assert_eq!(read(&mut input).unwrap(), b"in");
}
