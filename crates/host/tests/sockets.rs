//! Listeners that were given, and the connections that come in, over loopback.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use support::*;
use wasi_host::WasiCtxBuilder;

/// A guest with a listener at 3, and somebody to call it.
fn world(kind: Kind) -> (Guest, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut b = WasiCtxBuilder::new();
    b.preopened_listener(listener).unwrap();
    (Guest::new(kind, b.build_p1()), addr)
}

/// A connection, from both sides.
fn connected(kind: Kind) -> (Guest, u64, TcpStream) {
    let (mut g, addr) = world(kind);
    let client = TcpStream::connect(addr).unwrap();
    g.ok("sock_accept", &[3, 0, 2048]);
    let fd = u64::from(g.u32(2048));
    (g, fd, client)
}

fn recv(g: &mut Guest, fd: u64, len: u64, flags: u64) -> Result<Vec<u8>, i32> {
    g.iovecs(4096, &[(8192, len / 2), (9192, len - len / 2)]);
    match g.call("sock_recv", &[fd, 4096, 2, flags, 2048, 2052]) {
        0 => {
            let (n, half) = (g.u32(2048) as usize, len as usize / 2);
            let mut out = g.read(8192, n.min(half));
            out.extend(g.read(9192, n.saturating_sub(half)));
            Ok(out)
        }
        e => Err(e),
    }
}

#[test]
fn accepting_waits_unless_told_not_to() {
    for kind in KINDS {
        let (mut g, addr) = world(kind);
        g.ok("fd_fdstat_set_flags", &[3, NONBLOCK]);
        assert_eq!(g.call("sock_accept", &[3, 0, 2048]), AGAIN);
        assert_eq!(g.call("sock_accept", &[3, 1, 2048]), INVAL);
        g.ok("fd_fdstat_set_flags", &[3, 0]);
        let caller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            TcpStream::connect(addr).unwrap()
        });
        g.ok("sock_accept", &[3, NONBLOCK, 2048]);
        assert_eq!(g.u32(2048), 4);
        g.ok("fd_fdstat_get", &[4, 0]);
        assert_eq!((g.read(0, 1)[0], g.read(2, 1)[0]), (6, NONBLOCK as u8));
        assert_eq!(recv(&mut g, 4, 9, 0), Err(AGAIN));
        drop(caller.join().unwrap());
    }
}

#[test]
fn bytes_go_both_ways() {
    for kind in KINDS {
        let (mut g, fd, mut client) = connected(kind);
        client.write_all(b"hello").unwrap();
        assert_eq!(recv(&mut g, fd, 4, 1).unwrap(), b"hell", "looked at");
        assert_eq!(recv(&mut g, fd, 99, 0).unwrap(), b"hello");
        client.write_all(b"by fd_read").unwrap();
        assert_eq!(g.fd_read(fd, 99).unwrap(), b"by fd_read");
        let rest = client.try_clone().unwrap();
        let sender = std::thread::spawn(move || {
            for part in [&b"in "[..], b"three ", b"parts"] {
                std::thread::sleep(Duration::from_millis(10));
                (&rest).write_all(part).unwrap();
            }
        });
        assert_eq!(recv(&mut g, fd, 14, 2).unwrap(), b"in three parts");
        sender.join().unwrap();
        g.write(8192, b"answer");
        g.iovecs(4096, &[(8192, 3), (8195, 3)]);
        g.ok("sock_send", &[fd, 4096, 2, 0, 2048]);
        assert_eq!(g.call("sock_send", &[fd, 4096, 2, 1, 2048]), INVAL);
        assert_eq!(g.fd_write(fd, b" and more"), 9);
        g.ok("sock_shutdown", &[fd, 2]);
        let mut all = String::new();
        client.read_to_string(&mut all).unwrap();
        assert_eq!(all, "answer and more");
        drop(client);
        assert_eq!(recv(&mut g, fd, 9, 2).unwrap(), b"");
        assert_eq!([0, 4].map(|how| g.call("sock_shutdown", &[fd, how])), [INVAL, INVAL]);
    }
}

#[test]
fn a_slow_reader_is_waited_for() {
    for kind in KINDS {
        let (mut g, fd, mut client) = connected(kind);
        let reader = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            let mut all = Vec::new();
            client.read_to_end(&mut all).unwrap();
            all.len()
        });
        let mut sent = 0;
        while sent < 8 << 20 {
            let n = g.fd_write(fd, &[9; 200_000]);
            assert!(n > 0, "{n}");
            sent += n as usize;
        }
        g.ok("fd_close", &[fd]);
        assert_eq!(reader.join().unwrap(), sent);
    }
}

#[test]
fn what_is_no_socket_says_so() {
    let (mut g, _) = world(Kind::Sync);
    for fd in [0, 1, 2] {
        assert_eq!(g.call("sock_accept", &[fd, 0, 2048]), 57);
        assert_eq!(g.call("sock_recv", &[fd, 4096, 0, 0, 2048, 2052]), 57);
        assert_eq!(g.call("sock_send", &[fd, 4096, 0, 0, 2048]), 57);
        assert_eq!(g.call("sock_shutdown", &[fd, 1]), 57);
    }
    assert_eq!(g.call("sock_accept", &[9, 0, 2048]), BADF);
    assert_eq!(g.fd_read(3, 9), Err(NOTCAPABLE), "a listener is not read");
}

#[test]
fn listeners_and_connections_are_polled() {
    for kind in KINDS {
        let (mut g, addr) = world(kind);
        let mut record = [0; 96];
        // Reading from the listener; the monotonic clock in 30 ms.
        (record[8], record[16], record[48], record[64]) = (1, 3, 7, 1);
        record[72..76].copy_from_slice(&30_000_000u32.to_le_bytes());
        g.write(0, &record);
        g.ok("poll_oneoff", &[0, 8192, 2, 2048]);
        assert_eq!((g.u32(2048), g.u64(8192)), (1, 7), "only the time has come");
        let mut client = TcpStream::connect(addr).unwrap();
        g.ok("poll_oneoff", &[0, 8192, 1, 2048]);
        g.ok("sock_accept", &[3, 0, 2048]);
        g.write(16, &[4]);
        client.write_all(b"x").unwrap();
        g.ok("poll_oneoff", &[0, 8192, 1, 2048]);
        assert_eq!((g.u64(8192), g.read(8192 + 10, 1)[0], g.read(8192 + 24, 1)[0]), (0, 1, 0));
        drop(client);
        assert_eq!(g.fd_read(4, 9).unwrap(), b"x");
        g.ok("poll_oneoff", &[0, 8192, 1, 2048]);
        assert_eq!(g.fd_read(4, 9).unwrap(), b"");
    }
}
