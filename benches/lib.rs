//! Benchmarks only: `cargo bench -p wasi-host-benches --bench p1`.
