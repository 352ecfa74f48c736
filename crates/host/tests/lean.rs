//! What a call does not do: allocate.

use allocation_counter::measure;
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, WasiCtxBuilder};
use wasmtime::{Engine, Linker, Module, Store};

/// A guest that makes one call `n` times, so that what is measured is not the embedder's call into it.
const GUEST: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "control" "ready" (func $ready (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\00\10\00\00\64\00\00\00\00\20\00\00\64\00\00\00")
    (data (i32.const 64) "file")
    (func (export "open") (result i32) (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64)
        (i32.const 4) (i32.const 1) (i64.const 70) (i64.const 0) (i32.const 0) (i32.const 128)))
        (i32.load (i32.const 128)))
    (func (export "run") (param $op i32) (param $n i32) (param $fd i32) (result i32)
        (local $errors i32)
        (loop $again
            (if (i32.eqz (local.get $op)) (then (local.set $errors (i32.or (local.get $errors)
                (call $fd_read (local.get $fd) (i32.const 0) (i32.const 2) (i32.const 128))))))
            (if (i32.eq (local.get $op) (i32.const 1)) (then (local.set $errors (i32.or (local.get $errors)
                (call $fd_write (local.get $fd) (i32.const 0) (i32.const 2) (i32.const 128))))))
            (if (i32.eq (local.get $op) (i32.const 2)) (then (local.set $errors (i32.or (local.get $errors)
                (call $fd_seek (local.get $fd) (i64.const 5) (i32.const 0) (i32.const 128))))))
            (if (i32.eq (local.get $op) (i32.const 3)) (then (local.set $errors (i32.or (local.get $errors)
                (call $clock (i32.const 1) (i64.const 0) (i32.const 128))))))
            (if (i32.eq (local.get $op) (i32.const 4)) (then (local.set $errors (i32.or (local.get $errors)
                (call $ready (local.get $fd) (i32.const 0) (i32.const 2) (i32.const 128))))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $errors)))"#;

const OPS: [&str; 4] = ["fd_read", "fd_write", "fd_seek", "clock_time_get"];
const N: i32 = 1000;

fn builder(dir: &std::path::Path) -> WasiCtxBuilder {
    let mut b = WasiCtxBuilder::new();
    b.blocking(BlockingPolicy::Inline);
    b.preopened_dir(dir, "/", DirPerms::all(), FilePerms::all()).unwrap();
    b
}

#[test]
fn no_allocation_in_a_synchronous_call() {
    let (engine, dir) = (Engine::default(), tempfile::tempdir().unwrap());
    let mut linker = Linker::new(&engine);
    wasi_host::p1::add_to_linker_sync(&mut linker, |c| c).unwrap();
    linker.func_wrap("control", "ready", |_: u32, _: u32, _: u32, _: u32| 0u32).unwrap();
    let mut store = Store::new(&engine, builder(dir.path()).build_p1());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, GUEST).unwrap()).unwrap();
    let open = instance.get_typed_func::<(), i32>(&mut store, "open").unwrap();
    let run = instance.get_typed_func::<(i32, i32, i32), i32>(&mut store, "run").unwrap();
    let fd = open.call(&mut store, ()).unwrap();
    for (op, name) in (0..).zip(OPS) {
        let mut errors = run.call(&mut store, (op, 10, fd)).unwrap();
        let counted = measure(|| errors |= run.call(&mut store, (op, N, fd)).unwrap());
        assert_eq!((errors, counted.count_total), (0, 0), "{name}");
    }
}

#[test]
fn an_asynchronous_call_allocates_what_the_engine_demands() {
    let (engine, dir) = (Engine::default(), tempfile::tempdir().unwrap());
    let mut linker = Linker::new(&engine);
    wasi_host::p1::add_to_linker_async(&mut linker, |c| c).unwrap();
    // What the engine takes for any asynchronous function, though it be ready at once.
    linker
        .func_wrap_async("control", "ready", |_, (_, zero, _, _): (u32, u32, u32, u32)| {
            Box::new(std::future::ready(zero))
        })
        .unwrap();
    let mut store = Store::new(&engine, builder(dir.path()).build_p1());
    let module = Module::new(&engine, GUEST).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let instance = runtime.block_on(linker.instantiate_async(&mut store, &module)).unwrap();
    let open = instance.get_typed_func::<(), i32>(&mut store, "open").unwrap();
    let run = instance.get_typed_func::<(i32, i32, i32), i32>(&mut store, "run").unwrap();
    let fd = runtime.block_on(open.call_async(&mut store, ())).unwrap();
    let mut boxes = |op| {
        let mut count = |n| {
            let call = run.call_async(&mut store, (op, n, fd));
            measure(|| assert_eq!(runtime.block_on(call).unwrap(), 0)).count_total
        };
        // What entering the guest costs is the same for few calls and for many.
        count(10);
        let few = count(1);
        count(N + 1) - few
    };
    let control = boxes(4);
    assert!(control > 0);
    for (op, name) in (0..).zip(OPS) {
        let waits = name == "fd_read" || name == "fd_write";
        // At most: what can be done at once needs no box of ours.
        assert!(boxes(op) <= if waits { control } else { 0 }, "{name}: {} of {control}", boxes(op));
    }
}
