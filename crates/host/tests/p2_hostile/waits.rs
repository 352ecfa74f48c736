//! Waits that are given up, and that end because somebody says so.

use super::*;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use wasi_host::bindings::sockets::network::IpAddressFamily;
use wasi_host::bindings::sync;
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, Interrupted, WasiCtxBuilder, async_trait, subscribe};

/// A future that is polled once and then dropped.
fn give_up<F: Future>(runtime: &tokio::runtime::Runtime, future: F) {
    let _entered = runtime.enter();
    let mut future = pin!(future);
    for _ in 0..2 {
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

/// A stream that is never ready, as users write them.
struct Never;

#[async_trait]
impl wasi_host::Subscribe for Never {
    async fn ready(&mut self) {
        std::future::pending().await
    }
}

impl wasi_host::HostInputStream for Never {
    fn read(&mut self, _: usize) -> wasi_host::StreamResult<bytes::Bytes> {
        Ok(bytes::Bytes::new())
    }
}

/// An embedder may drop a call half-way. Everything is where it was.
#[test]
fn what_is_given_up_leaves_all_as_it_was() {
    use wasi_host::bindings::{filesystem, io, sockets};
    let disk = tempfile::tempdir().unwrap();
    std::fs::write(disk.path().join("f"), "hello").unwrap();
    for policy in [BlockingPolicy::Adaptive, BlockingPolicy::Offload] {
        let mut builder = WasiCtxBuilder::new();
        builder.blocking(policy).preopened_dir(disk.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
        builder.socket_addr_check(|addr, _| {
            Box::pin(async move {
                if addr.port() == 9 {
                    std::future::pending::<()>().await;
                }
                true
            })
        });
        let mut g = Guest::new(Kind::Async, &mut builder);
        let root = roots(&mut g).remove(0);
        let outside = std::net::TcpListener::bind(V4).unwrap();
        let c = g.connect(outside.local_addr().unwrap()).unwrap();
        let (s, (u, _)) = (g.tcp(IpAddressFamily::Ipv4), g.bound_udp(V4));
        let (_, datagrams) = g.stream(&u, None).unwrap();
        let never: wasi_host::InputStream = Box::new(Never);
        let never = g.state.table.push(never).unwrap();
        let pollables = [
            subscribe(&mut g.state.table, b(&c.input)).unwrap(),
            subscribe(&mut g.state.table, b(&never)).unwrap(),
        ];
        let entries = g.state.table.iter_mut().count();
        let runtime = g.runtime.take().unwrap();
        let nine = || addr("127.0.0.1:9").into();
        for _ in 0..100 {
            let v = &mut WasiImpl(&mut g.state);
            give_up(&runtime, io::poll::Host::poll(v, pollables.iter().map(b).collect()));
            give_up(&runtime, io::poll::HostPollable::block(v, b(&pollables[0])));
            give_up(&runtime, io::poll::HostPollable::block(v, b(&pollables[1])));
            give_up(&runtime, io::streams::HostInputStream::blocking_read(v, b(&c.input), 10));
            give_up(&runtime, io::streams::HostInputStream::blocking_skip(v, b(&never), 10));
            give_up(&runtime, io::streams::HostOutputStream::blocking_splice(v, b(&c.output), b(&never), 10));
            give_up(&runtime, sockets::tcp::HostTcpSocket::start_connect(v, b(&s), b(&g.network), nine()));
            give_up(&runtime, sockets::udp::HostUdpSocket::stream(v, b(&u), Some(nine())));
            v.0.table.get_mut(&datagrams).unwrap().check_send().unwrap();
            let one = sockets::udp::OutgoingDatagram { data: vec![1], remote_address: Some(nine()) };
            give_up(&runtime, sockets::udp::HostOutgoingDatagramStream::send(v, b(&datagrams), vec![one]));
            // Work that has left the thread goes on by itself.
            drop(filesystem::types::HostDescriptor::sync(v, b(&root)));
            let _entered = runtime.enter();
            let mut made =
                pin!(filesystem::types::HostDescriptor::create_directory_at(v, b(&root), "d".into()));
            let _ = made.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        g.runtime = Some(runtime);
        assert_eq!(g.state.table.iter_mut().count(), entries);
        g.start_connect(&s, outside.local_addr().unwrap()).unwrap();
        g.finish_connect(&s).unwrap();
        g.write(&c.output, b"still there").unwrap();
        wait!(&mut g, filesystem::types => HostDescriptor::sync(b(&root))).unwrap();
        // The context goes while work is under way.
        let runtime = g.runtime.take().unwrap();
        {
            let _entered = runtime.enter();
            let mut v = WasiImpl(&mut g.state);
            let mut sync = pin!(filesystem::types::HostDescriptor::sync(&mut v, b(&root)));
            let _ = sync.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        drop(g);
        runtime.shutdown_timeout(Duration::from_secs(20));
    }
}

/// Every kind of wait ends when the embedder says so.
#[test]
fn an_interrupt_ends_every_wait() {
    for kind in KINDS {
        let mut builder = open();
        builder.socket_addr_check(|addr, _| {
            Box::pin(async move { addr.port() != 9 || std::future::pending().await })
        });
        let g = &mut Guest::new(kind, &mut builder);
        let interrupt = g.state.ctx.interrupt();
        let (listener, at) = g.listener(V4);
        let c = g.connect(at).unwrap();
        let _other = g.accept(&listener);
        let never: wasi_host::InputStream = Box::new(Never);
        let never = g.state.table.push(never).unwrap();
        let on = |g: &mut Guest, r| subscribe(&mut g.state.table, r).unwrap();
        let (socket, own) = (on(g, b(&c.input)), on(g, b(&never)));
        let s = g.tcp(IpAddressFamily::Ipv4);
        // Set before or set during: nobody waits longer than that.
        for n in 0..12 {
            interrupt.clear();
            let handle = interrupt.clone();
            let pause = Duration::from_millis(if n % 2 == 0 { 0 } else { 10 });
            let other = std::thread::spawn(move || {
                std::thread::sleep(pause);
                handle.interrupt();
            });
            let traps = |e: wasmtime::Error| assert!(e.is::<Interrupted>(), "{n}: {e:?}");
            let fails = |e: wasi_host::StreamError| match e {
                wasi_host::StreamError::Trap(e) => assert!(e.is::<Interrupted>(), "{n}: {e:?}"),
                e => panic!("{n}: {e}"),
            };
            match n / 2 {
                0 => traps(wait!(g, io::poll => Host::poll(vec![b(&socket), b(&own)])).unwrap_err()),
                1 => traps(wait!(g, io::poll => HostPollable::block(b(&socket))).unwrap_err()),
                2 => fails(
                    wait!(g, io::streams => HostInputStream::blocking_read(b(&c.input), 1)).unwrap_err(),
                ),
                3 => {
                    fails(wait!(g, io::streams => HostInputStream::blocking_skip(b(&never), 1)).unwrap_err())
                }
                4 => fails(
                    wait!(g, io::streams => HostOutputStream::blocking_splice(b(&c.output), b(&never), 1))
                        .unwrap_err(),
                ),
                _ => {
                    let network = b(&g.network);
                    let nine = addr("127.0.0.1:9").into();
                    let e = wait!(g, sockets::tcp => HostTcpSocket::start_connect(b(&s), network, nine));
                    traps(e.unwrap_err().downcast().unwrap_err());
                }
            }
            other.join().unwrap();
        }
    }
}
