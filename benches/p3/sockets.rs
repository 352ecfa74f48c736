//! TCP and UDP over the loopback interface, all on one core: what is measured is work, not how fast the other core wakes.

use crate::case::{Case, On};
use crate::{compare, op, servers};
use wasi_host_benches::files;
use wasi_host_benches::measure::Effort;
use wasmtime::Result;

fn pin() -> Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(0);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

fn cases() -> Vec<Case> {
    let tcp = |port| On::Server(op::TCP_OPEN, port, 0);
    let datagrams = On::Server(op::UDP_OPEN, servers::echo_datagrams(), 0);
    let echo = tcp(servers::echo());
    let (sink, source) = (tcp(servers::sink()), tcp(servers::source()));
    let case = Case::new;
    let bulk = |case: Case| case.inline(0.9).default(0.9);
    vec![
        case("tcp, connect and close", op::TCP_CONNECT, On::Number(servers::closing().into()), 0)
            .count(1..=500),
        case("tcp, echo 1 B", op::TCP_ECHO, echo, 1),
        case("tcp, echo 4 KiB", op::TCP_ECHO, echo, 4096),
        case("tcp, echo 64 KiB", op::TCP_ECHO, echo, 65536),
        case("tcp, read by 1 B", op::TCP_READ, source, 1),
        bulk(case("tcp, receive 1 MiB by 4 KiB", op::TCP_RECEIVE, source, 4096)),
        bulk(case("tcp, receive 1 MiB by 64 KiB", op::TCP_RECEIVE, source, 65536)),
        bulk(case("tcp, send by 4 KiB", op::TCP_SEND, sink, 4096)),
        bulk(case("tcp, send by 64 KiB", op::TCP_SEND, sink, 65536)),
        case("udp, echo 64 B", op::UDP_ECHO, datagrams, 64),
    ]
}

pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    pin()?;
    let title = "\nOver the loopback interface, on one core.";
    compare::print(title, files::SHM, effort, filter, &cases())
}
