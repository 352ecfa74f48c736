//! Each call of WASI 0.1 beside the raw system call, a floor written by hand, and the peer, in one run.
//!
//! `cargo bench -p wasi-host-benches --bench p1 [-- FILTER]` prints the tables of `BENCHMARKS.md`. Ratios count, not
//! nanoseconds. `ROUNDS` (9) and `TARGET_MS` (10) say how long to measure.
#![allow(missing_docs, reason = "a program")]

mod calls;
mod floor;
mod guest;
#[path = "../in_memory.rs"]
mod in_memory;
mod many;
mod memory;
mod worlds;

fn main() -> wasmtime::Result<()> {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let effort = wasi_host_benches::measure::Effort::from_env();
    calls::main(effort, &filter)?;
    memory::main(effort, &filter)?;
    calls::adaptive(effort, &filter)?;
    many::main(effort, &filter)
}
