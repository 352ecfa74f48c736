//! Components of WASI 0.2, whole, in every linker and on every backend.

#[path = "support/component.rs"]
mod component;
mod support;

use component::{BACKENDS, Backend, Ended, Program, Root};
use support::{KINDS, Kind};
use wasmtime::Trap;

/// Runs every check of a program by itself, in both linkers, in memory and on a disk.
fn all_checks(name: &str, at_least: usize) {
    let program = Program::new(name);
    let checks = program.checks(Kind::Sync);
    assert!(checks.len() >= at_least, "{name} lists {checks:?}");
    let mut failed = Vec::new();
    for kind in KINDS {
        for backend in BACKENDS {
            let root = Root::new(backend);
            for check in &checks {
                let ended = program.run(kind, &[check], "words", &root);
                if !ended.ok() || ended.left > 0 {
                    let left = ended.left;
                    failed.push(format!("{kind:?}, {backend:?}, {left} left: {check}: {}", ended.describe()));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
}

#[test]
fn cli() {
    all_checks("p2_cli", 6);
}

#[test]
fn clocks() {
    all_checks("p2_clocks", 8);
}

#[test]
fn random() {
    all_checks("p2_random", 5);
}

#[test]
fn poll() {
    all_checks("p2_poll", 9);
}

#[test]
fn streams() {
    all_checks("p2_streams", 12);
}

#[test]
fn filesystem() {
    all_checks("p2_filesystem", 17);
}

#[test]
fn tcp() {
    all_checks("p2_tcp", 12);
}

#[test]
fn tcp_streams() {
    all_checks("p2_tcp_streams", 7);
}

#[test]
fn udp() {
    all_checks("p2_udp", 10);
}

#[test]
fn lookup() {
    all_checks("p2_lookup", 5);
}

#[test]
fn unstable() {
    all_checks("p2_unstable", 3);
}

/// Each misuse traps, and the host is who says so: a guest that panics would reach `unreachable`.
#[test]
fn misuse() {
    let program = Program::new("p2_misuse");
    let misuses = program.checks(Kind::Sync);
    assert!(misuses.len() >= 24, "{misuses:?}");
    let mut failed = Vec::new();
    for kind in KINDS {
        for misuse in &misuses {
            let ended = program.run(kind, &[misuse], "words", &Root::new(Backend::Disk));
            let trapped = ended.status.as_ref().is_err_and(|trap| trap.downcast_ref::<Trap>().is_none());
            if !trapped {
                failed.push(format!("{kind:?}: {misuse}: {}", ended.describe()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What a command is given arrives, and how it ends is told.
#[test]
fn command() {
    let program = Program::new("p2_cli");
    for kind in KINDS {
        let root = Root::new(Backend::Memory);
        let run = |args: &[&str], stdin| program.run(kind, args, stdin, &root);
        let stdout = |ended: Ended| {
            assert!(ended.ok(), "{kind:?}: {}", ended.describe());
            ended.stdout
        };
        assert_eq!(stdout(run(&["arguments", "a b", "", "ü"], "")), r#"["a b", "", "ü"]"#);
        assert_eq!(stdout(run(&["environment", "-"], "")), r#"[("GREETING", "hello"), ("EMPTY", "")]"#);
        assert_eq!(stdout(run(&["cwd"], "")), r#"Some("/")"#);
        assert_eq!(stdout(run(&["terminals", "-"], "")), "[false, false, false]");
        assert_eq!(stdout(run(&["echo"], "what comes in goes out\n")), "what comes in goes out\n");
        assert_eq!(run(&["complain", "about this"], "").stderr, "about this\n");

        let status = |args: &[&str]| run(args, "").status.unwrap();
        assert_eq!(status(&["return-error"]), 1);
        assert_eq!(status(&["exit", "ok"]), 0);
        assert_eq!(status(&["exit", "error"]), 1);
        assert_eq!([0, 7, 255].map(|code: u8| status(&["exit-with-code", &code.to_string()])), [0, 7, 255]);
    }
}

/// A program for WASI 0.1 behind the public adapter.
#[test]
fn adapter() {
    let program = Program::new("adapter_std");
    for kind in KINDS {
        for backend in BACKENDS {
            let ended = program.run(kind, &["one", "two"], "a line\nand more", &Root::new(backend));
            assert!(ended.ok(), "{kind:?}, {backend:?}: {}", ended.describe());
            assert_eq!(
                ended.stdout,
                "arguments [\"one\", \"two\"]\ngreeting \"hello\"\nline \"a line\\n\" and 8 bytes\ndone\n"
            );
            assert_eq!(ended.stderr, "stderr is heard\n");
        }
    }
}
