//! Call by call.

use crate::case::{Case, On, is_near};
use crate::worlds::World;
use crate::{compare, op};
use wasi_host_benches::measure::Effort;
use wasi_host_benches::native;
use wasi_host_benches::table::nanos;
use wasmtime::Result;

pub(crate) const FILE: On = On::Opened("data", 0, 1);
pub(crate) const OUT: On = On::Opened("out", 0, 3);
const NOTHING: On = On::Number(0);
pub(crate) const DIRECTORY: u32 = 2;

/// All of `data` in one run.
pub(crate) const WHOLE: u32 = 256 << 20;

fn cases() -> Vec<Case> {
    let case = Case::new;
    vec![
        case("monotonic-clock.now", op::NOW, NOTHING, 0).native(native::clock),
        case("get-random-u64", op::RANDOM_U64, NOTHING, 0),
        case("get-random-bytes 16 B", op::RANDOM_BYTES, NOTHING, 16),
        case("get-random-bytes 64 KiB", op::RANDOM_BYTES, NOTHING, 65536).inline(5.0),
        case("get-environment of 20", op::ENVIRONMENT, NOTHING, 0),
        case("descriptor.read 1 B", op::READ, FILE, 1).inline(1.1).default(8.0).native(native::read::<1>),
        case("descriptor.read 4 KiB", op::READ, FILE, 4096)
            .inline(1.1)
            .default(8.0)
            .native(native::read::<4096>),
        case("descriptor.read 64 KiB", op::READ, FILE, 65536).native(native::read::<65536>),
        case("descriptor.write 1 B", op::WRITE, OUT, 1).inline(1.1).default(8.0).native(native::write::<1>),
        case("descriptor.write 4 KiB", op::WRITE, OUT, 4096)
            .inline(1.1)
            .default(8.0)
            .native(native::write::<4096>),
        case("descriptor.write 64 KiB", op::WRITE, OUT, 65536).native(native::write::<65536>),
        case("descriptor.stat", op::STAT, FILE, 0).inline(1.35).default(8.0).native(native::fstat),
        case("descriptor.get-type", op::GET_TYPE, FILE, 0).inline(4.0).default(8.0),
        case("stat-at, 1 component", op::STAT_AT, On::Path("small.txt"), 0)
            .inline(2.0)
            .default(8.0)
            .native(native::stat),
        case("stat-at, 2 components", op::STAT_AT, On::Path("sub/small.txt"), 0)
            .default(8.0)
            .native(native::stat_deep),
        case("open-at and drop", op::OPEN_AT, On::Path("small.txt"), 0)
            .inline(1.15)
            .default(8.0)
            .native(native::open),
        case("the same, 2 components", op::OPEN_AT, On::Path("sub/small.txt"), 0)
            .inline(1.15)
            .default(8.0)
            .native(native::open_deep),
        case("read-directory of 1,000", op::READ_DIRECTORY, On::Opened("d1000", DIRECTORY, 1), 0)
            .inline(3.0)
            .native(native::list::<1000>),
        case("read-directory of 10,000", op::READ_DIRECTORY, On::Opened("d10000", DIRECTORY, 1), 0)
            .inline(3.0)
            .native(native::list::<10_000>),
        case("file, blocking-read 4 KiB", op::STREAM_BLOCKING, FILE, 4096)
            .inline(1.15)
            .default(8.0)
            .count(WHOLE / 4096..=WHOLE / 4096)
            .native(native::read::<4096>),
        case("file, blocking-read 64 KiB", op::STREAM_BLOCKING, FILE, 65536)
            .count(WHOLE / 65536..=WHOLE / 65536)
            .native(native::read::<65536>),
        case("file, read and block 4 KiB", op::STREAM_POLLED, FILE, 4096)
            .inline(10.0)
            .default(8.0)
            .count(WHOLE / 4096..=WHOLE / 4096)
            .native(native::read::<4096>),
        case("file, read and block 64 KiB", op::STREAM_POLLED, FILE, 65536)
            .count(WHOLE / 65536..=WHOLE / 65536)
            .native(native::read::<65536>),
        case("file, blocking-write-and-flush 4 KiB", op::STREAM_FLUSHED, OUT, 4096)
            .default(8.0)
            .count(1..=16_000)
            .native(native::write::<4096>),
        case("file, check-write and write 4 KiB", op::STREAM_CHECKED, OUT, 4096)
            .inline(8.0)
            .default(8.0)
            .count(1..=16_000)
            .native(native::write::<4096>),
        case("file, check-write and write 64 KiB", op::STREAM_CHECKED, OUT, 65536)
            .count(1..=1000)
            .native(native::write::<65536>),
        case("stdout, check-write", op::STDOUT_CHECK, NOTHING, 0),
        case("stdout, check-write, write, flush 1 B", op::STDOUT_WRITE, NOTHING, 1).count(1..=400_000),
        case("stdout, check-write, write, flush 4 KiB", op::STDOUT_WRITE, NOTHING, 4096).count(1..=2000),
        case("stdout, blocking-write-and-flush 1 B", op::STDOUT_FLUSHED, NOTHING, 1).count(1..=400_000),
        case("stdout, blocking-write-and-flush 4 KiB", op::STDOUT_FLUSHED, NOTHING, 4096).count(1..=2000),
        case("stdout, subscribe, block, drop", op::STDOUT_SUBSCRIBE, NOTHING, 0),
        case("stdin, read 1 B", op::STDIN_READ, NOTHING, 1).count(1..=400_000),
        case("stdin, blocking-read 4 KiB", op::STDIN_BLOCKING, NOTHING, 4096).count(1..=2000),
        case("pollable.block, ready", op::BLOCK, NOTHING, 0).inline_sync(1.5),
        case("pollable.ready", op::IS_READY, NOTHING, 0),
        case("subscribe-duration 0, block, drop", op::SUBSCRIBE, NOTHING, 0),
        case("poll of 100, 1 ready", op::POLL, NOTHING, 100).inline(3.0),
        case("sleep 1 µs", op::SUBSCRIBE, On::Number(1000), 0).count(1..=10_000).native(native::sleep),
    ]
}

/// Every call, in memory, on the calling thread; the peer in the same way and by its default.
pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    compare::print("Nanoseconds for a call. Files on tmpfs.", effort, filter, &cases())
}

/// Small calls in an engine that does without the asynchronous component model.
pub(crate) fn without_concurrency(effort: Effort, filter: &str) -> Result<()> {
    let names = [
        "monotonic-clock.now",
        "get-random-u64",
        "get-random-bytes 16 B",
        "descriptor.read 1 B",
        "descriptor.write 1 B",
        "descriptor.stat",
        "descriptor.get-type",
        "stdout, check-write",
        "stdout, blocking-write-and-flush 1 B",
        "pollable.block, ready",
        "pollable.ready",
    ];
    let all = cases();
    let cases: Vec<_> = all.iter().filter(|c| names.contains(&&*c.name) && c.name.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let world = World::new(false)?;
    let mut guests = [world.floor(false)?, world.ours(false)?, world.peer(false, true)?];
    println!("\nSynchronous, with `concurrency_support(false)`.\n");
    println!("| call | floor | ours | ours / floor | peer inline / ours | |\n|---|--:|--:|--:|--:|---|");
    for case in cases {
        let t = case.times(effort, &world.dir, &mut guests);
        println!(
            "| {} | {} | {} | {:.2} | {:.2} | {} |",
            case.name,
            nanos(t[1]),
            nanos(t[2]),
            t[2] / t[1],
            t[3] / t[2],
            if is_near(t[2], t[1]) { "" } else { "**missed: floor**" },
        );
    }
    Ok(())
}
