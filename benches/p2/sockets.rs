//! TCP and UDP over the loopback interface, all on one core: what is measured is work, not how fast the other core wakes.

use crate::case::{Case, On};
use crate::{compare, op, servers};
use std::net::UdpSocket;
use wasi_host_benches::measure::Effort;
use wasmtime::Result;

fn pin() -> Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(0);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

/// Reads no datagram: what does not fit is dropped, and sending costs the same whoever sends.
fn unread() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
    let port = socket.local_addr().expect("bound").port();
    (socket, port)
}

fn cases(sunk: u16) -> Vec<Case> {
    let tcp = |port| On::Server(op::TCP_OPEN, port, 0);
    let udp = |port, batch| On::Server(op::UDP_OPEN, port, batch);
    let echo = tcp(servers::echo());
    let (sink, source) = (tcp(servers::sink()), tcp(servers::source()));
    let case = Case::new;
    let bulk = |case: Case| case.inline(0.9).default(0.9);
    vec![
        case("tcp, connect and close", op::TCP_CONNECT, On::Number(servers::closing().into()), 0)
            .inline(1.7)
            .count(1..=500),
        case("tcp, echo 1 B", op::TCP_ECHO, echo, 1).inline_sync(1.3),
        case("tcp, echo 4 KiB", op::TCP_ECHO, echo, 4096).inline_sync(1.3),
        bulk(case("tcp, send 4 KiB", op::TCP_SEND, sink, 4096)),
        bulk(case("tcp, send 64 KiB", op::TCP_SEND, sink, 65536)),
        bulk(case("tcp, receive 1 MiB by 4 KiB", op::TCP_RECEIVE, source, 4096)),
        bulk(case("tcp, receive 1 MiB by 64 KiB", op::TCP_RECEIVE, source, 65536)),
        case("udp, echo 64 B", op::UDP_ECHO, udp(servers::echo_datagrams(), 1), 64).inline_sync(1.8),
        case("udp, send 64 B", op::UDP_SEND, udp(sunk, 1), 64),
        case("udp, send 64 B, up to 64 a call", op::UDP_SEND, udp(sunk, 64), 64),
    ]
}

pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    pin()?;
    let (_unread, sunk) = unread();
    compare::print("\nOver the loopback interface, on one core.", effort, filter, &cases(sunk))
}
