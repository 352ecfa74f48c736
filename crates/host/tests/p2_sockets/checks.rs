//! Which addresses a guest may use.

use super::guest::*;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wasi_host::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasi_host::bindings::sync;
use wasi_host::{SocketAddrUse, WasiCtxBuilder, WasiImpl};

/// A guest that was given no network: what a socket is stays to be asked, and it reaches nobody.
fn reaches_nobody(g: &mut Guest) {
    let outside = std::net::TcpListener::bind(V4).unwrap();
    let s = g.tcp(IpAddressFamily::Ipv4);
    assert_eq!(g.start_bind(&s, addr(V4)), Err(ErrorCode::AccessDenied));
    assert_eq!(g.start_connect(&s, outside.local_addr().unwrap()), Err(ErrorCode::AccessDenied));
    reaches_nobody_by_udp(g);
    assert_eq!(g.look_up("localhost").err(), Some(ErrorCode::AccessDenied));
    assert_eq!(g.look_up("127.0.0.1").err(), Some(ErrorCode::AccessDenied));
}

fn reaches_nobody_by_udp(g: &mut Guest) {
    let s = g.udp(IpAddressFamily::Ipv4);
    assert_eq!(g.start_bind_udp(&s, addr(V4)), Err(ErrorCode::AccessDenied));
}

#[test]
fn nothing_unless_it_is_given() {
    for kind in KINDS {
        reaches_nobody(&mut Guest::new(kind, &mut WasiCtxBuilder::new()));
        // Permission to use TCP is not an address to use it with.
        reaches_nobody(&mut Guest::new(kind, WasiCtxBuilder::new().allow_tcp(true).allow_udp(true)));
        reaches_nobody(&mut Guest::new(kind, open().allow_tcp(false).allow_udp(false)));
        reaches_nobody_by_udp(&mut Guest::new(kind, open().allow_udp(false)));
        assert_eq!(Guest::new(kind, &mut open()).look_up("localhost").err(), Some(ErrorCode::AccessDenied));

        let g = &mut Guest::new(kind, open().allow_udp(false));
        g.listener(V4);
        let g = &mut Guest::new(kind, open().allow_tcp(false));
        g.bound_udp(V4);
        let s = g.tcp(IpAddressFamily::Ipv4);
        assert_eq!(g.start_bind(&s, addr(V4)), Err(ErrorCode::AccessDenied));
    }
}

#[test]
fn a_network_of_ones_own_is_given_with_all_its_addresses() {
    for kind in KINDS {
        let network = wasi_host_native::net::NativeNetwork;
        Guest::new(kind, WasiCtxBuilder::new().network(network)).listener(V4);
        let deny = |builder: &mut WasiCtxBuilder| {
            builder.socket_addr_check(|_, _| Box::pin(std::future::ready(false)));
        };
        let mut builder = WasiCtxBuilder::new();
        deny(&mut builder);
        reaches_nobody(&mut Guest::new(kind, builder.network(network)));
        builder.network(network);
        deny(&mut builder);
        reaches_nobody(&mut Guest::new(kind, &mut builder));
    }
}

/// A check that notes what it is asked, takes its time, and denies one port.
fn slow_check(asked: &Arc<Mutex<Vec<(SocketAddr, SocketAddrUse)>>>, denied: u16) -> WasiCtxBuilder {
    let asked = asked.clone();
    let mut builder = WasiCtxBuilder::new();
    builder.socket_addr_check(move |addr, to| {
        asked.lock().unwrap().push((addr, to));
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            addr.port() != denied
        })
    });
    builder
}

#[test]
fn every_address_is_asked_for_when_it_is_used() {
    for kind in KINDS {
        let outside = std::net::TcpListener::bind(V4).unwrap();
        let forbidden = std::net::TcpListener::bind(V4).unwrap();
        let (there, denied) = (outside.local_addr().unwrap(), forbidden.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let g = &mut Guest::new(kind, &mut slow_check(&asked, denied.port()));
        let take = || std::mem::take(&mut *asked.lock().unwrap());

        let s = g.tcp(IpAddressFamily::Ipv4);
        assert_eq!(g.start_bind(&s, denied), Err(ErrorCode::AccessDenied));
        g.bind(&s, addr(V4)).unwrap();
        assert_eq!(take(), [(denied, SocketAddrUse::TcpBind), (addr(V4), SocketAddrUse::TcpBind)]);
        assert_eq!(g.start_connect(&s, denied), Err(ErrorCode::AccessDenied));
        g.start_connect(&s, there).unwrap();
        g.finish_connect(&s).unwrap();
        assert_eq!(take(), [(denied, SocketAddrUse::TcpConnect), (there, SocketAddrUse::TcpConnect)]);
        // What is wrong by itself nobody is asked about.
        assert_eq!(g.start_connect(&s, there), Err(ErrorCode::InvalidState));
        assert_eq!(take(), []);

        let (u, _) = g.bound_udp(V4);
        assert_eq!(g.stream(&u, Some(denied)).err(), Some(ErrorCode::AccessDenied));
        let (_, output) = g.stream(&u, None).unwrap();
        let datagrams: [(&[u8], _); 3] = [(b"x", Some(there)), (b"x", Some(denied)), (b"x", Some(there))];
        assert_eq!(g.send(&output, &datagrams), Ok(1));
        assert_eq!(g.send(&output, &datagrams[1..]), Err(ErrorCode::AccessDenied));
        let to = SocketAddrUse::UdpOutgoingDatagram;
        assert_eq!(
            take(),
            [
                (addr(V4), SocketAddrUse::UdpBind),
                (denied, SocketAddrUse::UdpConnect),
                (there, to),
                (denied, to),
                (denied, to),
            ]
        );
    }
}

#[test]
fn an_interrupt_ends_the_waiting_for_an_answer() {
    for kind in KINDS {
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, mut builder) = (asked.clone(), WasiCtxBuilder::new());
        builder.socket_addr_check(move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::pending())
        });
        let g = &mut Guest::new(kind, &mut builder);
        let interrupt = g.state.ctx.interrupt();
        let handle = interrupt.clone();
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            handle.interrupt();
        });
        let s = g.tcp(IpAddressFamily::Ipv4);
        let network = b(&g.network);
        let e = wait!(g, sockets::tcp => HostTcpSocket::start_bind(b(&s), network, addr(V4).into()));
        assert!(e.unwrap_err().downcast().unwrap_err().is::<wasi_host::Interrupted>());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        other.join().unwrap();
        // It is where it was.
        interrupt.clear();
        assert_eq!(g.finish_bind(&s), Err(ErrorCode::NotInProgress));
    }
}
