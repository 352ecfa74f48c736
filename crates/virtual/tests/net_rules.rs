//! What rules allow, of addresses and names, and what becomes of it when they change.

mod net;
mod net_rules {
    mod addresses;
    mod incoming;
    mod names;
    mod revoking;
    mod text;
}

use net::{accept, addr, connect, datagram, host, ip, is_ready, listener, look_up, pause, recv, send, udp};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::SocketAddrUse::{
    self, TcpBind, TcpConnect, UdpBind, UdpConnect, UdpOutgoingDatagram,
};
use wasi_host_core::net::{Error, Family, Network};
use wasi_host_native::net::NativeNetwork;
use wasi_host_virtual::net::{Denied, Host, Link, Loopback, Resolver, Rule, RuleId, Rules};
use wasi_host_virtual::time::VirtualTime;

const USES: [SocketAddrUse; 5] = [TcpBind, TcpConnect, UdpBind, UdpConnect, UdpOutgoingDatagram];

fn rule(text: &str) -> Rule {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn allow(rules: &Rules, text: &str) -> RuleId {
    rules.allow(rule(text))
}

fn permits(rules: &Rules, to: &str) -> bool {
    let answers = USES.map(|used| rules.permits(addr(to), used));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{to}: one rule for all uses");
    answers[0]
}
