//! What sockets take of the host comes back. A binary of its own, because it counts what the whole process has.

#[path = "p2_sockets/guest.rs"]
mod guest;

use guest::*;
use std::io::Read as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// But for those eventfds that are kept for the next wait.
fn descriptors() -> usize {
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fd.unwrap().path().read_link().ok());
    links.filter(|link| link.to_str() != Some("anon_inode:[eventfd]")).count()
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Connections in both directions, datagrams, and bytes that are left when the context ends.
fn a_life(kind: Kind, names: bool) {
    let mut g = Guest::new(kind, open().allow_ip_name_lookup(true));
    let empty = g.state.table.iter_mut().count();
    let (listener, at) = g.listener(V4);
    for _ in 0..10 {
        let client = g.connect(at).unwrap();
        let server = g.accept(&listener);
        g.write(&client.output, b"hello").unwrap();
        assert_eq!(g.read(&server.input, 100).unwrap(), b"hello");
        g.drop_connection(client);
        g.drop_connection(server);
    }
    g.drop_tcp(listener);
    let (socket, at) = g.bound_udp(V4);
    let (input, output) = g.stream(&socket, None).unwrap();
    assert_eq!(g.send(&output, &[(b"to myself", Some(at))]), Ok(1));
    assert_eq!(g.receive(&input).unwrap(), [(b"to myself".to_vec(), at)]);
    g.state.table.delete(input).unwrap();
    g.state.table.delete(output).unwrap();
    g.state.table.delete(socket).unwrap();
    if names {
        g.addresses("localhost").unwrap();
    }
    assert_eq!(g.state.table.iter_mut().count(), empty);

    let outside = TcpListener::bind(V4).unwrap();
    let c = g.connect(outside.local_addr().unwrap()).unwrap();
    let (mut peer, _) = outside.accept().unwrap();
    let bytes = pattern(64 << 10);
    let mut written = 0;
    loop {
        let stream = g.state.table.get_mut(&c.output).unwrap();
        match stream.check_write().unwrap() {
            0 => break,
            permit => {
                stream.write_from(&bytes[..permit]).unwrap();
                written += permit;
            }
        }
    }
    g.drop_connection(c);
    assert_eq!(g.state.table.iter_mut().count(), empty);
    let reader = std::thread::spawn(move || peer.read_to_end(&mut Vec::new()).unwrap());
    drop(g);
    assert_eq!(reader.join().unwrap(), written);
}

/// Waits for what ends by itself: a thread that was joined is listed for a moment still.
fn comes_back(what: &str, count: fn() -> usize, to: usize) {
    let begin = Instant::now();
    while count() > to {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}: {} instead of {to}", count());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn all_of_it() {
    // Inside of a task, a synchronous host makes no thread, not even once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = threads();
    runtime.block_on(async {
        runtime.spawn(async { a_life(Kind::Sync, false) }).await.unwrap();
    });
    comes_back("threads", threads, before);
    drop(runtime);

    // What is kept for the next time is there now.
    for kind in KINDS {
        a_life(kind, true);
    }
    let (fds, tasks) = (descriptors(), threads());
    for _ in 0..3 {
        for kind in KINDS {
            a_life(kind, true);
        }
    }
    comes_back("descriptors", descriptors, fds);
    comes_back("threads", threads, tasks);
}
