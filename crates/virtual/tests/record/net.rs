//! Networks.

use super::{record, replay, same};
use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{AddrCheck, Family, Shutdown, SocketAddrUse, TcpOption, TcpOptionName, TcpSocket};
use wasi_host_core::slots::Slots;
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::net::NativeNetwork;
use wasi_host_native::wait::Poller;
use wasi_host_virtual::record::Tape;

fn any() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Does it until it can be done.
fn until<R>(waiter: &dyn Waiter, wait: impl Fn() -> Wait<'static>, op: impl Fn() -> Result<R, Errno>) -> R {
    loop {
        match op() {
            Err(Errno::Again | Errno::InProgress) => {
                waiter.any(&[wait()], &mut [], &mut Vec::new()).unwrap();
            }
            done => return done.unwrap(),
        }
    }
}

/// Both ends of a connection.
fn connection(tape: &Tape) -> (Arc<dyn TcpSocket>, Arc<dyn TcpSocket>, SocketAddr) {
    let (network, waiter) = (tape.network(Arc::new(NativeNetwork)), tape.waiter(Arc::new(Poller::default())));
    let (listener, client) = (network.tcp(Family::Ipv4).unwrap(), network.tcp(Family::Ipv4).unwrap());
    listener.bind(any()).unwrap();
    listener.listen(10).unwrap();
    assert!(listener.is_listening());
    let addr = listener.local_addr().unwrap();
    // A connection to this host is there at once, or soon: a wait of a moment's length.
    let soon = || Wait::For(std::time::Duration::from_millis(5));
    until(&*waiter, soon, || match client.connect(addr) {
        Err(Errno::IsConn) => Ok(()),
        Err(Errno::Already) => Err(Errno::Again),
        done => done,
    });
    let (server, peer) = until(&*waiter, soon, || listener.accept());
    assert_eq!(client.local_addr(), Ok(peer));
    (client, server, addr)
}

#[test]
fn a_connection_without_a_network() {
    let seen = same(|tape| {
        let (client, server, addr) = connection(tape);
        assert_eq!(client.send(&[IoSlice::new(b"hello"), IoSlice::new(b" there")]), Ok(11));
        client.set(TcpOption::HopLimit(9)).unwrap();
        let hops = client.get(TcpOptionName::HopLimit).unwrap();
        client.shutdown(Shutdown::Send).unwrap();
        assert!(matches!(server.wait(Interest::Read), Wait::Readable(_)));
        assert!(matches!(client.wait(Interest::Write), Wait::Writable(_)));
        let mut buf = [0; 100];
        let peeked = server.recv(&mut [IoSliceMut::new(&mut buf)], true);
        let n = server.recv(&mut [IoSliceMut::new(&mut buf)], false);
        (
            addr,
            server.peer_addr(),
            hops,
            peeked,
            n,
            buf,
            client.recv(&mut [IoSliceMut::new(&mut [0; 9])], false),
        )
    });
    assert!(seen.5.starts_with(b"hello there"), "{seen:?}");
    assert_eq!(seen.6, Err(Errno::Again));
}

#[test]
fn datagrams_and_names() {
    same(|tape| {
        let network = tape.network(Arc::new(NativeNetwork));
        let socket = network.udp(Family::Ipv4).unwrap();
        socket.bind(any()).unwrap();
        let own = socket.local_addr().unwrap();
        socket.send(b"to myself", Some(own)).unwrap();
        let mut buf = [0; 20];
        let got = loop {
            match socket.recv(&mut buf) {
                Err(Errno::Again) => std::thread::yield_now(),
                got => break got,
            }
        };
        assert_eq!((got, &buf[..9]), (Ok((9, own)), &b"to myself"[..]));
        assert!(socket.is_writable());
        let slots = Slots::new(1);
        let mut lookup = network.lookup("localhost", slots.take().unwrap()).unwrap();
        let mut waits = 0;
        let addresses = loop {
            match lookup.addresses() {
                Err(wasi_host_core::net::Error::WouldBlock) => {
                    waits += usize::from(!matches!(lookup.wait(), Wait::Forever));
                    std::thread::yield_now();
                }
                found => break found.unwrap(),
            }
        };
        assert!(addresses.iter().all(|addr| addr.is_loopback()));
        drop(lookup);
        assert!(slots.take().is_some(), "what the guest held is free at once");
        (own, addresses, waits)
    });
}

#[test]
fn who_knows_about_addresses_is_not_asked_again() {
    let program = |tape: &Tape| {
        let allows = !tape.replays();
        let check = tape.check(AddrCheck::when(move |addr, _| allows && addr.port() == 80));
        [80, 81].map(|port| {
            let checking = check.check(([127, 0, 0, 1], port).into(), SocketAddrUse::TcpConnect);
            matches!(checking.known(), Some(Ok(_)))
        })
    };
    assert_eq!(same(program), [true, false]);
}

#[test]
fn other_bytes_are_found() {
    let program = |text: &'static [u8]| {
        move |tape: &Tape| {
            let (client, _server, _) = connection(tape);
            client.send(&[IoSlice::new(text)])
        }
    };
    let (log, _) = record(program(b"one"));
    assert_eq!(replay(log.clone(), program(b"one")), (Ok(3), Ok(())));
    let (sent, ended) = replay(log, program(b"two"));
    assert_eq!(sent, Err(Errno::Io));
    let e = ended.unwrap_err();
    assert!(e.expected.contains("send 3 bytes") && e.found.contains("a TCP socket, which call"), "{e}");
}

/// What is taken back from a guest is so from outside, of which the log knows nothing.
#[test]
fn a_socket_for_datagrams_can_be_taken_back() {
    let (log, ()) = record(|tape| {
        let host = wasi_host_virtual::net::Loopback::new().host([]).unwrap();
        let socket = tape.network(Arc::new(host)).udp(Family::Ipv4).unwrap();
        socket.bind(([127, 0, 0, 1], 1).into()).unwrap();
        socket.shutdown().unwrap();
    });
    let ((), ended) = replay(log, |tape| {
        let socket = tape.network(Arc::new(wasi_host_virtual::net::Denied)).udp(Family::Ipv4).unwrap();
        socket.bind(([127, 0, 0, 1], 1).into()).unwrap();
    });
    assert_eq!(ended, Ok(()));
}
