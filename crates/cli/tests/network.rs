//! What a component may use of the network. The tests use loopback, and nothing else.

mod support;

use std::net::TcpListener;
use support::{Ended, Place};

/// `connect.wat` begins to use an address, and prints how that went.
fn asked(args: &[&str], call: &str) -> String {
    let place = Place::new();
    place.file("connect.wat", include_str!("connect.wat"));
    place.run(&[args, &["--invoke", call, "connect.wat"]].concat()).status(0).out.trim_end().to_owned()
}

const DENIED: &str = "err(access-denied)";

#[test]
fn rules_are_applied_to_the_address_and_the_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = if port == 1 { 2 } else { port - 1 };
    let connect = format!("connect((127, 0, 0, 1), {port})");
    for (args, answer) in [
        (&[][..], DENIED),
        (&["-S", "tcp"], DENIED),
        (&["-S", "inherit-network"], "ok"),
        (&["--allow-net", "127.0.0.1"], "ok"),
        (&["--allow-net", &format!("127.0.0.1:{port}")], "ok"),
        (&["--allow-net", &format!("127.0.0.1:{other}")], DENIED),
        (&["--allow-net", &format!("127.0.0.1:{other}"), "--allow-net", &format!("localhost:{port}")], "ok"),
        (&["--allow-net", "127.0.0.2"], DENIED),
        (&["--allow-net", "127.0.0.0/8"], "ok"),
        (&["--allow-net", "10.0.0.0/8"], DENIED),
        (&["--allow-net", "::1"], DENIED),
        (&["--allow-net", "localhost"], "ok"),
        (&["--allow-net", "*"], "ok"),
        (&["--allow-net", &format!("*:{other}")], DENIED),
        (&["--allow-net", "*", "-S", "tcp=n"], DENIED),
        (&["--allow-net", "*", "--deny-net", "127.0.0.0/8"], DENIED),
        (&["--allow-net", "localhost", "--deny-net", &format!("localhost:{port}")], DENIED),
        (&["--allow-net", "localhost", "--deny-net", &format!("localhost:{other}")], "ok"),
        (&["-S", "inherit-network", "--deny-net", "127.0.0.1"], DENIED),
        (&["-S", "inherit-network", "--deny-net", "10.0.0.0/8"], "ok"),
        (&["--deny-net", "10.0.0.0/8"], DENIED),
        (&["-S", "inherit-network,tcp=n"], DENIED),
        (&["-S", "inherit-network,udp=n"], "ok"),
    ] {
        assert_eq!(asked(args, &connect), answer, "{args:?}");
    }
    for (args, call, answer) in [
        (&["--allow-net", "127.0.0.1:0"][..], "bind((127, 0, 0, 1), 0)", "ok"),
        (&["--allow-net", "127.0.0.1"], "bind((127, 0, 0, 1), 0)", "ok"),
        (&["--allow-net", "127.0.0.1:80"], "bind((127, 0, 0, 1), 0)", DENIED),
        (&["--allow-net", "127.0.0.1"], "bind((0, 0, 0, 0), 0)", DENIED),
        (&["--allow-net", "0.0.0.0"], "bind((0, 0, 0, 0), 0)", "ok"),
    ] {
        assert_eq!(asked(args, call), answer, "{args:?} {call}");
    }
}

/// Runs one of the checks that a program has.
fn run(program: &str, check: &str, args: &[&str]) -> Ended {
    let place = Place::new();
    place.prebuilt(program);
    place.run(&[args, &[program, check]].concat())
}

#[test]
fn connections_datagrams_and_names() {
    // Each of the first two goes through both families.
    const TCP: (&str, &str) = ("p2_tcp_streams.wasm", "shutting_down_sending");
    const UDP: (&str, &str) = ("p2_udp.wasm", "to_one_only");
    const LOOKUP: (&str, &str) = ("p2_lookup.wasm", "localhost");
    for ((program, check), args, status) in [
        (TCP, &["--allow-net", "localhost"][..], 0),
        (TCP, &["-S", "inherit-network"], 0),
        (TCP, &[], 1),
        (TCP, &["--allow-net", "127.0.0.1"], 1),
        (TCP, &["--allow-net", "localhost", "-S", "tcp=n"], 1),
        (UDP, &["--allow-net", "localhost"], 0),
        (UDP, &["-S", "inherit-network"], 0),
        (UDP, &["--allow-net", "localhost", "-S", "udp=n"], 1),
        (LOOKUP, &["-S", "allow-ip-name-lookup"], 0),
        (LOOKUP, &["-S", "inherit-network"], 1),
        (LOOKUP, &["--allow-net", "127.0.0.1", "-S", "allow-ip-name-lookup"], 0),
        (LOOKUP, &["--allow-net", "127.0.0.1", "--deny-net", "*.example", "-S", "allow-ip-name-lookup"], 0),
    ] {
        let ended = run(program, check, args);
        assert_eq!(ended.status, status, "{program} {args:?} {ended:?}");
    }
}

#[test]
fn rules_that_mean_nothing_are_refused() {
    let place = Place::new();
    place.file("connect.wat", include_str!("connect.wat"));
    for (rule, words) in [
        ("256.0.0.1", "neither an address nor the name of a host"),
        ("127.0.0.1:http", "`http` is no port"),
        ("::1:80x", "[::1]:80"),
    ] {
        let ended = place.run(&["--allow-net", rule, "connect.wat"]);
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains(rule) && ended.err.contains(words), "{ended:?}");
    }
    // Too long for any name server to be asked for it.
    let name = "a".repeat(64);
    place
        .run(&["--allow-net", &name, "--invoke", "bind((127, 0, 0, 1), 0)", "connect.wat"])
        .refused(&[&format!("--allow-net {name}"), "cannot be looked up"]);
    place.file("module.wat", "(module (func (export \"_start\")))");
    place
        .run(&["--allow-net", "localhost", "module.wat"])
        .refused(&["--allow-net does not work with a core module"]);
}
