//! Who waits for what is on its way hears of what comes before.

use crate::net::{accept, addr, connect, datagram, host, is_ready, listener, pause, recv, send, udp};
use crate::net_loopback::links::{MILLISECOND, World, latency, ms, until_done, world};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Network, Shutdown, TcpSocket};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::{Host, Link, Loopback};
use wasi_host_virtual::time::VirtualTime;

/// What is on its way for an hour, of real time or of time that nobody moves.
const FAR: Link = Link { latency: Duration::from_secs(3600), loss: 0.0, bandwidth: None, seed: 0 };
const CUT: Link = Link { latency: Duration::ZERO, loss: 1.0, bandwidth: None, seed: 0 };

fn networks() -> [(Loopback, Host, Host); 2] {
    [Loopback::new(), Loopback::in_time(VirtualTime::new())].map(|net| {
        let (one, two) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
        (net, one, two)
    })
}

/// Both ends of a connection, before the link becomes what it shall be.
fn pair(net: &Loopback, one: &Host, two: &Host, link: Link) -> (Arc<dyn TcpSocket>, Arc<dyn TcpSocket>) {
    let listener = listener(one, "10.0.0.1:80");
    let client = connect(two, addr("10.0.0.1:80")).unwrap();
    let server = accept(&*listener).unwrap();
    net.set_link(link);
    (client, server)
}

/// Waits on a thread of its own, while something is done here.
fn woken(wait: impl FnOnce() + Send, act: impl FnOnce()) {
    thread::scope(|threads| {
        threads.spawn(wait);
        thread::sleep(ms(30));
        act();
    });
}

#[test]
fn a_datagram_overtakes_another() {
    for (net, one, two) in networks() {
        let (to, from) = (udp(&one, "10.0.0.1:53"), udp(&two, "10.0.0.2:0"));
        net.set_link(FAR);
        from.send(b"far", Some(addr("10.0.0.1:53"))).unwrap();
        assert!(!is_ready(to.wait(Interest::Read)));
        let near = || {
            net.set_link(Link::default());
            from.send(b"near", Some(addr("10.0.0.1:53"))).unwrap();
        };
        woken(|| pause(to.wait(Interest::Read)), near);
        assert_eq!(datagram(&*to), Ok(b"near".to_vec()));
        assert_eq!(datagram(&*to), Err(Errno::Again));
        woken(|| pause(to.wait(Interest::Read)), || to.shutdown().unwrap());
        assert_eq!(datagram(&*to), Err(Errno::Pipe));
    }
}

/// In a time that moves by itself it is there when it was sent, not when the other comes.
#[test]
fn time_does_not_move_past_what_overtakes() {
    let World { time, net, one, two } = world(latency(900));
    let (to, from) = (udp(&one, "10.0.0.1:53"), udp(&two, "10.0.0.2:0"));
    from.send(b"far", Some(addr("10.0.0.1:53"))).unwrap();
    let [first, second] = [(); 2].map(|()| time.waiter(Arc::new(Poller::default())));
    thread::scope(|threads| {
        threads.spawn(|| {
            let (time, waiter) = (&time, second);
            let slept = || if time.now() < 100 * MILLISECOND { Err(Errno::Again) } else { Ok(()) };
            until_done(&waiter, slept, || time.wait_until(100 * MILLISECOND)).unwrap();
            net.set_link(latency(0));
            from.send(b"near", Some(addr("10.0.0.1:53"))).unwrap();
        });
        for (text, when) in [("near", 100), ("far", 900)] {
            let got = until_done(&first, || datagram(&*to), || to.wait(Interest::Read));
            assert_eq!(got, Ok(text.as_bytes().to_vec()));
            assert_eq!(time.now(), when * MILLISECOND);
        }
    });
}

#[test]
fn a_connection_fails_before_its_bytes_come() {
    for (net, one, two) in networks() {
        let (client, server) = pair(&net, &one, &two, FAR);
        send(&*client, b"x").unwrap();
        assert!(!is_ready(server.wait(Interest::Read)));
        net.set_link(CUT);
        woken(
            || pause(server.wait(Interest::Read)),
            || {
                assert_eq!(send(&*server, b"x"), Err(Errno::TimedOut));
            },
        );
        assert_eq!(recv(&*server, 1), Ok(Vec::new()));
    }
}

#[test]
fn a_connection_fails_whose_end_got_lost() {
    for (net, one, two) in networks() {
        let (client, server) = pair(&net, &one, &two, CUT);
        client.shutdown(Shutdown::Send).unwrap();
        assert_eq!(recv(&*server, 1), Err(Errno::Again));
        woken(
            || pause(server.wait(Interest::Read)),
            || {
                assert_eq!(send(&*server, b"x"), Err(Errno::TimedOut));
            },
        );
        assert_eq!(recv(&*server, 1), Ok(Vec::new()));
        assert_eq!(recv(&*client, 1), Err(Errno::TimedOut));
    }
}

#[test]
fn who_receives_no_more_waits_for_no_bytes() {
    for (net, one, two) in networks() {
        let (client, server) = pair(&net, &one, &two, FAR);
        send(&*client, b"x").unwrap();
        woken(|| pause(server.wait(Interest::Read)), || server.shutdown(Shutdown::Receive).unwrap());
        assert_eq!(recv(&*server, 1), Ok(Vec::new()));
    }
}

#[test]
fn a_listener_is_shut_while_somebody_comes() {
    for (net, one, two) in networks() {
        let listener = listener(&one, "10.0.0.1:80");
        net.set_link(FAR);
        let client = two.tcp(Family::Ipv4).unwrap();
        assert_eq!(client.connect(addr("10.0.0.1:80")), Err(Errno::InProgress));
        assert!(!is_ready(listener.wait(Interest::Read)));
        woken(|| pause(listener.wait(Interest::Read)), || listener.shutdown(Shutdown::Both).unwrap());
        assert_eq!(listener.accept().err(), Some(Errno::Inval));
    }
}

#[test]
fn who_connects_is_shut() {
    for (net, one, two) in networks() {
        let _listener = listener(&one, "10.0.0.1:80");
        net.set_link(FAR);
        // One that will be connected, and one that will be refused.
        for (to, done) in [("10.0.0.1:80", Ok(())), ("10.0.0.1:81", Err(Errno::NotConn))] {
            let client = two.tcp(Family::Ipv4).unwrap();
            assert_eq!(client.connect(addr(to)), Err(Errno::InProgress));
            assert!(!is_ready(client.wait(Interest::Write)));
            woken(
                || pause(client.wait(Interest::Write)),
                || assert_eq!(client.shutdown(Shutdown::Both), done),
            );
        }
    }
}
