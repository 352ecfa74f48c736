//! Every host at one operation, as a line of the table.

use crate::case::{Case, is_near};
use crate::worlds::World;
use wasi_host::BlockingPolicy;
use wasi_host_benches::measure::Effort;
use wasi_host_benches::table::nanos;
use wasmtime::Result;

const HEAD: &str = "\
| call | system call | floor | ours | ours / floor | peer inline / ours | bound | both inline | peer / ours | bound | |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|";

/// Prints those of `cases` that `filter` leaves, in all hosts.
pub(crate) fn print(title: &str, dir: &str, effort: Effort, filter: &str, cases: &[Case]) -> Result<()> {
    let cases: Vec<_> = cases.iter().filter(|c| c.name.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let world = World::new(dir)?;
    let mut guests = [
        world.floor()?,
        world.ours(BlockingPolicy::Adaptive)?,
        world.ours(BlockingPolicy::Inline)?,
        world.peer(true)?,
        world.peer(false)?,
    ];
    println!("{title}\n\n{HEAD}");
    for case in cases {
        line(case, &case.times(effort, dir, &mut guests));
    }
    Ok(())
}

fn line(case: &Case, times: &[f64]) {
    let &[native, floor, ours, ours_inline, peer_inline, peer] = times else {
        unreachable!("one for each host")
    };
    let (inline, default) = (case.bounds.inline.map(|b| b.1), case.bounds.default);
    let mut missed = Vec::new();
    if !is_near(ours, floor) {
        missed.push("floor");
    }
    if inline.is_some_and(|b| peer_inline / ours < b) {
        missed.push("peer inline");
    }
    if default.is_some_and(|b| peer / ours < b) {
        missed.push("peer");
    }
    let bound = |b: Option<f64>| b.map_or(String::new(), |b| format!("{b}"));
    println!(
        "| {} | {} | {} | {} | {:.2} | {:.2} | {} | {:.2} | {:.1} | {} | {} |",
        case.name,
        nanos(native),
        nanos(floor),
        nanos(ours),
        ours / floor,
        peer_inline / ours,
        bound(inline),
        peer_inline / ours_inline,
        peer / ours,
        bound(default),
        if missed.is_empty() { String::new() } else { format!("**missed: {}**", missed.join(", ")) },
    );
}
