//! The same guest in every host, with the same things in reach.

use crate::floor::{self, Floor};
use crate::guest::{Guest, Measured};
use bytes::Bytes;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, ResourceTable};
use wasi_host_benches::files;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Result};

/// What all hosts share.
pub(crate) struct World {
    engine: Engine,
    component: Component,
    runtime: Arc<Runtime>,
    dir: String,
    env: Vec<(String, String)>,
    stdin: Bytes,
}

impl World {
    /// One whose files are in `dir`.
    pub(crate) fn new(dir: &str) -> Result<Self> {
        files::make(dir)?;
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config)?;
        let wasm = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/prebuilt/bench_p3.wasm");
        Ok(Self {
            component: Component::from_file(&engine, wasm)?,
            engine,
            runtime: Arc::new(Builder::new_multi_thread().worker_threads(2).enable_all().build()?),
            dir: dir.to_owned(),
            env: (0..20).map(|i| (format!("VARIABLE_{i}"), format!("some value number {i}"))).collect(),
            stdin: vec![7; 512 << 20].into(),
        })
    }

    fn guest<T: Send + 'static>(&self, linker: &Linker<T>, data: T) -> Result<Box<dyn Measured>> {
        Ok(Box::new(Guest::new(&self.engine, linker, &self.component, data, Some(self.runtime.clone()))?))
    }

    pub(crate) fn floor(&self) -> Result<Box<dyn Measured>> {
        self.guest(&floor::linker(&self.engine)?, Floor::new(&self.dir, &self.env, self.stdin.clone()))
    }

    pub(crate) fn ours(&self, policy: BlockingPolicy) -> Result<Box<dyn Measured>> {
        let mut linker = Linker::<Ours>::new(&self.engine);
        wasi_host::p3::add_to_linker(&mut linker)?;
        let mut builder = wasi_host::WasiCtxBuilder::new();
        builder
            .envs(&self.env)
            .stdin(wasi_host::pipe::MemoryInputPipe::new(self.stdin.clone()))
            .stdout(wasi_host::pipe::MemoryOutputPipe::new(8 << 30))
            .blocking(policy)
            .inherit_network()
            .preopened_dir(&self.dir, "/", DirPerms::all(), FilePerms::all())?;
        self.guest(&linker, Ours { ctx: builder.build(), table: ResourceTable::new() })
    }

    /// The peer: on the calling thread, or by its default.
    pub(crate) fn peer(&self, inline: bool) -> Result<Box<dyn Measured>> {
        use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
        let mut linker = Linker::<Peer>::new(&self.engine);
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        let mut builder = wasmtime_wasi::WasiCtxBuilder::new();
        // Before the directory: the flag holds for those that come after it.
        builder.allow_blocking_current_thread(inline);
        builder
            .envs(&self.env)
            .stdin(MemoryInputPipe::new(self.stdin.clone()))
            .stdout(MemoryOutputPipe::new(8 << 30))
            .inherit_network()
            .allow_tcp(true)
            .allow_udp(true)
            .preopened_dir(&self.dir, "/", wasmtime_wasi::filesystem::FsPerms::ReadWrite)?;
        self.guest(&linker, Peer { ctx: builder.build(), table: ResourceTable::new() })
    }
}

struct Ours {
    ctx: wasi_host::WasiCtx,
    table: ResourceTable,
}

impl wasi_host::WasiView for Ours {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    fn ctx(&mut self) -> &mut wasi_host::WasiCtx {
        &mut self.ctx
    }
}

struct Peer {
    ctx: wasmtime_wasi::WasiCtx,
    table: ResourceTable,
}

impl wasmtime_wasi::WasiView for Peer {
    fn ctx(&mut self) -> wasmtime_wasi::WasiCtxView<'_> {
        wasmtime_wasi::WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}
