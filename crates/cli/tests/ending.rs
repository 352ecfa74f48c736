//! How a program ends: its status, traps, and limits of time and of work.

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Ended, Place};

/// Exits with `status`.
fn exit(place: &Place, status: i32) -> Ended {
    place.guest(
        "exit.wat",
        &["proc_exit"],
        &format!(r#"(func (export "_start") (call $proc_exit (i32.const {status})))"#),
    );
    place.run(&["exit.wat"])
}

#[test]
fn the_status_is_passed_on() {
    let place = Place::new();
    for status in [0, 1, 2, 126, 127, 134, 255] {
        exit(&place, status).status(status);
    }
    // A process gives the low eight bits.
    for (status, given) in [(256, 0), (1000, 232), (-1, 255)] {
        exit(&place, status).status(given);
    }
}

#[test]
fn a_trap_is_told_with_where_it_was() {
    let place = Place::new();
    place.file(
        "trap.wat",
        r#"(module $program (func $_ZN7program4deep17h0123456789abcdefE unreachable)
            (func $main (export "_start") (call $_ZN7program4deep17h0123456789abcdefE)))"#,
    );
    let ended = place.run(&["trap.wat"]);
    ended
        .trapped(&["error: trap.wat: wasm trap: wasm `unreachable` instruction executed\nwasm backtrace:\n"]);
    let frames: Vec<&str> = ended.err.lines().skip(2).collect();
    assert_eq!(frames.len(), 2, "{ended:?}");
    assert!(frames[0].contains("program!program::deep::"), "{ended:?}");
    assert!(frames[1].contains("program!main"), "{ended:?}");
    assert!(!ended.err.contains("RUST_BACKTRACE") && !ended.err.contains("panicked"), "{ended:?}");
}

#[test]
fn traps_of_every_kind() {
    let place = Place::new();
    for (body, words) in [
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("(drop (i32.load (i32.const -1)))", "out of bounds memory access"),
        ("(call $main)", "call stack exhausted (-W max-wasm-stack=BYTES gives more)"),
        ("(throw $tag)", "exception"),
    ] {
        place.file(
            "trap.wat",
            format!(r#"(module (memory 1) (tag $tag) (func $main (export "_start") {body}))"#),
        );
        place.run(&["-W", "exceptions", "trap.wat"]).trapped(&["error: trap.wat: ", words]);
    }
    place.file("trap.wat", r#"(module (memory 1) (data (i32.const 65536) "x") (func (export "_start")))"#);
    place.run(&["trap.wat"]).trapped(&["out of bounds memory access"]);
}

#[test]
fn fuel_runs_out() {
    let place = Place::new();
    place.file("loop.wat", r#"(module (func (export "_start") (loop (br 0))))"#);
    place.run(&["-W", "fuel=10000", "loop.wat"]).trapped(&["all fuel consumed", "-W fuel=N"]);
}

#[test]
fn growth_beyond_a_limit_fails_or_traps() {
    let place = Place::new();
    place.file(
        "grow.wat",
        r#"(module (memory 1) (table 1 funcref)
            (func (export "memory") (result i32) (memory.grow (i32.const 1)))
            (func (export "table") (result i32) (table.grow (ref.null func) (i32.const 1))))"#,
    );
    for (what, limit) in [("memory", "max-memory-size=65536"), ("table", "max-table-elements=1")] {
        assert_eq!(place.run(&["--invoke", what, "grow.wat"]).status(0).out, "1\n");
        assert_eq!(place.run(&["-W", limit, "--invoke", what, "grow.wat"]).status(0).out, "-1\n");
        place
            .run(&["-W", &format!("{limit},trap-on-grow-failure"), "--invoke", what, "grow.wat"])
            .trapped(&["grow"]);
    }
}

#[test]
fn unknown_imports_trap_or_answer_nothing() {
    let place = Place::new();
    place.file(
        "program.wat",
        r#"(module (import "env" "f" (func $f (result i32))) (func (export "g") (result i32) (call $f))
            (func (export "_start")))"#,
    );
    place.run(&["program.wat"]).refused(&["env::f"]);
    place.run(&["-W", "unknown-imports-trap", "program.wat"]).status(0);
    place.run(&["-W", "unknown-imports-trap", "--invoke", "g", "program.wat"]).trapped(&["env", "f"]);
    let ended = place.run(&["-W", "unknown-imports-default", "--invoke", "g", "program.wat"]);
    assert_eq!(ended.status(0).out, "0\n");
}

#[test]
fn the_state_at_a_trap_is_kept() {
    let place = Place::new();
    place.file("trap.wat", r#"(module (func (export "_start") unreachable))"#);
    let ended = place.run(&["-D", "coredump=core", "trap.wat"]);
    ended
        .trapped(&["error: trap.wat: wasm trap: wasm `unreachable` instruction executed\nwasm backtrace:\n"]);
    assert!(std::fs::read(place.path().join("core")).unwrap().starts_with(b"\0asm"));
    let ended = place.run(&["-D", "coredump=no/such/folder", "trap.wat"]);
    ended.trapped(&["no/such/folder"]);
}

#[test]
fn a_profile_is_written() {
    let place = Place::new();
    place.file(
        "loop.wat",
        r#"(module $program (func $busy (loop (br 0))) (func (export "_start") (call $busy)))"#,
    );
    place.run(&["--profile=guest,profile.json,1ms", "-W", "timeout=200ms", "loop.wat"]).trapped(&["timeout"]);
    let profile = std::fs::read_to_string(place.path().join("profile.json")).unwrap();
    assert!(profile.contains("busy"), "{profile}");
}

/// Runs with a timeout of 300 ms, which has to end what would last for ever.
fn timed_out(place: &Place, stdin: Stdio, stdout: Stdio) {
    let started = Instant::now();
    let mut child = place
        .command()
        .args(["-W", "timeout=300ms", "program.wat"])
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Both stay open until the program has ended.
    let (_stdin, _stdout) = (child.stdin.take(), child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let lasted = started.elapsed();
    assert_eq!(output.status.code(), Some(134), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: program.wat: the timeout of 300ms (-W timeout) has passed\n"), "{said}");
    // The bound leaves room for a machine that is busy with other tests.
    assert!((Duration::from_millis(300)..Duration::from_secs(3)).contains(&lasted), "{lasted:?}");
}

#[test]
fn the_time_is_up_in_a_loop() {
    let place = Place::new();
    place.guest("program.wat", &[], r#"(func (export "_start") (loop (br 0)))"#);
    timed_out(&place, Stdio::null(), Stdio::null());
}

#[test]
fn the_time_is_up_in_a_sleep() {
    let place = Place::new();
    // One subscription: the monotonic clock, an hour from now.
    place.guest(
        "program.wat",
        &["poll_oneoff"],
        r#"(func (export "_start")
            (i32.store (i32.const 16) (i32.const 1))
            (i64.store (i32.const 24) (i64.const 3600000000000))
            (drop (call $poll_oneoff (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))"#,
    );
    timed_out(&place, Stdio::null(), Stdio::null());
}

#[test]
fn the_time_is_up_in_a_read() {
    let place = Place::new();
    place.guest(
        "program.wat",
        &["fd_read"],
        r#"(data (i32.const 0) "\10\00\00\00\10\00\00\00")
            (func (export "_start")
                (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))))"#,
    );
    timed_out(&place, Stdio::piped(), Stdio::null());
}

#[test]
fn the_time_is_up_in_a_write() {
    let place = Place::new();
    place.guest(
        "program.wat",
        &["fd_write"],
        r#"(data (i32.const 0) "\10\00\00\00\00\00\01\00")
            (func (export "_start")
                (loop (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0)))"#,
    );
    timed_out(&place, Stdio::null(), Stdio::piped());
}

#[test]
fn a_program_that_ends_in_time_ends_as_ever() {
    let place = Place::new();
    place.guest("program.wat", &["proc_exit"], r#"(func (export "_start") (call $proc_exit (i32.const 5)))"#);
    let started = Instant::now();
    place.run(&["-W", "timeout=60s", "program.wat"]).status(5);
    place.run(&["-W", "timeout=18446744073709551615", "program.wat"]).status(5);
    assert!(started.elapsed() < Duration::from_secs(30));
}
