//! What is changed through a handle while a guest runs: taken back, added, made more or less. Loopback only.

#[path = "../p2_sockets/guest.rs"]
mod guest;
mod one;
mod one_race;
#[path = "../support/mod.rs"]
mod support;
mod three;
mod two;

use std::sync::mpsc;
use std::time::Duration;
use wasi_host::wait::Interrupt;
use wasi_host::{DirPerms, FilePerms, Handle, WasiCtxBuilder};
use wasi_host_virtual::memory::MemoryFs;

/// A tree with something in it.
fn tree() -> MemoryFs {
    let fs = MemoryFs::new();
    fs.write("file", "0123456789").unwrap();
    fs.create_dir_all("dir/sub").unwrap();
    for n in 0..100 {
        fs.write(&format!("dir/{n:03}"), "").unwrap();
    }
    fs
}

/// A context with that tree at `/a`, and the same again at `/b`.
fn builder(fs: &MemoryFs) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    for name in ["/a", "/b"] {
        builder.preopened_shared(fs.root(), name, DirPerms::all(), FilePerms::all());
    }
    builder
}

/// A directory of the disk with a FIFO in it.
fn fifo() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(dir.path().join("fifo")).status().unwrap().success());
    dir
}

/// Changes something while `call` waits. Should it wait for ever it is interrupted after a while, and so fails.
fn meanwhile<R>(interrupt: &Interrupt, change: impl FnOnce() + Send, call: impl FnOnce() -> R) -> R {
    let (done, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            change();
            if ended.recv_timeout(Duration::from_secs(30)) == Err(mpsc::RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let result = call();
        drop(done);
        result
    })
}

#[test]
fn it_may_be_given_away() {
    fn given_away<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    let ctx = builder(&tree()).build();
    let handle = ctx.handle();
    given_away(&handle);
    let other = handle.clone();
    std::thread::spawn(move || assert!(other.revoke_preopen("/a"))).join().unwrap();
    assert!(!handle.revoke_preopen("/a"), "it is one and the same");
    assert!(!handle.revoke_preopen("/c"));
    assert!(ctx.handle().revoke_preopen("/b"), "another of the same context");
}

#[test]
fn it_does_nothing_once_the_context_is_gone() {
    let fs = tree();
    let ctx = builder(&fs).build();
    let handle = ctx.handle();
    assert!(handle.limits().is_some());
    drop(ctx);
    assert!(!handle.revoke_preopen("/a"));
    assert!(!handle.add_preopen(fs.root(), "/c", DirPerms::all(), FilePerms::all()));
    assert!(!handle.revoke_network());
    assert!(!handle.set_addr_check(wasi_host::net::AddrCheck::allow_all()));
    assert!(!handle.set_limits(wasi_host::limits::Limits::default()));
    assert_eq!(handle.limits(), None);
    handle.interrupt().interrupt();
}

#[test]
fn it_interrupts() {
    let ctx = WasiCtxBuilder::new().build();
    let handle: Handle = ctx.handle();
    handle.interrupt().interrupt();
    assert!(ctx.interrupt().is_set());
}
