//! Datagrams.

use super::Here;
use super::here::pattern;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::fs::Interest;
use crate::net::UdpSocket;
use crate::{Errno, Result};

super::list!("datagrams":
    a_new_socket_has_no_address,
    addresses,
    bind_twice,
    bind_where_somebody_is,
    bind_to_what_is_not_here,
    to_and_fro,
    nothing_has_come,
    who_waits_is_woken,
    empty_ones,
    cut_to_the_buffer,
    sizes,
    to_nobody,
    to_a_socket_at_every_address,
    a_single_peer,
    a_peer_taken_back,
    another_peer,
    an_address_for_the_peer_alone,
    to_where_nobody_is,
    a_flood,
    ended_for_good,
);

fn recv_now(socket: &dyn UdpSocket) -> Result<usize> {
    socket.recv(&mut [0; 16]).map(|(n, _)| n)
}

fn a_new_socket_has_no_address(here: &Here) {
    equal("the local port", here.udp().local_addr().map_or(0, |addr| addr.port()), 0);
}

fn addresses(here: &Here) {
    let (_socket, addr) = here.bound_udp();
    equal("the address", addr.ip(), here.at(0).ip());
    holds("the port is 0", addr.port() != 0);
    let anywhere = here.udp();
    ok("bind to every address", anywhere.bind(here.anywhere()));
    let addr = ok("local_addr", anywhere.local_addr());
    holds("the address is a certain one", addr.ip().is_unspecified() && addr.port() != 0);
}

fn bind_twice(here: &Here) {
    let (socket, addr) = here.bound_udp();
    fails("bind once more", socket.bind(here.at(0)), &[Errno::Inval]);
    equal("local_addr", socket.local_addr(), Ok(addr));
}

fn bind_where_somebody_is(here: &Here) {
    let (first, addr) = here.bound_udp();
    let other = here.udp();
    fails("bind", other.bind(addr), &[Errno::AddrInUse]);
    let mut everywhere = here.anywhere();
    everywhere.set_port(addr.port());
    fails("bind to every address", other.bind(everywhere), &[Errno::AddrInUse]);
    drop(first);
    ok("bind when it has gone", other.bind(addr));
}

fn bind_to_what_is_not_here(here: &Here) {
    let socket = here.udp();
    fails("bind", socket.bind(here.elsewhere()), &[Errno::AddrNotAvail]);
    fails("bind to the other family", socket.bind(here.foreign()), &[Errno::AfNoSupport, Errno::Inval]);
}

fn to_and_fro(here: &Here) {
    let ((first, one), (second, two)) = (here.bound_udp(), here.bound_udp());
    ok("send", first.send(b"one", Some(two)));
    ok("send", first.send(b"two", Some(two)));
    equal("the first", here.datagram(&*second, 16), (b"one".to_vec(), one));
    equal("the second", here.datagram(&*second, 16), (b"two".to_vec(), one));
    ok("send back", second.send(b"back", Some(one)));
    equal("the answer", here.datagram(&*first, 16), (b"back".to_vec(), two));
    ok("send to itself", first.send(b"self", Some(one)));
    equal("to itself", here.datagram(&*first, 16), (b"self".to_vec(), one));
}

fn nothing_has_come(here: &Here) {
    let (socket, _) = here.bound_udp();
    fails("recv", recv_now(&*socket), &[Errno::Again]);
    holds("it is ready", !here.is_ready(socket.wait(Interest::Read)));
    holds("it has no room", here.is_ready(socket.wait(Interest::Write)));
    holds("it says that it has no room", socket.is_writable());
}

fn who_waits_is_woken(here: &Here) {
    let ((first, one), (second, two)) = (here.bound_udp(), here.bound_udp());
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| here.datagram(&*second, 16));
        here.pause();
        ok("send", first.send(b"hello", Some(two)));
        equal("what came", waiting.join().ok(), Some((b"hello".to_vec(), one)));
    });
}

fn empty_ones(here: &Here) {
    let ((first, one), (second, two)) = (here.bound_udp(), here.bound_udp());
    ok("send of nothing", first.send(b"", Some(two)));
    ok("send", first.send(b"x", Some(two)));
    equal("nothing", here.datagram(&*second, 16), (Vec::new(), one));
    equal("something", here.datagram(&*second, 16), (b"x".to_vec(), one));
}

fn cut_to_the_buffer(here: &Here) {
    let ((first, one), (second, two)) = (here.bound_udp(), here.bound_udp());
    for datagram in [&b"abcdef"[..], b"ghi"] {
        ok("send", first.send(datagram, Some(two)));
    }
    equal("the first, cut", here.datagram(&*second, 2), (b"ab".to_vec(), one));
    equal("the second, to nothing", here.datagram(&*second, 0), (Vec::new(), one));
    fails("recv of what was cut off", recv_now(&*second), &[Errno::Again]);
}

fn sizes(here: &Here) {
    let ((first, one), (second, two)) = (here.bound_udp(), here.bound_udp());
    for len in [1, 512, 1200, 1472, 9000, 65_000, 65_507] {
        let bytes = pattern(len);
        match first.send(&bytes, Some(two)) {
            Ok(()) => equal("what came", here.datagram(&*second, 70_000), (bytes, one)),
            // So much goes everywhere.
            refused => {
                holds(format_args!("{len} bytes are refused"), len > 1200);
                fails(format_args!("send of {len} bytes"), refused, &[Errno::MsgSize]);
            }
        }
    }
    fails("send of too much", first.send(&pattern(70_000), Some(two)), &[Errno::MsgSize]);
}

fn to_nobody(here: &Here) {
    let (socket, _) = here.bound_udp();
    let expected = [Errno::DestAddrReq, Errno::NotConn, Errno::Inval];
    fails("send", socket.send(b"x", None), &expected);
}

fn to_a_socket_at_every_address(here: &Here) {
    let anywhere = here.udp();
    ok("bind", anywhere.bind(here.anywhere()));
    let addr = here.at(ok("local_addr", anywhere.local_addr()).port());
    let (socket, from) = here.bound_udp();
    ok("send", socket.send(b"x", Some(addr)));
    equal("what came", here.datagram(&*anywhere, 16), (b"x".to_vec(), from));
    ok("send back", anywhere.send(b"y", Some(from)));
    equal("the answer", here.datagram(&*socket, 16), (b"y".to_vec(), addr));
}

fn a_single_peer(here: &Here) {
    let ((socket, addr), (peer, from)) = (here.bound_udp(), here.bound_udp());
    let (other, _) = here.bound_udp();
    ok("connect", socket.connect(Some(from)));
    equal("local_addr", socket.local_addr(), Ok(addr));
    ok("send by another", other.send(b"other", Some(addr)));
    ok("send by the peer", peer.send(b"peer", Some(addr)));
    equal("what came", here.datagram(&*socket, 16), (b"peer".to_vec(), from));
    fails("recv of the other", recv_now(&*socket), &[Errno::Again]);
    ok("send to the peer", socket.send(b"back", None));
    equal("the answer", here.datagram(&*peer, 16), (b"back".to_vec(), addr));
}

fn a_peer_taken_back(here: &Here) {
    let ((socket, addr), (_peer, from)) = (here.bound_udp(), here.bound_udp());
    let (other, third) = here.bound_udp();
    ok("connect", socket.connect(Some(from)));
    ok("take it back", socket.connect(None));
    equal("local_addr", socket.local_addr(), Ok(addr));
    let expected = [Errno::DestAddrReq, Errno::NotConn, Errno::Inval];
    fails("send to no peer", socket.send(b"x", None), &expected);
    ok("send by another", other.send(b"other", Some(addr)));
    equal("what came", here.datagram(&*socket, 16), (b"other".to_vec(), third));
    ok("send to another", socket.send(b"back", Some(third)));
    equal("the answer", here.datagram(&*other, 16), (b"back".to_vec(), addr));
}

fn another_peer(here: &Here) {
    let ((socket, addr), (first, one)) = (here.bound_udp(), here.bound_udp());
    let (second, two) = here.bound_udp();
    ok("connect", socket.connect(Some(one)));
    ok("connect to another", socket.connect(Some(two)));
    ok("send by the first", first.send(b"first", Some(addr)));
    ok("send by the second", second.send(b"second", Some(addr)));
    equal("what came", here.datagram(&*socket, 16), (b"second".to_vec(), two));
    ok("send", socket.send(b"back", None));
    equal("the answer", here.datagram(&*second, 16), (b"back".to_vec(), addr));
    fails("recv by the first", recv_now(&*first), &[Errno::Again]);
}

fn an_address_for_the_peer_alone(here: &Here) {
    let (peer, from) = here.bound_udp();
    let socket = here.udp();
    ok("connect", socket.connect(Some(from)));
    let addr = ok("local_addr", socket.local_addr());
    equal("the address", addr.ip(), here.at(0).ip());
    holds("the port is 0", addr.port() != 0);
    ok("send", socket.send(b"x", None));
    equal("what came", here.datagram(&*peer, 16), (b"x".to_vec(), addr));
    ok("take it back", socket.connect(None));
    equal("the port", socket.local_addr().map_or(0, |addr| addr.port()), 0);
    ok("bind", socket.bind(here.at(0)));
}

fn to_where_nobody_is(here: &Here) {
    let (gone, addr) = here.bound_udp();
    drop(gone);
    let (socket, from) = here.bound_udp();
    // Nobody says so to a socket that speaks to many.
    for _ in 0..3 {
        ok("send", socket.send(b"x", Some(addr)));
    }
    ok("send to itself", socket.send(b"self", Some(from)));
    equal("to itself", here.datagram(&*socket, 16), (b"self".to_vec(), from));
}

fn a_flood(here: &Here) {
    let ((socket, _), (idle, addr)) = (here.bound_udp(), here.bound_udp());
    let payload = [0xAB; 1000];
    for i in 0..5_000u32 {
        let bytes = [&i.to_le_bytes()[..], &payload].concat();
        match socket.send(&bytes, Some(addr)) {
            Ok(()) => {}
            refused => fails("send", refused, &[Errno::Again, Errno::NoBufs]),
        }
    }
    // Whatever was lost, the order was not.
    here.wait(idle.wait(Interest::Read));
    let mut last = None;
    loop {
        let mut bytes = [0; 2000];
        match idle.recv(&mut bytes) {
            Ok((n, _)) => {
                let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                equal("the length", n, 1004);
                holds("the order", last < Some(number));
                last = Some(number);
            }
            empty => {
                fails("recv", empty, &[Errno::Again]);
                break;
            }
        }
    }
    holds("nothing came", last.is_some());
}

fn ended_for_good(here: &Here) {
    let (socket, _) = here.bound_udp();
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| match socket.wait(Interest::Read) {
            wait if here.is_ready(wait) => {}
            wait => here.wait(wait),
        });
        here.pause();
        if socket.shutdown() == Err(Errno::NotSup) {
            ok("send to itself", socket.send(b"", socket.local_addr().ok()));
        } else {
            holds("it is not ready", here.is_ready(socket.wait(Interest::Read)));
        }
        holds("the waiting did not end", waiting.join().is_ok());
    });
}
