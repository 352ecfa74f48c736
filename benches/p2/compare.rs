//! Every host at one operation, as a line of the table.

use crate::case::{Case, is_near};
use crate::worlds::World;
use wasi_host_benches::measure::Effort;
use wasi_host_benches::table::{self, Row};
use wasmtime::Result;

/// Prints those of `cases` that `filter` leaves, in all hosts.
pub(crate) fn print(title: &str, effort: Effort, filter: &str, cases: &[Case]) -> Result<()> {
    let cases: Vec<_> = cases.iter().filter(|c| c.name.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let world = World::new(true)?;
    let mut guests = [
        world.floor(false)?,
        world.floor(true)?,
        world.ours(false)?,
        world.ours(true)?,
        world.peer(false, true)?,
        world.peer(true, true)?,
        world.peer(false, false)?,
        world.peer(true, false)?,
    ];
    println!("{title}\n\n{}", table::HEAD);
    for case in cases {
        let t = case.times(effort, &world.dir, &mut guests);
        let row = Row {
            native: t[0],
            floor: [t[1], t[2]],
            ours: [t[3], t[4]],
            peer_inline: [t[5], t[6]],
            peer: [t[7], t[8]],
        };
        table::print(&case.name, &row, case.bounds, is_near);
    }
    Ok(())
}
