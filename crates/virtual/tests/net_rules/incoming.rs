//! What comes in, from whom.

use crate::*;
use std::net::UdpSocket as Plain;
use wasi_host_core::net::TcpSocket;

/// A host under rules that allow it everything, and two others.
fn guest(net: &Loopback) -> (Rules, Host, Host) {
    let rules = Rules::new(host(net, "10.0.0.1"));
    allow(&rules, "*");
    (rules, host(net, "10.6.6.6"), host(net, "10.0.0.2"))
}

fn peer_of(accepted: wasi_host_core::Result<(Arc<dyn TcpSocket>, SocketAddr)>) -> IpAddr {
    accepted.unwrap().1.ip()
}

#[test]
fn a_connection_from_who_is_denied_is_dropped() {
    let net = Loopback::new();
    let (rules, bad, good) = guest(&net);
    rules.deny(rule("10.6.0.0/16"));
    let listener = listener(&rules, "10.0.0.1:80");
    let dropped = connect(&bad, addr("10.0.0.1:80")).unwrap();
    let _kept = connect(&good, addr("10.0.0.1:80")).unwrap();
    assert_eq!(peer_of(listener.accept()), ip("10.0.0.2"));
    assert_eq!(listener.accept().err(), Some(Errno::Again));
    assert_eq!(recv(&*dropped, 1), Ok(Vec::new()));
    assert!(listener.is_listening());
}

#[test]
fn datagrams_from_who_is_denied_are_dropped() {
    let net = Loopback::new();
    let (rules, bad, good) = guest(&net);
    rules.deny(rule("10.6.0.0/16"));
    let (own, bad, good) = (udp(&rules, "10.0.0.1:53"), udp(&bad, "10.6.6.6:53"), udp(&good, "10.0.0.2:53"));
    let to = Some(addr("10.0.0.1:53"));
    bad.send(b"secret", to).unwrap();
    good.send(b"x", to).unwrap();
    bad.send(b"y", to).unwrap();
    let mut bytes = [0; 8];
    assert_eq!(own.recv(&mut bytes), Ok((1, addr("10.0.0.2:53"))));
    assert_eq!(bytes, *b"x\0\0\0\0\0\0\0");
    assert_eq!(datagram(&*own), Err(Errno::Again));
}

/// Of the peer, as of any address, its port counts, and a rule for some uses says nothing of what comes in.
#[test]
fn what_a_rule_must_say_for_that() {
    for (text, only, heard) in [
        ("10.6.6.6", None, false),
        ("10.6.6.6:1000", None, false),
        ("10.6.6.6:1-1023", None, false),
        ("10.6.6.6:1001", None, true),
        ("10.6.6.7", None, true),
        ("10.6.6.6", Some(UdpOutgoingDatagram), true),
        ("10.6.6.6", Some(UdpBind), true),
        // With every port it could not be looked up, and would have no address.
        ("*.bad.example:1000", None, false),
    ] {
        let net = Loopback::new();
        let (rules, bad, _) = guest(&net);
        let bad = bad.named("bad.bad.example");
        // Only what was looked up has a name.
        allow(&rules, "bad.bad.example:1");
        look_up(&rules, "bad.bad.example").unwrap();
        let denied = only.into_iter().fold(rule(text), |rule, used| rule.only([used]));
        rules.deny(denied);
        let (own, from) = (udp(&rules, "10.0.0.1:53"), udp(&bad, "10.6.6.6:1000"));
        from.send(b"x", own.local_addr().ok()).unwrap();
        let expected = if heard { Ok(b"x".to_vec()) } else { Err(Errno::Again) };
        assert_eq!(datagram(&*own), expected, "{text} {only:?}");
        let listener = listener(&rules, "10.0.0.1:80");
        let client = bad.tcp(Family::Ipv4).unwrap();
        client.bind(addr("10.6.6.6:1000")).unwrap();
        client.connect(addr("10.0.0.1:80")).unwrap();
        assert_eq!(listener.accept().is_ok(), heard, "{text} {only:?}");
    }
}

#[test]
fn who_is_denied_later_is_dropped_then() {
    let net = Loopback::new();
    let (rules, bad, good) = guest(&net);
    let listener = listener(&rules, "10.0.0.1:80");
    let clients = [connect(&bad, addr("10.0.0.1:80")).unwrap(), connect(&good, addr("10.0.0.1:80")).unwrap()];
    let accepted = [accept(&*listener).unwrap(), accept(&*listener).unwrap()];
    std::thread::scope(|threads| {
        threads.spawn(|| pause(accepted[0].wait(Interest::Read)));
        std::thread::sleep(Duration::from_millis(30));
        rules.deny(rule("10.6.6.6"));
    });
    assert_eq!(recv(&*accepted[0], 1), Err(Errno::BadF));
    assert_eq!(recv(&*clients[0], 1), Ok(Vec::new()));
    assert_eq!(send(&*accepted[1], b"x"), Ok(1));
    assert_eq!(recv(&*clients[1], 1), Ok(b"x".to_vec()));
    assert!(listener.is_listening());
}

#[test]
fn a_flood_holds_no_call() {
    let net = Loopback::new();
    let (rules, bad, good) = guest(&net);
    rules.deny(rule("10.6.6.6"));
    let (own, bad, good) = (udp(&rules, "10.0.0.1:53"), udp(&bad, "10.6.6.6:53"), udp(&good, "10.0.0.2:53"));
    for _ in 0..100 {
        bad.send(b"x", Some(addr("10.0.0.1:53"))).unwrap();
    }
    good.send(b"good", Some(addr("10.0.0.1:53"))).unwrap();
    // It is for the guest to come again: something is there.
    assert_eq!(datagram(&*own), Err(Errno::Again));
    assert!(is_ready(own.wait(Interest::Read)));
    assert_eq!(datagram(&*own), Ok(b"good".to_vec()));
}

/// The same of a real network: one address of loopback is not another.
#[test]
fn on_the_system() {
    let rules = Rules::new(NativeNetwork);
    allow(&rules, "127.0.0.1");
    rules.deny(rule("127.0.0.2"));
    let own = udp(&rules, "127.0.0.1:0");
    let [bad, good] = ["127.0.0.2:0", "127.0.0.3:0"].map(|at| Plain::bind(at).unwrap());
    bad.send_to(b"bad", own.local_addr().unwrap()).unwrap();
    good.send_to(b"good", own.local_addr().unwrap()).unwrap();
    let got = loop {
        match datagram(&*own) {
            Err(Errno::Again) => pause(own.wait(Interest::Read)),
            got => break got,
        }
    };
    assert_eq!(got, Ok(b"good".to_vec()));
    let tcp = listener(&rules, "127.0.0.1:0");
    let [_dropped, _kept] = ["127.0.0.2", "127.0.0.3"].map(|from| {
        let client = NativeNetwork.tcp(Family::Ipv4).unwrap();
        client.bind(SocketAddr::new(ip(from), 0)).unwrap();
        crate::net::try_connect(&*client, tcp.local_addr().unwrap()).unwrap();
        client
    });
    let accepted = loop {
        match tcp.accept() {
            Err(Errno::Again) => pause(tcp.wait(Interest::Read)),
            accepted => break accepted,
        }
    };
    assert_eq!(peer_of(accepted), ip("127.0.0.3"));
}
