//! A thousand stores at once.

use crate::guest::{Guest, Measured};
use crate::worlds::World;
use std::time::Instant;
use tokio::runtime::Runtime;
use wasi_host::BlockingPolicy;
use wasi_host_benches::files::SHM;
use wasi_host_benches::measure::{Effort, median};
use wasmtime::Result;

const STORES: usize = 1000;

/// Runs an operation in all stores at once; milliseconds until the last is done.
fn all<T: Send + 'static>(runtime: &Runtime, guests: &mut [Guest<T>], fds: &[u32], (op, n, a, b): Op) -> f64 {
    let lent: Vec<_> = guests.iter_mut().map(Guest::lend).collect();
    let begin = Instant::now();
    let back = runtime.block_on(async {
        let tasks: Vec<_> = lent
            .into_iter()
            .zip(fds)
            .map(|(mut inner, &fd)| {
                tokio::spawn(async move {
                    assert!(inner.run(op, n, a.unwrap_or(fd), b).await >= 0);
                    inner
                })
            })
            .collect();
        let mut back = Vec::new();
        for task in tasks {
            back.push(task.await.expect("no panic"));
        }
        back
    });
    let took = begin.elapsed().as_secs_f64() * 1e3;
    guests.iter_mut().zip(back).for_each(|(guest, inner)| guest.give_back(inner));
    took
}

/// The operation, how often, its first argument (else the open file), its second.
type Op = (u32, u32, Option<u32>, u32);

fn opened<T: Send + 'static>(guests: &mut [Guest<T>]) -> Vec<u32> {
    guests.iter_mut().map(|g| g.open("data", 0, 6)).collect()
}

pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    let cases: [(&str, Op, Option<f64>); 3] = [
        ("1,000 stores of 100 fd_pread of 4 KiB", (9, 100, None, 4096), Some(1.7)),
        ("1,000 stores of 1,000 clock_time_get", (1, 1000, Some(1), 0), None),
        ("1,000 stores of 10 sleeps of 1 ms", (16, 10, Some(1000), 1), None),
    ];
    if !cases.iter().any(|c| c.0.contains(filter)) {
        return Ok(());
    }
    let world = World::new(SHM)?;
    let many = |f: &dyn Fn() -> Result<_>| (0..STORES).map(|_| f()).collect::<Result<Vec<_>>>();
    let mut ours = many(&|| world.ours(true, BlockingPolicy::Inline))?;
    let peers = |inline| (0..STORES).map(|_| world.peer(true, inline)).collect::<Result<Vec<_>>>();
    let (mut inline, mut default) = (peers(true)?, peers(false)?);
    let fds = [opened(&mut ours), opened(&mut inline), opened(&mut default)];
    println!("\nAsync, two workers; milliseconds until all are done.\n");
    println!("| | ours | peer inline / ours | bound | peer / ours | |\n|---|--:|--:|--:|--:|---|");
    for (name, op, bound) in cases.into_iter().filter(|c| c.0.contains(filter)) {
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..effort.rounds.min(5) {
            times[0].push(all(&world.runtime, &mut ours, &fds[0], op));
            times[1].push(all(&world.runtime, &mut inline, &fds[1], op));
            times[2].push(all(&world.runtime, &mut default, &fds[2], op));
        }
        let [ours, inline, default] = times.map(median);
        let missed = if bound.is_some_and(|b| inline / ours < b) { "**missed**" } else { "" };
        println!(
            "| {name} | {ours:.1} | {:.2} | {} | {:.1} | {missed} |",
            inline / ours,
            bound.map_or(String::new(), |b| b.to_string()),
            default / ours,
        );
    }
    Ok(())
}
