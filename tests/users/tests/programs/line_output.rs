//! Standard output that calls back for each whole line: what a server does with the logs of its plugins.

use bytes::Bytes;
use std::sync::{Arc, Mutex};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Linker as CoreLinker, Module, Result, Store};
use wasmtime_wasi::bindings::sync::Command;
use wasmtime_wasi::pipe::MemoryInputPipe;
use wasmtime_wasi::preview1::{self, WasiP1Ctx};
use wasmtime_wasi::{
    HostOutputStream, I32Exit, StdoutStream, StreamError, StreamResult, Subscribe, WasiCtx, WasiCtxBuilder,
    WasiView,
};

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
struct Lines {
    partial: Arc<Mutex<Vec<u8>>>,
    callback: Callback,
    limit: usize,
}

impl Lines {
    fn new(callback: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { partial: Default::default(), callback: Arc::new(callback), limit: 1024 }
    }
}

impl StdoutStream for Lines {
    fn stream(&self) -> Box<dyn HostOutputStream> {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

#[wasmtime_wasi::async_trait]
impl Subscribe for Lines {
    async fn ready(&mut self) {}
}

impl HostOutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut partial = self.partial.lock().unwrap();
        for byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut *partial);
                let line = String::from_utf8(line).map_err(|e| StreamError::LastOperationFailed(e.into()))?;
                (self.callback)(&line);
            } else if partial.len() == self.limit {
                return Err(StreamError::LastOperationFailed(anyhow::anyhow!("the line is too long")));
            } else {
                partial.push(byte);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.limit)
    }
}

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

fn shout(input: impl Into<Bytes>) -> Result<(Vec<String>, bool)> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, "guests/upper.wat")?;

    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let stdout = Lines::new(move |line| sink.lock().unwrap().push(line.to_owned()));
    let ctx = WasiCtxBuilder::new().stdin(MemoryInputPipe::new(input)).stdout(stdout).build();
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let command = Command::instantiate(&mut store, &component, &linker)?;
    let success = command.wasi_cli_run().call_run(&mut store)?.is_ok();
    let lines = lines.lock().unwrap().clone();
    Ok((lines, success))
}

#[test]
fn each_line_is_called_back() -> Result<()> {
    let (lines, success) = shout("first\nsecond\nno end")?;
    assert!(success);
    assert_eq!(lines, ["FIRST", "SECOND"]);
    Ok(())
}

#[test]
fn a_guest_is_told_that_its_line_is_refused() -> Result<()> {
    let (lines, success) = shout("x".repeat(2000))?;
    assert!(!success);
    assert!(lines.is_empty());
    Ok(())
}

#[test]
fn a_module_writes_lines_too() -> Result<()> {
    let engine = Engine::default();
    let module = Module::from_file(&engine, "../../guests/prebuilt/process.wasm")?;
    let mut linker: CoreLinker<WasiP1Ctx> = CoreLinker::new(&engine);
    preview1::add_to_linker_sync(&mut linker, |ctx| ctx)?;

    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let ctx = WasiCtxBuilder::new()
        .stdin(MemoryInputPipe::new("a\nb\n"))
        .stdout(Lines::new(move |line| sink.lock().unwrap().push(line.to_owned())))
        .args(&["process", "echo"])
        .build_p1();
    let mut store = Store::new(&engine, ctx);
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    if let Err(e) = start.call(&mut store, ()) {
        assert_eq!(e.downcast::<I32Exit>()?.0, 0);
    }
    assert_eq!(*lines.lock().unwrap(), ["a", "b"]);
    Ok(())
}
