//! The same guest in every host, with the same things in reach.

use crate::floor::{self, Floor};
use crate::guest::{Guest, Measured};
use bytes::Bytes;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use wasi_host::fs::Dir;
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, ResourceTable};
use wasi_host_benches::files;
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Result};

/// What all hosts share.
pub(crate) struct World {
    engine: Engine,
    component: Component,
    runtime: Arc<Runtime>,
    pub(crate) dir: String,
    env: Vec<(String, String)>,
    stdin: Bytes,
}

impl World {
    /// One whose files are in memory. Without `concurrency` its engine runs no component that needs the asynchronous
    /// component model.
    pub(crate) fn new(concurrency: bool) -> Result<Self> {
        files::make(files::SHM)?;
        let mut config = Config::new();
        if !concurrency {
            config.concurrency_support(false);
        }
        let engine = Engine::new(&config)?;
        let wasm = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/prebuilt/bench_p2.wasm");
        Ok(Self {
            component: Component::from_file(&engine, wasm)?,
            engine,
            runtime: Arc::new(Builder::new_multi_thread().worker_threads(2).enable_all().build()?),
            dir: files::SHM.to_owned(),
            env: (0..20).map(|i| (format!("VARIABLE_{i}"), format!("some value number {i}"))).collect(),
            stdin: vec![7; 512 << 20].into(),
        })
    }

    fn guest<T: Send + 'static>(
        &self,
        linker: &Linker<T>,
        data: T,
        asynchronous: bool,
    ) -> Result<Box<dyn Measured>> {
        let runtime = asynchronous.then(|| self.runtime.clone());
        Ok(Box::new(Guest::new(&self.engine, linker, &self.component, data, runtime)?))
    }

    pub(crate) fn floor(&self, asynchronous: bool) -> Result<Box<dyn Measured>> {
        let linker = floor::linker(&self.engine, asynchronous)?;
        self.guest(&linker, Floor::new(&self.dir, &self.env, self.stdin.clone()), asynchronous)
    }

    /// This crate, on files of the system, on the calling thread.
    pub(crate) fn ours(&self, asynchronous: bool) -> Result<Box<dyn Measured>> {
        self.given(Arc::new(NativeDir::open_ambient(&self.dir)?), asynchronous, BlockingPolicy::Inline)
    }

    /// This crate, on files in memory, by its default.
    pub(crate) fn memory(&self, asynchronous: bool, fs: &MemoryFs) -> Result<Box<dyn Measured>> {
        self.given(fs.root(), asynchronous, BlockingPolicy::default())
    }

    fn given(
        &self,
        root: Arc<dyn Dir>,
        asynchronous: bool,
        policy: BlockingPolicy,
    ) -> Result<Box<dyn Measured>> {
        let mut linker = Linker::<Ours>::new(&self.engine);
        if asynchronous {
            wasi_host::add_to_linker_async(&mut linker)?;
        } else {
            wasi_host::add_to_linker_sync(&mut linker)?;
        }
        let mut builder = wasi_host::WasiCtxBuilder::new();
        builder
            .envs(&self.env)
            .stdin(wasi_host::pipe::MemoryInputPipe::new(self.stdin.clone()))
            .stdout(wasi_host::pipe::MemoryOutputPipe::new(8 << 30))
            .blocking(policy)
            .inherit_network()
            .preopened_shared(root, "/", DirPerms::all(), FilePerms::all());
        let data = Ours { ctx: builder.build(), table: ResourceTable::new() };
        self.guest(&linker, data, asynchronous)
    }

    /// The peer: on the calling thread, or by its default.
    pub(crate) fn peer(&self, asynchronous: bool, inline: bool) -> Result<Box<dyn Measured>> {
        use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
        let mut linker = Linker::<Peer>::new(&self.engine);
        if asynchronous {
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        } else {
            wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        }
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
        let data = Peer { ctx: builder.build(), table: ResourceTable::new() };
        self.guest(&linker, data, asynchronous)
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
