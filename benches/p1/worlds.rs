//! The same guest in every host, with the same things in reach.

use crate::floor::{self, Floor};
use crate::guest::{Guest, Measured};
use bytes::Bytes;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use wasi_host::fs::Dir;
use wasi_host::p1::WasiP1Ctx;
use wasi_host::{BlockingPolicy, DirPerms, FilePerms, WasiCtxBuilder};
use wasi_host_benches::files;
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::{Engine, Linker, Module, Result};

/// What all hosts share.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) module: Module,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) dir: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdin: Bytes,
}

impl World {
    /// One whose files are in `dir`.
    pub(crate) fn new(dir: &str) -> Result<Self> {
        files::make(dir)?;
        let engine = Engine::default();
        let wasm = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/prebuilt/bench.wasm");
        Ok(Self {
            module: Module::from_file(&engine, wasm)?,
            engine,
            runtime: Arc::new(Builder::new_multi_thread().worker_threads(2).enable_all().build()?),
            dir: dir.to_owned(),
            args: (0..10).map(|i| format!("arg{i}")).collect(),
            env: (0..20).map(|i| (format!("VARIABLE_{i}"), format!("some value number {i}"))).collect(),
            stdin: vec![7; 512 << 20].into(),
        })
    }

    fn runtime_if(&self, asynchronous: bool) -> Option<Arc<Runtime>> {
        asynchronous.then(|| self.runtime.clone())
    }

    pub(crate) fn floor(&self, asynchronous: bool) -> Result<Box<dyn Measured>> {
        let linker = floor::linker(&self.engine)?;
        let data = Floor::new(&self.dir, &self.args, &self.env, self.stdin.clone());
        let runtime = self.runtime_if(asynchronous);
        Ok(Box::new(Guest::new(&self.engine, &linker, &self.module, data, runtime, Floor::set_memory)?))
    }

    /// This crate, on files of the system.
    pub(crate) fn ours(&self, asynchronous: bool, policy: BlockingPolicy) -> Result<Guest<WasiP1Ctx>> {
        let root = Arc::new(NativeDir::open_ambient(&self.dir)?);
        self.given(root, asynchronous, policy)
    }

    /// This crate, on files in memory, by its default.
    pub(crate) fn memory(&self, asynchronous: bool, fs: &MemoryFs) -> Result<Guest<WasiP1Ctx>> {
        self.given(fs.root(), asynchronous, BlockingPolicy::default())
    }

    fn given(
        &self,
        root: Arc<dyn Dir>,
        asynchronous: bool,
        policy: BlockingPolicy,
    ) -> Result<Guest<WasiP1Ctx>> {
        let mut linker = Linker::<WasiP1Ctx>::new(&self.engine);
        if asynchronous {
            wasi_host::p1::add_to_linker_async(&mut linker, |ctx| ctx)?;
        } else {
            wasi_host::p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
        }
        let mut builder = WasiCtxBuilder::new();
        builder
            .args(&self.args)
            .envs(&self.env)
            .stdin(wasi_host::pipe::MemoryInputPipe::new(self.stdin.clone()))
            .stdout(wasi_host::pipe::MemoryOutputPipe::new(8 << 30))
            .blocking(policy)
            .preopened_shared(root, "/", DirPerms::all(), FilePerms::all());
        let (ctx, runtime) = (builder.build_p1(), self.runtime_if(asynchronous));
        Guest::new(&self.engine, &linker, &self.module, ctx, runtime, WasiP1Ctx::set_memory)
    }

    pub(crate) fn peer(
        &self,
        asynchronous: bool,
        inline: bool,
    ) -> Result<Guest<wasmtime_wasi::p1::WasiP1Ctx>> {
        use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
        let mut linker = Linker::new(&self.engine);
        if asynchronous {
            wasmtime_wasi::p1::add_to_linker_async(&mut linker, |ctx| ctx)?;
        } else {
            wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
        }
        let mut builder = wasmtime_wasi::WasiCtxBuilder::new();
        // Before the directory: the flag holds for those that come after it.
        builder.allow_blocking_current_thread(inline);
        builder
            .args(&self.args)
            .envs(&self.env)
            .stdin(MemoryInputPipe::new(self.stdin.clone()))
            .stdout(MemoryOutputPipe::new(8 << 30))
            .preopened_dir(&self.dir, "/", wasmtime_wasi::filesystem::FsPerms::ReadWrite)?;
        let (ctx, runtime) = (builder.build_p1(), self.runtime_if(asynchronous));
        Guest::new(&self.engine, &linker, &self.module, ctx, runtime, |_, _| ())
    }
}
