//! The filesystem in memory against the suite that every backend must pass.

use wasi_host_core::conformance;
use wasi_host_virtual::memory::MemoryFs;

#[test]
fn memory() {
    conformance::fs::all(|| MemoryFs::new().root());
}
