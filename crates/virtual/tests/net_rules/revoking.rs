//! What becomes of what is open when rules change.

use crate::*;
use std::sync::atomic::AtomicBool;

/// A network, and the address of somebody else on it.
fn networks() -> [(Box<dyn Fn() -> Rules>, String); 2] {
    let net = Loopback::new();
    let guest = host(&net, "10.0.0.2");
    [
        (Box::new(move || Rules::new(guest.clone())), "10.0.0.2".into()),
        (Box::new(|| Rules::new(NativeNetwork)), "127.0.0.1".into()),
    ]
}

#[test]
fn what_is_open_is_of_no_use_any_more() {
    for (rules, here) in networks() {
        let rules = rules();
        let id = allow(&rules, &here);
        let listener = listener(&rules, &format!("{here}:0"));
        let to = listener.local_addr().unwrap();
        let client = connect(&rules, to).unwrap();
        let server = accept(&*listener).unwrap();
        let datagrams = udp(&rules, &format!("{here}:0"));
        let peer = rules.udp(Family::Ipv4).unwrap();
        peer.connect(datagrams.local_addr().ok()).unwrap();
        send(&*client, b"unread").unwrap();
        assert!(rules.revoke(id));
        for socket in [&listener, &client, &server] {
            assert_eq!(recv(&**socket, 8), Err(Errno::BadF));
            assert_eq!(send(&**socket, b"x"), Err(Errno::BadF));
            assert_eq!(socket.accept().err(), Some(Errno::BadF));
            assert_eq!(socket.connect(to), Err(Errno::BadF));
            assert_eq!(socket.bind(to), Err(Errno::BadF));
            assert_eq!(socket.listen(1), Err(Errno::BadF));
            assert_eq!(socket.local_addr(), Err(Errno::BadF));
            assert_eq!(socket.peer_addr(), Err(Errno::BadF));
            assert!(!socket.is_listening());
            for interest in [Interest::Read, Interest::Write] {
                assert!(is_ready(socket.wait(interest)));
            }
        }
        for socket in [&datagrams, &peer] {
            assert_eq!(datagram(&**socket), Err(Errno::BadF));
            assert_eq!(socket.send(b"x", None), Err(Errno::BadF));
            assert_eq!(socket.connect(None), Err(Errno::BadF));
            assert_eq!(socket.local_addr(), Err(Errno::BadF));
            assert!(is_ready(socket.wait(Interest::Read)));
        }
        assert_eq!(connect(&rules, to).err(), Some(Errno::Access));
    }
}

#[test]
fn who_waits_is_woken() {
    for (rules, here) in networks() {
        let rules = rules();
        let id = allow(&rules, &here);
        let listener = listener(&rules, &format!("{here}:0"));
        let client = connect(&rules, listener.local_addr().unwrap()).unwrap();
        let server = accept(&*listener).unwrap();
        let datagrams = udp(&rules, &format!("{here}:0"));
        let full = [7; 4096];
        while send(&*server, &full).is_ok() {}
        // Of those that come at once, none is there by chance.
        assert!(!is_ready(listener.wait(Interest::Read)) && !is_ready(datagrams.wait(Interest::Read)));
        std::thread::scope(|threads| {
            threads.spawn(|| pause(listener.wait(Interest::Read)));
            threads.spawn(|| pause(datagrams.wait(Interest::Read)));
            threads.spawn(|| {
                while recv(&*client, 4096).is_ok_and(|got| !got.is_empty()) {}
                pause(client.wait(Interest::Read));
            });
            threads.spawn(|| {
                while send(&*server, &full) != Err(Errno::BadF) {
                    pause(server.wait(Interest::Write));
                }
            });
            std::thread::sleep(Duration::from_millis(50));
            rules.revoke(id);
        });
    }
}

/// Who waits for what is an hour away, in real time or in one that nobody moves, does not wait for that.
#[test]
fn who_waits_for_what_is_on_its_way_is_woken() {
    for net in [Loopback::new(), Loopback::in_time(VirtualTime::new())] {
        let rules = Rules::new(host(&net, "10.0.0.2"));
        let id = allow(&rules, "*");
        let far = host(&net, "10.0.0.1");
        let server = listener(&far, "10.0.0.1:80");
        let (own, datagrams) = (listener(&rules, "10.0.0.2:80"), udp(&rules, "10.0.0.2:53"));
        let client = connect(&rules, addr("10.0.0.1:80")).unwrap();
        let peer = accept(&*server).unwrap();
        net.set_link(Link { latency: Duration::from_secs(3600), ..Link::default() });
        send(&*peer, b"x").unwrap();
        udp(&far, "10.0.0.1:0").send(b"x", Some(addr("10.0.0.2:53"))).unwrap();
        let begin = |network: &dyn Network, to| {
            let socket = network.tcp(Family::Ipv4).unwrap();
            assert_eq!(socket.connect(addr(to)), Err(Errno::InProgress));
            socket
        };
        let _coming = begin(&far, "10.0.0.2:80");
        let (connecting, refused) = (begin(&rules, "10.0.0.1:80"), begin(&rules, "10.0.0.1:81"));
        let sockets = [&own, &client, &connecting, &refused];
        assert!(sockets.iter().all(|socket| !is_ready(socket.wait(Interest::Read))));
        assert!(!is_ready(datagrams.wait(Interest::Read)));
        std::thread::scope(|threads| {
            for socket in sockets {
                threads.spawn(|| pause(socket.wait(Interest::Read)));
            }
            threads.spawn(|| pause(datagrams.wait(Interest::Read)));
            std::thread::sleep(Duration::from_millis(50));
            rules.revoke(id);
        });
    }
}

#[test]
fn what_another_rule_allows_goes_on() {
    for (rules, here) in networks() {
        let rules = rules();
        let (one, other) = (allow(&rules, &here), allow(&rules, "*"));
        let listener = listener(&rules, &format!("{here}:0"));
        let client = connect(&rules, listener.local_addr().unwrap()).unwrap();
        assert!(rules.revoke(one));
        assert_eq!(send(&*client, b"x"), Ok(1));
        rules.deny(rule("192.0.2.1"));
        assert_eq!(send(&*client, b"x"), Ok(1));
        // To deny it has the same effect as to revoke what allows it.
        let denied = rules.deny(rule(&here));
        assert_eq!(send(&*client, b"x"), Err(Errno::BadF));
        assert!(rules.revoke(denied) && rules.revoke(other));
        assert_eq!(send(&*client, b"x"), Err(Errno::BadF));
    }
}

#[test]
fn one_end_alone() {
    let net = Loopback::new();
    let server = host(&net, "10.0.0.1");
    let listener = listener(&server, "10.0.0.1:80");
    let rules = Rules::new(host(&net, "10.0.0.2"));
    let id = allow(&rules, "10.0.0.1:80");
    let client = connect(&rules, addr("10.0.0.1:80")).unwrap();
    let own = accept(&*listener).unwrap();
    rules.revoke(id);
    assert_eq!(recv(&*client, 1), Err(Errno::BadF));
    // To who was on the other side it has ended.
    assert_eq!(recv(&*own, 1), Ok(Vec::new()));
    assert!(listener.is_listening());
}

#[test]
fn what_was_not_used_any_more_is_no_reason() {
    let net = Loopback::new();
    let rules = Rules::new(host(&net, "10.0.0.2"));
    let (first, second) = (allow(&rules, "10.0.0.2:1"), allow(&rules, "10.0.0.2:2"));
    let socket = rules.udp(Family::Ipv4).unwrap();
    socket.connect(Some(addr("10.0.0.2:1"))).unwrap();
    socket.connect(Some(addr("10.0.0.2:2"))).unwrap();
    rules.revoke(first);
    assert!(socket.local_addr().is_ok());
    socket.connect(None).unwrap();
    rules.revoke(second);
    assert!(socket.local_addr().is_ok());
}

#[test]
fn a_connection_that_was_forgotten() {
    let net = Loopback::new();
    let _server = listener(&host(&net, "10.0.0.1").named("db.internal"), "10.0.0.1:80");
    let rules = Rules::new(host(&net, "10.0.0.2"));
    allow(&rules, "*.internal");
    let to = SocketAddr::new(look_up(&rules, "db.internal").unwrap()[0], 80);
    let client = connect(&rules, to).unwrap();
    assert!(rules.forget("db.internal"));
    assert_eq!(send(&*client, b"x"), Err(Errno::BadF));
}

/// Guests connect as fast as they can while rules come and go: none keeps what is not allowed.
#[test]
fn racing_with_calls() {
    let net = Loopback::new();
    let server = host(&net, "10.0.0.1");
    let listener = listener(&server, "10.0.0.1:80");
    let rules = Rules::new(host(&net, "10.0.0.2"));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        let guests: Vec<_> = (0..3)
            .map(|_| {
                threads.spawn(|| {
                    let mut kept = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        let socket = rules.tcp(Family::Ipv4).unwrap();
                        if socket.connect(addr("10.0.0.1:80")).is_ok() && kept.len() < 100 {
                            kept.push(socket);
                        }
                    }
                    kept
                })
            })
            .collect();
        for _ in 0..300 {
            let id = allow(&rules, "10.0.0.1:80");
            while listener.accept().is_ok() {}
            rules.revoke(id);
        }
        done.store(true, Ordering::Relaxed);
        for socket in guests.into_iter().flat_map(|guest| guest.join().unwrap()) {
            assert_eq!(socket.peer_addr(), Err(Errno::BadF));
        }
    });
}

/// What a name is found to stand for may be denied by a rule with that name.
#[test]
fn a_name_that_is_found_ends_what_is_denied_by_it() {
    let net = Loopback::new();
    let (guest, other) = (host(&net, "10.0.0.2"), host(&net, "10.0.0.3").named("example.com"));
    let (rules, to) = (Rules::new(guest), addr("10.0.0.3:80"));
    allow(&rules, "*");
    rules.deny(rule("example.com:80"));
    let (mailbox, listener) = (udp(&other, "10.0.0.3:80"), listener(&other, "10.0.0.3:80"));
    let (socket, client) = (rules.udp(Family::Ipv4).unwrap(), connect(&rules, to).unwrap());
    accept(&*listener).unwrap();
    socket.connect(Some(to)).unwrap();
    look_up(&rules, "example.com").unwrap();
    assert_eq!(send(&*client, b"x"), Err(Errno::BadF));
    assert_eq!(socket.send(b"x", None), Err(Errno::BadF));
    assert_eq!(datagram(&*mailbox), Err(Errno::Again));
}

/// Whoever asks again for what it has just when that is denied does not keep it by that.
#[test]
fn who_asks_again_is_found_still() {
    let net = Loopback::new();
    let (guest, other) = (host(&net, "10.0.0.2"), host(&net, "10.0.0.3"));
    let (mailbox, to) = (udp(&other, "10.0.0.3:80"), addr("10.0.0.3:80"));
    for _ in 0..200 {
        let rules = Rules::new(guest.clone());
        let id = allow(&rules, "*");
        let socket = rules.udp(Family::Ipv4).unwrap();
        socket.connect(Some(to)).unwrap();
        // Between a change of the rules and the look at what is open there are many others to be looked at.
        let others: Vec<_> = (0..50).map(|_| udp(&rules, "0.0.0.0:0")).collect();
        let revoked = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !revoked.load(Ordering::Relaxed) && socket.connect(Some(to)).is_ok() {
                    std::hint::spin_loop();
                }
            });
            rules.revoke(id);
            revoked.store(true, Ordering::Relaxed);
        });
        while datagram(&*mailbox).is_ok() {}
        assert!(socket.send(b"x", None).is_err());
        assert_eq!(datagram(&*mailbox), Err(Errno::Again));
        drop(others);
    }
}
