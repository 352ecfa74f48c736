//! Calls on files in memory.

use crate::calls::{Case, On, READ, SEEK, WRITE, op, prepare};
use crate::guest::Measured;
use crate::in_memory::{self, SIZES, copy_of};
use crate::worlds::World;
use std::ops::RangeInclusive;
use wasi_host::BlockingPolicy;
use wasi_host_benches::files::SHM;
use wasi_host_benches::measure::{Effort, Run, interleaved};
use wasmtime::Result;

/// Each call, how often it is done in a run, and how many times faster it is to be than the peer's.
fn cases() -> Vec<(Case, RangeInclusive<u32>, Option<f64>)> {
    let (data, out) = (On::File("data", READ | SEEK), On::File("out", READ | WRITE | SEEK));
    let (one, deep) = (On::Path("small.txt"), On::Path("sub/small.txt"));
    let (few, large) = (Some(5.0), Some(1.0));
    let mut cases = Vec::new();
    for (kind, op, on) in [("fd_read", op::READ, data), ("fd_write", op::WRITE, out)] {
        for (size, bytes, is_small) in SIZES {
            let times = if is_small { few } else { large };
            let case = Case::new(format!("{kind} {size}"), op, on, bytes);
            let count = in_memory::count(bytes).unwrap_or(1..=case.most);
            cases.push((case, count, times));
        }
    }
    let mut case = |name: &str, op, on, b, times| {
        let case = Case::new(name, op, on, b);
        let count = 1..=case.most;
        cases.push((case, count, times));
    };
    case("fd_pread 4 KiB", op::PREAD, data, 4096, few);
    case("fd_pwrite 4 KiB", op::PWRITE, out, 4096, few);
    case("fd_seek", op::SEEK, data, 1, None);
    case("fd_filestat_get", op::FSTAT, data, 0, None);
    case("path_filestat_get, 1 component", op::STAT, one, 9, None);
    case("path_filestat_get, 2 components", op::STAT, deep, 13, None);
    case("path_open and fd_close", op::OPEN, one, 9, None);
    case("the same, 2 components", op::OPEN, deep, 13, None);
    case("list 1,000 by 4 KiB", op::READDIR, On::Dir("d1000"), 4096, None);
    case("list 1,000 by 64 KiB", op::READDIR, On::Dir("d1000"), 65536, None);
    cases
}

/// Each beside the same call on the system's files, ours and the peer's, on the calling thread.
pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    let cases: Vec<_> = cases().into_iter().filter(|(case, ..)| case.name.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let world = World::new(SHM)?;
    let fs = copy_of(SHM);
    let mut guests: Vec<Box<dyn Measured>> = Vec::new();
    for asynchronous in [false, true] {
        guests.push(Box::new(world.ours(asynchronous, BlockingPolicy::Inline)?));
        guests.push(Box::new(world.memory(asynchronous, &fs)?));
        guests.push(Box::new(world.peer(asynchronous, true)?));
    }
    println!("\nFiles in memory.\n\n{}", in_memory::HEAD);
    for (case, count, times) in cases {
        let mut runs: Vec<Run<'_>> = Vec::new();
        for guest in &mut guests {
            let a = prepare(&mut **guest, case.on);
            runs.push(Box::new(move |n| {
                // From the start again: a file that grows would be new memory for the first who writes there alone.
                if matches!(case.on, On::File(..)) {
                    guest.run(op::SEEK, 1, a, 0);
                }
                guest.run(case.op, n, a, case.b).1
            }));
        }
        let t = interleaved(effort, count, &mut runs);
        in_memory::print(&case.name, &t, times);
    }
    Ok(())
}
