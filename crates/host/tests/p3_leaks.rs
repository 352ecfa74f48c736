//! A guest of WASI 0.3 that takes back what it has begun, 100,000 times, leaves nothing behind in its host. A binary of its
//! own, because it counts what the whole process has.

#[path = "support/component.rs"]
mod component;
mod support;

use component::{Backend, Host, Program, Root};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use wasi_host::BlockingPolicy;

/// What the process has: open descriptors, and bytes in memory.
fn held() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    (descriptors, resident * 4096)
}

/// Looks at the process while something is done, and gives what it saw, in order.
fn watched(work: impl FnOnce()) -> Vec<(usize, usize)> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = Vec::new();
            while !done.load(Ordering::Relaxed) {
                seen.push(held());
                thread::sleep(Duration::from_millis(10));
            }
            seen
        });
        work();
        done.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    })
}

#[test]
fn what_is_taken_back_leaves_nothing() {
    let program = Program::new("p3_stress");
    let root = Root::new(Backend::Disk);
    for policy in [BlockingPolicy::Adaptive, BlockingPolicy::Offload] {
        for action in ["reads", "writes", "waits", "files"] {
            let seen = watched(|| {
                let ended = program.run(Host::Three(policy), &[action, "100000"], "", &root);
                assert!(ended.ok() && ended.left == 0, "{policy:?}: {action}: {}", ended.describe());
            });
            // The first fifth is for what is kept to be used again; at the end all is taken apart.
            let steady = &seen[seen.len() / 5..seen.len() * 19 / 20];
            let half = steady.len() / 2;
            let most = |part: &[(usize, usize)]| {
                let descriptors = part.iter().map(|seen| seen.0).max().unwrap();
                (descriptors, part.iter().map(|seen| seen.1).max().unwrap())
            };
            let (before, after) = (most(&steady[..half]), most(&steady[half..]));
            assert!(after.0 <= before.0 + 2, "{policy:?}: {action}: {before:?} then {after:?} descriptors");
            // 50,000 more; a leak of 64 bytes each would be three megabytes.
            assert!(after.1 <= before.1 + (2 << 20), "{policy:?}: {action}: {before:?} then {after:?} bytes");
        }
    }
}
