//! Sockets stay registered from one asynchronous wait to the next, and no longer than they are open.
#![cfg(feature = "async")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Network, UdpSocket};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::net::NativeNetwork;
use wasi_host_native::wait::Poller;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn socket() -> (Arc<dyn UdpSocket>, SocketAddr) {
    let socket = NativeNetwork.udp(Family::Ipv4).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

/// Whether it is readable within a time.
async fn readable(socket: &dyn UdpSocket, within: Duration) -> bool {
    let waits = [socket.wait(Interest::Read)];
    let mut ended = Vec::new();
    let poller = Poller::default();
    let any = poller.any_async(&waits, &mut [], &mut ended);
    timeout(within, any).await.is_ok_and(|waited| waited.is_ok())
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

#[test]
fn what_is_there_stays_there_until_it_is_taken() {
    let ((to, there), (from, _)) = (socket(), socket());
    runtime().block_on(async {
        for _ in 0..10 {
            assert!(!readable(&*to, SHORT).await);
            from.send(b"hello", Some(there)).unwrap();
            from.send(b"again", Some(there)).unwrap();
            for _ in 0..3 {
                assert!(readable(&*to, LONG).await);
            }
            let mut buf = [0; 16];
            to.recv(&mut buf).unwrap();
            assert!(readable(&*to, LONG).await);
            to.recv(&mut buf).unwrap();
        }
    });
}

#[test]
fn all_who_wait_for_one_are_woken() {
    let ((to, there), (from, _)) = (socket(), socket());
    runtime().block_on(async {
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let to = to.clone();
                tokio::spawn(async move { readable(&*to, LONG).await })
            })
            .collect();
        tokio::time::sleep(SHORT).await;
        from.send(b"hello", Some(there)).unwrap();
        for waiting in waiting {
            assert!(waiting.await.unwrap());
        }
    });
}

#[test]
fn a_socket_outlives_the_runtime_that_it_was_waited_for_on() {
    let ((to, there), (from, _)) = (socket(), socket());
    for _ in 0..3 {
        let runtime = runtime();
        runtime.block_on(async {
            assert!(!readable(&*to, SHORT).await);
            from.send(b"hello", Some(there)).unwrap();
            assert!(readable(&*to, LONG).await);
            to.recv(&mut [0; 16]).unwrap();
        });
    }
    // Outside of any, and beside another waiter of the first.
    let poller = Poller::default();
    from.send(b"hello", Some(there)).unwrap();
    poller.any(&[to.wait(Interest::Read)], &mut [], &mut Vec::new()).unwrap();
}

#[test]
fn two_runtimes_wait_for_one_socket() {
    let ((to, there), (from, _)) = (socket(), socket());
    let (first, second) = (runtime(), runtime());
    let wait = |to: Arc<dyn UdpSocket>| async move { readable(&*to, LONG).await };
    let waiting = [first.spawn(wait(to.clone())), second.spawn(wait(to.clone()))];
    std::thread::sleep(SHORT);
    from.send(b"hello", Some(there)).unwrap();
    for waiting in waiting {
        assert!(first.block_on(waiting).unwrap());
    }
}

/// Numbers are used again at once, and none is left behind.
#[test]
fn what_is_closed_is_forgotten() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(!readable(&*socket().0, SHORT).await);
        let before = open();
        for _ in 0..2_000 {
            let ((to, there), (from, _)) = (socket(), socket());
            assert!(!readable(&*to, Duration::ZERO).await);
            from.send(b"hello", Some(there)).unwrap();
            assert!(readable(&*to, LONG).await);
        }
        // Other tests of this process open and close theirs.
        assert!(open() < before + 500, "{before} descriptors, then {}", open());
    });
}

#[test]
fn a_time_that_is_up_comes_with_what_is_ready_by_then() {
    let ((to, there), (from, _)) = (socket(), socket());
    runtime().block_on(async {
        assert!(!readable(&*to, SHORT).await);
        from.send(b"hello", Some(there)).unwrap();
        let (waits, mut ended) = ([Wait::Ready, to.wait(Interest::Read)], Vec::new());
        Poller::default().any_async(&waits, &mut [], &mut ended).await.unwrap();
        assert_eq!(ended.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 1]);
    });
}
