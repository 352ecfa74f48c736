//! Runs commands, one after the other, and returns what they print.

use std::path::Path;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::bindings::sync::Command;
use wasmtime_wasi::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{DirPerms, FilePerms, WasiCtx, WasiCtxBuilder, WasiView};

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

struct Runner {
    engine: Engine,
    linker: Linker<State>,
}

struct Output {
    stdout: String,
    success: bool,
}

impl Runner {
    fn new() -> Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::add_to_linker_sync(&mut linker)?;
        Ok(Self { engine, linker })
    }

    fn run(
        &self,
        path: &str,
        stdin: &'static str,
        dir: Option<(&Path, DirPerms, FilePerms)>,
    ) -> Result<Output> {
        let stdout = MemoryOutputPipe::new(64 * 1024);
        let mut builder = WasiCtxBuilder::new();
        builder.stdin(MemoryInputPipe::new(stdin)).stdout(stdout.clone()).inherit_stderr();
        if let Some((host, dirs, files)) = dir {
            builder.preopened_dir(host, "/data", dirs, files)?;
        }
        let state = State { ctx: builder.build(), table: ResourceTable::new() };
        let mut store = Store::new(&self.engine, state);

        let component = Component::from_file(&self.engine, path)?;
        let command = Command::instantiate(&mut store, &component, &self.linker)?;
        let result = command.wasi_cli_run().call_run(&mut store)?;
        drop(store);
        let contents: Vec<u8> = stdout.try_into_inner().expect("nobody else holds it").into();
        Ok(Output { stdout: String::from_utf8(contents)?, success: result.is_ok() })
    }
}

#[test]
fn it_prints() -> Result<()> {
    let output = Runner::new()?.run("guests/hello.wat", "", None)?;
    assert!(output.success);
    assert_eq!(output.stdout, "hello from a component\n");
    Ok(())
}

#[test]
fn it_reads_its_input() -> Result<()> {
    let output = Runner::new()?.run("guests/upper.wat", "shout this", None)?;
    assert!(output.success);
    assert_eq!(output.stdout, "SHOUT THIS");
    Ok(())
}

#[test]
fn it_works_in_a_directory() -> Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("greeting.txt"), "good morning")?;
    let output =
        Runner::new()?.run("guests/cat.wat", "", Some((dir.path(), DirPerms::all(), FilePerms::all())))?;
    assert!(output.success);
    assert_eq!(output.stdout, "good morning");
    assert_eq!(std::fs::read_to_string(dir.path().join("copy.txt"))?, "good morning");
    Ok(())
}

#[test]
fn it_may_be_allowed_to_read_only() -> Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("greeting.txt"), "good morning")?;
    let output =
        Runner::new()?.run("guests/cat.wat", "", Some((dir.path(), DirPerms::READ, FilePerms::READ)))?;
    assert!(!output.success);
    assert_eq!(output.stdout, "good morning");
    assert!(!dir.path().join("copy.txt").exists());
    Ok(())
}

#[test]
fn a_directory_that_is_not_there_cannot_be_given() {
    let mut builder = WasiCtxBuilder::new();
    assert!(builder.preopened_dir("no/such/directory", "/", DirPerms::READ, FilePerms::READ).is_err());
}

/// Not a command but a library: its functions are called by name.
#[test]
fn it_is_told_arguments_and_variables() -> Result<()> {
    let runner = Runner::new()?;
    let component = Component::from_file(&runner.engine, "guests/environment.wat")?;
    let ctx = WasiCtxBuilder::new()
        .arg("program")
        .args(&["one", "two"])
        .args(&[String::from("three")])
        .env("LANG", "C")
        .envs(&[("HOME", "/"), ("EMPTY", "")])
        .build();
    let mut store = Store::new(&runner.engine, State { ctx, table: ResourceTable::new() });
    let instance = runner.linker.instantiate(&mut store, &component)?;

    let arguments = instance.get_typed_func::<(), (Vec<String>,)>(&mut store, "arguments")?;
    let (list,) = arguments.call(&mut store, ())?;
    assert_eq!(list, ["program", "one", "two", "three"]);

    let variables = instance.get_typed_func::<(), (Vec<(String, String)>,)>(&mut store, "variables")?;
    let (list,) = variables.call(&mut store, ())?;
    let expected = [("LANG", "C"), ("HOME", "/"), ("EMPTY", "")];
    assert_eq!(list, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));

    let cwd = instance.get_typed_func::<(), (Option<String>,)>(&mut store, "cwd")?;
    let (dir,) = cwd.call(&mut store, ())?;
    assert_eq!(dir, None);
    Ok(())
}

#[test]
fn it_may_be_told_what_its_host_was_told() -> Result<()> {
    let runner = Runner::new()?;
    let component = Component::from_file(&runner.engine, "guests/environment.wat")?;
    let ctx = WasiCtxBuilder::new().inherit_args().inherit_env().inherit_stdio().build();
    let mut store = Store::new(&runner.engine, State { ctx, table: ResourceTable::new() });
    let instance = runner.linker.instantiate(&mut store, &component)?;

    let arguments = instance.get_typed_func::<(), (Vec<String>,)>(&mut store, "arguments")?;
    let (list,) = arguments.call(&mut store, ())?;
    assert_eq!(list, std::env::args().collect::<Vec<_>>());

    let variables = instance.get_typed_func::<(), (Vec<(String, String)>,)>(&mut store, "variables")?;
    let (list,) = variables.call(&mut store, ())?;
    assert_eq!(list, std::env::vars().collect::<Vec<_>>());
    Ok(())
}
