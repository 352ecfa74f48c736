//! What a guest has written is delivered, whatever it does next.

use super::guest::*;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wasi_host::WasiCtxBuilder;
use wasi_host::WasiImpl;
use wasi_host::bindings::sync;

const MUCH: usize = 8 << 20;

/// A peer that reads slowly at first; what it got until the end. The bytes that a guest has left never fit into what
/// the operating system holds for such a peer.
fn slow_reader() -> (std::net::SocketAddr, JoinHandle<Vec<u8>>) {
    let outside = TcpListener::bind(V4).unwrap();
    let at = outside.local_addr().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut peer, _) = outside.accept().unwrap();
        let mut all = Vec::new();
        std::thread::sleep(Duration::from_millis(100));
        for _ in 0..20 {
            let mut buf = [0; 1000];
            let n = peer.read(&mut buf).unwrap();
            all.extend_from_slice(&buf[..n]);
            std::thread::sleep(Duration::from_millis(2));
        }
        peer.read_to_end(&mut all).unwrap();
        all
    });
    (at, reader)
}

/// A peer that reads nothing for as long as it is there.
fn deaf() -> (std::net::SocketAddr, JoinHandle<TcpStream>) {
    let outside = TcpListener::bind(V4).unwrap();
    let at = outside.local_addr().unwrap();
    (at, std::thread::spawn(move || outside.accept().unwrap().0))
}

/// Writes until something is left behind; all of what was written.
fn write_too_much(g: &mut Guest, c: &Connection) -> Vec<u8> {
    let bytes = pattern(MUCH);
    let mut done = 0;
    loop {
        let stream = g.state.table.get_mut(&c.output).unwrap();
        match stream.check_write().unwrap() {
            0 => return bytes[..done].to_vec(),
            permit => {
                stream.write_from(&bytes[done..done + permit]).unwrap();
                done += permit;
            }
        }
    }
}

#[test]
fn to_a_slow_reader_after_the_stream_and_the_context_are_gone() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, &mut open());
        let (at, reader) = slow_reader();
        let c = g.connect(at).unwrap();
        let bytes = pattern(MUCH);
        g.write(&c.output, &bytes).unwrap();
        g.drop_connection(c);
        g.state.ctx = WasiCtxBuilder::new().build();
        assert!(reader.join().unwrap() == bytes, "{kind:?}");
    }
}

#[test]
fn in_every_order_of_dropping() {
    for kind in KINDS {
        for order in 0..4 {
            let mut g = Guest::new(kind, &mut open());
            let (at, reader) = slow_reader();
            let c = g.connect(at).unwrap();
            let bytes = write_too_much(&mut g, &c);
            assert!(bytes.len() > 64 << 10);
            match order {
                // The whole store, and the runtime after it.
                0 => drop(g),
                // The context before the table, as a store's fields may come.
                1 => {
                    g.state.ctx = WasiCtxBuilder::new().build();
                    drop(g);
                }
                2 => {
                    g.drop_tcp(c.socket);
                    g.state.table = wasi_host::ResourceTable::new();
                    drop(g);
                }
                // In an asynchronous host the store may be kept, and nothing be called any more.
                _ if kind == Kind::Async => {
                    g.drop_connection(c);
                    assert!(reader.join().unwrap() == bytes);
                    continue;
                }
                _ => {
                    let other = g.runtime.take();
                    g.drop_connection(c);
                    drop((g, other));
                }
            }
            assert!(reader.join().unwrap() == bytes, "{kind:?} {order}");
        }
    }
}

#[test]
fn on_a_runtime_that_has_only_the_thread_that_calls() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (at, reader) = slow_reader();
    let bytes = runtime.block_on(async move {
        let g = &mut Guest::new(Kind::Sync, &mut open());
        let s = g.tcp(family(at));
        let network = b(&g.network);
        use wasi_host::bindings::sockets::tcp::HostTcpSocket as H;
        code(H::start_connect(&mut WasiImpl(&mut g.state), b(&s), network, at.into()).await).unwrap();
        let (input, output) = loop {
            match code(H::finish_connect(&mut WasiImpl(&mut g.state), b(&s))) {
                Ok(streams) => break streams,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        write_too_much(g, &Connection { socket: s, input, output })
    });
    // What is left is for the runtime's end.
    drop(runtime);
    assert!(reader.join().unwrap() == bytes);
}

/// While the guest waits for something else, and without waking it.
#[test]
fn in_every_wait() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, &mut open());
        let (at, reader) = slow_reader();
        let c = g.connect(at).unwrap();
        let bytes = write_too_much(g, &c);
        g.drop_tcp(c.socket);
        g.drop_streams(c.input, c.output);
        use wasi_host::bindings::clocks::monotonic_clock::Host as _;
        let begin = Instant::now();
        let span = Duration::from_secs(2);
        let timer = WasiImpl(&mut g.state).subscribe_duration(span.as_nanos() as u64).unwrap();
        wait!(g, io::poll => HostPollable::block(b(&timer))).unwrap();
        assert!(begin.elapsed() >= span);
        assert!(reader.is_finished(), "{kind:?}");
        assert!(reader.join().unwrap() == bytes);
    }
}

/// Two guests that each wait to be heard before they listen.
#[test]
fn and_nobody_waits_in_a_circle() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, &mut open());
        let outside = TcpListener::bind(V4).unwrap();
        let c = g.connect(outside.local_addr().unwrap()).unwrap();
        let (mut peer, _) = outside.accept().unwrap();
        let bytes = write_too_much(g, &c);
        let len = bytes.len();
        let other = std::thread::spawn(move || {
            peer.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let mut all = vec![0; len];
            peer.read_exact(&mut all).unwrap();
            std::io::Write::write_all(&mut peer, b"thanks").unwrap();
            all
        });
        assert_eq!(g.read(&c.input, 100).unwrap(), b"thanks");
        assert!(other.join().unwrap() == bytes, "{kind:?}");
    }
}

#[test]
fn until_the_deadline() {
    for kind in KINDS {
        let mut g = Guest::new(kind, open().delivery_deadline(Duration::from_millis(50)));
        let (at, peer) = deaf();
        let c = g.connect(at).unwrap();
        write_too_much(&mut g, &c);
        let peer = peer.join().unwrap();
        let begin = Instant::now();
        drop(g);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(30) && took < Duration::from_secs(3), "{kind:?}: {took:?}");
        drop(peer);
    }
}

#[test]
fn or_until_somebody_interrupts() {
    for kind in KINDS {
        for late in [false, true] {
            let mut g = Guest::new(kind, open().delivery_deadline(Duration::MAX));
            let (at, peer) = deaf();
            let c = g.connect(at).unwrap();
            write_too_much(&mut g, &c);
            let peer = peer.join().unwrap();
            let interrupt = g.state.ctx.interrupt();
            let other = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(if late { 50 } else { 0 }));
                interrupt.interrupt();
            });
            if !late {
                other.join().unwrap();
                drop(g);
            } else {
                drop(g);
                other.join().unwrap();
            }
            drop(peer);
        }
    }
}

/// An asynchronous host's thread is not held by what a peer does not read.
#[test]
fn a_task_waits_and_no_thread() {
    let mut g = Guest::new(Kind::Async, open().delivery_deadline(Duration::from_secs(60)));
    let (at, peer) = deaf();
    let c = g.connect(at).unwrap();
    let bytes = write_too_much(&mut g, &c);
    let mut peer = peer.join().unwrap();
    let Guest { state, runtime: Some(runtime), .. } = g else { panic!("it has a runtime") };
    let begin = Instant::now();
    runtime.block_on(async { drop(state) });
    assert!(begin.elapsed() < Duration::from_secs(10));
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert!(all == bytes);
}
