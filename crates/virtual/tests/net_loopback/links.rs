//! Links that take time and lose things. The time is virtual: nobody sleeps.

use crate::net::{accept, addr, connect, datagram, host, is_ready, listener, recv, send, udp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Network, Shutdown, TcpSocket};
use wasi_host_core::wait::{Deadline, Wait, Waiter};
use wasi_host_core::{Errno, Result};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::{Host, Link, Loopback};
use wasi_host_virtual::time::{AutoAdvance, VirtualTime};

pub(super) const MILLISECOND: u64 = 1_000_000;

pub(super) struct World {
    pub(super) time: VirtualTime,
    pub(super) net: Loopback,
    pub(super) one: Host,
    pub(super) two: Host,
}

pub(super) fn world(link: Link) -> World {
    let time = VirtualTime::new();
    let net = Loopback::in_time(time.clone());
    let (one, two) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
    net.set_link(link);
    World { time, net, one, two }
}

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn latency(n: u64) -> Link {
    Link { latency: ms(n), ..Link::default() }
}

/// Whether it waits for that moment at the latest.
fn waits_until(wait: Wait<'_>, milliseconds: u64) -> bool {
    matches!(wait, Wait::NotifyBy(_, Deadline::Clock(_, when)) if when == milliseconds * MILLISECOND)
}

#[test]
fn a_connection_takes_there_and_back() {
    let World { time, one, two, .. } = world(latency(20));
    let listener = listener(&one, "10.0.0.1:80");
    let client = two.tcp(Family::Ipv4).unwrap();
    assert_eq!(client.connect(addr("10.0.0.1:80")), Err(Errno::InProgress));
    assert_eq!(client.connect(addr("10.0.0.1:81")), Err(Errno::Already));
    assert_eq!(send(&*client, b"x"), Err(Errno::Again));
    assert_eq!(recv(&*client, 1), Err(Errno::Again));
    assert!(waits_until(client.wait(Interest::Write), 40));
    assert!(waits_until(listener.wait(Interest::Read), 20));
    assert_eq!(listener.accept().err(), Some(Errno::Again));
    time.advance(ms(20));
    let server = accept(&*listener).unwrap();
    assert_eq!(client.connect(addr("10.0.0.1:80")), Err(Errno::InProgress));
    time.advance(ms(20));
    assert!(is_ready(client.wait(Interest::Write)));
    assert_eq!(client.connect(addr("10.0.0.1:80")), Ok(()));
    assert_eq!(client.connect(addr("10.0.0.1:80")), Err(Errno::IsConn));
    // So does the news that nobody listens.
    let other = two.tcp(Family::Ipv4).unwrap();
    assert_eq!(other.connect(addr("10.0.0.1:81")), Err(Errno::InProgress));
    assert!(waits_until(other.wait(Interest::Write), 80));
    time.advance(ms(40));
    assert_eq!(other.connect(addr("10.0.0.1:81")), Err(Errno::ConnRefused));
    drop(server);
}

/// Both ends of a connection, made when no time was needed.
pub(super) fn pair(world: &World, link: Link) -> (Arc<dyn TcpSocket>, Arc<dyn TcpSocket>) {
    world.net.set_link(Link::default());
    let listener = listener(&world.one, "10.0.0.1:80");
    let client = connect(&world.two, addr("10.0.0.1:80")).unwrap();
    let server = accept(&*listener).unwrap();
    world.net.set_link(link);
    (client, server)
}

#[test]
fn bytes_and_the_end_arrive_in_time_and_in_order() {
    let world = world(Link::default());
    let (client, server) = pair(&world, latency(20));
    send(&*client, b"one").unwrap();
    world.time.advance(ms(5));
    send(&*client, b"two").unwrap();
    // What is sent when the link is faster does not overtake.
    world.net.set_link(latency(1));
    send(&*client, b"three").unwrap();
    client.shutdown(wasi_host_core::net::Shutdown::Send).unwrap();
    assert_eq!(recv(&*server, 16), Err(Errno::Again));
    assert!(waits_until(server.wait(Interest::Read), 20));
    world.time.advance(ms(15));
    assert_eq!(recv(&*server, 16), Ok(b"one".to_vec()));
    assert!(waits_until(server.wait(Interest::Read), 25));
    world.time.advance(ms(5));
    assert_eq!(recv(&*server, 16), Ok(b"twothree".to_vec()));
    assert_eq!(recv(&*server, 16), Ok(Vec::new()));
}

#[test]
fn datagrams_arrive_in_time() {
    let World { time, one, two, .. } = world(latency(20));
    let (to, from) = (udp(&one, "10.0.0.1:53"), udp(&two, "10.0.0.2:0"));
    from.send(b"x", Some(addr("10.0.0.1:53"))).unwrap();
    assert_eq!(datagram(&*to), Err(Errno::Again));
    assert!(waits_until(to.wait(Interest::Read), 20));
    time.advance(ms(20));
    assert_eq!(datagram(&*to), Ok(b"x".to_vec()));
    // To itself a host speaks at once.
    to.send(b"self", Some(addr("10.0.0.1:53"))).unwrap();
    assert_eq!(datagram(&*to), Err(Errno::Again));
    let own = udp(&one, "127.0.0.1:0");
    own.send(b"self", own.local_addr().ok()).unwrap();
    assert_eq!(datagram(&*own), Ok(b"self".to_vec()));
}

#[test]
fn all_of_a_host_shares_its_bandwidth() {
    let world = world(Link::default());
    let link = Link { bandwidth: Some(10_000), latency: ms(10), ..Link::default() };
    let (client, server) = pair(&world, link);
    let (to, from) = (udp(&world.one, "10.0.0.1:53"), udp(&world.two, "10.0.0.2:0"));
    send(&*client, &[0; 960]).unwrap();
    assert!(waits_until(server.wait(Interest::Read), 110));
    from.send(&[0; 460], Some(addr("10.0.0.1:53"))).unwrap();
    assert!(waits_until(to.wait(Interest::Read), 160));
    // The other way is free.
    send(&*server, &[0; 60]).unwrap();
    assert!(waits_until(client.wait(Interest::Read), 20));
    // What it would need more than a second for gets lost.
    for _ in 0..1000 {
        from.send(&[0; 60], Some(addr("10.0.0.1:53"))).unwrap();
    }
    world.time.advance(ms(60_000));
    let arrived = std::iter::from_fn(|| datagram(&*to).ok()).count();
    assert!((80..110).contains(&arrived), "{arrived}");
}

/// Which of many datagrams arrive.
fn arrived(link: Link) -> Vec<u8> {
    let World { one, two, .. } = world(link);
    let (to, from) = (udp(&one, "10.0.0.1:53"), udp(&two, "10.0.0.2:0"));
    (0..200)
        .filter(|n| {
            from.send(&[*n], Some(addr("10.0.0.1:53"))).unwrap();
            datagram(&*to).is_ok()
        })
        .collect()
}

#[test]
fn the_same_seed_loses_the_same() {
    let link = Link { loss: 0.3, seed: 1, ..Link::default() };
    let first = arrived(link);
    assert!((100..180).contains(&first.len()), "{}", first.len());
    assert_eq!(arrived(link), first);
    assert_ne!(arrived(Link { seed: 2, ..link }), first);
    assert_eq!(arrived(Link { loss: 1.0, ..link }), []);
}

/// Tries until something other than "not yet" is said.
pub(super) fn until_done<'a, T>(
    waiter: &AutoAdvance,
    mut attempt: impl FnMut() -> Result<T>,
    wait: impl Fn() -> Wait<'a>,
) -> Result<T> {
    loop {
        match attempt() {
            Err(Errno::Again | Errno::InProgress) => {
                waiter.any(&[wait()], &mut [], &mut Vec::new())?;
            }
            done => return done,
        }
    }
}

#[test]
fn a_connection_loses_nothing_but_time() {
    let world = world(Link::default());
    let (client, server) = pair(&world, Link { loss: 0.3, latency: ms(5), ..Link::default() });
    let waiter = world.time.waiter(Arc::new(Poller::default()));
    let mut received = Vec::new();
    for i in 0..100u8 {
        assert_eq!(send(&*client, &[i; 10]), Ok(10));
        received.extend(until_done(&waiter, || recv(&*server, 10), || server.wait(Interest::Read)).unwrap());
    }
    let sent: Vec<u8> = (0..100).flat_map(|i| [i; 10]).collect();
    assert_eq!(received, sent);
    // 100 × 5 ms, and of every third a retransmission.
    assert!(world.time.now() > 2_000 * MILLISECOND, "{}", world.time.now());
}

#[test]
fn where_nothing_gets_through_any_more() {
    let began = Instant::now();
    let world = world(Link::default());
    let cut = Link { loss: 1.0, ..Link::default() };
    let (client, server) = pair(&world, cut);
    let _listener = listener(&world.one, "10.0.0.1:81");
    let waiter = world.time.waiter(Arc::new(Poller::default()));
    let socket = world.two.tcp(Family::Ipv4).unwrap();
    let connected =
        until_done(&waiter, || socket.connect(addr("10.0.0.1:81")), || socket.wait(Interest::Write));
    assert_eq!(connected, Err(Errno::TimedOut));
    assert!(world.time.now() > 10_000 * MILLISECOND);
    assert_eq!(send(&*client, b"x"), Err(Errno::TimedOut));
    assert_eq!(send(&*client, b"x"), Err(Errno::Pipe));
    assert_eq!(recv(&*client, 1), Ok(Vec::new()));
    assert_eq!(recv(&*server, 1), Err(Errno::TimedOut));
    assert_eq!(send(&*server, b"x"), Err(Errno::Pipe));
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// Each guest has a thread and a waiter; time moves when both wait.
#[test]
fn two_guests_in_one_time() {
    let World { time, one, two, .. } = world(latency(50));
    let listener = listener(&one, "10.0.0.1:80");
    let poller = || Arc::new(Poller::default());
    let (first, second) = (time.waiter(poller()), time.waiter(poller()));
    let exchange = |waiter: &AutoAdvance, socket: &dyn TcpSocket, begins: bool| {
        for round in 0..20u8 {
            if begins || round > 0 {
                assert_eq!(send(socket, &[round]), Ok(1));
            }
            let got = until_done(waiter, || recv(socket, 8), || socket.wait(Interest::Read));
            // After the last one comes the end.
            let last = begins && round == 19;
            assert_eq!(got, Ok(if last { Vec::new() } else { vec![round + u8::from(begins)] }));
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(move || {
            let accepted =
                until_done(&first, || listener.accept(), || listener.wait(Interest::Read)).unwrap();
            exchange(&first, &*accepted.0, false);
        });
        threads.spawn(move || {
            let socket = two.tcp(Family::Ipv4).unwrap();
            let to = addr("10.0.0.1:80");
            until_done(&second, || socket.connect(to), || socket.wait(Interest::Write)).unwrap();
            exchange(&second, &*socket, true);
        });
    });
    // There and back to connect; 20 times there, 19 times back, and the end.
    let passed = time.now() / MILLISECOND;
    assert!((100 + 39 * 50..=100 + 41 * 50).contains(&passed), "{passed} ms");
}

/// What never comes is no moment to wait for: something else may happen before.
#[test]
fn who_waits_for_what_never_comes_is_woken() {
    let net = Loopback::new();
    let (one, two) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
    let listener = listener(&one, "10.0.0.1:80");
    let client = connect(&two, addr("10.0.0.1:80")).unwrap();
    let server = accept(&*listener).unwrap();
    let mailbox = udp(&one, "10.0.0.1:1");
    net.set_link(Link { latency: Duration::MAX, ..Link::default() });
    client.shutdown(Shutdown::Send).unwrap();
    udp(&two, "10.0.0.2:1").send(b"x", Some(addr("10.0.0.1:1"))).unwrap();
    let late = two.tcp(Family::Ipv4).unwrap();
    let _ = late.connect(addr("10.0.0.1:80"));
    let waits = [server.wait(Interest::Read), mailbox.wait(Interest::Read), listener.wait(Interest::Read)];
    assert!(waits.iter().all(|wait| !is_ready(*wait)));
    server.shutdown(Shutdown::Receive).unwrap();
    mailbox.shutdown().unwrap();
    listener.shutdown(Shutdown::Both).unwrap();
    for wait in waits {
        assert!(wait.changed(), "{wait:?}");
    }
}

/// A waker may run the task that it wakes, on the spot.
#[test]
fn who_is_woken_may_ask_the_one_who_connects() {
    struct Asks(Arc<dyn TcpSocket>, AtomicBool);
    impl std::task::Wake for Asks {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0.connect(addr("10.0.0.1:80")) == Err(Errno::IsConn), Ordering::Relaxed);
        }
    }
    let (done, over) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let net = Loopback::new();
        let (one, two) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
        let listener = listener(&one, "10.0.0.1:80");
        let client = two.tcp(Family::Ipv4).unwrap();
        let asks = Arc::new(Asks(client.clone(), AtomicBool::new(false)));
        let Wait::Notify(watch) = listener.wait(Interest::Read) else { panic!("somebody is there") };
        let _registered = watch.register(&asks.clone().into()).unwrap();
        client.connect(addr("10.0.0.1:80")).unwrap();
        done.send(asks.1.load(Ordering::Relaxed)).unwrap();
    });
    assert_eq!(over.recv_timeout(Duration::from_secs(20)), Ok(true));
}
