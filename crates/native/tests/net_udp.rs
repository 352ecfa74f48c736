//! What `wasi:sockets/udp` promises.

mod sockets;

use sockets::*;
use std::net::{SocketAddr, UdpSocket as Plain};
use std::time::Duration;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{
    AddrCheck, Datagram, Error, Family, Permissions, SocketAddrUse, Sockets, Udp, UdpInput, UdpOption,
    UdpOptionName, UdpOutput,
};
use wasi_host_core::stream::{StreamError, Subscribe};

fn bind(socket: &mut Udp, to: &str) -> Result<(), Error> {
    let checked = known(socket.check_bind(addr(to)))?;
    socket.bind(checked)
}

fn bound(sockets: &Sockets) -> Udp {
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    bind(&mut socket, HERE).unwrap();
    socket
}

fn stream(socket: &mut Udp, peer: Option<SocketAddr>) -> Result<(UdpInput, UdpOutput), Error> {
    let peer = peer.map(|peer| known(socket.check_stream(peer))).transpose()?;
    socket.stream(peer)
}

/// What a guest's `send` does.
fn send(output: &mut UdpOutput, datagrams: &[(&[u8], Option<SocketAddr>)]) -> Result<u64, Error> {
    assert!(output.check_send()? >= datagrams.len() as u64);
    let mut batch = output.send(datagrams.len()).unwrap();
    for (data, to) in datagrams {
        if !batch.send(data, known(batch.check(*to))) {
            break;
        }
    }
    batch.finish()
}

/// Waits until at least one is there.
fn receive(input: &mut UdpInput) -> Vec<Datagram> {
    loop {
        let datagrams = input.receive(u64::MAX).unwrap();
        if !datagrams.is_empty() {
            return datagrams;
        }
        pause(input.wait());
    }
}

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

#[test]
fn bind_has_its_errors_and_happens_once() {
    let (_holder, taken) = plain();
    let mut socket = sockets().udp(Family::Ipv4).unwrap();
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
    assert_eq!(bind(&mut socket, "[::1]:0"), Err(Error::InvalidArgument));
    assert_eq!(bind(&mut socket, &taken.to_string()), Err(Error::AddressInUse));
    assert_eq!(bind(&mut socket, "192.0.2.1:0"), Err(Error::AddressNotBindable));
    bind(&mut socket, HERE).unwrap();
    assert_ne!(socket.local_address().unwrap().port(), 0);
    assert_eq!(bind(&mut socket, HERE), Err(Error::InvalidState));
    assert_eq!(socket.family(), Family::Ipv4);
}

#[test]
fn stream_needs_a_bound_socket_and_an_address_that_leads_somewhere() {
    let sockets = sockets();
    let mut unbound = sockets.udp(Family::Ipv4).unwrap();
    assert_eq!(stream(&mut unbound, None).err(), Some(Error::InvalidState));
    assert_eq!(stream(&mut unbound, Some(addr("127.0.0.1:1"))).err(), Some(Error::InvalidState));
    let mut socket = bound(&sockets);
    for bad in ["[::1]:1", "0.0.0.0:1", "127.0.0.1:0"] {
        assert_eq!(stream(&mut socket, Some(addr(bad))).err(), Some(Error::InvalidArgument), "{bad}");
    }
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    stream(&mut socket, None).unwrap();
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    stream(&mut socket, Some(addr("127.0.0.1:1"))).unwrap();
    assert_eq!(socket.remote_address(), Ok(addr("127.0.0.1:1")));
}

#[test]
fn datagrams_go_to_and_come_from_anybody() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let (mut input, mut output) = stream(&mut socket, None).unwrap();
    let here = socket.local_address().unwrap();
    assert_eq!(input.receive(9), Ok(vec![]), "nothing yet");
    assert!(!is_ready(input.wait()));
    let ((a, at_a), (b, at_b)) = (plain(), plain());
    assert_eq!(send(&mut output, &[(b"to a", Some(at_a)), (b"", Some(at_b))]), Ok(2));
    assert_eq!(got(&a), (b"to a".to_vec(), here));
    assert_eq!(got(&b), (vec![], here));

    a.send_to(b"one", here).unwrap();
    b.send_to(b"two", here).unwrap();
    pause(input.wait());
    assert_eq!(input.receive(0), Ok(vec![]));
    assert_eq!(input.receive(1), Ok(vec![Datagram { data: b"one".to_vec(), from: at_a }]));
    assert_eq!(receive(&mut input), [Datagram { data: b"two".to_vec(), from: at_b }]);
}

#[test]
fn receive_is_limited_to_the_peer_even_for_what_came_before() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let here = socket.local_address().unwrap();
    let ((peer, at_peer), (other, _)) = (plain(), plain());
    for _ in 0..3 {
        other.send_to(b"early", here).unwrap();
    }
    peer.send_to(b"from the peer", here).unwrap();
    let (mut input, _) = stream(&mut socket, Some(at_peer)).unwrap();
    other.send_to(b"late", here).unwrap();
    peer.send_to(b"and again", here).unwrap();
    let mut all = receive(&mut input);
    while all.len() < 2 {
        all.extend(receive(&mut input));
    }
    assert_eq!(all.iter().map(|d| &d.data[..]).collect::<Vec<_>>(), [&b"from the peer"[..], b"and again"]);
    assert!(all.iter().all(|d| d.from == at_peer));
    assert_eq!(input.receive(9), Ok(vec![]));
}

#[test]
fn a_flood_of_others_datagrams_does_not_hold_the_host() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    socket.set(UdpOption::ReceiveBufferSize(1 << 20)).unwrap();
    let here = socket.local_address().unwrap();
    let ((peer, at_peer), (other, _)) = (plain(), plain());
    for _ in 0..1000 {
        other.send_to(b"", here).unwrap();
    }
    let (mut input, _) = stream(&mut socket, Some(at_peer)).unwrap();
    assert_eq!(input.receive(1), Ok(vec![]));
    // Few systems have so short a queue that it is empty now.
    let UdpOption::ReceiveBufferSize(queue) = socket.get(UdpOptionName::ReceiveBufferSize).unwrap() else {
        unreachable!()
    };
    assert!(is_ready(input.wait()) || queue < 200_000, "it gave up for the time being");
    while is_ready(input.wait()) {
        assert_eq!(input.receive(1), Ok(vec![]));
    }
    peer.send_to(b"x", here).unwrap();
    assert_eq!(receive(&mut input).len(), 1);
}

#[test]
fn send_is_limited_to_the_peer() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let ((peer, at_peer), (_other, at_other)) = (plain(), plain());
    let (_, mut output) = stream(&mut socket, Some(at_peer)).unwrap();
    assert_eq!(send(&mut output, &[(b"none", None), (b"same", Some(at_peer))]), Ok(2));
    assert_eq!((got(&peer).0, got(&peer).0), (b"none".to_vec(), b"same".to_vec()));
    assert_eq!(send(&mut output, &[(b"x", Some(at_other))]), Err(Error::InvalidArgument));

    let (_, mut output) = stream(&mut socket, None).unwrap();
    assert_eq!(send(&mut output, &[(b"x", None)]), Err(Error::InvalidArgument));
    for bad in ["[::1]:1", "0.0.0.0:1", "127.0.0.1:0"] {
        assert_eq!(send(&mut output, &[(b"x", Some(addr(bad)))]), Err(Error::InvalidArgument), "{bad}");
    }
}

#[test]
fn send_stops_at_the_first_error_and_reports_it_only_if_nothing_was_sent() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let (_, mut output) = stream(&mut socket, None).unwrap();
    let (plain, there) = plain();
    let huge = vec![0; 65_508];
    let beyond = vec![0; 1 << 20];
    for large in [&huge, &beyond] {
        assert_eq!(
            send(&mut output, &[(large, Some(there)), (b"x", Some(there))]),
            Err(Error::DatagramTooLarge)
        );
    }
    let batch: [(&[u8], _); 4] =
        [(b"1", Some(there)), (b"2", Some(there)), (b"3", None), (b"4", Some(there))];
    assert_eq!(send(&mut output, &batch), Ok(2));
    assert_eq!((got(&plain).0, got(&plain).0), (b"1".to_vec(), b"2".to_vec()));
    assert_eq!(send(&mut output, &[]), Ok(0));
    assert_eq!(send(&mut output, &[(&huge[..65_507], Some(there))]), Ok(1));
    assert_eq!(got(&plain).0.len(), 65_507);
}

#[test]
fn send_beyond_the_permit_is_a_trap() {
    let mut socket = bound(&sockets());
    let (_, mut output) = stream(&mut socket, None).unwrap();
    assert!(matches!(output.send(1), Err(StreamError::Trap(_))), "never asked");
    let permit = output.check_send().unwrap();
    assert!(permit >= 1);
    assert!(is_ready(output.wait()));
    assert!(matches!(output.send(permit as usize + 1), Err(StreamError::Trap(_))));
    assert!(output.send(permit as usize).is_ok());
    assert!(matches!(output.send(1), Err(StreamError::Trap(_))), "used up");
}

#[test]
fn only_the_most_recent_pair_of_streams_is_operational() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let (plain, there) = plain();
    let (mut old_input, mut old_output) = stream(&mut socket, Some(there)).unwrap();
    old_output.check_send().unwrap();
    let (mut input, mut output) = stream(&mut socket, None).unwrap();
    plain.send_to(b"x", socket.local_address().unwrap()).unwrap();
    pause(input.wait());
    assert_eq!(old_input.receive(1), Err(Error::InvalidState));
    assert_eq!(old_output.check_send(), Err(Error::InvalidState));
    assert!(is_ready(old_input.wait()) && is_ready(old_output.wait()));
    assert_eq!(receive(&mut input).len(), 1);
    assert_eq!(send(&mut output, &[(b"y", Some(there))]), Ok(1));
}

#[test]
fn a_batch_does_not_outlive_its_stream() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let (_plain, there) = plain();
    let (_, mut output) = stream(&mut socket, Some(there)).unwrap();
    output.check_send().unwrap();
    let mut batch = output.send(2).unwrap();
    assert!(batch.send(b"x", known(batch.check(None))));
    let checked = known(batch.check(None));
    stream(&mut socket, None).unwrap();
    assert!(!batch.send(b"x", checked));
    assert_eq!(batch.finish(), Ok(1));
}

#[test]
fn the_association_changes_and_the_port_stays() {
    let sockets = sockets();
    for any in [HERE, "0.0.0.0:0"] {
        let mut socket = sockets.udp(Family::Ipv4).unwrap();
        bind(&mut socket, any).unwrap();
        let port = socket.local_address().unwrap().port();
        let here = SocketAddr::from(([127, 0, 0, 1], port));
        let ((a, at_a), (b, at_b)) = (plain(), plain());
        for _ in 0..2 {
            for (peer, at_peer) in [(&a, at_a), (&b, at_b)] {
                let (mut input, mut output) = stream(&mut socket, Some(at_peer)).unwrap();
                assert_eq!(socket.local_address(), Ok(here), "by the way to the peer");
                assert_eq!(socket.remote_address(), Ok(at_peer));
                assert_eq!(send(&mut output, &[(b"ping", None)]), Ok(1));
                assert_eq!(got(peer), (b"ping".to_vec(), here));
                peer.send_to(b"pong", here).unwrap();
                assert_eq!(receive(&mut input), [Datagram { data: b"pong".to_vec(), from: at_peer }]);
            }
            let (mut input, mut output) = stream(&mut socket, None).unwrap();
            assert_eq!(socket.remote_address(), Err(Error::InvalidState));
            assert_eq!(socket.local_address(), Ok(SocketAddr::new(addr(any).ip(), port)));
            assert_eq!(send(&mut output, &[(b"1", Some(at_a)), (b"2", Some(at_b))]), Ok(2));
            assert_eq!((got(&a).0, got(&b).0), (b"1".to_vec(), b"2".to_vec()));
            a.send_to(b"x", here).unwrap();
            assert_eq!(receive(&mut input)[0].from, at_a);
        }
    }
}

#[test]
fn a_peer_that_is_not_there_refuses() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    // Who has a peer of its own is not there for others.
    let (busy, there) = plain();
    busy.connect("127.0.0.1:1").unwrap();
    let (mut input, mut output) = stream(&mut socket, Some(there)).unwrap();
    assert_eq!(send(&mut output, &[(b"x", None)]), Ok(1));
    pause(input.wait());
    assert_eq!(input.receive(1), Err(Error::ConnectionRefused));
    assert_eq!(input.receive(1), Ok(vec![]));
}

#[test]
fn an_error_behind_datagrams_is_told_after_them() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    let here = socket.local_address().unwrap();
    let (peer, there) = plain();
    let (mut input, mut output) = stream(&mut socket, Some(there)).unwrap();
    peer.send_to(b"last words", here).unwrap();
    peer.connect("127.0.0.1:1").unwrap();
    assert_eq!(send(&mut output, &[(b"x", None)]), Ok(1));
    pause(input.wait());
    // Linux tells the error first: either order, and both are told.
    let (mut refused, mut words) = (0, 0);
    while refused + words < 2 {
        match input.receive(9) {
            Ok(datagrams) => words += datagrams.len(),
            Err(e) => {
                assert_eq!(e, Error::ConnectionRefused);
                refused += 1;
            }
        }
    }
    assert_eq!((refused, words), (1, 1));
}

#[test]
fn two_versions_of_the_protocol_on_one_port() {
    if !has_ipv6() {
        return;
    }
    let sockets = sockets();
    let mut six = sockets.udp(Family::Ipv6).unwrap();
    for bad in ["127.0.0.1:0", "[::ffff:127.0.0.1]:0", "[::127.0.0.1]:0"] {
        assert_eq!(bind(&mut six, bad), Err(Error::InvalidArgument), "{bad}");
    }
    // Somebody else may have the other one's port.
    let (mut six, _four, port) = (0..100)
        .find_map(|_| {
            let mut six = sockets.udp(Family::Ipv6).unwrap();
            bind(&mut six, "[::]:0").unwrap();
            let port = six.local_address().unwrap().port();
            let mut four = sockets.udp(Family::Ipv4).unwrap();
            bind(&mut four, &format!("0.0.0.0:{port}")).ok()?;
            Some((six, four, port))
        })
        .unwrap();
    let (mut input, mut output) = stream(&mut six, None).unwrap();
    let mapped = addr(&format!("[::ffff:127.0.0.1]:{port}"));
    assert_eq!(send(&mut output, &[(b"x", Some(mapped))]), Err(Error::InvalidArgument));
    assert_eq!(stream(&mut six, Some(mapped)).err(), Some(Error::InvalidArgument));
    let own = addr(&format!("[::1]:{port}"));
    assert_eq!(send(&mut output, &[(b"x", Some(own))]), Ok(1));
    assert_eq!(receive(&mut input), [Datagram { data: b"x".to_vec(), from: own }]);
    // Peers come and go as with the other version.
    let (mut input, mut output) = stream(&mut six, Some(own)).unwrap();
    assert_eq!(send(&mut output, &[(b"y", None)]), Ok(1));
    assert_eq!(receive(&mut input), [Datagram { data: b"y".to_vec(), from: own }]);
    stream(&mut six, None).unwrap();
    assert_eq!(six.local_address(), Ok(addr(&format!("[::]:{port}"))));
}

#[test]
fn options_of_both_families() {
    use UdpOption::*;
    for family in [Family::Ipv4, Family::Ipv6] {
        if family == Family::Ipv6 && !has_ipv6() {
            continue;
        }
        let socket = sockets().udp(family).unwrap();
        for (option, name) in [
            (UnicastHopLimit(42), UdpOptionName::UnicastHopLimit),
            (UnicastHopLimit(1), UdpOptionName::UnicastHopLimit),
            (UnicastHopLimit(255), UdpOptionName::UnicastHopLimit),
            (ReceiveBufferSize(20_000), UdpOptionName::ReceiveBufferSize),
            (SendBufferSize(30_000), UdpOptionName::SendBufferSize),
        ] {
            socket.set(option).unwrap();
            assert_eq!(socket.get(name), Ok(option));
        }
        for any in [1, u64::MAX] {
            socket.set(ReceiveBufferSize(any)).unwrap();
            socket.set(SendBufferSize(any)).unwrap();
        }
        for zero in [UnicastHopLimit(0), ReceiveBufferSize(0), SendBufferSize(0)] {
            assert_eq!(socket.set(zero), Err(Error::InvalidArgument));
        }
    }
}

#[test]
fn each_address_is_checked_for_each_use() {
    let (_plain, there) = plain();
    for denied in [SocketAddrUse::UdpBind, SocketAddrUse::UdpConnect, SocketAddrUse::UdpOutgoingDatagram] {
        let check = AddrCheck::new(move |_, to| Box::pin(async move { to != denied }));
        let sockets = sockets_with(Permissions { check, ..everything() }, &Limits::default());
        let mut socket = sockets.udp(Family::Ipv4).unwrap();
        let is_denied = |to| (to == denied).then_some(Error::AccessDenied);
        let may_bind = now(socket.check_bind(addr(HERE)));
        assert_eq!(may_bind.as_ref().err().copied(), is_denied(SocketAddrUse::UdpBind));
        let Ok(may_bind) = may_bind else { continue };
        socket.bind(may_bind).unwrap();
        let may_connect = now(socket.check_stream(there));
        assert_eq!(may_connect.as_ref().err().copied(), is_denied(SocketAddrUse::UdpConnect));
        let Ok(may_connect) = may_connect else { continue };
        let (_, mut output) = socket.stream(Some(may_connect)).unwrap();
        output.check_send().unwrap();
        let mut batch = output.send(1).unwrap();
        let to_peer = now(batch.check(None));
        assert!(!batch.send(b"x", to_peer), "the peer's address is asked about too");
        assert_eq!(batch.finish(), Err(Error::AccessDenied));
    }
    let sockets = sockets_with(Permissions { udp: false, ..everything() }, &Limits::default());
    let socket = sockets.udp(Family::Ipv4).unwrap();
    assert_eq!(known(socket.check_bind(addr(HERE))).err(), Some(Error::AccessDenied));
}

/// The answer of a check that is finished at its first poll.
fn now(
    checking: Result<wasi_host_core::net::Checking, Error>,
) -> Result<wasi_host_core::net::Checked, Error> {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(&mut checking?).poll(&mut cx) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("the answer was there"),
    }
}

#[test]
fn a_call_receives_a_bounded_number_of_bytes() {
    let sockets = sockets();
    let mut socket = bound(&sockets);
    socket.set(UdpOption::ReceiveBufferSize(8 << 20)).unwrap();
    let (mut input, _) = stream(&mut socket, None).unwrap();
    let (plain, _) = plain();
    for _ in 0..40 {
        plain.send_to(&[0; 60_000], socket.local_address().unwrap()).unwrap();
    }
    let bytes = |datagrams: Vec<Datagram>| datagrams.iter().map(|d| d.data.len()).sum::<usize>();
    pause(input.wait());
    assert!(bytes(input.receive(u64::MAX).unwrap()) <= 512 << 10);
}
