//! A synchronous host starts no thread and no runtime. Alone in its binary, so that no other test's threads count.

mod support;

use support::*;
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_synchronous_host_starts_no_thread() {
    let dir = tempfile::tempdir().unwrap();
    let mut b = WasiCtxBuilder::new();
    b.preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
    let mut g = Guest::new(Kind::Sync, b.build_p1());
    let before = threads();
    let fd = g.open(3, "file", CREAT, READ | WRITE, 0) as u64;
    assert_eq!(g.fd_write(fd, &[1; 70_000]), 70_000);
    g.ok("fd_sync", &[fd]);
    assert!(!g.list(3, 4096).is_empty());
    let mut record = [0; 48];
    (record[16], record[24]) = (1, 100);
    g.write(0, &record);
    g.ok("poll_oneoff", &[0, 8192, 1, 2048]);
    g.ok("random_get", &[0, 64]);
    assert!(threads() <= before, "{} threads, {before} before", threads());
}
