//! Benchmarks only: `cargo bench -p wasi-host-benches --bench p1`, and `p2`. Here is what they share.

pub mod files;
pub mod measure;
pub mod native;
pub mod table;
