//! Components of WASI 0.3: given the same as others, ended the same; and their tasks, which go on beside each other.

mod support;

use std::io::{Read, Write};
use std::process::Stdio;
use support::{Ended, Place};

fn place_with(program: &str) -> Place {
    let place = Place::new();
    place.prebuilt(program);
    place
}

/// Writes a component whose core module exports `run` and `callback`, lifted as `run` of `wasi:cli/run`. Its import
/// `return` says how the program ended. Of `imports` the core module knows what `lowered` calls the core functions.
fn task(place: &Place, imports: &str, lowered: &[(&str, &str)], module: &str) {
    let core = |(name, how): &(&str, &str)| format!("(core func ${name} (canon {how}))");
    let given = |(name, _): &(&str, &str)| format!("(export \"{name}\" (func ${name}))");
    let cores: String = lowered.iter().map(core).collect();
    let given: String = lowered.iter().map(given).collect();
    place.file(
        "task.wat",
        format!(
            r#"(component {imports} {cores}
                (core func $return (canon task.return (result (result))))
                (core module $m (import "" "return" (func $return (param i32))) {module})
                (core instance $i (instantiate $m (with "" (instance (export "return" (func $return)) {given}))))
                (func $run async (result (result))
                    (canon lift (core func $i "run") async (callback (core func $i "callback"))))
                (instance (export "wasi:cli/run@0.3.0") (export "run" (func $run))))"#
        ),
    );
}

/// What `run` and `callback` give back: an end; to be called again when others had their turn.
const EXIT: &str = "(i32.const 0)";
const YIELD: &str = "(i32.const 1)";

const NEVER: &str = r#"(func (export "callback") (param i32 i32 i32) (result i32) unreachable)"#;

#[test]
fn what_it_is_given() {
    let place = place_with("p3_cli.wasm");
    let shown = |args: &[&str], action: &[&str]| {
        place.run(&[args, &["p3_cli.wasm"], action].concat()).status(0).out.trim_end().to_owned()
    };
    assert_eq!(shown(&[], &["arguments", "é", "--dir"]), r#"["é", "--dir"]"#);
    assert_eq!(shown(&[], &["environment", "-"]), "[]");
    assert_eq!(
        shown(&["--env", "A=1", "--env", "B=", "--env", "A=2"], &["environment", "-"]),
        r#"[("A", "2"), ("B", "")]"#
    );
    assert_eq!(shown(&[], &["cwd"]), "None");
    assert_eq!(shown(&["-S", "cwd=/home"], &["cwd"]), r#"Some("/home")"#);
    assert_eq!(shown(&[], &["terminals", "-"]), "[false, false, false]");
    let complaint = place.run(&["p3_cli.wasm", "complain", "text"]);
    assert_eq!((complaint.status, complaint.err.trim_end()), (0, "text"));
    place.run(&["-S", "inherit-stderr=n", "p3_cli.wasm", "complain", "text"]).status(0);
}

#[test]
fn standard_input_and_output() {
    let place = place_with("p3_cli.wasm");
    let text = "a text\n".repeat(10_000);
    let file = place.file("input", &text);
    let echoed = |args: &[&str]| {
        let input = std::fs::File::open(&file).unwrap();
        Ended::of(place.command().args(args).stdin(input)).status(0).out.clone()
    };
    assert_eq!(echoed(&["p3_cli.wasm", "echo"]), text);
    assert_eq!(echoed(&["p3_cli.wasm", "forward"]), text);
    assert_eq!(echoed(&["-S", "inherit-stdin=n", "p3_cli.wasm", "echo"]), "");
}

#[test]
fn what_was_written_is_delivered_whether_it_is_waited_for_or_not() {
    let place = place_with("p3_cli.wasm");
    for action in ["hasty", "hasty-exit"] {
        assert_eq!(place.run(&["p3_cli.wasm", action, "a text"]).status(0).out.trim_end(), "a text");
    }
}

#[test]
fn exit_statuses() {
    let place = place_with("p3_cli.wasm");
    for (action, status) in [
        (&["return-error"][..], 1),
        (&["exit", "ok"], 0),
        (&["exit", "error"], 1),
        (&["exit-with-code", "7"], 7),
        (&["exit-with-code", "255"], 255),
    ] {
        place.run(&[&["p3_cli.wasm"], action].concat()).status(status);
    }
}

#[test]
fn directories() {
    let place = place_with("p3_filesystem.wasm");
    std::fs::create_dir(place.path().join("data")).unwrap();
    let check = |dirs: &[&str], name: &str| place.run(&[dirs, &["p3_filesystem.wasm", name]].concat()).status;
    for name in ["preopens", "opening", "writing", "several_streams", "stat"] {
        assert_eq!(check(&["--dir", "data::/"], name), 0, "{name}");
    }
    assert_ne!(check(&["--dir", "data::/::ro"], "writing"), 0);
    assert_ne!(check(&[], "opening"), 0);
}

#[test]
fn clocks() {
    let ended = place_with("p3_clocks.wasm").run(&["p3_clocks.wasm"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.out.lines().all(|line| line.starts_with("ok ")), "{ended:?}");
}

#[test]
fn it_may_speak_0_2_too() {
    let place = place_with("p3_both.wasm");
    for how in [&["10"][..], &["10", "by-three"]] {
        let ended = place.run(&[&["--dir", ".::/", "p3_both.wasm"], how].concat());
        assert!(ended.status(0).out.contains("copied "), "{ended:?}");
    }
}

#[test]
fn unstable_functions_are_there() {
    let ended = place_with("p3_unstable.wasm").run(&["-S", "network-error-code", "p3_unstable.wasm"]);
    assert_eq!(ended.status, 0, "{ended:?}");
}

#[test]
fn one_thread_does_it_all() {
    let place = place_with("p3_cli.wasm");
    let mut command = place.command();
    command.args(["-C", "parallel-compilation=n,cache=n", "p3_cli.wasm", "echo"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (running.stdin.take().unwrap(), running.stdout.take().unwrap());
    stdin.write_all(b"x").unwrap();
    let mut echoed = [0];
    stdout.read_exact(&mut echoed).unwrap();
    assert_eq!(echoed, *b"x");
    let threads = std::fs::read_dir(format!("/proc/{}/task", running.id())).unwrap().count();
    assert_eq!(threads, 1);
    drop(stdin);
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

#[test]
fn its_time_is_limited_while_it_runs_and_while_it_waits() {
    let place = place_with("p3_cli.wasm");
    let limited = |limit: &str| {
        let (_open, stdin) = std::io::pipe().map(|(read, write)| (write, read)).unwrap();
        Ended::of(place.command().args(["-W", limit, "p3_cli.wasm", "echo"]).stdin(stdin))
    };
    limited("timeout=100ms").trapped(&["p3_cli.wasm", "timeout of 100ms"]);
    limited("fuel=1000").trapped(&["p3_cli.wasm", "all fuel consumed", "-W fuel"]);
    // By itself, and by coming back again and again.
    for body in ["(loop (br 0)) unreachable", YIELD] {
        let callback = format!("(func (export \"callback\") (param i32 i32 i32) (result i32) {YIELD})");
        task(&place, "", &[], &format!("(func (export \"run\") (result i32) {body}) {callback}"));
        place.run(&["-W", "timeout=100ms", "task.wat"]).trapped(&["task.wat", "timeout of 100ms"]);
    }
}

#[test]
fn it_ends_with_its_last_task() {
    let place = Place::new();
    let exit = r#"(import "wasi:cli/exit@0.3.0" (instance $exit
        (export "exit-with-code" (func (param "status-code" u8)))))"#;
    let lowered = [("exit", r#"lower (func $exit "exit-with-code")"#)];
    let program = |after: &str| {
        let module = format!(
            r#"(import "" "exit" (func $exit (param i32)))
            (func (export "run") (result i32) (call $return (i32.const 1)) {YIELD})
            (func (export "callback") (param i32 i32 i32) (result i32) {after})"#
        );
        task(&place, exit, &lowered, &module);
        place.run(&["task.wat"])
    };
    // It has returned an error by then.
    program(EXIT).status(1);
    program(&format!("(call $exit (i32.const 7)) {EXIT}")).status(7);
    program("unreachable").trapped(&["task.wat: wasm trap: wasm `unreachable` instruction executed"]);
}

#[test]
fn who_waits_for_nobody_is_told() {
    let place = Place::new();
    let run = r#"(import "" "set" (func $set (result i32)))
        (func (export "run") (result i32) (i32.or (i32.const 2) (i32.shl (call $set) (i32.const 4))))"#;
    task(&place, "", &[("set", "waitable-set.new")], &format!("{run} {NEVER}"));
    place.run(&["task.wat"]).trapped(&["task.wat", "deadlock"]);
}

#[test]
fn of_two_entries_the_newer_counts() {
    let place = Place::new();
    place.file(
        "both.wat",
        r#"(component
            (core module $m
                (func (export "ok") (result i32) (i32.const 0)) (func (export "error") (result i32) (i32.const 1)))
            (core instance $i (instantiate $m))
            (func $new (result (result)) (canon lift (core func $i "error")))
            (func $old (result (result)) (canon lift (core func $i "ok")))
            (instance (export "wasi:cli/run@0.2.0") (export "run" (func $old)))
            (instance (export "wasi:cli/run@0.3.0") (export "run" (func $new))))"#,
    );
    place.run(&["both.wat"]).status(1);
    place.run(&["-S", "p3=n", "both.wat"]).status(0);
}

#[test]
fn an_asynchronous_function_is_invoked() {
    let place = Place::new();
    place.file(
        "library.wat",
        r#"(component
            (core func $return (canon task.return (result u32)))
            (core module $m
                (import "" "return" (func $return (param i32)))
                (func (export "next") (param i32) (result i32)
                    (call $return (i32.add (local.get 0) (i32.const 1))) (i32.const 0))
                (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
            (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
            (func (export "next") async (param "n" u32) (result u32)
                (canon lift (core func $i "next") async (callback (core func $i "callback")))))"#,
    );
    assert_eq!(place.run(&["--invoke", "next(41)", "library.wat"]).status(0).out, "42\n");
    place.run(&["--invoke", "next(-1)", "library.wat"]).refused(&["next(-1)", "u32"]);
    place.run(&["library.wat"]).refused(&["this is no command", "`next(u32) -> u32`"]);
}

#[test]
fn options_of_wasmtime_are_accepted() {
    let place = place_with("p3_cli.wasm");
    place.component_command("old.wat", "(func (export \"run\") (result i32) (i32.const 0))");
    for options in
        [&["-W", "component-model-async", "-S", "p3"][..], &["-Wcomponent-model-async=y", "-Sp3=y"]]
    {
        for program in [&["p3_cli.wasm", "cwd"][..], &["old.wat"]] {
            place.run(&[options, program].concat()).status(0);
        }
    }
    place.run(&["-W", "component-model-async=n", "-S", "p3=n", "old.wat"]).status(0);
    let refused = |options: &[&str], words: &[&str]| {
        place.run(&[options, &["p3_cli.wasm"]].concat()).refused(words);
    };
    refused(&["-W", "component-model-async=n"], &["p3_cli.wasm", "cannot be compiled", "-W help"]);
    refused(&["-W", "concurrency-support=n"], &["-W concurrency-support=n", "leave it out"]);
    refused(&["-S", "p3=n"], &["p3_cli.wasm: WASI 0.3 is switched off: leave out -S p3=n"]);
    refused(&["-S", "cli=n"], &["p3_cli.wasm", "`wasi:cli/environment@0.3.", "leave out -S cli=n"]);
}

#[test]
fn imports_that_are_missing_are_all_named() {
    let place = Place::new();
    let run = format!("(func (export \"run\") (result i32) (call $return (i32.const 0)) {EXIT}) {NEVER}");
    let importing = |imports: &str, options: &[&str]| {
        task(&place, imports, &[], &run);
        place.run(&[options, &["task.wat"]].concat())
    };
    let interface = |name: &str| format!("(import {name:?} (instance (export \"f\" (func async))))");
    importing(&format!("{} (import \"g\" (func))", interface("my:own/thing@1.0.0")), &[])
        .refused(&["task.wat: nothing here provides `my:own/thing@1.0.0`, `g`; ", "-W unknown-imports-trap"]);
    importing(&interface("wasi:cli/environment@0.3.0"), &[]).refused(&["wasi:cli/environment@0.3.0", "`f`"]);
    let draft = interface("wasi:clocks/monotonic-clock@0.3.0-rc-2025-09-16");
    importing(&draft, &[]).refused(&["draft", "build the program anew"]);
    // Any release of 0.3 is served, and 0.2 with it.
    let now = |package: &str| {
        format!("(import \"wasi:{package}\" (instance (export \"now\" (func (result u64)))))")
    };
    let random =
        "(import \"wasi:random/random@0.3.9\" (instance (export \"get-random-u64\" (func (result u64)))))";
    for name in
        ["clocks/monotonic-clock@0.3.0", "clocks/monotonic-clock@0.3.2", "clocks/monotonic-clock@0.2.0"]
    {
        importing(&format!("{} {random}", now(name)), &[]).status(0);
    }
    importing(random, &["-S", "p3=n", "-W", "unknown-imports-trap"]).refused(&["-S p3=n"]);
}

#[test]
fn what_is_unknown_traps_and_all_else_works() {
    let place = Place::new();
    let imports = r#"(import "a" (func $a async)) (import "b" (func $b))
        (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
            (export "now" (func (result u64))) (export "wait-for" (func async (param "how-long" u64)))
            (export "f" (func async))))"#;
    let lowered = [
        ("a", "lower (func $a)"),
        ("b", "lower (func $b)"),
        ("f", r#"lower (func $clock "f")"#),
        ("now", r#"lower (func $clock "now")"#),
        ("wait", r#"lower (func $clock "wait-for")"#),
    ];
    let module = r#"(import "" "a" (func $a)) (import "" "b" (func $b)) (import "" "f" (func $f))
        (import "" "now" (func $now (result i64))) (import "" "wait" (func $wait (param i64)))"#;
    let program = |body: &str| {
        let run = format!("(func (export \"run\") (result i32) {body} (call $return (i32.const 0)) {EXIT})");
        task(&place, imports, &lowered, &format!("{module} {run} {NEVER}"));
        place.run(&["-W", "unknown-imports-trap", "task.wat"])
    };
    program("(drop (call $now)) (call $wait (i64.const 1000))").status(0);
    for (function, name) in [("$a", "`a`"), ("$b", "`b`"), ("$f", "`wasi:clocks/monotonic-clock@0.3.0#f`")] {
        program(&format!("(call {function})")).trapped(&["task.wat", name, "which nothing here provides"]);
    }
}

#[test]
fn what_it_uses_is_limited() {
    let ended =
        place_with("p3_cli.wasm").run(&["-S", "max-component-handles=1", "p3_cli.wasm", "several_outputs"]);
    assert_eq!(ended.status, 134, "{ended:?}");
}

#[test]
fn a_profile_is_taken_and_a_core_is_kept() {
    let place = Place::new();
    task(&place, "", &[], &format!("(func (export \"run\") (result i32) (loop (br 0)) unreachable) {NEVER}"));
    place.run(&["--profile=guest,profile.json,1ms", "-W", "timeout=200ms", "task.wat"]).trapped(&["timeout"]);
    let profile = std::fs::read_to_string(place.path().join("profile.json")).unwrap();
    assert!(profile.starts_with('{') && profile.contains("task.wat"), "{profile}");
    task(
        &place,
        "",
        &[],
        &format!("(func $deep unreachable) (func (export \"run\") (result i32) call $deep {EXIT}) {NEVER}"),
    );
    place.run(&["-D", "coredump=core", "task.wat"]).trapped(&["`unreachable` instruction", "deep"]);
    assert!(std::fs::read(place.path().join("core")).unwrap().starts_with(b"\0asm"));
}
