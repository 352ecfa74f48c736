//! Any arguments at all: each call answers with an error number or a trap, never a panic.

mod support;

use proptest::prelude::*;
use support::{FUNCTIONS, Guest, KINDS, Kind};
use wasi_host::limits::Limits;
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, I32Exit, Interrupted, WasiCtxBuilder};
use wasi_host_virtual::memory::MemoryFs;

/// What a guest can be given and go astray with.
struct World {
    _dir: tempfile::TempDir,
    guest: Guest,
}

fn world(kind: Kind, unstable: bool, policy: BlockingPolicy) -> World {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), b"some bytes").unwrap();
    std::fs::create_dir(dir.path().join("dir")).unwrap();
    std::os::unix::fs::symlink("file", dir.path().join("link")).unwrap();
    let mut limits = Limits::default();
    limits.file_size = 1 << 20;
    limits.descriptors = 64;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ctx = WasiCtxBuilder::new()
        .args(&["program", "argument"])
        .env("NAME", "value")
        .stdin(MemoryInputPipe::new("input"))
        .stdout(MemoryOutputPipe::new(1 << 16))
        .preopened_dir(dir.path(), "native", DirPerms::all(), FilePerms::all())
        .unwrap()
        .preopened_shared(MemoryFs::with_limit(1 << 20).root(), "memory", DirPerms::all(), FilePerms::all())
        .preopened_listener(listener)
        .unwrap()
        .limits(limits)
        .blocking(policy)
        .build_p1();
    let guest = if unstable { Guest::unstable(kind, ctx) } else { Guest::new(kind, ctx) };
    World { _dir: dir, guest }
}

/// Numbers that mean something often enough.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..10u64,
        3 => (0..64u64).prop_map(|n| n * 8),
        2 => (0..33u32).prop_map(|n| (1u64 << n) - 1),
        1 => (0..63u32).prop_map(|n| 1u64 << n),
        2 => 4 * 65536 - 64..4 * 65536 + 8u64,
        1 => Just(u64::MAX),
        1 => Just(i64::MIN as u64),
        1 => any::<u64>(),
    ]
}

/// Memory that holds iovecs, subscriptions and paths by accident.
fn memory() -> impl Strategy<Value = Vec<u32>> {
    let word = prop_oneof![
        4 => 0..16u32,
        2 => (0..64u32).prop_map(|n| n * 8),
        1 => Just(u32::from_le_bytes(*b"file")),
        1 => Just(u32::from_le_bytes(*b"dir/")),
        1 => Just(u32::from_le_bytes(*b"../l")),
        1 => Just(u32::from_le_bytes(*b"\xff\0//")),
        1 => any::<u32>(),
    ];
    prop::collection::vec(word, 128)
}

fn calls() -> impl Strategy<Value = Vec<(usize, [u64; 9])>> {
    let call = (0..FUNCTIONS.len(), prop::array::uniform9(number()));
    prop::collection::vec(call, 1..40)
}

fn drive(world: &mut World, memory: &[u32], calls: &[(usize, [u64; 9])], unstable: bool) {
    let bytes: Vec<u8> = memory.iter().flat_map(|w| w.to_le_bytes()).collect();
    let guest = &mut world.guest;
    for (i, args) in calls {
        let (name, _) = FUNCTIONS[*i];
        if unstable && name == "sock_accept" {
            continue;
        }
        guest.write(0, &bytes);
        guest.interrupt.clear();
        match guest.try_call(name, args) {
            Ok(errno) => assert!((0..=76).contains(&errno), "{name}{args:?} = {errno}"),
            Err(e) => {
                let known = e.is::<I32Exit>() || e.is::<Interrupted>() || {
                    let text = format!("{e:?}");
                    text.contains("out of bounds") || text.contains("not aligned")
                };
                assert!(known, "{name}{args:?} traps for no good reason: {e:?}");
            }
        }
    }
}

fn run(kind: Kind, unstable: bool, policy: BlockingPolicy, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(memory in memory(), calls in calls())| {
        let mut world = world(kind, unstable, policy);
        let interrupt = world.guest.interrupt.clone();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Whoever sleeps until the end of time is woken.
            scope.spawn(|| while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::sleep(std::time::Duration::from_millis(1));
                interrupt.interrupt();
            });
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                drive(&mut world, &memory, &calls, unstable);
            }));
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            if let Err(panic) = result {
                std::panic::resume_unwind(panic);
            }
        });
    });
}

#[test]
fn sync_calls() {
    run(Kind::Sync, false, BlockingPolicy::Inline, 400);
}

#[test]
fn async_calls_by_every_policy() {
    for policy in [BlockingPolicy::Adaptive, BlockingPolicy::Inline, BlockingPolicy::Offload] {
        run(Kind::Async, false, policy, 60);
    }
}

#[test]
fn calls_of_the_unstable_version() {
    for kind in KINDS {
        run(kind, true, BlockingPolicy::Adaptive, 80);
    }
}
