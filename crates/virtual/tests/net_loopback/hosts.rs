//! Hosts, their addresses and names, and networks without any.

use crate::net::{accept, addr, connect, datagram, host, ip, listener, look_up, recv, send, udp};
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{AddrCheck, Error, Family, Network, Permissions, Sockets};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::{Denied, Loopback, Resolver, Rules};

#[test]
fn an_address_is_one_hosts() {
    let net = Loopback::new();
    let first = net.host([ip("10.0.0.1"), ip("fd00::1")]).unwrap();
    assert_eq!(net.host([ip("10.0.0.2"), ip("10.0.0.1")]).err(), Some(Errno::AddrInUse));
    for text in
        ["0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:10.0.0.1"]
    {
        assert_eq!(net.host([ip(text)]).err(), Some(Errno::Inval), "{text}");
    }
    // It is free when all that is of the host is gone.
    let socket = first.tcp(Family::Ipv4).unwrap();
    drop(first);
    assert_eq!(net.host([ip("fd00::1")]).err(), Some(Errno::AddrInUse));
    drop(socket);
    assert!(net.host([ip("10.0.0.1"), ip("fd00::1")]).is_ok());
    assert!(net.host([]).is_ok());
    // On another network they mean something else.
    assert!(Loopback::new().host([ip("10.0.0.1")]).is_ok());
}

#[test]
fn a_host_reaches_others_by_their_addresses_alone() {
    let net = Loopback::new();
    let (one, two) = (net.host([ip("10.0.0.1"), ip("fd00::1")]).unwrap(), host(&net, "10.0.0.2"));
    let everywhere = listener(&one, "0.0.0.0:80");
    let private = listener(&one, "127.0.0.1:81");
    let _other_family = listener(&one, "[::]:80");
    let client = connect(&two, addr("10.0.0.1:80")).unwrap();
    assert_eq!(client.local_addr().unwrap().ip(), ip("10.0.0.2"));
    assert_eq!(accept(&*everywhere).unwrap().local_addr(), Ok(addr("10.0.0.1:80")));
    for (to, expected) in [
        ("10.0.0.1:81", Errno::ConnRefused),
        ("127.0.0.1:80", Errno::ConnRefused),
        ("10.0.0.3:80", Errno::HostUnreach),
        ("[fd00::1]:80", Errno::NetUnreach),
    ] {
        assert_eq!(connect(&two, addr(to)).err(), Some(expected), "{to}");
    }
    // To itself it speaks by any of its own.
    for to in ["127.0.0.1:80", "127.1.2.3:80", "10.0.0.1:80", "[::1]:80", "[fd00::1]:80", "127.0.0.1:81"] {
        assert!(connect(&one, addr(to)).is_ok(), "{to}");
    }
    assert_eq!(connect(&one, addr("10.0.0.1:81")).err(), Some(Errno::ConnRefused));
    drop(private);
    // Ports are a matter of each host.
    let _same_port = listener(&two, "0.0.0.0:80");
    let bound_to_itself = one.tcp(Family::Ipv4).unwrap();
    bound_to_itself.bind(addr("127.0.0.1:0")).unwrap();
    assert_eq!(bound_to_itself.connect(addr("10.0.0.2:80")), Err(Errno::Inval));
}

#[test]
fn datagrams_to_where_nobody_is() {
    let net = Loopback::new();
    let (one, two) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
    let socket = udp(&one, "10.0.0.1:0");
    assert_eq!(socket.send(b"x", Some(addr("10.0.0.3:1"))), Err(Errno::HostUnreach));
    assert_eq!(socket.send(b"x", Some(addr("10.0.0.2:1"))), Ok(()));
    assert_eq!(datagram(&*socket), Err(Errno::Again));
    // Who speaks to it alone is told, once.
    socket.connect(Some(addr("10.0.0.2:1"))).unwrap();
    assert_eq!(socket.send(b"x", None), Ok(()));
    assert_eq!(datagram(&*socket), Err(Errno::ConnRefused));
    assert_eq!(datagram(&*socket), Err(Errno::Again));
    let other = udp(&two, "0.0.0.0:1");
    assert_eq!(socket.send(b"x", None), Ok(()));
    assert_eq!(datagram(&*other), Ok(b"x".to_vec()));
}

#[test]
fn names() {
    let net = Loopback::new();
    let one = net.host([ip("10.0.0.1"), ip("fd00::1")]).unwrap().named("One.Internal").named("both.internal");
    let two = host(&net, "10.0.0.2").named("both.internal.");
    assert_eq!(look_up(&two, "one.internal"), Ok(vec![ip("10.0.0.1"), ip("fd00::1")]));
    assert_eq!(look_up(&two, "ONE.internal."), Ok(vec![ip("10.0.0.1"), ip("fd00::1")]));
    assert_eq!(look_up(&one, "both.internal").unwrap().len(), 3);
    assert_eq!(look_up(&one, "localhost"), Ok(vec![ip("127.0.0.1"), ip("::1")]));
    assert_eq!(look_up(&one, "internal"), Err(Error::NameUnresolvable));
    drop(one);
    assert_eq!(look_up(&two, "both.internal"), Ok(vec![ip("10.0.0.2")]));
    assert_eq!(look_up(&two, "one.internal"), Err(Error::NameUnresolvable));
}

#[test]
fn names_of_ones_own() {
    let net = Loopback::new();
    let here = host(&net, "10.0.0.1").named("here.internal");
    let table = Resolver::table(here.clone(), [("Db.Internal.", vec![ip("10.0.0.9")])]);
    assert_eq!(look_up(&table, "DB.internal"), Ok(vec![ip("10.0.0.9")]));
    assert_eq!(look_up(&table, "here.internal"), Err(Error::NameUnresolvable));
    let through = table.fall_through();
    assert_eq!(look_up(&through, "here.internal"), Ok(vec![ip("10.0.0.1")]));
    let failing = Resolver::new(here, |_| Err(Error::TemporaryResolverFailure)).fall_through();
    assert_eq!(look_up(&failing, "here.internal"), Err(Error::TemporaryResolverFailure));
    let _listener = listener(&through, "10.0.0.1:80");
    assert!(connect(&failing, addr("10.0.0.1:80")).is_ok());
}

fn sockets(network: impl Network + 'static) -> Sockets {
    let permissions = Permissions { check: AddrCheck::allow_all(), tcp: true, udp: true, lookup: true };
    Sockets::new(Arc::new(network), permissions, &Limits::default(), Arc::new(Poller::default()))
}

#[test]
fn denied_to_a_guest() {
    let sockets = sockets(Denied);
    for family in [Family::Ipv4, Family::Ipv6] {
        let here = if family == Family::Ipv4 { "127.0.0.1:80" } else { "[::1]:80" };
        let (mut tcp, mut udp) = (sockets.tcp(family).unwrap(), sockets.udp(family).unwrap());
        let checked = tcp.check_bind(addr(here)).unwrap().known().unwrap().unwrap();
        assert_eq!(tcp.bind(checked), Err(Error::AccessDenied));
        let checked = tcp.check_connect(addr(here)).unwrap().known().unwrap().unwrap();
        assert_eq!(tcp.connect(checked), Err(Error::AccessDenied));
        let checked = udp.check_bind(addr(here)).unwrap().known().unwrap().unwrap();
        assert_eq!(udp.bind(checked), Err(Error::AccessDenied));
        let checked = udp.check_connect(addr(here)).unwrap().known().unwrap().unwrap();
        assert_eq!(udp.connect(checked), Err(Error::AccessDenied));
    }
    assert_eq!(sockets.lookup("db.internal").err(), Some(Error::AccessDenied));
}

/// What rules refuse changes nothing of a guest's socket, as with an address check.
#[test]
fn refused_by_rules_to_a_guest() {
    let net = Loopback::new();
    let _listener = listener(&host(&net, "10.0.0.1"), "10.0.0.1:80");
    let rules = Rules::new(host(&net, "10.0.0.2"));
    let mut tcp = sockets(rules.clone()).tcp(Family::Ipv4).unwrap();
    let checked = |tcp: &wasi_host_core::net::Tcp| {
        tcp.check_connect(addr("10.0.0.1:80")).unwrap().known().unwrap().unwrap()
    };
    let address = checked(&tcp);
    assert_eq!(tcp.connect(address), Err(Error::AccessDenied));
    rules.allow("10.0.0.1:80".parse().unwrap());
    let address = checked(&tcp);
    assert_eq!(tcp.connect(address), Ok(()));
    assert!(tcp.finish_connect().is_ok());
}

#[test]
fn what_a_socket_says_of_a_peer_that_was_reset() {
    let net = Loopback::new();
    let one = host(&net, "10.0.0.1");
    let listener = listener(&one, "10.0.0.1:80");
    let client = connect(&one, addr("10.0.0.1:80")).unwrap();
    let server = accept(&*listener).unwrap();
    send(&*client, b"unread").unwrap();
    send(&*server, b"rest").unwrap();
    drop(server);
    assert_eq!(recv(&*client, 8), Ok(b"rest".to_vec()));
    assert_eq!(recv(&*client, 8), Err(Errno::ConnReset));
    assert_eq!(recv(&*client, 8), Ok(Vec::new()));
    assert_eq!(send(&*client, b"x"), Err(Errno::Pipe));
}
