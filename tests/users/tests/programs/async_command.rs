//! Serves many commands at once on tokio, each prepared once and instantiated for each call.

use std::time::Duration;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::bindings::{Command, CommandPre};
use wasmtime_wasi::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiView};

struct Host {
    wasi: WasiCtx,
    resources: ResourceTable,
}

impl WasiView for Host {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.resources
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.wasi
    }
}

fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    Engine::new(&config)
}

async fn call(pre: &CommandPre<Host>, input: String) -> Result<String> {
    let stdout = MemoryOutputPipe::new(4096);
    let wasi = WasiCtxBuilder::new()
        .stdin(MemoryInputPipe::new(input))
        .stdout(stdout.clone())
        .allow_blocking_current_thread(false)
        .build();
    let mut store = Store::new(pre.engine(), Host { wasi, resources: ResourceTable::new() });
    let command = pre.instantiate_async(&mut store).await?;
    command.wasi_cli_run().call_run(&mut store).await?.expect("it succeeds");
    Ok(String::from_utf8(stdout.contents().to_vec())?)
}

#[tokio::test]
async fn one_component_serves_many() -> Result<()> {
    let engine = engine()?;
    let mut linker: Linker<Host> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, "guests/upper.wat")?;
    let pre = CommandPre::new(linker.instantiate_pre(&component)?)?;

    let tasks = (0..20).map(|i| {
        let pre = pre.clone();
        tokio::spawn(async move { call(&pre, format!("call {i}")).await })
    });
    for (i, task) in tasks.enumerate() {
        assert_eq!(task.await??, format!("CALL {i}"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_instantiated_directly() -> Result<()> {
    let engine = engine()?;
    let mut linker: Linker<Host> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, "guests/hello.wat")?;

    let stdout = MemoryOutputPipe::new(4096);
    let wasi = WasiCtx::builder().stdout(stdout.clone()).allow_blocking_current_thread(true).build();
    let mut store = Store::new(&engine, Host { wasi, resources: ResourceTable::new() });
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store).await?, Ok(()));
    assert_eq!(stdout.contents(), "hello from a component\n");
    Ok(())
}

/// A guest that sleeps leaves the thread to others, and whoever called it may stop waiting.
#[tokio::test]
async fn a_sleeping_guest_can_be_abandoned() -> Result<()> {
    let engine = engine()?;
    let mut linker: Linker<Host> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, "guests/clocks.wat")?;
    let wasi = WasiCtxBuilder::new().build();
    let mut store = Store::new(&engine, Host { wasi, resources: ResourceTable::new() });
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let sleep = instance.get_typed_func::<(u64,), ()>(&mut store, "sleep")?;

    sleep.call_async(&mut store, (1_000_000,)).await?;

    let hour = Duration::from_secs(3600).as_nanos() as u64;
    let call = sleep.call_async(&mut store, (hour,));
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    Ok(())
}
