//! Guests that are not as they should be get a clear answer.

use wasi_host::{WasiCtxBuilder, p1};
use wasmtime::{Config, Engine, Linker, Module, Store};

fn trap(module: &str) -> String {
    let engine = Engine::new(Config::new().wasm_threads(true).shared_memory(true)).unwrap();
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |c| c).unwrap();
    let mut store = Store::new(&engine, WasiCtxBuilder::new().arg("a long argument").build_p1());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, module).unwrap()).unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
    format!("{:?}", start.call(&mut store, ()).unwrap_err())
}

fn calling_args(memory: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "args_sizes_get" (func $f (param i32 i32) (result i32)))
            {memory}
            (func (export "_start") (drop (call $f (i32.const 2) (i32.const 4)))))"#
    )
}

#[test]
fn memory_that_cannot_be_lent() {
    let none = trap(&calling_args(""));
    assert!(none.contains("does not export a memory named `memory`"), "{none}");
    let function = trap(&calling_args(r#"(func (export "memory"))"#));
    assert!(function.contains("does not export a memory named `memory`"), "{function}");
    let shared = trap(&calling_args(r#"(memory (export "memory") 1 1 shared)"#));
    assert!(shared.contains("shared"), "{shared}");
}

#[test]
fn a_bad_pointer_names_the_call() {
    let misaligned = trap(&calling_args(r#"(memory (export "memory") 1)"#));
    assert!(misaligned.contains("args_sizes_get") && misaligned.contains("not aligned"), "{misaligned}");
    let outside =
        trap(&calling_args(r#"(memory (export "memory") 0)"#).replace("i32.const 2", "i32.const 8"));
    assert!(outside.contains("args_sizes_get") && outside.contains("out of bounds"), "{outside}");
}

#[test]
fn a_guest_without_memory_may_do_what_needs_none() {
    let exit = trap(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (func (export "_start") (call $exit (i32.const 3))))"#,
    );
    assert!(exit.contains("exit status 3"), "{exit}");
}

#[test]
fn both_versions_fit_one_linker_and_none_twice() {
    let engine = Engine::default();
    let mut linker = Linker::<p1::WasiP1Ctx>::new(&engine);
    p1::add_to_linker_sync(&mut linker, |c| c).unwrap();
    wasi_host::p0::add_to_linker_sync(&mut linker, |c| c).unwrap();
    assert!(p1::add_to_linker_sync(&mut linker, |c| c).is_err());
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    let names = linker.iter(&mut store).map(|(module, name, _)| format!("{module}.{name}"));
    let names: std::collections::BTreeSet<String> = names.collect();
    assert_eq!(names.len(), 46 + 45);
    assert!(!names.contains("wasi_unstable.sock_accept"));
}

#[test]
fn memory_beyond_the_reach_of_a_pointer() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "args_get" (func $f (param i32 i32) (result i32)))
        (memory (export "memory") i64 65538)
        (func (export "_start") (drop (call $f (i32.const 0) (i32.const -4)))))"#;
    let answer = trap(text);
    assert!(answer.contains("out of bounds"), "{answer}");
}
