//! What is in memory is done on the calling thread, whatever the policy. Alone in its binary, so that no other test's
//! threads count.

#[path = "support/component.rs"]
mod component;
mod support;

use component::{Backend, Host, Program, Root, THREADS};
use std::sync::atomic::Ordering;
use support::*;
use wasi_host::BlockingPolicy::Offload;
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// How many threads a guest of WASI 0.1 is served by, beside those that there are.
fn of_calls(backend: Backend) -> usize {
    let root = Root::new(backend);
    let mut b = WasiCtxBuilder::new();
    b.blocking(Offload).preopened_shared(root.dir.clone(), "/", DirPerms::all(), FilePerms::all());
    let mut g = Guest::new(Kind::Async, b.build_p1());
    let before = threads();
    let fd = g.open(3, "file", CREAT, READ | WRITE, 0) as u64;
    assert_eq!(g.fd_write(fd, &[1; 100_000]), 100_000);
    g.ok("fd_seek", &[fd, 0, 0, 2048]);
    assert_eq!(g.fd_read(fd, 100_000).unwrap().len(), 100_000);
    g.ok("fd_sync", &[fd]);
    g.ok("fd_filestat_set_size", &[fd, 10]);
    g.ok("fd_filestat_get", &[fd, 2048]);
    let (path, len) = g.path("dir");
    g.ok("path_create_directory", &[3, path, len]);
    g.ok("path_filestat_get", &[3, 0, path, len, 2048]);
    assert_eq!(g.list(3, 4096).len(), 4);
    g.ok("path_remove_directory", &[3, path, len]);
    let (path, len) = g.path("file");
    g.ok("path_unlink_file", &[3, path, len]);
    threads().saturating_sub(before)
}

/// How many threads serve a component, one of them to run it on.
fn of_component(name: &str, host: Host, backend: Backend) -> usize {
    let before = THREADS.load(Ordering::Relaxed);
    let ended = Program::new(name).run(host, &[], "words", &Root::new(backend));
    assert!(ended.ok(), "{}", ended.describe());
    THREADS.load(Ordering::Relaxed) - before
}

#[test]
fn what_is_in_memory_never_leaves_the_thread() {
    assert_eq!(of_calls(Backend::Memory), 0);
    assert!(of_calls(Backend::Disk) > 0, "they would be seen");
    for (name, host) in [
        ("p2_filesystem", Host::Two(Kind::Async, Offload)),
        ("p2_streams", Host::Two(Kind::Async, Offload)),
        ("p3_filesystem", Host::Three(Offload)),
        ("p3_directories", Host::Three(Offload)),
    ] {
        assert_eq!(of_component(name, host, Backend::Memory), 1, "{name}");
    }
    assert!(of_component("p2_filesystem", Host::Two(Kind::Async, Offload), Backend::Disk) > 1);
    assert!(of_component("p3_filesystem", Host::Three(Offload), Backend::Disk) > 1);
}
