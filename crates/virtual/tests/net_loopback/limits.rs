//! Whatever guests do, the host's memory is bounded.

use crate::net::{accept, addr, connect, datagram, host, is_ready, listener, recv, send, udp};
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Network, TcpOption, UdpOption};
use wasi_host_virtual::net::{Link, Loopback};
use wasi_host_virtual::time::VirtualTime;

/// What is held at the end, in bytes.
fn held<T>(act: impl FnOnce() -> T) -> u64 {
    let mut kept = None;
    let info = allocation_counter::measure(|| kept = Some(act()));
    drop(kept);
    u64::try_from(info.bytes_current).unwrap_or(0)
}

#[test]
fn a_queue_of_connections_has_an_end() {
    let time = VirtualTime::new();
    let net = Loopback::in_time(time.clone());
    let one = host(&net, "10.0.0.1");
    let listener = listener(&one, "10.0.0.1:80");
    let to = addr("10.0.0.1:80");
    let waiting: Vec<_> = (0..128).map(|_| connect(&one, to).unwrap()).collect();
    // One more waits for a place, …
    let late = one.tcp(Family::Ipv4).unwrap();
    assert_eq!(late.connect(to), Err(Errno::InProgress));
    assert!(!is_ready(late.wait(Interest::Write)));
    accept(&*listener).unwrap();
    time.advance(Duration::from_secs(1));
    assert!(is_ready(late.wait(Interest::Write)));
    assert_eq!(late.connect(to), Ok(()));
    // … and does not wait for ever.
    let too_late = one.tcp(Family::Ipv4).unwrap();
    let (mut asked, began) = (0, time.now());
    while too_late.connect(to) == Err(Errno::InProgress) {
        time.advance(Duration::from_millis(100));
        asked += 1;
        assert!(asked < 1000);
    }
    assert_eq!(too_late.connect(to), Err(Errno::InProgress));
    assert!((10..20).contains(&((time.now() - began) / 1_000_000_000)));
    drop(waiting);
    // A shorter queue is one from the beginning.
    let short = one.tcp(Family::Ipv4).unwrap();
    short.bind(addr("10.0.0.1:81")).unwrap();
    short.listen(2).unwrap();
    let _two = [(); 2].map(|()| connect(&one, addr("10.0.0.1:81")).unwrap());
    assert_eq!(one.tcp(Family::Ipv4).unwrap().connect(addr("10.0.0.1:81")), Err(Errno::InProgress));
}

#[test]
fn a_flood_of_connections_that_nobody_accepts() {
    let net = Loopback::new();
    let (one, two) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
    let _listener = listener(&one, "10.0.0.1:80");
    let full = vec![7; 1 << 20];
    let bytes = held(|| {
        for _ in 0..5_000 {
            let socket = two.tcp(Family::Ipv4).unwrap();
            let _ = socket.connect(addr("10.0.0.1:80"));
            while send(&*socket, &full).is_ok() {}
        }
    });
    assert!(bytes > 128 * 60_000, "{bytes}");
    assert!(bytes < 128 * 140_000, "{bytes}");
}

#[test]
fn what_nobody_receives() {
    let net = Loopback::new();
    net.set_link(Link { latency: Duration::from_secs(3600), ..Link::default() });
    let one = host(&net, "10.0.0.1");
    let full = vec![7; 60_000];
    for (what, len) in [("empty", 0), ("small", 1), ("large", 60_000)] {
        for to in ["10.0.0.1:1", "127.0.0.1:1"] {
            let receiver = udp(&one, "0.0.0.0:1");
            receiver.set(UdpOption::ReceiveBufferSize(u64::MAX)).unwrap();
            let sender = udp(&one, "0.0.0.0:2");
            let bytes = held(|| {
                for _ in 0..20_000 {
                    sender.send(&full[..len], Some(addr(to))).unwrap();
                }
            });
            assert!((100_000..3 << 20).contains(&bytes), "{what} to {to}: {bytes}");
        }
    }
}

#[test]
fn single_bytes_on_their_way() {
    let time = VirtualTime::new();
    let net = Loopback::in_time(time.clone());
    let one = host(&net, "10.0.0.1");
    let listener = listener(&one, "10.0.0.1:80");
    let client = connect(&one, addr("10.0.0.1:80")).unwrap();
    let server = accept(&*listener).unwrap();
    net.set_link(Link { latency: Duration::from_secs(1), ..Link::default() });
    let mut sent = 0u64;
    let bytes = held(|| {
        while send(&*client, &[sent as u8]).is_ok() {
            sent += 1;
            time.advance(Duration::from_micros(1));
        }
    });
    assert_eq!(sent, 64 << 10);
    assert!(bytes < 200_000, "{bytes}");
    time.advance(Duration::from_secs(2));
    let mut received = 0;
    while let Ok(got) = recv(&*server, 1000) {
        assert!(got.iter().all(|byte| {
            received += 1;
            *byte == (received - 1) as u8
        }));
    }
    assert_eq!(received, sent);
}

#[test]
fn a_buffer_has_the_size_that_was_set() {
    let net = Loopback::new();
    let one = host(&net, "10.0.0.1");
    let listener = listener(&one, "10.0.0.1:80");
    let client = connect(&one, addr("10.0.0.1:80")).unwrap();
    let server = accept(&*listener).unwrap();
    let bytes = vec![1; 8 << 20];
    for (size, room) in [(1, 2 << 10), (100_000, 100_000), (u64::MAX, 1 << 20)] {
        server.set(TcpOption::ReceiveBufferSize(size)).unwrap();
        let mut sent = 0;
        while let Ok(n) = send(&*client, &bytes) {
            sent += n;
        }
        assert_eq!(sent, room);
        while recv(&*server, 1 << 20).is_ok() {}
    }
}

#[test]
fn ports_run_out_and_come_back() {
    let net = Loopback::new();
    let one = host(&net, "10.0.0.1");
    let mut all: Vec<_> = (0..16_384).map(|_| udp(&one, "10.0.0.1:0")).collect();
    let more = one.udp(Family::Ipv4).unwrap();
    assert_eq!(more.bind(addr("10.0.0.1:0")), Err(Errno::AddrInUse));
    assert_eq!(more.connect(Some(addr("10.0.0.1:1"))), Err(Errno::AddrNotAvail));
    assert_eq!(more.send(b"x", Some(addr("10.0.0.1:1"))), Err(Errno::Again));
    let freed = all.swap_remove(77).local_addr().unwrap();
    assert_eq!(more.bind(addr("10.0.0.1:0")), Ok(()));
    assert_eq!(more.local_addr(), Ok(freed));
    // Each protocol, family and host has its own.
    assert!(one.tcp(Family::Ipv4).unwrap().bind(addr("10.0.0.1:0")).is_ok());
    assert!(one.udp(Family::Ipv6).unwrap().bind(addr("[::1]:0")).is_ok());
    assert!(host(&net, "10.0.0.2").udp(Family::Ipv4).unwrap().bind(addr("0.0.0.0:0")).is_ok());
    assert!(datagram(&*more).is_err());
}
