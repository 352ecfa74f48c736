//! Call by call.

use crate::case::{Case, On};
use crate::{compare, op};
use std::ops::RangeInclusive;
use wasi_host_benches::measure::Effort;
use wasi_host_benches::{files, native};
use wasmtime::Result;

const FILE: On = On::Opened("data", 0, 1);
const OUT: On = On::Opened("out", 0, 3);
const SMALL: On = On::Path("small.txt");
const NOTHING: On = On::Number(0);
const DIRECTORY: u32 = 2;

/// All of `data` by `size` bytes, in one run.
const fn whole(size: u32) -> RangeInclusive<u32> {
    let n = (256 << 20) / size;
    n..=n
}

/// What a file or a directory is asked for.
fn of_files() -> Vec<Case> {
    let case = Case::new;
    let listed = On::Opened("d10000", DIRECTORY, 1);
    vec![
        case("stat", op::STAT, FILE, 0).inline(1.1).default(10.0).native(native::fstat),
        case("stat, started", op::STARTED_STAT, FILE, 0).inline(1.1).default(10.0).native(native::fstat),
        case("get-type", op::GET_TYPE, FILE, 0),
        case("stat-at", op::STAT_AT, SMALL, 0).native(native::stat),
        case("open-at and drop", op::OPEN_AT, SMALL, 0).native(native::open),
        case("read-directory of 10,000 by 64", op::READ_DIRECTORY, listed, 64)
            .inline(3.0)
            .native(native::list::<10_000>),
        case("read-directory of 10,000 by 1,024", op::READ_DIRECTORY, listed, 1024)
            .inline(3.0)
            .native(native::list::<10_000>),
        case("file, read by 1 B", op::READ, FILE, 1).count(1..=1_000_000).native(native::read::<1>),
        case("file, read by 4 KiB", op::READ, FILE, 4096)
            .inline(0.9)
            .default(10.0)
            .count(whole(4096))
            .native(native::read::<4096>),
        case("file, read by 64 KiB", op::READ, FILE, 65536)
            .inline(0.9)
            .default(10.0)
            .count(whole(65536))
            .native(native::read::<65536>),
        case("file, read by 1 MiB", op::READ, FILE, 1 << 20)
            .inline(0.9)
            .default(10.0)
            .count(whole(1 << 20))
            .native(native::read::<1_048_576>),
        case("file, write by 4 KiB", op::WRITE, OUT, 4096)
            .inline(0.9)
            .default(6.0)
            .count(1..=16_000)
            .native(native::write::<4096>),
        case("file, write by 64 KiB", op::WRITE, OUT, 65536)
            .inline(0.9)
            .default(10.0)
            .count(1..=1000)
            .native(native::write::<65536>),
        case("file, a stream of 4 KiB", op::STREAM, FILE, 4096).native(native::pread),
    ]
}

fn others() -> Vec<Case> {
    let case = Case::new;
    vec![
        case("monotonic-clock.now", op::NOW, NOTHING, 0).native(native::clock),
        case("get-random-u64", op::RANDOM_U64, NOTHING, 0),
        case("get-random-bytes 16 B", op::RANDOM_BYTES, NOTHING, 16),
        case("get-environment of 20", op::ENVIRONMENT, NOTHING, 0),
        case("wait-for 0", op::WAIT_FOR, NOTHING, 0),
        case("wait-for 0, started", op::STARTED_WAIT, NOTHING, 0),
        case("wait-for 1 µs", op::WAIT_FOR, On::Number(1000), 0)
            .inline(10.0)
            .default(10.0)
            .count(1..=10_000)
            .native(native::sleep),
        case("wait-for 1 µs, started", op::STARTED_WAIT, On::Number(1000), 0)
            .inline(10.0)
            .default(10.0)
            .count(1..=10_000)
            .native(native::sleep),
        case("wait-for 1 ms, each of 10,000", op::TIMERS, On::Number(1_000_000), 0).count(10_000..=10_000),
        case("wait-for 20 ms, each of 10,000", op::TIMERS, On::Number(20_000_000), 0).count(10_000..=10_000),
        case("stdout, write 1 B", op::STDOUT_WRITE, NOTHING, 1).count(1..=400_000),
        case("stdout, write 4 KiB", op::STDOUT_WRITE, NOTHING, 4096).count(1..=2000),
        case("stdin, read 1 B", op::STDIN_READ, NOTHING, 1).count(1..=400_000),
        case("stdin, read 4 KiB", op::STDIN_READ, NOTHING, 4096).count(1..=2000),
    ]
}

pub(crate) fn main(effort: Effort, filter: &str) -> Result<()> {
    let cases = [others(), of_files()].concat();
    compare::print("Nanoseconds for a call. Files on tmpfs.", files::SHM, effort, filter, &cases)
}

/// Where the default policy asks the cache first.
pub(crate) fn on_disk(effort: Effort, filter: &str) -> Result<()> {
    let dir = std::env::current_dir()?.join("target/bench-disk");
    let dir = dir.to_str().expect("UTF-8");
    compare::print("\nFiles on a disk, its cache warm.", dir, effort, filter, &of_files())
}
