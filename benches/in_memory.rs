//! What the measured guests find, in a filesystem in memory.

use std::ops::RangeInclusive;
use std::sync::Arc;
use wasi_host_benches::table::nanos;
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::copy;
use wasi_host_virtual::memory::{Limits, MemoryFs};

/// The sizes of reads and writes, and whether each is one of those up to 4 KiB, of which more is wanted.
pub(crate) const SIZES: [(&str, u32, bool); 5] = [
    ("1 B", 1, true),
    ("64 B", 64, true),
    ("512 B", 512, true),
    ("4 KiB", 4096, true),
    ("64 KiB", 65536, false),
];

/// How often a read or write of so many bytes is done in one run, unless as often as there is time for: pages go through the
/// same 64 MiB in every host, so that each finds as little of it in the caches as the others.
pub(crate) fn count(bytes: u32) -> Option<RangeInclusive<u32>> {
    let whole = (64 << 20) / bytes;
    (bytes >= 4096).then_some(whole..=whole)
}

/// The same as `dir` holds.
pub(crate) fn copy_of(dir: &str) -> MemoryFs {
    let fs = MemoryFs::new();
    fs.set_limits(Limits { bytes: u64::MAX, inodes: u64::MAX });
    let from = NativeDir::open_ambient(dir).expect("made");
    copy::tree(Arc::new(from), fs.root()).expect("room");
    fs
}

/// Above the lines.
pub(crate) const HEAD: &str = "\
| call | native | memory | native / memory | bound | peer inline / memory | bound | |
|---|--:|--:|--:|--:|--:|--:|---|";

/// Prints a line for the synchronous linker and one for the asynchronous. `t` is what one call takes on native files, in
/// memory, and in the peer on the calling thread, in the one linker and then in the other; `times` how often the time in
/// memory is to fit into the peer's.
pub(crate) fn print(name: &str, t: &[f64], times: Option<f64>) {
    for (kind, t) in ["", ", async"].into_iter().zip(t.chunks_exact(3)) {
        let (native, memory, peer) = (t[0], t[1], t[2]);
        let mut missed = Vec::new();
        if native / memory < 1.0 {
            missed.push("native");
        }
        if times.is_some_and(|times| peer / memory < times) {
            missed.push("peer inline");
        }
        println!(
            "| {name}{kind} | {} | {} | {:.2} | 1 | {:.2} | {} | {} |",
            nanos(native),
            nanos(memory),
            native / memory,
            peer / memory,
            times.map_or(String::new(), |times| format!("{times}")),
            if missed.is_empty() { String::new() } else { format!("**missed: {}**", missed.join(", ")) },
        );
    }
}
