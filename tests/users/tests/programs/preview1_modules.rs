//! Runs core modules: WASI 0.1, and 0.0 for the oldest of them.

use wasmtime::{Engine, Linker, Module, Result, Store};
use wasmtime_wasi::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::preview1::{self, WasiP1Ctx};
use wasmtime_wasi::{preview0, DirPerms, FilePerms, I32Exit, WasiCtxBuilder};

const PROCESS: &str = "../../guests/prebuilt/process.wasm";
const UNSTABLE: &str = "../../guests/prebuilt/unstable.wasm";

#[test]
fn a_module_runs() -> Result<()> {
    let engine = Engine::default();
    let module = Module::from_file(&engine, PROCESS)?;
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    preview1::add_to_linker_sync(&mut linker, |t| t)?;
    let pre = linker.instantiate_pre(&module)?;

    let stdout = MemoryOutputPipe::new(4096);
    let wasi_ctx = WasiCtxBuilder::new()
        .stdin(MemoryInputPipe::new("some input"))
        .stdout(stdout.clone())
        .args(&["process", "echo"])
        .build_p1();
    let mut store = Store::new(&engine, wasi_ctx);
    let instance = pre.instantiate(&mut store)?;
    let func = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    if let Err(e) = func.call(&mut store, ()) {
        assert_eq!(e.downcast_ref::<I32Exit>().map(|exit| exit.0), Some(0), "{e:?}");
    }
    assert_eq!(stdout.contents(), "some input");
    Ok(())
}

/// WASI is one part of what this host keeps for each module.
struct Plugin {
    wasi: WasiP1Ctx,
    calls: u32,
}

#[tokio::test]
async fn a_module_with_functions_of_the_host() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<Plugin> = Linker::new(&engine);
    preview1::add_to_linker_async(&mut linker, |plugin| &mut plugin.wasi)?;
    linker.func_wrap("host", "called", |mut caller: wasmtime::Caller<'_, Plugin>| {
        caller.data_mut().calls += 1
    })?;
    linker.func_wrap_async("host", "pause", |_caller: wasmtime::Caller<'_, Plugin>, (ms,): (u32,)| {
        Box::new(async move { tokio::time::sleep(std::time::Duration::from_millis(ms.into())).await })
    })?;

    let module = Module::new(
        &engine,
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
            (import "host" "called" (func $called))
            (import "host" "pause" (func $pause (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 8) "\10\00\00\00\04\00\00\00tick")
            (func (export "tick") (result i32)
                (call $called)
                (call $pause (i32.const 1))
                (drop (call $yield))
                (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))"#,
    )?;
    let stdout = MemoryOutputPipe::new(4096);
    let wasi = WasiCtxBuilder::new().stdout(stdout.clone()).build_p1();
    let mut store = Store::new(&engine, Plugin { wasi, calls: 0 });
    let instance = linker.instantiate_async(&mut store, &module).await?;
    let tick = instance.get_typed_func::<(), i32>(&mut store, "tick")?;
    assert_eq!(tick.call_async(&mut store, ()).await?, 0);
    assert_eq!(tick.call_async(&mut store, ()).await?, 0);
    assert_eq!(stdout.contents(), "ticktick");
    assert_eq!(store.data().calls, 2);
    Ok(())
}

/// The result of a run as the status of a process, the way a shell wants it.
fn status(result: Result<()>) -> Result<i32> {
    match result {
        Ok(()) => Ok(0),
        Err(e) => Ok(e.downcast::<I32Exit>()?.0),
    }
}

#[test]
fn the_oldest_modules_run() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    preview0::add_to_linker_sync(&mut linker, |t: &mut WasiP1Ctx| t)?;
    preview1::add_to_linker_sync(&mut linker, |t| t)?;
    let dir = tempfile::tempdir()?;
    let stdout = MemoryOutputPipe::new(4096);
    let ctx = WasiCtxBuilder::new()
        .stdout(stdout.clone())
        .inherit_stderr()
        .args(&["unstable", "filestat"])
        .preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all())?
        .build_p1();
    let mut store = Store::new(&engine, ctx);
    let module = Module::from_file(&engine, UNSTABLE)?;
    let func =
        linker.module(&mut store, "", &module)?.get_default(&mut store, "")?.typed::<(), ()>(&store)?;
    assert_eq!(status(func.call(&mut store, ()))?, 0, "{:?}", stdout.contents());
    Ok(())
}

#[tokio::test]
async fn the_oldest_modules_run_on_tokio() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    preview0::add_to_linker_async(&mut linker, |t| t)?;
    let dir = tempfile::tempdir()?;
    let ctx = WasiCtxBuilder::new()
        .inherit_stderr()
        .args(&["unstable", "filestat"])
        .preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all())?
        .build_p1();
    let mut store = Store::new(&engine, ctx);
    let module = Module::from_file(&engine, UNSTABLE)?;
    let instance = linker.instantiate_async(&mut store, &module).await?;
    let func = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    assert_eq!(status(func.call_async(&mut store, ()).await)?, 0);
    Ok(())
}
