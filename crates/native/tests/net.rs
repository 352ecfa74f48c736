//! TCP over 127.0.0.1.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Network, Shutdown, TcpOption, TcpOptionName, TcpSocket};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_core::{Errno, Result};
use wasi_host_native::net::{self, NativeNetwork};
use wasi_host_native::wait::Poller;

const HERE: &str = "127.0.0.1:0";

fn here() -> SocketAddr {
    HERE.parse().unwrap()
}

/// Tries until it is not told to wait.
fn patiently<T>(socket: &dyn TcpSocket, interest: Interest, mut op: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match op() {
            Err(Errno::Again | Errno::InProgress) => {
                let waits = [socket.wait(interest), Wait::For(Duration::from_secs(60))];
                let mut ended = Vec::new();
                Poller::default().any(&waits, &mut [], &mut ended).unwrap();
                assert_eq!(ended[0].index, 0, "nothing happened for a minute");
            }
            done => return done,
        }
    }
}

fn recv(socket: &dyn TcpSocket, n: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; n];
    let n = patiently(socket, Interest::Read, || socket.recv(&mut [IoSliceMut::new(&mut bytes)], false))?;
    bytes.truncate(n);
    Ok(bytes)
}

fn pair() -> (Arc<dyn TcpSocket>, Arc<dyn TcpSocket>) {
    let server = net::listener(TcpListener::bind(HERE).unwrap()).unwrap();
    let client = NativeNetwork.tcp(Family::Ipv4).unwrap();
    let addr = server.local_addr().unwrap();
    patiently(&*client, Interest::Write, || client.connect(addr)).unwrap();
    let (accepted, peer) = patiently(&*server, Interest::Read, || server.accept()).unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    (client, accepted)
}

#[test]
fn a_connection_from_beginning_to_end() {
    let server = NativeNetwork.tcp(Family::Ipv4).unwrap();
    server.bind(here()).unwrap();
    assert!(!server.is_listening());
    server.listen(u32::MAX).unwrap();
    assert!(server.is_listening());
    assert!(matches!(server.accept(), Err(Errno::Again)));
    let addr = server.local_addr().unwrap();
    assert_ne!(addr.port(), 0);

    let client = NativeNetwork.tcp(Family::Ipv4).unwrap();
    assert_eq!(client.peer_addr(), Err(Errno::NotConn));
    patiently(&*client, Interest::Write, || client.connect(addr)).unwrap();
    assert_eq!(client.connect(addr), Err(Errno::IsConn));
    assert_eq!(client.peer_addr(), Ok(addr));

    let (accepted, peer) = patiently(&*server, Interest::Read, || server.accept()).unwrap();
    assert_eq!(Ok(peer), client.local_addr());
    assert_eq!(accepted.peer_addr(), Ok(peer));
    assert!(!accepted.is_listening());

    assert_eq!(accepted.recv(&mut [IoSliceMut::new(&mut [0; 4])], false), Err(Errno::Again));
    assert_eq!(client.send(&[IoSlice::new(b"hel"), IoSlice::new(b""), IoSlice::new(b"lo")]), Ok(5));
    let (mut a, mut b) = ([0; 2], [0; 8]);
    let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
    for peek in [true, true, false] {
        assert_eq!(patiently(&*accepted, Interest::Read, || accepted.recv(&mut bufs, peek)), Ok(5));
    }
    assert_eq!((&a, &b[..3]), (b"he", &b"llo"[..]));

    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(recv(&*accepted, 8).unwrap(), b"");
    assert_eq!(accepted.send(&[IoSlice::new(b"bye")]), Ok(3));
    assert_eq!(recv(&*client, 8).unwrap(), b"bye");
    assert_eq!(client.send(&[IoSlice::new(b"x")]), Err(Errno::Pipe), "and no signal");
}

#[test]
fn nobody_listens() {
    let addr = TcpListener::bind(HERE).unwrap().local_addr().unwrap();
    let client = NativeNetwork.tcp(Family::Ipv4).unwrap();
    let refused = patiently(&*client, Interest::Write, || client.connect(addr));
    assert_eq!(refused, Err(Errno::ConnRefused));
}

#[test]
fn an_address_that_is_taken_and_one_that_is_not_ours() {
    let server = net::listener(TcpListener::bind(HERE).unwrap()).unwrap();
    let other = NativeNetwork.tcp(Family::Ipv4).unwrap();
    assert_eq!(other.bind(server.local_addr().unwrap()), Err(Errno::AddrInUse));
    assert_eq!(other.bind("192.0.2.1:0".parse().unwrap()), Err(Errno::AddrNotAvail));
}

#[test]
fn a_full_socket_says_again_and_goes_on_when_read() {
    let (a, b) = pair();
    let mut sent = 0;
    loop {
        match a.send(&[IoSlice::new(&[7; 65_536])]) {
            Ok(n) => sent += n,
            Err(e) => break assert_eq!(e, Errno::Again),
        }
    }
    let reader = std::thread::spawn(move || {
        let mut received = 0;
        while received < sent + 4 {
            received += recv(&*b, 1 << 20).unwrap().len();
        }
        received
    });
    assert_eq!(patiently(&*a, Interest::Write, || a.send(&[IoSlice::new(b"last")])), Ok(4));
    assert_eq!(reader.join().unwrap(), sent + 4);
}

#[test]
fn more_buffers_than_the_kernel_takes() {
    let (a, b) = pair();
    let bufs: Vec<_> = (0..3000).map(|_| IoSlice::new(b"x")).collect();
    assert_eq!(a.send(&bufs), Ok(1024));
    let mut space = vec![[0; 1]; 3000];
    let mut bufs: Vec<_> = space.iter_mut().map(|b| IoSliceMut::new(b)).collect();
    assert_eq!(patiently(&*b, Interest::Read, || b.recv(&mut bufs, false)), Ok(1024));
}

#[test]
fn sockets_of_the_standard_library() {
    let listener = TcpListener::bind(HERE).unwrap();
    let addr = listener.local_addr().unwrap();
    let server = net::listener(listener).unwrap();
    assert!(server.is_listening());
    let mut plain = TcpStream::connect(addr).unwrap();
    let (accepted, _) = patiently(&*server, Interest::Read, || server.accept()).unwrap();
    accepted.send(&[IoSlice::new(b"hello")]).unwrap();
    let mut five = [0; 5];
    plain.read_exact(&mut five).unwrap();
    assert_eq!(&five, b"hello");

    plain.write_all(b"back").unwrap();
    assert_eq!(recv(&*accepted, 8).unwrap(), b"back");

    let ours = net::stream(plain).unwrap();
    assert_eq!(ours.peer_addr(), Ok(addr));
    assert_eq!(ours.recv(&mut [IoSliceMut::new(&mut five)], false), Err(Errno::Again));
    accepted.shutdown(Shutdown::Both).unwrap();
    assert_eq!(recv(&*ours, 8).unwrap(), b"");
}

#[test]
fn options() {
    use TcpOption::*;
    let socket = NativeNetwork.tcp(Family::Ipv4).unwrap();
    let round_trip = |set: TcpOption, name, expected: TcpOption| {
        socket.set(set).unwrap();
        assert_eq!(socket.get(name).unwrap(), expected, "after {set:?}");
    };
    let s = Duration::from_secs;
    round_trip(KeepAlive(true), TcpOptionName::KeepAlive, KeepAlive(true));
    round_trip(KeepAlive(false), TcpOptionName::KeepAlive, KeepAlive(false));
    let idle = TcpOptionName::KeepAliveIdleTime;
    round_trip(KeepAliveIdleTime(s(10)), idle, KeepAliveIdleTime(s(10)));
    round_trip(KeepAliveIdleTime(Duration::from_nanos(1)), idle, KeepAliveIdleTime(s(1)));
    round_trip(KeepAliveIdleTime(Duration::MAX), idle, KeepAliveIdleTime(s(32_767)));
    let interval = TcpOptionName::KeepAliveInterval;
    round_trip(KeepAliveInterval(Duration::from_millis(1500)), interval, KeepAliveInterval(s(2)));
    round_trip(KeepAliveInterval(Duration::MAX), interval, KeepAliveInterval(s(32_767)));
    round_trip(KeepAliveCount(3), TcpOptionName::KeepAliveCount, KeepAliveCount(3));
    round_trip(KeepAliveCount(u32::MAX), TcpOptionName::KeepAliveCount, KeepAliveCount(127));
    round_trip(HopLimit(42), TcpOptionName::HopLimit, HopLimit(42));
    round_trip(ReceiveBufferSize(10_000), TcpOptionName::ReceiveBufferSize, ReceiveBufferSize(10_000));
    round_trip(SendBufferSize(10_000), TcpOptionName::SendBufferSize, SendBufferSize(10_000));
    for large in [ReceiveBufferSize(u64::MAX), SendBufferSize(u64::MAX)] {
        socket.set(large).unwrap();
    }
}

#[test]
fn options_of_the_other_family() {
    // Some machines have no IPv6 at all.
    let Ok(socket) = NativeNetwork.tcp(Family::Ipv6) else { return };
    socket.set(TcpOption::HopLimit(7)).unwrap();
    assert_eq!(socket.get(TcpOptionName::HopLimit), Ok(TcpOption::HopLimit(7)));
}
