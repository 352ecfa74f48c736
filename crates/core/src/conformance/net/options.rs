//! Options of sockets. A network need not have any of them.

use super::Here;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::net::{TcpOption, TcpOptionName, UdpOption, UdpOptionName};
use crate::{Errno, Result};
use std::time::Duration;

super::list!("options":
    of_tcp_are_what_was_set,
    of_tcp_have_a_largest_value,
    what_was_accepted_has_the_listeners,
    of_udp_are_what_was_set,
);

/// Whether it is there.
#[track_caller]
fn has<T>(what: &str, got: Result<T>) -> Option<T> {
    match got {
        Ok(value) => Some(value),
        refused => {
            fails(what, refused, &[Errno::NotSup]);
            None
        }
    }
}

fn of_tcp_are_what_was_set(here: &Here) {
    let (socket, _) = here.bound();
    for (name, option) in [
        (TcpOptionName::KeepAlive, TcpOption::KeepAlive(true)),
        (TcpOptionName::KeepAlive, TcpOption::KeepAlive(false)),
        (TcpOptionName::KeepAliveIdleTime, TcpOption::KeepAliveIdleTime(Duration::from_secs(77))),
        (TcpOptionName::KeepAliveInterval, TcpOption::KeepAliveInterval(Duration::from_secs(33))),
        (TcpOptionName::KeepAliveCount, TcpOption::KeepAliveCount(5)),
        (TcpOptionName::HopLimit, TcpOption::HopLimit(42)),
        (TcpOptionName::ReceiveBufferSize, TcpOption::ReceiveBufferSize(32 << 10)),
        (TcpOptionName::SendBufferSize, TcpOption::SendBufferSize(32 << 10)),
    ] {
        let Some(_before) = has("get", socket.get(name)) else { continue };
        if has("set", socket.set(option)).is_some() {
            equal("get after set", socket.get(name), Ok(option));
        }
    }
}

fn of_tcp_have_a_largest_value(here: &Here) {
    let (socket, _) = here.bound();
    for (name, option) in [
        (TcpOptionName::KeepAliveIdleTime, TcpOption::KeepAliveIdleTime(Duration::MAX)),
        (TcpOptionName::KeepAliveInterval, TcpOption::KeepAliveInterval(Duration::MAX)),
        (TcpOptionName::KeepAliveCount, TcpOption::KeepAliveCount(u32::MAX)),
        (TcpOptionName::HopLimit, TcpOption::HopLimit(u8::MAX)),
        (TcpOptionName::ReceiveBufferSize, TcpOption::ReceiveBufferSize(u64::MAX)),
        (TcpOptionName::SendBufferSize, TcpOption::SendBufferSize(u64::MAX)),
        (TcpOptionName::ReceiveBufferSize, TcpOption::ReceiveBufferSize(1)),
        (TcpOptionName::SendBufferSize, TcpOption::SendBufferSize(1)),
    ] {
        if has("set", socket.set(option)).is_some() {
            holds("nothing is left of it", !is_nothing(ok("get", socket.get(name))));
        }
    }
}

fn is_nothing(option: TcpOption) -> bool {
    match option {
        TcpOption::KeepAlive(_) => false,
        TcpOption::KeepAliveIdleTime(span) | TcpOption::KeepAliveInterval(span) => span.is_zero(),
        TcpOption::KeepAliveCount(n) => n == 0,
        TcpOption::HopLimit(n) => n == 0,
        TcpOption::ReceiveBufferSize(n) | TcpOption::SendBufferSize(n) => n == 0,
    }
}

fn what_was_accepted_has_the_listeners(here: &Here) {
    let (listener, addr) = here.listener();
    let options = [
        (TcpOptionName::KeepAlive, TcpOption::KeepAlive(true)),
        (TcpOptionName::KeepAliveCount, TcpOption::KeepAliveCount(3)),
        (TcpOptionName::HopLimit, TcpOption::HopLimit(17)),
    ];
    let taken = options.map(|(_, option)| has("set", listener.set(option)).is_some());
    let _client = here.connect(addr);
    let (server, _) = here.accept(&*listener);
    for ((name, option), taken) in options.into_iter().zip(taken) {
        if taken {
            equal("get of what was accepted", server.get(name), Ok(option));
        }
    }
}

fn of_udp_are_what_was_set(here: &Here) {
    let (socket, _) = here.bound_udp();
    for (name, option) in [
        (UdpOptionName::UnicastHopLimit, UdpOption::UnicastHopLimit(42)),
        (UdpOptionName::ReceiveBufferSize, UdpOption::ReceiveBufferSize(32 << 10)),
        (UdpOptionName::SendBufferSize, UdpOption::SendBufferSize(32 << 10)),
    ] {
        let Some(_before) = has("get", socket.get(name)) else { continue };
        if has("set", socket.set(option)).is_some() {
            equal("get after set", socket.get(name), Ok(option));
        }
    }
    for option in [UdpOption::ReceiveBufferSize(u64::MAX), UdpOption::SendBufferSize(u64::MAX)] {
        let _ = has("set", socket.set(option));
    }
}
