//! Programs that speak to somebody outside, who is there only while they are recorded.

use crate::component::{Backend, Host, Program, Root};
use crate::components::{record, replay};
use crate::support::Kind;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;
use wasi_host::BlockingPolicy::Adaptive;

/// Answers one caller with what it says, in pieces of its own and each in its own time.
fn echo() -> (u16, thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut buf, mut total) = ([0; 400], 0);
        loop {
            let n = stream.read(&mut buf).unwrap();
            if n == 0 {
                return total;
            }
            total += n;
            let (some, rest) = buf[..n].split_at(n / 3);
            stream.write_all(some).unwrap();
            thread::sleep(Duration::from_millis(total as u64 % 4));
            stream.write_all(rest).unwrap();
        }
    });
    (port, peer)
}

/// Records a program with a peer, and replays it twice without. What it prints tells of times and of orders.
fn with_a_peer(name: &str, host: Host, args: impl Fn(&str) -> Vec<String>) -> String {
    let program = Program::new(name);
    let (port, peer) = echo();
    let args = args(&port.to_string());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (recorded, log) = record(&program, host, &args, &Root::new(Backend::Disk));
    assert!(recorded.ok(), "{name}, {host:?}: {}", recorded.describe());
    assert!(peer.join().unwrap() > 0);
    for _ in 0..2 {
        let (again, replay) = replay(&program, host, &log);
        assert_eq!(replay.finish(), Ok(()), "{name}, {host:?}: {}", again.describe());
        assert_eq!(again.describe(), recorded.describe());
    }
    recorded.stdout
}

#[test]
fn rounds() {
    for kind in [Kind::Sync, Kind::Async] {
        let args = |port: &str| ["10", "2", "file", port].map(str::to_owned).to_vec();
        let late = with_a_peer("p2_rounds", kind.into(), args);
        assert_eq!(late.lines().count(), 10, "{late}");
    }
}

/// Three tasks, one of them with a connection: several times, as no two runs go the same way.
#[test]
fn three_things_at_once() {
    for _ in 0..5 {
        let diary = with_a_peer("p3_order", Adaptive.into(), |port| vec![port.to_owned()]);
        for what in ["heard", "tick 29", "copied 300000"] {
            assert!(diary.contains(what), "{diary}");
        }
    }
}
