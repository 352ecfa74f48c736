//! The suite for every network, on the loopback device of this machine.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use wasi_host_core::conformance::net::{Subject, all};
use wasi_host_native::net::NativeNetwork;
use wasi_host_native::wait::Poller;

#[test]
fn by_loopback() {
    // Some machines have no IPv6 at all.
    let ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok().then_some(Ipv6Addr::LOCALHOST);
    all(|| Subject {
        network: Arc::new(NativeNetwork),
        waiter: Arc::new(Poller::default()),
        ipv4: Some(Ipv4Addr::LOCALHOST),
        ipv6,
        name: "localhost".to_owned(),
        // Too long for any name server to be asked for it.
        no_name: "a".repeat(64),
    });
}
