//! `wasi:sockets/udp`: this program is both ends, on loopback, where nothing is lost or reordered
//! while the buffers have room.

#[macro_use]
mod check;
mod net;

use check::Check;
use net::{loopback, other, port, show, unspecified, v4, v6, wait, BUSY, FAMILIES};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::poll;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasip2::sockets::udp::{
    IncomingDatagram, IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};
use wasip2::sockets::udp_create_socket::create_udp_socket;

fn bound(family: IpAddressFamily) -> Result<UdpSocket, ErrorCode> {
    let socket = create_udp_socket(family)?;
    socket.start_bind(&instance_network(), loopback(family, 0))?;
    wait(socket.subscribe(), || socket.finish_bind())?;
    Ok(socket)
}

fn datagram(data: &[u8], to: Option<IpSocketAddress>) -> OutgoingDatagram {
    OutgoingDatagram { data: data.to_vec(), remote_address: to }
}

/// Sends them all, as many at a time as are permitted.
fn send(stream: &OutgoingDatagramStream, datagrams: &[OutgoingDatagram]) -> Result<(), ErrorCode> {
    let (writable, mut sent) = (stream.subscribe(), 0);
    while sent < datagrams.len() {
        match stream.check_send()? as usize {
            0 => writable.block(),
            permit => {
                let end = datagrams.len().min(sent + permit);
                sent += stream.send(&datagrams[sent..end])? as usize;
            }
        }
    }
    Ok(())
}

/// One that is permitted, and what became of it.
fn send_one(stream: &OutgoingDatagramStream, datagram: OutgoingDatagram) -> Result<u64, ErrorCode> {
    while stream.check_send()? == 0 {
        stream.subscribe().block();
    }
    stream.send(&[datagram])
}

fn receive(stream: &IncomingDatagramStream, count: usize) -> Result<Vec<IncomingDatagram>, ErrorCode> {
    let (readable, mut all) = (stream.subscribe(), Vec::new());
    while all.len() < count {
        let some = stream.receive((count - all.len()) as u64)?;
        if some.is_empty() {
            readable.block();
        }
        all.extend(some);
    }
    Ok(all)
}

fn unbound() -> Check {
    for family in FAMILIES {
        let socket = create_udp_socket(family)?;
        equal!(socket.address_family(), family);
        fails!(socket.finish_bind(), ErrorCode::NotInProgress);
        fails!(socket.local_address(), ErrorCode::InvalidState);
        fails!(socket.remote_address(), ErrorCode::InvalidState);
        fails!(socket.stream(None), ErrorCode::InvalidState);
        fails!(socket.stream(Some(loopback(family, 1))), ErrorCode::InvalidState);
    }
    Ok(())
}

fn binding() -> Check {
    let network = instance_network();
    for family in FAMILIES {
        let socket = create_udp_socket(family)?;
        fails!(socket.start_bind(&network, loopback(other(family), 0)), ErrorCode::InvalidArgument);
        socket.start_bind(&network, loopback(family, 0))?;
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState | BUSY);
        fails!(socket.stream(None), ErrorCode::InvalidState | BUSY);
        fails!(socket.local_address(), ErrorCode::InvalidState);
        wait(socket.subscribe(), || socket.finish_bind())?;
        fails!(socket.finish_bind(), ErrorCode::NotInProgress);
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState);
        let address = socket.local_address()?;
        holds!(port(address) != 0);
        equal!(show(address), show(loopback(family, port(address))));
        fails!(socket.remote_address(), ErrorCode::InvalidState);

        let second = create_udp_socket(family)?;
        let bind = |to| {
            second.start_bind(&network, to)?;
            wait(second.subscribe(), || second.finish_bind())
        };
        fails!(bind(address), ErrorCode::AddressInUse);
        bind(loopback(family, 0))?;
        holds!(port(second.local_address()?) != port(address));
    }
    let socket = create_udp_socket(IpAddressFamily::Ipv6)?;
    let mapped = v6([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], 0);
    fails!(socket.start_bind(&network, mapped), ErrorCode::InvalidArgument);
    Ok(())
}

/// Without an address of its own, a stream serves everybody.
fn to_anybody() -> Check {
    for family in FAMILIES {
        let (alice, bob) = (bound(family)?, bound(family)?);
        let (alice_at, bob_at) = (alice.local_address()?, bob.local_address()?);
        let (alice_in, alice_out) = alice.stream(None)?;
        let (bob_in, bob_out) = bob.stream(None)?;
        fails!(alice.remote_address(), ErrorCode::InvalidState);
        equal!(bob_in.receive(0)?.len(), 0);
        equal!(bob_in.receive(10)?.len(), 0);
        holds!(!bob_in.subscribe().ready());

        let words: Vec<_> =
            ["one", "", "three"].iter().map(|word| datagram(word.as_bytes(), Some(bob_at))).collect();
        send(&alice_out, &words)?;
        bob_in.subscribe().block();
        for (got, want) in receive(&bob_in, 3)?.iter().zip(&words) {
            equal!(got.data, want.data);
            equal!(show(got.remote_address), show(alice_at));
        }
        equal!(bob_in.receive(10)?.len(), 0);
        send(&bob_out, &[datagram(b"answer", Some(alice_at))])?;
        let answer = receive(&alice_in, 1)?;
        equal!(answer[0].data, b"answer");
        equal!(show(answer[0].remote_address), show(bob_at));

        fails!(send_one(&alice_out, datagram(b"x", None)), ErrorCode::InvalidArgument);
        for to in [loopback(other(family), 1), loopback(family, 0), unspecified(family, 1)] {
            fails!(send_one(&alice_out, datagram(b"x", Some(to))), ErrorCode::InvalidArgument);
        }
    }
    Ok(())
}

/// With an address, a stream serves that one alone.
fn to_one_only() -> Check {
    for family in FAMILIES {
        let (alice, bob, eve) = (bound(family)?, bound(family)?, bound(family)?);
        let (alice_at, bob_at) = (alice.local_address()?, bob.local_address()?);
        let (bob_in, bob_out) = bob.stream(Some(alice_at))?;
        equal!(show(bob.remote_address()?), show(alice_at));
        equal!(show(bob.local_address()?), show(bob_at));
        let (alice_in, alice_out) = alice.stream(Some(bob_at))?;
        let (eve_in, eve_out) = eve.stream(None)?;

        send(&eve_out, &[datagram(b"not for bob", Some(bob_at))])?;
        send(&alice_out, &[datagram(b"for", None), datagram(b"bob", Some(bob_at))])?;
        let got = receive(&bob_in, 2)?;
        equal!((&got[0].data[..], &got[1].data[..]), (&b"for"[..], &b"bob"[..]));
        equal!(show(got[0].remote_address), show(alice_at));
        equal!(bob_in.receive(10)?.len(), 0);
        send(&bob_out, &[datagram(b"back", None)])?;
        equal!(receive(&alice_in, 1)?[0].data, b"back");
        let elsewhere = Some(eve.local_address()?);
        fails!(send_one(&alice_out, datagram(b"x", elsewhere)), ErrorCode::InvalidArgument);
        drop((eve_in, eve_out));
        for to in [loopback(other(family), 1), loopback(family, 0), unspecified(family, 1)] {
            fails!(eve.stream(Some(to)), ErrorCode::InvalidArgument);
        }
    }
    Ok(())
}

/// The association of a socket can be changed, and taken away; it keeps the address that it was
/// bound to. (Linux forgets the port of a socket that is disconnected, unless it was asked for.)
fn streams_again() -> Check {
    for family in FAMILIES {
        let (alice, bob, carol) = (bound(family)?, bound(family)?, bound(family)?);
        let address = alice.local_address()?;
        let (bob_in, bob_out) = bob.stream(None)?;
        let (carol_in, _carol_out) = carol.stream(None)?;
        for (to, input) in [(&bob, &bob_in), (&carol, &carol_in), (&bob, &bob_in)] {
            let (incoming, outgoing) = alice.stream(Some(to.local_address()?))?;
            equal!(show(alice.remote_address()?), show(to.local_address()?));
            equal!(show(alice.local_address()?), show(address));
            send(&outgoing, &[datagram(b"hello", None)])?;
            equal!(receive(input, 1)?[0].data, b"hello");
            drop((incoming, outgoing));
        }
        let (incoming, outgoing) = alice.stream(None)?;
        fails!(alice.remote_address(), ErrorCode::InvalidState);
        fails!(send_one(&outgoing, datagram(b"x", None)), ErrorCode::InvalidArgument);
        equal!(show(alice.local_address()?), show(address));
        send(&bob_out, &[datagram(b"found you", Some(address))])?;
        equal!(receive(&incoming, 1)?[0].data, b"found you");
    }
    Ok(())
}

fn sizes() -> Check {
    for family in FAMILIES {
        let (alice, bob) = (bound(family)?, bound(family)?);
        let to = Some(bob.local_address()?);
        let ((_alice_in, alice_out), (bob_in, _bob_out)) = (alice.stream(None)?, bob.stream(None)?);
        for len in [0, 1, 1500, 9000, 60_000] {
            let data: Vec<u8> = (0..len).map(|i| i as u8).collect();
            send(&alice_out, &[datagram(&data, to)])?;
            holds!(receive(&bob_in, 1)?[0].data == data);
        }
        fails!(send_one(&alice_out, datagram(&[0; 70_000], to)), ErrorCode::DatagramTooLarge);
        while alice_out.check_send()? < 2 {
            alice_out.subscribe().block();
        }
        // What was sent before an error counts; the error then is not told.
        equal!(alice_out.send(&[datagram(b"fits", to), datagram(&[0; 70_000], to)])?, 1);
        equal!(receive(&bob_in, 1)?[0].data, b"fits");
        while alice_out.check_send()? == 0 {}
        equal!(alice_out.send(&[])?, 0);
    }
    Ok(())
}

fn several_at_once() -> Check {
    let (alice, bob) = (bound(IpAddressFamily::Ipv4)?, bound(IpAddressFamily::Ipv4)?);
    let to = Some(bob.local_address()?);
    let ((_alice_in, alice_out), (bob_in, _bob_out)) = (alice.stream(None)?, bob.stream(None)?);
    let many: Vec<_> = (0..50u8).map(|i| datagram(&[i; 10], to)).collect();
    send(&alice_out, &many)?;
    let first = receive(&bob_in, 7)?;
    equal!(first.len(), 7);
    let rest = receive(&bob_in, 43)?;
    for (i, got) in first.iter().chain(&rest).enumerate() {
        equal!(got.data, [i as u8; 10]);
    }
    equal!(bob_in.receive(u64::MAX)?.len(), 0);
    Ok(())
}

fn readiness() -> Check {
    let (alice, bob) = (bound(IpAddressFamily::Ipv6)?, bound(IpAddressFamily::Ipv6)?);
    let to = Some(bob.local_address()?);
    alice.subscribe().block();
    let ((_alice_in, alice_out), (bob_in, _bob_out)) = (alice.stream(None)?, bob.stream(None)?);
    let (readable, pause) = (bob_in.subscribe(), subscribe_duration(10_000_000));
    equal!(poll(&[&readable, &pause]), [1]);
    let writable = alice_out.subscribe();
    writable.block();
    holds!(writable.ready() && alice_out.check_send()? > 0);
    send(&alice_out, &[datagram(b"now", to)])?;
    equal!(poll(&[&readable]), [0]);
    receive(&bob_in, 1)?;
    holds!(!readable.ready());
    Ok(())
}

/// In every state.
fn options() -> Check {
    for family in FAMILIES {
        let (first, second) = (create_udp_socket(family)?, bound(family)?);
        let streaming = bound(family)?;
        let _streams = streaming.stream(Some(second.local_address()?))?;
        for socket in [&first, &second, &streaming] {
            for limit in [1, 64, 255] {
                socket.set_unicast_hop_limit(limit)?;
                equal!(socket.unicast_hop_limit()?, limit);
            }
            fails!(socket.set_unicast_hop_limit(0), ErrorCode::InvalidArgument);
            fails!(socket.set_receive_buffer_size(0), ErrorCode::InvalidArgument);
            fails!(socket.set_send_buffer_size(0), ErrorCode::InvalidArgument);
            for value in [1, 100_000, u64::MAX] {
                socket.set_receive_buffer_size(value)?;
                holds!(socket.receive_buffer_size()? > 0);
                socket.set_send_buffer_size(value)?;
                holds!(socket.send_buffer_size()? > 0);
            }
            equal!(socket.unicast_hop_limit()?, 255);
        }
    }
    Ok(())
}

/// Bound to all addresses of a family, a socket hears what comes to one of them.
fn every_interface() -> Check {
    for family in FAMILIES {
        let socket = create_udp_socket(family)?;
        socket.start_bind(&instance_network(), unspecified(family, 0))?;
        wait(socket.subscribe(), || socket.finish_bind())?;
        let address = socket.local_address()?;
        equal!(show(address), show(unspecified(family, port(address))));
        let sender = bound(family)?;
        let ((input, _output), (_input, output)) = (socket.stream(None)?, sender.stream(None)?);
        send(&output, &[datagram(b"hello", Some(loopback(family, port(address))))])?;
        equal!(show(receive(&input, 1)?[0].remote_address), show(sender.local_address()?));
    }
    let socket = bound(IpAddressFamily::Ipv4)?;
    holds!(show(socket.local_address()?) != show(v4(0, 0, 0, 0, 0)));
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] = checks![
    unbound,
    binding,
    to_anybody,
    to_one_only,
    streams_again,
    sizes,
    several_at_once,
    readiness,
    options,
    every_interface,
];

command!(check::run(CHECKS, |_, check| check()));
