//! The suite for every backend, on the filesystems of this machine and by both ways of resolving paths.

use std::sync::Arc;
use tempfile::TempDir;
use wasi_host_core::conformance::fs::all;
use wasi_host_core::fs::Dir;
use wasi_host_native::fs::NativeDir;

fn conforms(parent: &str, how: fn(NativeDir) -> NativeDir) {
    let mut kept = Vec::new();
    all(|| {
        let dir = TempDir::new_in(parent).unwrap();
        let root = how(NativeDir::open_ambient(dir.path()).unwrap());
        kept.push(dir);
        Arc::new(root) as Arc<dyn Dir>
    });
}

#[test]
fn in_memory() {
    conforms("/dev/shm", |dir| dir);
}

#[test]
fn in_memory_by_walk() {
    conforms("/dev/shm", NativeDir::without_openat2);
}

#[test]
fn on_disk() {
    conforms(env!("CARGO_TARGET_TMPDIR"), |dir| dir);
}

#[test]
fn on_disk_by_walk() {
    conforms(env!("CARGO_TARGET_TMPDIR"), NativeDir::without_openat2);
}
