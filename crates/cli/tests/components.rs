//! Components: run like modules, given the same, ended the same.

mod support;

use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use support::{Ended, Place};

/// A command that succeeds.
const NOTHING: &str = "(func (export \"run\") (result i32) (i32.const 0))";

/// A command that does not end by itself.
const FOR_EVER: &str = "(func (export \"run\") (result i32) (loop (br 0)) (unreachable))";

fn place_with(program: &str) -> Place {
    let place = Place::new();
    place.prebuilt(program);
    place
}

#[test]
fn what_it_is_given() {
    let place = place_with("p2_cli.wasm");
    let shown = |args: &[&str], action: &[&str]| {
        place.run(&[args, &["p2_cli.wasm"], action].concat()).status(0).out.trim_end().to_owned()
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
    let complaint = place.run(&["p2_cli.wasm", "complain", "text"]);
    assert_eq!((complaint.status, complaint.err.trim_end()), (0, "text"));
    let quiet = place.run(&["-S", "inherit-stderr=n", "p2_cli.wasm", "complain", "text"]);
    quiet.status(0);
}

#[test]
fn standard_input_and_output() {
    let place = place_with("p2_cli.wasm");
    let file = place.file("input", "a text\n".repeat(10_000));
    let input = || std::fs::File::open(&file).unwrap();
    let ended = Ended::of(place.command().args(["p2_cli.wasm", "echo"]).stdin(input()));
    assert_eq!(ended.status(0).out, "a text\n".repeat(10_000));
    let without = ["-S", "inherit-stdin=n", "p2_cli.wasm", "echo"];
    assert_eq!(Ended::of(place.command().args(without).stdin(input())).status(0).out, "");
}

#[test]
fn exit_statuses() {
    let place = place_with("p2_cli.wasm");
    for (action, status) in [
        (&["return-error"][..], 1),
        (&["exit", "ok"], 0),
        (&["exit", "error"], 1),
        (&["exit-with-code", "7"], 7),
        (&["exit-with-code", "255"], 255),
    ] {
        place.run(&[&["p2_cli.wasm"], action].concat()).status(status);
    }
}

#[test]
fn directories() {
    let place = place_with("p2_filesystem.wasm");
    std::fs::create_dir(place.path().join("data")).unwrap();
    let ended = place.run(&["--dir", "data::/", "p2_filesystem.wasm"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(
        ended.out.lines().count() > 5 && ended.out.lines().all(|line| line.starts_with("ok ")),
        "{ended:?}"
    );
    assert_ne!(place.run(&["--dir", "data::/::ro", "p2_filesystem.wasm"]).status, 0);
    assert_ne!(place.run(&["p2_filesystem.wasm"]).status, 0);
}

#[test]
fn clocks_randomness_and_polls() {
    for program in ["p2_clocks.wasm", "p2_random.wasm", "p2_poll.wasm"] {
        let ended = place_with(program).run(&[program]);
        assert_eq!(ended.status, 0, "{program}: {ended:?}");
    }
}

#[test]
fn one_thread_does_it_all() {
    let place = place_with("p2_cli.wasm");
    let mut command = place.command();
    // Neither is the program's: what compiles in parallel, and what tidies the cache.
    command.args(["-C", "parallel-compilation=n,cache=n", "p2_cli.wasm", "echo"]);
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
    let place = place_with("p2_cli.wasm");
    place.component_command("loop.wat", FOR_EVER);
    place.run(&["-W", "timeout=100ms", "loop.wat"]).trapped(&["loop.wat", "timeout of 100ms"]);
    place.run(&["-W", "fuel=1000", "loop.wat"]).trapped(&["loop.wat", "all fuel consumed", "-W fuel"]);
    let mut waiting = place.command();
    let (_open, stdin) = std::io::pipe().map(|(read, write)| (write, read)).unwrap();
    waiting.args(["-W", "timeout=100ms", "p2_cli.wasm", "echo"]).stdin(stdin);
    Ended::of(&mut waiting).trapped(&["p2_cli.wasm", "timeout of 100ms"]);
}

#[test]
fn traps_are_told_with_a_backtrace_and_kept() {
    let place = Place::new();
    place.component_command(
        "trap.wat",
        "(func $deep (unreachable)) (func (export \"run\") (result i32) call $deep i32.const 0)",
    );
    let ended = place.run(&["-D", "coredump=core", "trap.wat"]);
    ended.trapped(&["trap.wat: wasm trap: wasm `unreachable` instruction executed", "deep"]);
    assert!(std::fs::read(place.path().join("core")).unwrap().starts_with(b"\0asm"));
}

#[test]
fn a_profile_is_taken() {
    let place = Place::new();
    place.component_command("loop.wat", FOR_EVER);
    let profile = ["--profile=guest,profile.json,1ms", "-W", "timeout=200ms", "loop.wat"];
    place.run(&profile).trapped(&["timeout"]);
    let profile = std::fs::read_to_string(place.path().join("profile.json")).unwrap();
    assert!(profile.starts_with('{') && profile.contains("loop.wat"), "{profile}");
}

#[test]
fn what_it_uses_is_limited() {
    let place = Place::new();
    place.component_command("memory.wat", &format!("(memory 2) {NOTHING}"));
    place.run(&["memory.wat"]).status(0);
    place.run(&["-W", "max-memory-size=65536", "memory.wat"]).refused(&["memory.wat", "2 pages"]);
    let place = place_with("p2_cli.wasm");
    // Three streams are three resources, and one handle is less than a program holds.
    let ended = place.run(&["-S", "max-component-handles=1", "p2_cli.wasm", "standard_streams"]);
    assert_eq!(ended.status, 134, "{ended:?}");
}

#[test]
fn imports_that_are_missing_are_all_named() {
    let place = Place::new();
    let importing = |imports: &str| {
        place.file(
            "program.wat",
            format!(
                "(component {imports} (core module $m {NOTHING}) (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i \"run\")))
            (instance (export \"wasi:cli/run@0.2.0\") (export \"run\" (func $run))))"
            ),
        );
        place.run(&["program.wat"])
    };
    let interface = |name: &str| importing(&format!("(import {name:?} (instance (export \"f\" (func))))"));
    importing("(import \"my:own/thing@1.0.0\" (instance (export \"f\" (func)))) (import \"g\" (func))")
        .refused(&[
            "program.wat: nothing here provides `my:own/thing@1.0.0`, `g`; ",
            "wac plug",
            "-W unknown-imports-trap",
        ]);
    interface("wasi:http/types@0.2.0").refused(&["`wasi:http/types@0.2.0`", "-W unknown-imports-trap"]);
    interface("wasi:io/streams@0.2.0-rc-2023-11-10").refused(&["draft", "build the program anew"]);
    interface("wasi:cli/environment@0.2.0").refused(&["wasi:cli/environment@0.2.0", "`f`"]);
    importing("(import \"g\" (func))");
    place.run(&["-W", "unknown-imports-trap", "program.wat"]).status(0);
    // Any release of 0.2 is served.
    let clock = |version| {
        format!(
            "(import \"wasi:clocks/monotonic-clock@0.2.{version}\" (instance (export \"now\" (func (result u64)))))"
        )
    };
    for version in [0, 6, 12] {
        importing(&clock(version)).status(0);
    }
    place
        .run(&["-S", "cli=n", "program.wat"])
        .refused(&["`wasi:clocks/monotonic-clock@0.2.12`", "leave out -S cli=n"]);
}

#[test]
fn what_is_unknown_traps_and_all_else_works() {
    let place = Place::new();
    let program = |imports: &str, missing: &str| {
        place.file(
            "program.wat",
            format!(
                r#"(component {imports}
                    (alias export $clock "now" (func $now))
                    (core func $now (canon lower (func $now)))
                    (core func $missing (canon lower (func {missing})))
                    (core module $m
                        (import "" "now" (func $now (result i64)))
                        (import "" "missing" (func $missing))
                        (func (export "now") (result i64) (call $now))
                        (func (export "missing") (call $missing)))
                    (core instance $i (instantiate $m (with "" (instance
                        (export "now" (func $now)) (export "missing" (func $missing))))))
                    (func (export "now") (result u64) (canon lift (core func $i "now")))
                    (func (export "missing") (canon lift (core func $i "missing"))))"#
            ),
        );
    };
    let invoke =
        |function: &str| place.run(&["-W", "unknown-imports-trap", "--invoke", function, "program.wat"]);
    let clock = |version: &str, more: &str| {
        format!(
            r#"(import "wasi:clocks/monotonic-clock@0.2.{version}"
                (instance $clock (export "now" (func (result u64))) {more}))"#
        )
    };
    for version in ["0", "6", "12", "99"] {
        program(&format!(r#"{} (import "g" (func $g))"#, clock(version, "")), "$g");
        assert!(invoke("now()").status(0).out.trim_end().parse::<u64>().unwrap() > 0);
        invoke("missing()").trapped(&["`g`, which nothing here provides"]);
        // A function that WASI's interface does not have.
        program(&clock(version, r#"(export "f" (func))"#), r#"$clock "f""#);
        assert!(invoke("now()").status(0).out.trim_end().parse::<u64>().unwrap() > 0);
        invoke("missing()").trapped(&[&format!("`wasi:clocks/monotonic-clock@0.2.{version}#f`")]);
    }

    // An interface with a resource of its own, with one of WASI, and with another interface in it.
    let http = r#"
        (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:http/types@0.2.0" (instance $http
            (alias outer 1 $pollable (type $outer))
            (export "pollable" (type $pollable (eq $outer)))
            (export "request" (type $request (sub resource)))
            (export "send" (func (param "request" (own $request)) (result (own $pollable))))
            (export "inner" (instance (export "g" (func))))
            (export "f" (func))))
        (alias export $http "request" (type $request))
        (import "wasi:http/handler@0.2.0" (instance
            (alias outer 1 $request (type $outer))
            (export "request" (type $request (eq $outer)))
            (export "handle" (func (param "request" (borrow $request))))))
        (alias export $http "inner" (instance $inner))"#;
    let imports = format!("{http} {}", clock("0", r#"(export "wait" (func))"#));
    for (function, name) in [
        (r#"$http "f""#, "`wasi:http/types@0.2.0#f`"),
        (r#"$inner "g""#, "`wasi:http/types@0.2.0#inner#g`"),
        (r#"$clock "wait""#, "`wasi:clocks/monotonic-clock@0.2.0#wait`"),
    ] {
        program(&imports, function);
        invoke("now()").status(0);
        invoke("missing()").trapped(&[name]);
    }
    place
        .run(&["-W", "unknown-imports-trap", "-S", "cli=n", "--invoke", "now()", "program.wat"])
        .trapped(&["`wasi:clocks/monotonic-clock@0.2.0#now`"]);

    // An asynchronous function may be there, too.
    program(&format!(r#"{} (import "a" (func async)) (import "g" (func $g))"#, clock("0", "")), "$g");
    invoke("now()").status(0);
    invoke("missing()").trapped(&["`g`"]);
    // A module cannot trap, so nothing is said of it.
    program(&format!(r#"{} (import "g" (func $g)) (import "m" (core module))"#, clock("0", "")), "$g");
    let refused = invoke("now()");
    refused.refused(&["nothing here provides `m`; compose the component"]);
    assert!(!refused.err.contains("unknown-imports-trap"), "{refused:?}");
}

#[test]
fn unstable_functions_are_there_when_they_are_asked_for() {
    let place = Place::new();
    let program = r#"(component
        (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
        (alias export $error "error" (type $error))
        (import "wasi:sockets/network@0.2.12" (instance
            (alias outer 1 $error (type $outer))
            (export "error" (type $error (eq $outer)))
            (type $code (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
                "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
                "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
                "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
                "permanent-resolver-failure"))
            (export "error-code" (type $codes (eq $code)))
            (export "network-error-code" (func (param "err" (borrow $error)) (result (option $codes))))))
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    place.file("program.wat", program);
    place
        .run(&["--invoke", "f()", "program.wat"])
        .refused(&["network-error-code", "-S network-error-code provides it"]);
    place.run(&["-S", "network-error-code", "--invoke", "f()", "program.wat"]).status(0);
    // The zone is told in any case: it is UTC, and no option of `wasmtime run` is for it.
    let place = place_with("p2_unstable.wasm");
    place.run(&["-S", "network-error-code", "p2_unstable.wasm", "timezone"]).status(0);
}

#[test]
fn components_that_are_no_command() {
    let place = Place::new();
    let exporting = |interface: &str, function: &str| {
        place.file(
            "program.wat",
            format!(
                r#"(component (core module $m (func (export "f") (param i32) (result i32) (i32.const 0)))
                    (core instance $i (instantiate $m))
                    (func $f (param "n" u8) (result u32) (canon lift (core func $i "f")))
                    (instance (export "{interface}") (export "{function}" (func $f))))"#
            ),
        );
        place.run(&["program.wat"])
    };
    exporting("my:own/thing@1.0.0", "g").refused(&[
        "program.wat: this is no command, `wasi:cli/run` is missing",
        "--invoke: it exports `my:own/thing@1.0.0#g(",
        "u8",
        "-> u32`",
    ]);
    exporting("wasi:http/incoming-handler@0.2.0", "handle").refused(&["HTTP service", "wasmtime serve"]);
    // What calls itself a command and is none is not run.
    for interface in ["wasi:cli/run@0.2.0", "wasi:cli/run@0.3.0"] {
        exporting(interface, "run").refused(&["program.wat", "`run() -> result`"]);
    }
    place.component_command("run.wat", NOTHING);
    place.file("module.wat", "(module (func (export \"_start\")))");
    place
        .run(&["--preload", "lib=run.wat", "module.wat"])
        .refused(&["run.wat", "--preload is for core modules"]);
}

/// The files of compiled code in the cache.
fn cached(place: &Place) -> usize {
    fn count(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { path.extension().is_none().into() }).sum()
    }
    count(&place.path().join("cache/wasi-host"))
}

#[test]
fn concurrency_is_supported_only_where_it_is_used() {
    let place = Place::new();
    place.component_command("plain.wat", NOTHING);
    let run = |args: &[&str], program: &str| place.run(&[args, &[program]].concat()).status(0).status;
    // Code compiled with it is other code, so the cache tells.
    run(&[], "plain.wat");
    assert_eq!(cached(&place), 1);
    run(&["-W", "concurrency-support=n"], "plain.wat");
    assert_eq!(cached(&place), 1, "without is the default");
    run(&["-W", "component-model-async"], "plain.wat");
    assert_eq!(cached(&place), 2, "what was asked for is done");
    run(&["-W", "concurrency-support"], "plain.wat");
    assert_eq!(cached(&place), 2);

    place.file(
        "async.wat",
        r#"(component
            (import "wait" (func async))
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#,
    );
    run(&["-W", "unknown-imports-trap"], "async.wat");
    place
        .run(&["-W", "unknown-imports-trap,concurrency-support=n", "async.wat"])
        .refused(&["-W concurrency-support=n", "leave it out"]);

    // Nothing of it is asynchronous, but the linker's 0.3 is.
    place.file(
        "random.wat",
        r#"(component
            (import "wasi:random/random@0.3.0" (instance (export "get-random-u64" (func (result u64)))))
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#,
    );
    let before = cached(&place);
    run(&[], "random.wat");
    run(&["-W", "component-model-async"], "random.wat");
    assert_eq!(cached(&place), before + 1);
    run(&["-S", "p3=n", "-W", "unknown-imports-trap"], "random.wat");
    assert_eq!(cached(&place), before + 2);
}
