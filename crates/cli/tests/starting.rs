//! What is said about a program that cannot be started, and how one is started.

mod support;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use support::{Ended, Place};

#[test]
fn files_that_are_no_program() {
    let place = Place::new();
    place.file("empty.wasm", "");
    place.file("image.wasm", b"\x89PNG\r\n\x1a\n");
    place.file("text.wat", "(module (fnc))");
    place.file("broken.wasm", b"\0asm\x01\0\0\0\x01\xff");
    place.file("part.wat", "(component)");
    place.file("code.wasm", b"\0asm\x0d\0\x01\0");
    std::fs::create_dir(place.path().join("folder")).unwrap();
    for (file, words) in [
        ("missing.wasm", &["missing.wasm: no such file"][..]),
        ("folder", &["folder", "directory"]),
        ("empty.wasm", &["empty.wasm", "empty"]),
        ("image.wasm", &["image.wasm", "not WebAssembly"]),
        ("broken.wasm", &["broken.wasm", "cannot be compiled"]),
        ("part.wat", &["part.wat", "no command", "`wasi:cli/run` is missing", "no function at all"]),
        ("code.wasm", &["code.wasm", "no command", "`wasi:cli/run` is missing"]),
        ("serve", &["serve", "no such file", "run, completions and man"]),
    ] {
        place.run(&[file]).refused(words);
    }
    let ended = place.run(&["text.wat"]);
    assert_eq!(ended.status, 1);
    assert!(ended.err.contains("text.wat:1:10"), "{ended:?}");
}

#[test]
fn precompiled_code_is_not_loaded() {
    let place = Place::new();
    let engine = wasmtime::Engine::default();
    let code = engine.precompile_module(b"\0asm\x01\0\0\0").unwrap();
    place.file("code.cwasm", code);
    for args in [&["code.cwasm"][..], &["--allow-precompiled", "code.cwasm"]] {
        place.run(args).refused(&["code.cwasm", "precompiled", "give the .wasm"]);
    }
}

#[test]
fn imports_that_are_missing_are_all_named() {
    let place = Place::new();
    let program = |imports: &str| {
        place.file(
            "program.wat",
            format!("(module {imports} (memory (export \"memory\") 1) (func (export \"_start\")))"),
        );
        place.run(&["program.wat"])
    };
    program(r#"(import "env" "f" (func)) (import "env" "g" (global i32))"#).refused(&[
        "program.wat",
        "`env::f`, `env::g`",
        "--preload env=FILE",
        "-W unknown-imports-trap",
    ]);
    program(r#"(import "wasi_snapshot_preview1" "sock_open" (func))"#).refused(&["`sock_open`", "extension"]);
    program(r#"(import "wasi" "thread-spawn" (func (param i32) (result i32)))"#).refused(&["one thread"]);
    program(r#"(import "wasi:io/poll@0.2.0" "poll" (func))"#).refused(&["component"]);
    program(r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))"#).refused(&[
        "program.wat",
        "wasi_snapshot_preview1::proc_exit",
        "incompatible import type",
    ]);
}

#[test]
fn wasi_that_is_switched_off_is_missing() {
    let place = Place::new();
    place.guest("one.wat", &["proc_exit"], r#"(func (export "_start") (call $proc_exit (i32.const 7)))"#);
    place.file(
        "zero.wat",
        r#"(module (import "wasi_unstable" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 7))))"#,
    );
    place.run(&["one.wat"]).status(7);
    place.run(&["zero.wat"]).status(7);
    for off in ["cli=n", "common=n"] {
        place.run(&["-S", off, "one.wat"]).refused(&["`wasi_snapshot_preview1::proc_exit`", "-S cli=n"]);
        place.run(&["-S", off, "zero.wat"]).refused(&["`wasi_unstable::proc_exit`", "-S cli=n"]);
    }
    place.run(&["-S", "preview0=n", "one.wat"]).status(7);
    place.run(&["-S", "preview0=n", "zero.wat"]).refused(&["`wasi_unstable::proc_exit`", "-S preview0=n"]);
}

#[test]
fn a_program_without_memory() {
    let place = Place::new();
    let import = r#"(import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))"#;
    place.file("program.wat", format!("(module {import} (memory 1) (func (export \"_start\")))"));
    place.run(&["program.wat"]).refused(&["program.wat", "random_get", "exports no memory"]);
    let import = r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))"#;
    place.file("program.wat", format!("(module {import} (func (export \"_start\")))"));
    place.run(&["program.wat"]).status(0);
}

#[test]
fn modules_that_are_no_command() {
    let place = Place::new();
    place.file("none.wat", "(module)");
    place.run(&["none.wat"]).refused(&["none.wat", "`_start` is missing", "no function at all"]);
    place.file(
        "functions.wat",
        r#"(module (func (export "f") (param i32 f64) (result i64 v128) unreachable))"#,
    );
    place.run(&["functions.wat"]).refused(&[
        "`_start` is missing",
        "--invoke",
        "`f(i32, f64) -> (i64, v128)`",
    ]);
    place.file(
        "many.wat",
        format!("(module {})", (0..30).map(|n| format!("(func (export \"f{n}\"))")).collect::<String>()),
    );
    place.run(&["many.wat"]).refused(&["`f19()` and 10 more"]);
    place.file("odd.wat", r#"(module (func (export "_start") (param i32)))"#);
    place.run(&["odd.wat"]).refused(&["`_start` must take and return nothing", "--invoke _start"]);
    // One that does its work when it is instantiated has nothing left to call.
    place.guest("start.wat", &["proc_exit"], "(func $main (call $proc_exit (i32.const 9))) (start $main)");
    place.run(&["start.wat"]).status(9);
    place.file("start.wat", "(module (func $main) (start $main))");
    place.run(&["start.wat"]).status(0);
}

#[test]
fn a_library_is_initialized_before_its_function_is_called() {
    let place = Place::new();
    place.file(
        "library.wat",
        r#"(module (global $n (mut i32) (i32.const 1))
            (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 4))))
            (func (export "n") (result i32) (global.get $n)))"#,
    );
    place.run(&["library.wat"]).refused(&["library.wat", "library", "--invoke", "`n() -> i32`"]);
    let ended = place.run(&["--invoke", "n", "library.wat"]);
    assert_eq!(ended.status(0).out, "5\n");
    place.run(&["--invoke", "_initialize", "library.wat"]).status(0);
}

#[test]
fn a_preloaded_module_is_imported_from() {
    let place = Place::new();
    place.file("lib.wat", r#"(module (func (export "five") (result i32) (i32.const 5)))"#);
    place.file(
        "program.wat",
        r#"(module (import "lib" "five" (func $five (result i32)))
            (func (export "f") (result i32) (call $five)))"#,
    );
    let ended = place.run(&["--preload", "lib=lib.wat", "--invoke", "f", "program.wat"]);
    assert_eq!(ended.status(0).out, "5\n");
    place.run(&["--invoke", "f", "program.wat"]).refused(&["`lib::five`"]);
    place
        .run(&["--preload", "lib=no.wat", "--invoke", "f", "program.wat"])
        .refused(&["no.wat: no such file"]);
    let ended = place.run(&["--preload", "lib", "program.wat"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("NAME=FILE"), "{ended:?}");
    // What traps is named, and it is not the program.
    place.file(
        "lib.wat",
        r#"(module (func $f unreachable) (start $f) (func (export "five") (result i32) (i32.const 5)))"#,
    );
    place
        .run(&["--preload", "lib=lib.wat", "--invoke", "f", "program.wat"])
        .trapped(&["error: lib.wat: wasm trap"]);
}

#[test]
fn the_word_run_can_be_left_out() {
    let place = Place::new();
    place.guest("run.wat", &["proc_exit"], r#"(func (export "_start") (call $proc_exit (i32.const 3)))"#);
    for args in [
        &["run.wat"][..],
        &["run", "run.wat"],
        &["run", "--", "run.wat"],
        &["--", "run.wat"],
        &["-C", "cache=n", "run.wat"],
        &["run", "-Ccache=n", "run.wat", "--dir", "nowhere"],
        &["run.wat", "man"],
        &["run.wat", "--help"],
        &["run.wat", "run"],
    ] {
        let ended = place.run(args);
        assert_eq!((ended.status, ended.err.as_str()), (3, ""), "{args:?}");
    }
}

#[test]
fn directories_and_sockets_that_cannot_be_given() {
    let place = Place::new();
    place.file("program.wat", r#"(module (func (export "_start")))"#);
    for (args, words) in [
        (&["--dir", "data"][..], &["--dir data", "no such directory"][..]),
        (&["--dir", "program.wat"], &["--dir program.wat", "not a directory"]),
        (&["-S", "tcplisten=nonsense"], &["-S tcplisten=nonsense", "127.0.0.1:8080"]),
        (&["-S", "tcplisten=192.0.2.1:1"], &["-S tcplisten=192.0.2.1:1", "cannot listen"]),
        (&["-W", "timeout=1s,epoch-interruption=n"], &["-W timeout", "epoch-interruption=n"]),
        (&["--target", "nonsense"], &["nonsense"]),
        (&["--profile=guest,no/such/folder"], &["--profile", "no/such/folder"]),
    ] {
        place.run(&[args, &["program.wat"]].concat()).refused(words);
    }
    for (args, words) in [
        (&["--dir", "a::b::rw"][..], &["`rw`", "`ro`"][..]),
        (&["--dir", "a::"], &["GUEST is empty"]),
        (&["--env", "=a"], &["the name is empty"]),
        (&["--profile", "perf"], &["perfmap"]),
        (&["-W", "timeout=soon"], &["timeout=soon"]),
    ] {
        let ended = place.run(&[args, &["program.wat"]].concat());
        assert_eq!(ended.status, 2, "{ended:?}");
        for word in words {
            assert!(ended.err.contains(word), "{word:?} in {ended:?}");
        }
    }
}

#[test]
fn what_is_not_utf8_is_named() {
    let place = Place::new();
    place.file("program.wat", r#"(module (func (export "_start")))"#);
    let odd = OsStr::from_bytes(b"\xff");
    place.run(&[OsStr::new("program.wat"), odd]).refused(&["argument 1", "UTF-8"]);
    Ended::of(place.command().env("ODD", odd).args(["--env", "ODD", "program.wat"])).refused(&[
        "--env ODD",
        "UTF-8",
        "--env ODD=VALUE",
    ]);
    Ended::of(place.command().env("ODD", odd).args(["-S", "inherit-env", "program.wat"])).status(0);
}

#[test]
fn limits_that_the_program_needs_more_than() {
    let place = Place::new();
    place.file(
        "program.wat",
        r#"(module (memory 2) (memory 1) (table 10 funcref) (table 1 funcref) (func (export "_start")))"#,
    );
    place.run(&["program.wat"]).status(0);
    for (limit, words) in [
        ("max-memory-size=65536", "memory minimum size of 2 pages"),
        ("max-table-elements=5", "table minimum size of 10"),
        ("max-instances=0", "instance"),
        ("max-memories=1", "memory"),
        ("max-tables=1", "table"),
    ] {
        place.run(&["-W", limit, "program.wat"]).refused(&["program.wat", words]);
    }
    place.file("simd.wat", r#"(module (func (export "_start") (drop (v128.const i64x2 0 0))))"#);
    place.run(&["simd.wat"]).status(0);
    place.run(&["-W", "simd=n,relaxed-simd=n", "simd.wat"]).refused(&["simd.wat", "SIMD", "-W help"]);
}
