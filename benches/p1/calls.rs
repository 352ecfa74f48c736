//! Call by call.

use crate::guest::Measured;
use crate::worlds::World;
use std::time::Duration;
use wasi_host::BlockingPolicy;
use wasi_host_benches::files::SHM;
use wasi_host_benches::measure::{Effort, Run, interleaved};
use wasi_host_benches::native;
use wasi_host_benches::table::{self, Bounds, Row, nanos};
use wasmtime::Result;

/// The operations of the measured guest (`guests/c/bench.c`).
pub(crate) mod op {
    pub(crate) const CLOCK: u32 = 1;
    pub(crate) const RANDOM: u32 = 2;
    pub(crate) const ARGS_SIZES: u32 = 3;
    pub(crate) const ENVIRON: u32 = 4;
    pub(crate) const ENVIRON_SIZES: u32 = 5;
    pub(crate) const WRITE: u32 = 6;
    pub(crate) const READ: u32 = 7;
    pub(crate) const PWRITE: u32 = 8;
    pub(crate) const PREAD: u32 = 9;
    pub(crate) const SEEK: u32 = 10;
    pub(crate) const FSTAT: u32 = 11;
    pub(crate) const STAT: u32 = 12;
    pub(crate) const OPEN: u32 = 13;
    pub(crate) const READDIR: u32 = 14;
    pub(crate) const POLL_READY: u32 = 15;
    pub(crate) const POLL_SLEEP: u32 = 16;
    pub(crate) const YIELD: u32 = 17;
    pub(crate) const STDOUT: u32 = 18;
    pub(crate) const STDIN: u32 = 19;
}

pub(crate) const READ: u64 = 1 << 1;
pub(crate) const SEEK: u64 = 1 << 2;
pub(crate) const WRITE: u64 = 1 << 6;

/// What an operation is applied to.
#[derive(Clone, Copy)]
pub(crate) enum On {
    /// A number.
    Number(u32),
    /// A file that is opened first.
    File(&'static str, u64),
    /// A directory that is opened first.
    Dir(&'static str),
    /// A path in the directory that was given.
    Path(&'static str),
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) op: u32,
    pub(crate) on: On,
    pub(crate) b: u32,
    pub(crate) most: u32,
    bounds: Bounds,
    /// The system call alone, as often as asked.
    native: fn(&str, u32) -> Duration,
}

/// As often as a call may be done that needs nothing for it.
const ANY: u32 = 50_000_000;

impl Case {
    /// Without bounds, and without a system call beside it.
    pub(crate) fn new(name: impl Into<String>, op: u32, on: On, b: u32) -> Self {
        let most = if op == op::READDIR { 100 } else { ANY };
        Self { name: name.into(), op, on, b, most, bounds: Bounds::default(), native: native::nothing }
    }
}

fn cases() -> Vec<Case> {
    let inline = |sync, asynchronous| Bounds { inline: Some((sync, asynchronous)), default: None };
    let tenfold = Bounds { inline: None, default: Some(10.0) };
    let both = |sync, asynchronous| Bounds { default: Some(10.0), ..inline(sync, asynchronous) };
    let none = Bounds::default();
    let r = On::File("data", READ | SEEK);
    let w = On::File("out", READ | WRITE | SEEK);
    let (one, deep, z) = (On::Path("small.txt"), On::Path("sub/small.txt"), On::Number(0));
    let case = |name: &str, op, on, b, most, bounds, native| Case {
        name: name.into(),
        op,
        on,
        b,
        most,
        bounds,
        native,
    };
    vec![
        case("sched_yield", op::YIELD, z, 0, ANY, none, native::nothing),
        case("clock_time_get", op::CLOCK, On::Number(1), 0, ANY, none, native::clock),
        case("random_get 16 B", op::RANDOM, z, 16, ANY, none, native::nothing),
        case("random_get 64 KiB", op::RANDOM, z, 65536, ANY, inline(6.0, 6.0), native::nothing),
        case("args_sizes_get", op::ARGS_SIZES, z, 0, ANY, inline(15.0, 15.0), native::nothing),
        case("environ_sizes_get", op::ENVIRON_SIZES, z, 0, ANY, none, native::nothing),
        case("environ_get of 20", op::ENVIRON, z, 0, ANY, inline(30.0, 30.0), native::nothing),
        case("fd_read 1 B", op::READ, r, 1, ANY, tenfold, native::read::<1>),
        case("fd_read 4 KiB", op::READ, r, 4096, ANY, both(1.4, 1.25), native::read::<4096>),
        case("fd_read 64 KiB", op::READ, r, 65536, ANY, none, native::read::<65536>),
        case("fd_write 1 B", op::WRITE, w, 1, ANY, tenfold, native::write::<1>),
        case("fd_write 4 KiB", op::WRITE, w, 4096, ANY, both(1.5, 1.35), native::write::<4096>),
        case("fd_write 64 KiB", op::WRITE, w, 65536, ANY, none, native::write::<65536>),
        case("fd_pread 4 KiB", op::PREAD, r, 4096, ANY, both(2.3, 2.0), native::pread),
        case("fd_pwrite 4 KiB", op::PWRITE, w, 4096, ANY, tenfold, native::pwrite),
        case("fd_seek", op::SEEK, r, 1, ANY, inline(15.0, 15.0), native::nothing),
        case("fd_filestat_get", op::FSTAT, r, 0, ANY, inline(3.0, 3.0), native::fstat),
        case("path_filestat_get, 1 component", op::STAT, one, 9, ANY, inline(5.0, 5.0), native::stat),
        case("path_filestat_get, 2 components", op::STAT, deep, 13, ANY, inline(2.0, 2.0), native::stat_deep),
        case("path_open and fd_close", op::OPEN, one, 9, ANY, inline(1.5, 1.5), native::open),
        case("the same, 2 components", op::OPEN, deep, 13, ANY, inline(1.5, 1.5), native::open_deep),
        case(
            "list 1,000 by 4 KiB",
            op::READDIR,
            On::Dir("d1000"),
            4096,
            100,
            inline(100.0, 100.0),
            native::list::<1000>,
        ),
        case("list 1,000 by 64 KiB", op::READDIR, On::Dir("d1000"), 65536, 100, none, native::list::<1000>),
        case("poll_oneoff, 1 ready", op::POLL_READY, z, 1, ANY, none, native::nothing),
        case(
            "poll_oneoff, 1 of 100 ready",
            op::POLL_READY,
            z,
            100,
            ANY,
            inline(100.0, 100.0),
            native::nothing,
        ),
        case("poll_oneoff, sleep 1 µs", op::POLL_SLEEP, On::Number(1), 1, 10_000, none, native::sleep),
        case("stdout, 1 B", op::STDOUT, z, 1, 400_000, inline(8.0, 8.0), native::nothing),
        case("stdout, 4 KiB", op::STDOUT, z, 4096, 2000, none, native::nothing),
        case("stdin, 1 B", op::STDIN, z, 1, 400_000, none, native::nothing),
        case("stdin, 4 KiB", op::STDIN, z, 4096, 2000, none, native::nothing),
    ]
}

/// The first argument of an operation, in one guest.
pub(crate) fn prepare(guest: &mut dyn Measured, on: On) -> u32 {
    match on {
        On::Number(n) => n,
        On::File(path, rights) => guest.open(path, 0, rights),
        On::Dir(path) => guest.open(path, 2, 1 << 14),
        On::Path(path) => {
            guest.set_path(path);
            3
        }
    }
}

/// Every call, in memory, on the calling thread, the memory told once; the peer in the same way and by its default.
pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    let world = World::new(SHM)?;
    let mut guests: Vec<Box<dyn Measured>> = vec![
        world.floor(false)?,
        world.floor(true)?,
        Box::new(world.ours(false, BlockingPolicy::Inline)?),
        Box::new(world.ours(true, BlockingPolicy::Inline)?),
        Box::new(world.peer(false, true)?),
        Box::new(world.peer(true, true)?),
        Box::new(world.peer(false, false)?),
        Box::new(world.peer(true, false)?),
    ];
    println!("Nanoseconds for a call. Files on tmpfs.\n\n{}", table::HEAD);
    for case in cases().iter().filter(|c| c.name.contains(filter)) {
        let mut runs: Vec<Run<'_>> = vec![Box::new(|n| (case.native)(&world.dir, n))];
        for guest in &mut guests {
            let a = prepare(&mut **guest, case.on);
            runs.push(Box::new(move |n| guest.run(case.op, n, a, case.b).1));
        }
        let t = interleaved(effort, 1..=case.most, &mut runs);
        let row = Row {
            native: t[0],
            floor: [t[1], t[2]],
            ours: [t[3], t[4]],
            peer_inline: [t[5], t[6]],
            peer: [t[7], t[8]],
        };
        table::print(&case.name, &row, case.bounds, |ours, floor| {
            ours <= floor * 1.3 || ours <= floor + 60.0
        });
    }
    Ok(())
}

/// Reads and opens on a disk whose cache is warm: what asking the cache costs over not asking.
pub(crate) fn adaptive(effort: Effort, filter: &str) -> Result<()> {
    let dir = std::env::current_dir()?.join("target/bench-disk");
    let world = World::new(dir.to_str().expect("UTF-8"))?;
    let mut guests = [BlockingPolicy::Inline, BlockingPolicy::Adaptive, BlockingPolicy::Offload]
        .map(|policy| world.ours(true, policy).expect("a guest"));
    println!("\nOn a disk, warm cache, async linker.\n");
    println!("| call | Inline | Adaptive | Adaptive / Inline | bound | Offload |\n|---|--:|--:|--:|--:|--:|");
    let names =
        ["fd_read 1 B", "fd_read 4 KiB", "fd_read 64 KiB", "fd_pread 4 KiB", "path_open and fd_close"];
    for case in cases().iter().filter(|c| names.contains(&&*c.name) && c.name.contains(filter)) {
        let mut runs: Vec<Run<'_>> = Vec::new();
        for guest in &mut guests {
            let a = prepare(guest, case.on);
            runs.push(Box::new(move |n| guest.run(case.op, n, a, case.b).1));
        }
        let t = interleaved(effort, 1..=case.most, &mut runs);
        let missed = if t[1] / t[0] > 1.25 { "**missed**" } else { "" };
        println!(
            "| {} | {} | {} | {:.2} {missed} | 1.25 | {} |",
            case.name,
            nanos(t[0]),
            nanos(t[1]),
            t[1] / t[0],
            nanos(t[2]),
        );
    }
    Ok(())
}
