//! Calls on files in memory.

use crate::calls::{DIRECTORY, FILE, OUT, WHOLE};
use crate::case::{Case, On};
use crate::in_memory::{self, SIZES, copy_of};
use crate::op;
use crate::worlds::World;
use wasi_host_benches::measure::Effort;
use wasmtime::Result;

/// Each call, and how many times faster it is to be than the peer's.
fn cases() -> Vec<(Case, Option<f64>)> {
    let (few, large) = (Some(2.5), Some(1.0));
    let mut cases = Vec::new();
    for (kind, op, on) in [("descriptor.read", op::READ, FILE), ("descriptor.write", op::WRITE, OUT)] {
        for (size, bytes, is_small) in SIZES {
            let times = if is_small { few } else { large };
            let case = Case::new(format!("{kind} {size}"), op, on, bytes);
            let case = match in_memory::count(bytes) {
                Some(count) => case.count(count),
                None => case,
            };
            cases.push((case, times));
        }
    }
    let (one, deep) = (On::Path("small.txt"), On::Path("sub/small.txt"));
    let case = |name: &str, op, on, b| Case::new(name, op, on, b);
    cases.extend([
        (case("descriptor.stat", op::STAT, FILE, 0), None),
        (case("stat-at, 1 component", op::STAT_AT, one, 0), None),
        (case("stat-at, 2 components", op::STAT_AT, deep, 0), None),
        (case("open-at and drop", op::OPEN_AT, one, 0), None),
        (case("the same, 2 components", op::OPEN_AT, deep, 0), None),
        (case("read-directory of 1,000", op::READ_DIRECTORY, On::Opened("d1000", DIRECTORY, 1), 0), None),
        (
            case("file, blocking-read 4 KiB", op::STREAM_BLOCKING, FILE, 4096)
                .count(WHOLE / 4096..=WHOLE / 4096),
            few,
        ),
        (case("file, check-write and write 4 KiB", op::STREAM_CHECKED, OUT, 4096).count(1..=16_000), few),
    ]);
    cases
}

/// Each beside the same call on the system's files, ours and the peer's, on the calling thread; then in an engine that does
/// without the asynchronous component model.
pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    let cases: Vec<_> = cases().into_iter().filter(|(case, _)| case.name.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    for (concurrency, title) in
        [(true, "Files in memory."), (false, "Files in memory, with `concurrency_support(false)`.")]
    {
        let world = World::new(concurrency)?;
        let fs = copy_of(&world.dir);
        let mut guests = Vec::new();
        for asynchronous in [false, true] {
            guests.push(world.ours(asynchronous)?);
            guests.push(world.memory(asynchronous, &fs)?);
            guests.push(world.peer(asynchronous, true)?);
        }
        println!("\n{title}\n\n{}", in_memory::HEAD);
        for (case, times) in &cases {
            let t = case.times(effort, &world.dir, &mut guests);
            in_memory::print(&case.name, &t[1..], *times);
        }
    }
    Ok(())
}
