//! Which addresses rules allow, and for what.

use crate::*;

#[test]
fn nothing_is_allowed_that_no_rule_allows() {
    let rules = Rules::new(Denied);
    assert!(!permits(&rules, "10.0.0.1:80"));
    assert_eq!(look_up(&rules, "db.internal"), Err(Error::AccessDenied));
}

#[test]
fn rules_add_up_and_deny_wins_in_any_order() {
    let texts = [(true, "10.0.0.0/8"), (false, "10.1.0.0/16:1-1023"), (true, "10.1.2.3:80")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let rules = Rules::new(Denied);
        for (allowed, text) in order.map(|i| texts[i]) {
            if allowed {
                rules.allow(rule(text))
            } else {
                rules.deny(rule(text))
            };
        }
        for (to, expected) in [
            ("10.0.0.1:80", true),
            ("10.1.0.1:1024", true),
            ("10.1.0.1:80", false),
            ("10.1.2.3:80", false),
            ("10.1.2.3:8080", true),
            ("11.0.0.1:80", false),
        ] {
            assert_eq!(permits(&rules, to), expected, "{to} in order {order:?}");
        }
    }
}

#[test]
fn a_range_of_ipv4_in_the_words_of_ipv6_is_denied() {
    let rules = Rules::new(Denied);
    allow(&rules, "*");
    rules.deny(rule("::ffff:10.0.0.0/104"));
    for (to, expected) in [("10.1.2.3:80", false), ("[::ffff:10.1.2.3]:80", false), ("11.0.0.1:80", true)] {
        assert_eq!(permits(&rules, to), expected, "{to}");
    }
}

#[test]
fn for_some_uses_alone() {
    let rules = Rules::new(Denied);
    rules.allow(rule("10.0.0.1").only([TcpConnect, UdpOutgoingDatagram]));
    rules.deny(rule("10.0.0.1:53").only([UdpOutgoingDatagram]));
    for (to, used, expected) in [
        ("10.0.0.1:80", TcpConnect, true),
        ("10.0.0.1:80", TcpBind, false),
        ("10.0.0.1:80", UdpConnect, false),
        ("10.0.0.1:80", UdpOutgoingDatagram, true),
        ("10.0.0.1:53", UdpOutgoingDatagram, false),
        ("10.0.0.1:53", TcpConnect, true),
    ] {
        assert_eq!(rules.permits(addr(to), used), expected, "{to} {used:?}");
    }
}

#[test]
fn a_client_can_bind_before_it_sends_datagrams() {
    let rules = Rules::new(Denied);
    allow(&rules, "127.0.0.1:53");
    for any in ["0.0.0.0:0", "[::]:0"] {
        for used in USES {
            assert_eq!(rules.permits(addr(any), used), used == UdpBind, "{any} {used:?}");
        }
    }
    assert!(!rules.permits(addr("0.0.0.0:53"), UdpBind));
}

#[test]
fn each_way_to_use_an_address_is_asked_for() {
    let net = Loopback::new();
    let (server, guest) = (host(&net, "10.0.0.1"), host(&net, "10.0.0.2"));
    let _listener = listener(&server, "10.0.0.1:80");
    let _datagrams = udp(&server, "10.0.0.1:80");
    let rules = Rules::new(guest);
    let tcp = rules.tcp(Family::Ipv4).unwrap();
    let own = rules.udp(Family::Ipv4).unwrap();
    assert_eq!(tcp.bind(addr("10.0.0.2:80")), Err(Errno::Access));
    assert_eq!(tcp.listen(1), Err(Errno::Access));
    assert_eq!(tcp.connect(addr("10.0.0.1:80")), Err(Errno::Access));
    assert_eq!(own.bind(addr("10.0.0.2:80")), Err(Errno::Access));
    assert_eq!(own.connect(Some(addr("10.0.0.1:80"))), Err(Errno::Access));
    assert_eq!(own.send(b"x", Some(addr("10.0.0.1:80"))), Err(Errno::Access));
    // What was refused has left nothing behind.
    allow(&rules, "10.0.0.1");
    assert_eq!(tcp.connect(addr("10.0.0.1:80")), Ok(()));
    assert_eq!(own.send(b"x", Some(addr("10.0.0.1:80"))), Ok(()));
    // To the peer it is asked each time.
    assert_eq!(own.connect(Some(addr("10.0.0.1:80"))), Ok(()));
    rules.deny(rule("10.0.0.1").only([UdpOutgoingDatagram]));
    assert_eq!(own.send(b"x", None), Err(Errno::Access));
    assert_eq!(own.connect(None), Ok(()));
    allow(&rules, "0.0.0.0:0");
    assert_eq!(rules.tcp(Family::Ipv4).unwrap().listen(1), Ok(()));
}

#[test]
fn what_is_internal() {
    let rules = Rules::new(Denied);
    allow(&rules, "*");
    for text in Rules::INTERNAL {
        rules.deny(rule(text));
    }
    for denied in [
        "0.0.0.0:1",
        "10.1.2.3:1",
        "100.64.0.1:1",
        "127.0.0.1:1",
        "127.255.255.255:1",
        "169.254.169.254:80",
        "172.16.0.1:1",
        "172.31.255.255:1",
        "192.168.1.1:1",
        "198.18.0.1:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "[::]:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
        "[64:ff9b::7f00:1]:1",
        "[2002:7f00:1::]:1",
        "[fc00::1]:1",
        "[fd12::1]:1",
        "[fe80::1]:1",
        "[fec0::1]:1",
        "[ff02::1]:1",
    ] {
        assert!(!permits(&rules, denied), "{denied}");
    }
    for allowed in ["1.1.1.1:1", "172.32.0.1:1", "100.128.0.1:1", "9.9.9.9:1", "[2606:4700::1111]:1"] {
        assert!(permits(&rules, allowed), "{allowed}");
    }
}
