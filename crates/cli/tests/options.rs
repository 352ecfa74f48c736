//! Every option of `wasmtime run`, release 48, and every key of its groups: what becomes of it here.
//!
//! The lists are compared with what the help prints, so that a new one has to be thought about, and every row is
//! tried.

mod support;

use support::Place;

enum Fate {
    /// It does what it says.
    Works,
    /// It is taken and changes nothing, because of this.
    Harmless(&'static str),
    /// It is refused by name, with these words.
    Refused(&'static str),
}
use Fate::{Harmless, Refused, Works};

/// A key, what is written behind it to try it, and its fate.
type Row = (&'static str, &'static str, Fate);

const COMPONENTS: Fate = Harmless("it is about components, and means nothing to core modules");
const FUZZING: Fate = Harmless("the engine reads it only when it is built for fuzzing");
const UNREAD: Fate = Harmless("the engine's options have it, and set nothing by it");
const SOCKETS: Fate =
    Harmless("core modules have no way to open sockets, so there is nothing to allow or forbid");

#[rustfmt::skip]
const OPTIMIZE: &[Row] = &[
    ("opt-level", "=s", Works),
    ("regalloc-algorithm", "=single-pass", Works),
    ("memory-may-move", "=n", Works),
    ("memory-reservation", "=1048576", Works),
    ("memory-reservation-for-growth", "=65536", Works),
    ("memory-guard-size", "=65536", Works),
    ("gc-heap-may-move", "=n", Works),
    ("gc-heap-reservation", "=1048576", Works),
    ("gc-heap-reservation-for-growth", "=65536", Works),
    ("gc-heap-guard-size", "=65536", Works),
    ("gc-heap-initial-size", "=65536", Works),
    ("guard-before-linear-memory", "=n", Works),
    ("table-lazy-init", "=n", Works),
    ("pooling-allocator", "", Works),
    ("pooling-decommit-batch-size", "=2,pooling-allocator", Works),
    ("pooling-memory-keep-resident", "=65536,pooling-allocator", Works),
    ("pooling-table-keep-resident", "=65536,pooling-allocator", Works),
    ("pooling-memory-protection-keys", "=auto,pooling-allocator", Works),
    ("pooling-max-memory-protection-keys", "=2,pooling-memory-protection-keys=auto,pooling-allocator", Works),
    ("memory-init-cow", "=n", Works),
    ("memory-guaranteed-dense-image-size", "=65536", Works),
    ("pooling-total-core-instances", "=2,pooling-allocator", Works),
    ("pooling-total-component-instances", "=2,pooling-allocator", Works),
    ("pooling-total-memories", "=2,pooling-allocator", Works),
    ("pooling-total-tables", "=2,pooling-allocator", Works),
    ("pooling-total-stacks", "=2,pooling-allocator", Works),
    ("pooling-max-memory-size", "=1048576,pooling-allocator", Works),
    ("pooling-table-elements", "=100,pooling-allocator", Works),
    ("pooling-max-core-instance-size", "=65536,pooling-allocator", Works),
    ("pooling-max-unused-warm-slots", "=2,pooling-allocator", Works),
    ("pooling-async-stack-keep-resident", "=65536,pooling-allocator", Works),
    ("pooling-max-component-instance-size", "=65536,pooling-allocator", COMPONENTS),
    ("pooling-max-core-instances-per-component", "=2,pooling-allocator", COMPONENTS),
    ("pooling-max-memories-per-component", "=2,pooling-allocator", COMPONENTS),
    ("pooling-max-tables-per-component", "=2,pooling-allocator", COMPONENTS),
    ("pooling-max-tables-per-module", "=2,pooling-allocator", Works),
    ("pooling-max-memories-per-module", "=2,pooling-allocator", Works),
    ("pooling-total-gc-heaps", "=2,pooling-allocator", Works),
    ("signals-based-traps", "=n", Works),
    ("dynamic-memory-guard-size", "=65536", Works),
    ("static-memory-guard-size", "=65536", Works),
    ("static-memory-forced", "", Works),
    ("static-memory-maximum-size", "=1048576", Works),
    ("dynamic-memory-reserved-for-growth", "=65536", Works),
    ("pooling-pagemap-scan", "=auto,pooling-allocator", Works),
    ("gc-zeal-alloc-counter", "=3", FUZZING),
];

#[rustfmt::skip]
const CODEGEN: &[Row] = &[
    ("compiler", "=winch", Works),
    ("collector", "=copying", Works),
    ("cranelift-debug-verifier", "", Works),
    ("cache", "=n", Works),
    ("cache-config", "=cache.toml", Works),
    ("parallel-compilation", "=n", Works),
    ("native-unwind-info", "", Works),
    ("inlining", "=y", Works),
    ("metadata-for-internal-asserts", "", Works),
    ("metadata-for-gc-heap-corruption", "", Works),
    ("cranelift-<KEY>", "", Works),
];

#[rustfmt::skip]
const DEBUG: &[Row] = &[
    ("debug-info", "", Works),
    ("guest-debug", "", Works),
    ("address-map", "=n", Works),
    ("logging", "=n", Works),
    ("log-to-files", "", Works),
    ("coredump", "=core", Works),
    ("debugger", "=debugger.wasm", Refused("-D debug-info")),
    ("arg", "=x", Refused("-D debug-info")),
    ("inherit-stdin", "", Refused("-D debug-info")),
    ("inherit-stdout", "", Refused("-D debug-info")),
    ("inherit-stderr", "", Refused("-D debug-info")),
    ("max-backtrace", "=2", Works),
    ("symbols", "=n", Works),
];

#[rustfmt::skip]
const WASM: &[Row] = &[
    ("nan-canonicalization", "", Works),
    ("fuel", "=1000", Works),
    ("epoch-interruption", "", Works),
    ("max-wasm-stack", "=65536", Works),
    ("async-stack-size", "=4194304", Harmless("calls are synchronous and run on the thread's own stack")),
    ("async-stack-zeroing", "", Harmless("calls are synchronous and run on the thread's own stack")),
    ("unknown-exports-allow", "", Works),
    ("unknown-imports-trap", "", Works),
    ("unknown-imports-default", "", Works),
    ("wmemcheck", "", Works),
    ("max-memory-size", "=1048576", Works),
    ("max-table-elements", "=100", Works),
    ("max-instances", "=1", Works),
    ("max-tables", "=1", Works),
    ("max-memories", "=1", Works),
    ("trap-on-grow-failure", "", Works),
    ("timeout", "=60s", Works),
    ("all-proposals", "", Works),
    ("bulk-memory", "=n", Works),
    ("multi-memory", "", Works),
    ("multi-value", "=n", Works),
    ("reference-types", "=n,function-references=n,gc=n,exceptions=n", Works),
    ("simd", "=n,relaxed-simd=n", Works),
    ("relaxed-simd", "", Works),
    ("relaxed-simd-deterministic", "", Works),
    ("tail-call", "=n", Works),
    ("threads", "", Works),
    ("shared-memory", "", Works),
    ("shared-everything-threads", "", UNREAD),
    ("memory64", "", Works),
    ("component-model", "", COMPONENTS),
    ("component-model-async", "", COMPONENTS),
    ("component-model-more-async-builtins", "", COMPONENTS),
    ("component-model-async-stackful", "", COMPONENTS),
    ("component-model-threading", "", COMPONENTS),
    ("component-model-error-context", "", COMPONENTS),
    ("component-model-gc", "", COMPONENTS),
    ("component-model-map", "", COMPONENTS),
    ("component-model-memory64", "", COMPONENTS),
    ("function-references", "", Works),
    ("stack-switching", "", Works),
    ("gc", "", Works),
    ("custom-page-sizes", "", Works),
    ("wide-arithmetic", "", Works),
    ("branch-hinting", "", Works),
    ("extended-const", "", Works),
    ("exceptions", "", Works),
    ("gc-support", "", Works),
    ("component-model-fixed-length-lists", "", COMPONENTS),
    ("component-model-implements", "", COMPONENTS),
    ("concurrency-support", "=n", COMPONENTS),
];

#[rustfmt::skip]
const WASI: &[Row] = &[
    ("cli", "", Works),
    ("cli-exit-with-code", "", Harmless("`proc_exit` always passes the status on")),
    ("common", "", Works),
    ("nn", "", Refused("wasi-nn")),
    ("threads", "", Refused("one thread")),
    ("http", "", Refused("-S tcplisten")),
    ("http-outgoing-body-buffer-chunks", "=2", Refused("-S tcplisten")),
    ("http-outgoing-body-chunk-size", "=2", Refused("-S tcplisten")),
    ("config", "", Refused("--env")),
    ("keyvalue", "", Refused("--dir")),
    ("listenfd", "", Works),
    ("tcplisten", "=127.0.0.1:0", Works),
    ("tls", "", Refused("its own TLS")),
    ("preview2", "=n", Harmless("there is one implementation of WASI 0.1, whichever is asked for")),
    ("nn-graph", "=onnx::models", Refused("wasi-nn")),
    ("inherit-network", "", SOCKETS),
    ("allow-ip-name-lookup", "", SOCKETS),
    ("tcp", "", SOCKETS),
    ("udp", "", SOCKETS),
    ("network-error-code", "", SOCKETS),
    ("preview0", "", Works),
    ("inherit-env", "", Works),
    ("inherit-stdin", "", Works),
    ("inherit-stdout", "", Works),
    ("inherit-stderr", "", Works),
    ("cwd", "=/", Harmless("WASI 0.1 has no call that asks for it")),
    ("config-var", "=a=b", Refused("--env")),
    ("keyvalue-in-memory-data", "=a=b", Refused("--dir")),
    ("p3", "", COMPONENTS),
    ("max-resources", "=100", Works),
    ("hostcall-fuel", "=1048576", Works),
    ("max-component-handles", "=100", COMPONENTS),
    ("max-random-size", "=100", Works),
    ("max-http-fields-size", "=100", Refused("-S tcplisten")),
];

#[rustfmt::skip]
const RECORD: &[Row] = &[
    ("path", "=trace", Refused("--record FILE")),
    ("validation-metadata", "", Refused("--record FILE")),
    ("event-window-size", "=2", Refused("--record FILE")),
];

/// The options themselves, with what is written to try them.
const LONG: &[(&str, &[&str], Fate)] = &[
    ("optimize", &["--optimize", "opt-level=0"], Works),
    ("codegen", &["--codegen", "cache=n"], Works),
    ("debug", &["--debug", "debug-info"], Works),
    ("wasm", &["--wasm", "simd"], Works),
    ("wasi", &["--wasi", "cli"], Works),
    ("target", &["--target", "pulley64"], Works),
    ("config", &["--config", "options.toml"], Works),
    ("dir", &["--dir", ".::/::ro"], Works),
    ("mem", &["--mem", "/d"], Works),
    ("overlay", &["--overlay", ".::/d"], Works),
    ("archive", &["--archive", "packed.tar::/d"], Works),
    ("quota", &["--mem", "/d", "--quota", "1M"], Works),
    ("diff", &["--overlay", ".::/d", "--diff"], Works),
    ("trace-fs", &["--mem", "/d", "--trace-fs=trace.txt"], Works),
    ("deterministic", &["--deterministic=7"], Works),
    ("clock", &["--clock", "virtual,@0"], Works),
    ("record", &["--record", "log"], Works),
    ("replay", &["--replay", "log", "--dir", "."], Refused("what the log says")),
    ("env", &["--env", "A=b"], Works),
    ("argv0", &["--argv0", "name"], Works),
    ("allow-net", &["--allow-net", "localhost:80"], Refused("-S tcplisten")),
    ("deny-net", &["--deny-net", "10.0.0.0/8"], Refused("nothing to deny")),
    ("invoke", &["--invoke", "_start"], Works),
    ("preload", &["--preload", "other=other.wat"], Works),
    ("allow-precompiled", &["--allow-precompiled"], Harmless("precompiled code is never loaded")),
    ("profile", &["--profile=guest,profile.json,1ms"], Works),
];

/// What the help does not offer, because it is refused.
const HIDDEN: &[(&str, &[&str], Fate)] = &[
    ("gdbstub", &["-g", "1234"], Refused("-D debug-info")),
    ("record", &["-R", "path=trace"], Refused("--record FILE")),
];

fn place() -> Place {
    let place = Place::new();
    place.file("program.wat", "(module (memory 1) (func (export \"_start\")))");
    place.component_command("component.wat", "(memory 1) (func (export \"run\") (result i32) (i32.const 0))");
    // The end of an archive without anything before it.
    place.file("packed.tar", [0; 1024]);
    place.file("other.wat", "(module (func (export \"f\")))");
    place.file("options.toml", "[optimize]\nopt-level = 0\n");
    place.file("cache.toml", format!("[cache]\ndirectory = {:?}\n", place.path().join("elsewhere")));
    place
}

/// What becomes of an option where the program is a component, unless it is the same as for a core module.
#[rustfmt::skip]
const OF_COMPONENTS: &[(&str, Fate)] = &[
    ("-W unknown-imports-default", Refused("-W unknown-imports-trap")),
    ("-S listenfd", Refused("--allow-net")),
    ("-S tcplisten=127.0.0.1:0", Refused("--allow-net")),
    ("--allow-net localhost:80", Works),
    ("--deny-net 10.0.0.0/8", Works),
    ("--invoke _start", Harmless("it is given a name that the component has")),
    ("--preload other=other.wat", Refused("wac plug")),
];

fn tried(place: &Place, args: &[&str], fate: &Fate) {
    tried_with(place, args, "program.wat", fate);
    let words = args.join(" ");
    let other = OF_COMPONENTS.iter().find(|(option, _)| *option == words).map(|(_, fate)| fate);
    let args = if args == ["--invoke", "_start"] { &["--invoke", "run"] } else { args };
    tried_with(place, args, "component.wat", other.unwrap_or(fate));
}

fn tried_with(place: &Place, args: &[&str], program: &str, fate: &Fate) {
    let ended = place.run(&[args, &[program]].concat());
    match fate {
        Works => assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{args:?} {program}"),
        Harmless(why) => {
            assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{args:?} {program}, {why}");
        }
        Refused(instead) => ended.refused(&[args[0], "does not work", instead]),
    }
}

fn group(letter: &str, rows: &[Row]) {
    let place = place();
    let help = place.run(&[&format!("-{letter}"), "help"]).out;
    let listed: Vec<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(&format!("-{letter} "))?.split(" --").next())
        .map(|key| {
            let end = key.find(['=', '[']).unwrap_or(key.len());
            key[..end].trim()
        })
        .collect();
    let known: Vec<&str> = rows.iter().map(|row| row.0).collect();
    assert_eq!(listed, known, "-{letter}");
    for (key, value, fate) in rows {
        let key = key.replace("<KEY>", "enable-alias-analysis=false");
        tried(&place, &[&format!("-{letter}"), &format!("{key}{value}")], fate);
        if let Refused(_) = fate {
            let ended = place.run(&[&format!("-{letter}"), &format!("{key}{value}"), "program.wat"]);
            ended.refused(&[&format!("-{letter} {key}")]);
        }
    }
}

#[test]
fn optimize() {
    group("O", OPTIMIZE);
}

#[test]
fn codegen() {
    group("C", CODEGEN);
}

#[test]
fn debug() {
    group("D", DEBUG);
}

#[test]
fn wasm() {
    group("W", WASM);
}

#[test]
fn wasi() {
    group("S", WASI);
}

#[test]
fn record() {
    group("R", RECORD);
}

#[test]
fn long_options() {
    let place = place();
    let help = place.run(&["--help"]).out;
    let mut listed: Vec<&str> = help
        .lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let line = line
                .get(4..)
                .filter(|_| line.starts_with('-') && line.get(2..4) == Some(", "))
                .unwrap_or(line);
            line.strip_prefix("--")?.split([' ', '=', '[']).next()
        })
        .collect();
    listed.retain(|name| !["help", "version"].contains(name));
    let known: Vec<&str> = LONG.iter().map(|row| row.0).collect();
    assert_eq!(listed, known);
    for (_, args, fate) in LONG.iter().chain(HIDDEN) {
        tried(&place, args, fate);
    }
}

#[test]
fn what_is_only_switched_off_is_not_refused() {
    let place = place();
    place.run(&["-S", "http=n,nn=n,threads=n,keyvalue=n,config=n,tls=n", "program.wat"]).status(0);
}

#[test]
fn a_key_that_nobody_knows_is_named() {
    let ended = place().run(&["-S", "nonsense", "program.wat"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("nonsense"), "{ended:?}");
}

#[test]
fn a_configuration_file_is_refused_like_the_options() {
    let place = place();
    place.file("options.toml", "[wasi]\nhttp = true\n");
    place.run(&["--config", "options.toml", "program.wat"]).refused(&["-S http"]);
    place.file("options.toml", "[wasi]\nhtp = true\n");
    let ended = place.run(&["--config", "options.toml", "program.wat"]);
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: ") && ended.err.contains("options.toml"), "{ended:?}");
    assert!(ended.err.contains("unknown field `htp`"), "{ended:?}");
    place.run(&["--config", "missing.toml", "program.wat"]).refused(&["missing.toml"]);
}
