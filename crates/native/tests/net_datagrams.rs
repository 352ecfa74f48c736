//! Datagrams one by one: sockets that are bound implicitly, that change their peer, and the way between a check and its
//! use.

mod sockets;

use sockets::*;
use std::net::{SocketAddr, UdpSocket as Plain};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wasi_host_core::fs::Interest;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{
    AddrCheck, Datagram, Error, Family, Permissions, SocketAddrUse, Sockets, Udp, UdpOption,
};
use wasi_host_core::stream::Subscribe;

fn plain() -> (Plain, SocketAddr) {
    let socket = Plain::bind(HERE).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

/// What a socket of the standard library gets next.
fn got(socket: &Plain) -> (Vec<u8>, SocketAddr) {
    let mut buf = [0; 65_535];
    let (n, from) = socket.recv_from(&mut buf).unwrap();
    (buf[..n].to_vec(), from)
}

fn new() -> Udp {
    sockets().udp(Family::Ipv4).unwrap()
}

fn bind(socket: &mut Udp, to: &str) -> Result<(), Error> {
    let checked = known(socket.check_bind(addr(to)))?;
    socket.bind(checked)
}

fn connect(socket: &mut Udp, to: SocketAddr) -> Result<(), Error> {
    let checked = known(socket.check_connect(to))?;
    socket.connect(checked)
}

/// What an adapter's `send` does.
fn send(socket: &mut Udp, data: &[u8], to: Option<SocketAddr>) -> Result<(), Error> {
    let to = known(socket.check_send(1, to))?;
    if let Some(checking) = socket.check_implicit_bind() {
        socket.bind(known(Ok(checking))?)?;
    }
    loop {
        match socket.send(data, &to) {
            Err(Error::WouldBlock) => pause(socket.readiness(Interest::Write).wait()),
            done => return done,
        }
    }
}

fn receive(socket: &Udp) -> Result<Datagram, Error> {
    loop {
        match socket.receive() {
            Err(Error::WouldBlock) => pause(socket.readiness(Interest::Read).wait()),
            done => return done,
        }
    }
}

/// On loopback, by the socket's port.
fn here(socket: &Udp) -> SocketAddr {
    ([127, 0, 0, 1], socket.local_address().unwrap().port()).into()
}

#[test]
fn the_first_send_binds() {
    let (plain, there) = plain();
    let mut socket = new();
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
    assert_eq!(socket.receive(), Err(Error::InvalidState));
    let to = known(socket.check_send(1, Some(there))).unwrap();
    assert_eq!(socket.send(b"x", &to), Err(Error::InvalidState), "not of its own accord");
    send(&mut socket, b"x", Some(there)).unwrap();
    assert_eq!(socket.local_address().unwrap().ip(), addr("0.0.0.0:0").ip());
    assert_eq!(got(&plain), (b"x".to_vec(), here(&socket)));
    plain.send_to(b"y", here(&socket)).unwrap();
    assert_eq!(receive(&socket), Ok(Datagram { data: b"y".to_vec(), from: there }));
    assert!(socket.check_implicit_bind().is_none());
    assert_eq!(bind(&mut socket, HERE), Err(Error::InvalidState));
    // It keeps that port, whoever becomes its peer.
    let at = socket.local_address();
    connect(&mut socket, there).unwrap();
    socket.disconnect().unwrap();
    assert_eq!(socket.local_address(), at);
}

#[test]
fn each_address_of_a_send_is_asked_about() {
    let (_plain, there) = plain();
    let asked = Arc::new(Mutex::new(Vec::new()));
    for denied in [None, Some(SocketAddrUse::UdpBind), Some(SocketAddrUse::UdpOutgoingDatagram)] {
        let log = asked.clone();
        let check = AddrCheck::when(move |addr, to| {
            log.lock().unwrap().push((addr, to));
            Some(to) != denied
        });
        let sockets = sockets_with(Permissions { check, ..everything() }, &Limits::default());
        let mut socket = sockets.udp(Family::Ipv4).unwrap();
        let done = [(); 2].map(|()| send(&mut socket, b"x", Some(there)));
        let expected = if denied.is_none() { Ok(()) } else { Err(Error::AccessDenied) };
        assert_eq!(done, [expected; 2]);
        let (bind, to) =
            ((addr("0.0.0.0:0"), SocketAddrUse::UdpBind), (there, SocketAddrUse::UdpOutgoingDatagram));
        let expected = match denied {
            None => vec![to, bind, to],
            Some(SocketAddrUse::UdpBind) => vec![to, bind, to, bind],
            Some(_) => vec![to, to],
        };
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), expected);
    }
}

#[test]
fn connect_binds_for_the_peer_and_may_be_repeated() {
    let ((a, at_a), (b, at_b)) = (plain(), plain());
    let mut socket = new();
    assert_eq!(socket.disconnect(), Err(Error::InvalidState));
    for (peer, at_peer) in [(&a, at_a), (&b, at_b), (&b, at_b), (&a, at_a)] {
        connect(&mut socket, at_peer).unwrap();
        assert_eq!(socket.remote_address(), Ok(at_peer));
        assert_eq!(socket.local_address().unwrap().ip(), addr(HERE).ip(), "by the way to the peer");
        send(&mut socket, b"none", None).unwrap();
        send(&mut socket, b"same", Some(at_peer)).unwrap();
        assert_eq!((got(peer).0, got(peer)), (b"none".to_vec(), (b"same".to_vec(), here(&socket))));
        peer.send_to(b"back", here(&socket)).unwrap();
        assert_eq!(receive(&socket), Ok(Datagram { data: b"back".to_vec(), from: at_peer }));
    }
    assert_eq!(send(&mut socket, b"x", Some(at_b)), Err(Error::InvalidArgument));
    assert_eq!(bind(&mut socket, HERE), Err(Error::InvalidState));
    for bad in ["[::1]:1", "0.0.0.0:1", "127.0.0.1:0"] {
        assert_eq!(connect(&mut socket, addr(bad)), Err(Error::InvalidArgument), "{bad}");
    }
    assert_eq!(socket.remote_address(), Ok(at_a), "a misuse changes nothing");

    socket.disconnect().unwrap();
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    assert_eq!(socket.disconnect(), Err(Error::InvalidState));
    assert_eq!(send(&mut socket, b"x", None), Err(Error::InvalidArgument));
    // On this system the port that it had for the peer has gone too.
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
    assert_eq!(socket.receive(), Err(Error::InvalidState));
    bind(&mut socket, HERE).unwrap();
    send(&mut socket, b"again", Some(at_b)).unwrap();
    assert_eq!(got(&b), (b"again".to_vec(), here(&socket)));
}

#[test]
fn a_bound_socket_keeps_its_address_when_peers_come_and_go() {
    let ((a, at_a), (_b, at_b)) = (plain(), plain());
    for any in [HERE, "0.0.0.0:0"] {
        let mut socket = new();
        bind(&mut socket, any).unwrap();
        let at = socket.local_address();
        for peer in [at_a, at_b] {
            connect(&mut socket, peer).unwrap();
            assert_eq!(here(&socket).port(), at.unwrap().port());
        }
        socket.disconnect().unwrap();
        assert_eq!(socket.local_address(), at);
        send(&mut socket, b"x", Some(at_a)).unwrap();
        assert_eq!(got(&a).1, here(&socket));
    }
}

#[test]
fn a_peer_that_cannot_be_had_leaves_nothing_bound() {
    let (_plain, there) = plain();
    // Nobody may, without an option that there is not here.
    let everybody = addr("127.255.255.255:9");
    let mut socket = new();
    assert!(connect(&mut socket, everybody).is_err());
    assert_eq!(socket.local_address(), Err(Error::InvalidState), "or everybody could send to it");
    connect(&mut socket, there).unwrap();
    assert!(connect(&mut socket, everybody).is_err());
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    assert_eq!(socket.local_address(), Err(Error::InvalidState));

    bind(&mut socket, HERE).unwrap();
    let at = socket.local_address();
    connect(&mut socket, there).unwrap();
    assert!(connect(&mut socket, everybody).is_err());
    assert_eq!((socket.local_address(), socket.remote_address()), (at, Err(Error::InvalidState)));
}

#[test]
fn a_datagram_goes_where_the_check_was_or_nowhere() {
    let ((a, at_a), (b, at_b)) = (plain(), plain());
    let mut socket = new();
    bind(&mut socket, HERE).unwrap();
    let to_a = known(socket.check_send(1, Some(at_a))).unwrap();
    connect(&mut socket, at_b).unwrap();
    assert_eq!(socket.send(b"lost", &to_a), Err(Error::InvalidArgument));
    let to_peer = known(socket.check_send(1, None)).unwrap();
    connect(&mut socket, at_a).unwrap();
    assert_eq!(socket.send(b"lost", &to_peer), Err(Error::InvalidArgument));
    socket.send(b"1", &to_a).unwrap();
    socket.disconnect().unwrap();
    socket.send(b"2", &to_peer).unwrap();
    socket.send(b"3", &to_a).unwrap();
    assert_eq!((got(&a).0, got(&a).0), (b"1".to_vec(), b"3".to_vec()));
    assert_eq!(got(&b).0, b"2");
    // An address is good for what it was checked for.
    let may_connect = known(socket.check_connect(at_a)).unwrap();
    assert_eq!(socket.send(b"lost", &may_connect), Err(Error::AccessDenied));
    assert_eq!(socket.connect(to_a), Err(Error::AccessDenied));
    for plain in [a, b] {
        plain.set_nonblocking(true).unwrap();
        assert!(plain.recv_from(&mut [0; 9]).is_err(), "nothing else has come");
    }
}

#[test]
fn a_socket_without_an_address_by_now_sends_nothing() {
    let (plain, there) = plain();
    let mut socket = new();
    connect(&mut socket, there).unwrap();
    let to = known(socket.check_send(1, None)).unwrap();
    socket.disconnect().unwrap();
    assert_eq!(socket.send(b"lost", &to), Err(Error::InvalidState));
    send(&mut socket, b"x", Some(there)).unwrap();
    assert_eq!(got(&plain).0, b"x");
}

#[test]
fn what_others_have_sent_before_is_not_received() {
    let ((peer, at_peer), (other, at_other)) = (plain(), plain());
    let mut socket = new();
    bind(&mut socket, HERE).unwrap();
    socket.set(UdpOption::ReceiveBufferSize(1 << 20)).unwrap();
    let here = here(&socket);
    for _ in 0..1000 {
        other.send_to(b"", here).unwrap();
    }
    connect(&mut socket, at_peer).unwrap();
    other.send_to(b"late", here).unwrap();
    // Not all of them at once, so that a flood does not hold the host.
    let mut calls = 0;
    while socket.receive() == Err(Error::WouldBlock) && is_ready(socket.readiness(Interest::Read).wait()) {
        calls += 1;
    }
    assert!(calls <= 4, "{calls}");
    peer.send_to(b"from the peer", here).unwrap();
    assert_eq!(receive(&socket), Ok(Datagram { data: b"from the peer".to_vec(), from: at_peer }));

    socket.disconnect().unwrap();
    other.send_to(b"welcome", here).unwrap();
    assert_eq!(receive(&socket), Ok(Datagram { data: b"welcome".to_vec(), from: at_other }));
}

#[test]
fn sizes_and_refusals() {
    let (plain, there) = plain();
    let mut socket = new();
    let huge = vec![7; 65_536];
    for n in [65_508, 65_536] {
        assert_eq!(send(&mut socket, &huge[..n], Some(there)), Err(Error::DatagramTooLarge));
    }
    send(&mut socket, b"", Some(there)).unwrap();
    send(&mut socket, &huge[..65_507], Some(there)).unwrap();
    assert_eq!((got(&plain).0.len(), got(&plain).0.len()), (0, 65_507));
    for bad in ["[::1]:1", "0.0.0.0:1", "127.0.0.1:0"] {
        assert_eq!(send(&mut socket, b"x", Some(addr(bad))), Err(Error::InvalidArgument), "{bad}");
    }
    assert_eq!(send(&mut socket, b"x", None), Err(Error::InvalidArgument));

    // Who has a peer of its own is not there for others.
    plain.connect("127.0.0.1:1").unwrap();
    connect(&mut socket, there).unwrap();
    send(&mut socket, b"x", None).unwrap();
    assert_eq!(receive(&socket), Err(Error::ConnectionRefused));
    assert_eq!(socket.receive(), Err(Error::WouldBlock), "told once");
    send(&mut socket, b"x", None).unwrap();
    pause(socket.readiness(Interest::Read).wait());
    assert_eq!(send(&mut socket, b"x", None), Err(Error::ConnectionRefused), "or to who sends next");
}

#[test]
fn the_other_family() {
    if !has_ipv6() {
        return;
    }
    let mut socket = sockets().udp(Family::Ipv6).unwrap();
    let mut peer = sockets().udp(Family::Ipv6).unwrap();
    bind(&mut peer, "[::1]:0").unwrap();
    let there = peer.local_address().unwrap();
    send(&mut socket, b"x", Some(there)).unwrap();
    let Datagram { data, from } = receive(&peer).unwrap();
    assert_eq!((data, from.ip()), (b"x".to_vec(), addr("[::1]:0").ip()));
    assert_eq!(socket.local_address().unwrap(), SocketAddr::new(addr("[::]:0").ip(), from.port()));
    for bad in ["127.0.0.1:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(connect(&mut socket, addr(bad)), Err(Error::InvalidArgument), "{bad}");
        assert_eq!(send(&mut socket, b"x", Some(addr(bad))), Err(Error::InvalidArgument), "{bad}");
    }
    connect(&mut peer, from).unwrap();
    send(&mut peer, b"y", None).unwrap();
    assert_eq!(receive(&socket), Ok(Datagram { data: b"y".to_vec(), from: there }));
    peer.disconnect().unwrap();
    assert_eq!(peer.local_address(), Ok(there));
}

#[test]
fn streams_from_before_do_not_outlive_a_change_of_the_peer() {
    let (_plain, there) = plain();
    let sockets: Sockets = sockets();
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    bind(&mut socket, HERE).unwrap();
    let (mut input, mut output) = socket.stream(None).unwrap();
    connect(&mut socket, there).unwrap();
    assert_eq!(input.receive(1), Err(Error::InvalidState));
    assert_eq!(output.check_send(), Err(Error::InvalidState));
    let (mut input, _) = socket.stream(None).unwrap();
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    assert_eq!(input.receive(1), Ok(vec![]));
}

#[test]
fn a_socket_is_waited_for_though_it_is_dropped() {
    let (plain, _) = plain();
    let mut socket = new();
    bind(&mut socket, HERE).unwrap();
    let here = here(&socket);
    let come = socket.readiness(Interest::Read);
    assert!(!is_ready(come.wait()) && is_ready(socket.readiness(Interest::Write).wait()));
    drop(socket);
    let waiting = std::thread::spawn(move || pause(come.wait()));
    plain.send_to(b"x", here).unwrap();
    waiting.join().unwrap();
}
