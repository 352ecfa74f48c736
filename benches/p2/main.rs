//! Each call of WASI 0.2 beside the raw system call, a floor written by hand, and the peer, in one run.
//!
//! `cargo bench -p wasi-host-benches --bench p2 [-- FILTER]` prints the tables of `BENCHMARKS.md`. Ratios count, not
//! nanoseconds. `ROUNDS` (9) and `TARGET_MS` (10) say how long to measure. Sockets are those of 127.0.0.1.
#![allow(missing_docs, reason = "a program")]

mod calls;
#[path = "../components/case.rs"]
mod case;
mod compare;
mod floor;
#[path = "../components/guest.rs"]
mod guest;
#[path = "../in_memory.rs"]
mod in_memory;
mod memory;
mod op;
#[path = "../components/servers.rs"]
mod servers;
mod sockets;
mod worlds;

fn main() -> wasmtime::Result<()> {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let effort = wasi_host_benches::measure::Effort::from_env();
    calls::main(effort, &filter)?;
    memory::main(effort, &filter)?;
    calls::without_concurrency(effort, &filter)?;
    // Last: it stays on one core from then on.
    sockets::main(effort, &filter)
}
