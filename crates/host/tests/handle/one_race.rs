//! Changes that come at any moment of a guest's calls.

use crate::support::*;
use crate::{builder, fifo, tree};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wasi_host::limits::Limits;
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};

/// Never anything but a result or `BADF`, and after the revocation nothing but that.
#[test]
fn a_call_is_done_or_refused() {
    for kind in KINDS {
        for round in 0..40 {
            let fs = tree();
            let ctx = builder(&fs).build_p1();
            let handle = ctx.handle();
            let mut g = Guest::new(kind, ctx);
            let file = g.open(3, "file", 0, READ | WRITE, 0) as u64;
            let revoked = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let revoked = &revoked;
                scope.spawn(move || {
                    std::thread::sleep(Duration::from_micros(20 * round));
                    assert!(handle.revoke_preopen("/a"));
                    revoked.store(true, Ordering::SeqCst);
                });
                let end = Instant::now() + Duration::from_secs(30);
                loop {
                    let before = revoked.load(Ordering::SeqCst);
                    let opened = g.open(3, "dir/001", 0, READ, 0);
                    let said = [
                        g.fd_write(file, b"x").min(0) as i32,
                        g.fd_read(file, 1).map_or_else(|e| -e, |_| 0),
                        -g.call("fd_readdir", &[3, 8192, 100, 0, 2048]),
                        opened.min(0) as i32,
                    ];
                    assert!(said.iter().all(|s| *s == 0 || *s == -BADF), "{said:?}");
                    if opened > 0 {
                        g.ok("fd_close", &[opened as u64]);
                    }
                    if before {
                        assert_eq!(said, [-BADF; 4], "it was revoked before");
                        break;
                    }
                    assert!(Instant::now() < end, "it is never revoked");
                }
            });
        }
    }
}

/// However close to the beginning of a wait it comes, it is not missed.
#[test]
fn no_wait_misses_it() {
    for kind in KINDS {
        let disk = fifo();
        for round in 0..100 {
            let mut b = WasiCtxBuilder::new();
            b.preopened_dir(disk.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
            let ctx = b.build_p1();
            let handle = ctx.handle();
            let mut g = Guest::new(kind, ctx);
            let fd = g.open(3, "fifo", 0, READ, 0) as u64;
            let _writer = std::fs::File::options().write(true).open(disk.path().join("fifo")).unwrap();
            g.iovecs(4096, &[(8192, 1)]);
            let (interrupt, ended) = (g.interrupt.clone(), AtomicBool::new(false));
            std::thread::scope(|scope| {
                let ended = &ended;
                scope.spawn(move || {
                    let begin = Instant::now();
                    while begin.elapsed() < Duration::from_nanos(700 * round) {
                        std::hint::spin_loop();
                    }
                    assert!(handle.revoke_preopen("/"));
                    while !ended.load(Ordering::SeqCst) && begin.elapsed() < Duration::from_secs(20) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    interrupt.interrupt();
                });
                let said = g.try_call("fd_read", &[fd, 4096, 1, 2048]);
                ended.store(true, Ordering::SeqCst);
                assert_eq!(said.expect("it waits for ever"), BADF);
            });
        }
    }
}

/// Everything at once, from several threads.
#[test]
fn changes_from_everywhere_end_in_one_state() {
    let fs = tree();
    let ctx = builder(&fs).build_p1();
    let handle = ctx.handle();
    let mut g = Guest::new(Kind::Sync, ctx);
    std::thread::scope(|scope| {
        for n in 0..3 {
            let (handle, fs) = (handle.clone(), &fs);
            scope.spawn(move || {
                for round in 0..200 {
                    let name = format!("/{n}/{round}");
                    assert!(handle.add_preopen(fs.root(), &name, DirPerms::all(), FilePerms::all()));
                    let mut limits = Limits::default();
                    limits.descriptors = 2000 + round;
                    assert!(handle.set_limits(limits));
                    assert!(handle.revoke_preopen(&name));
                }
            });
        }
        for _ in 0..300 {
            let mut fd = 3;
            while g.call("fd_prestat_get", &[fd, 0]) == 0 {
                fd += 1;
            }
            assert!(fd >= 5);
        }
    });
    g.ok("fd_prestat_get", &[4, 0]);
    let fd = g.open(4, "file", 0, READ, 0) as u64;
    assert_eq!(g.fd_read(fd, 1).unwrap(), b"0");
    assert_eq!(handle.limits().unwrap().descriptors, 2199);
}
