//! Components of WASI 0.3, whole, on every backend.

#[path = "support/component.rs"]
mod component;
mod support;

use component::{BACKENDS, Backend, Ended, Program, Root};
use std::thread;
use std::time::{Duration, Instant};
use wasi_host::BlockingPolicy::{self, Adaptive, Inline, Offload};
use wasi_host::Interrupted;
use wasmtime::Trap;

/// Where files are, and on which thread what may wait for a disk is done.
const SETTINGS: [(Backend, BlockingPolicy); 4] = [
    (Backend::Memory, Adaptive),
    (Backend::Disk, Adaptive),
    (Backend::Disk, Inline),
    (Backend::Disk, Offload),
];

/// Runs every check of a program by itself, in every setting.
fn all_checks(name: &str, at_least: usize) {
    let program = Program::new(name);
    let checks = program.checks(Adaptive);
    assert!(checks.len() >= at_least, "{name} lists {checks:?}");
    let mut failed = Vec::new();
    for (backend, policy) in SETTINGS {
        let root = Root::new(backend);
        for check in &checks {
            let ended = program.run(policy, &[check], "words", &root);
            if !ended.ok() || ended.left > 0 {
                let left = ended.left;
                failed.push(format!("{backend:?}, {policy:?}, {left} left: {check}: {}", ended.describe()));
            }
        }
    }
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
}

#[test]
fn cli() {
    all_checks("p3_cli", 8);
}

#[test]
fn clocks() {
    all_checks("p3_clocks", 8);
}

#[test]
fn random() {
    all_checks("p3_random", 5);
}

#[test]
fn streams() {
    all_checks("p3_streams", 10);
}

#[test]
fn ends() {
    all_checks("p3_ends", 8);
}

#[test]
fn filesystem() {
    all_checks("p3_filesystem", 15);
}

#[test]
fn directories() {
    all_checks("p3_directories", 9);
}

#[test]
fn tcp() {
    all_checks("p3_tcp", 15);
}

#[test]
fn tcp_streams() {
    all_checks("p3_tcp_streams", 11);
}

#[test]
fn udp() {
    all_checks("p3_udp", 13);
}

#[test]
fn lookup() {
    all_checks("p3_lookup", 6);
}

#[test]
fn unstable() {
    all_checks("p3_unstable", 3);
}

/// Each misuse traps, and it is not the guest who says so: one that panics would reach `unreachable`.
#[test]
fn misuse() {
    let program = Program::new("p3_misuse");
    let misuses = program.checks(Adaptive);
    assert!(misuses.len() >= 29, "{misuses:?}");
    let mut failed = Vec::new();
    for policy in [Adaptive, Offload] {
        for misuse in &misuses {
            let ended = program.run(policy, &[misuse], "words", &Root::new(Backend::Disk));
            let trapped = ended
                .status
                .as_ref()
                .is_err_and(|trap| trap.downcast_ref() != Some(&Trap::UnreachableCodeReached));
            if !trapped {
                failed.push(format!("{policy:?}: {misuse}: {}", ended.describe()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What a command is given arrives, and how it ends is told.
#[test]
fn command() {
    let program = Program::new("p3_cli");
    let root = Root::new(Backend::Memory);
    let run = |args: &[&str], stdin| program.run(Adaptive, args, stdin, &root);
    let stdout = |ended: Ended| {
        assert!(ended.ok(), "{}", ended.describe());
        ended.stdout
    };
    assert_eq!(stdout(run(&["arguments", "a b", "", "ü"], "")), r#"["a b", "", "ü"]"#);
    assert_eq!(stdout(run(&["environment", "-"], "")), r#"[("GREETING", "hello"), ("EMPTY", "")]"#);
    assert_eq!(stdout(run(&["cwd"], "")), r#"Some("/")"#);
    assert_eq!(stdout(run(&["terminals", "-"], "")), "[false, false, false]");
    for action in ["echo", "forward", "reread", "restless"] {
        assert_eq!(stdout(run(&[action], "what comes in goes out\n")), "what comes in goes out\n");
    }
    assert_eq!(run(&["complain", "about this"], "").stderr, "about this\n");
    assert_eq!(stdout(run(&["twice", "word "], "")), "word word ");
    assert_eq!(stdout(run(&["hasty", "there all the same"], "")), "there all the same");
    assert_eq!(stdout(run(&["hasty-exit", "there all the same"], "")), "there all the same");

    let status = |args: &[&str]| run(args, "").status.unwrap();
    assert_eq!(status(&["return-error"]), 1);
    assert_eq!(status(&["exit", "ok"]), 0);
    assert_eq!(status(&["exit", "error"]), 1);
    assert_eq!([0, 7, 255].map(|code: u8| status(&["exit-with-code", &code.to_string()])), [0, 7, 255]);
}

/// What `p3_both` prints: by how many microseconds its timer came too late, and how much was copied meanwhile.
fn both(backend: Backend, args: &[&str]) -> (u64, u64) {
    let ended = Program::new("p3_both").run(Adaptive, args, "", &Root::new(backend));
    assert!(ended.ok() && ended.left == 0, "{backend:?}: {}", ended.describe());
    let number = |line: &str| line.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    let lines: Vec<_> = ended.stdout.lines().map(number).collect();
    (lines[0], lines[1])
}

/// A call of 0.2 that waits holds every task of its store; a wait by 0.3 holds none.
#[test]
fn both_versions() {
    for backend in BACKENDS {
        let (late, copied) = both(backend, &["300"]);
        assert!(late >= 260_000, "{backend:?}: the timer came in time, {late} µs late");
        assert_eq!(copied, 0, "{backend:?}: a task went on");
        let (late, copied) = both(backend, &["3000", "by-three"]);
        assert!(late < 2_500_000, "{backend:?}: the timer was held for {late} µs");
        assert_eq!(copied, 1_000_000, "{backend:?}");
    }
}

/// Much at a time, in one component.
#[test]
fn at_once() {
    let program = Program::new("p3_stress");
    for (backend, policy) in SETTINGS {
        for args in [["tasks", "1000"], ["timers", "10000"]] {
            let ended = program.run(policy, &args, "", &Root::new(backend));
            assert!(ended.ok() && ended.left == 0, "{backend:?}, {policy:?}: {args:?}: {}", ended.describe());
        }
    }
}

/// Much one after the other.
#[test]
fn in_a_row() {
    let program = Program::new("p3_stress");
    let actions = ["reads", "writes", "files", "waits", "datagrams", "halves", "connections"];
    for (backend, policy) in SETTINGS {
        for action in actions {
            let ended = program.run(policy, &[action, "300"], "", &Root::new(backend));
            assert!(ended.ok() && ended.left == 0, "{backend:?}, {policy:?}: {action}: {}", ended.describe());
        }
    }
}

/// An hour's wait, by either version.
#[test]
fn an_interrupt_ends_it() {
    let program = Program::new("p3_both");
    for args in [&["3600000"][..], &["3600000", "by-three"]] {
        let began = Instant::now();
        let root = Root::new(Backend::Memory);
        let ended = program.run_watched(Adaptive, args, "", &root, |store| {
            let interrupt = store.data_mut().ctx.interrupt();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(100));
                interrupt.interrupt();
            });
        });
        assert!(ended.status.unwrap_err().is::<Interrupted>(), "{args:?}");
        assert!(began.elapsed() < Duration::from_secs(60), "{args:?}");
    }
}
