//! Components that are commands, and the ways to run one.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]

#[path = "view.rs"]
mod view;

use crate::support::Kind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
pub use view::State;
use wasi_host::bindings::{Command, sync};
use wasi_host::fs::Dir;
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::{
    BlockingPolicy, DirPerms, FilePerms, I32Exit, LinkOptions, ResourceTable, WasiCtxBuilder,
    add_to_linker_async, add_to_linker_with_options_async, add_to_linker_with_options_sync, p3,
};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Result, Store};

/// What a program finds at `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Memory,
    Disk,
}

pub const BACKENDS: [Backend; 2] = [Backend::Memory, Backend::Disk];

/// A directory of a backend, which is gone when this is.
pub struct Root {
    pub dir: Arc<dyn Dir>,
    _disk: Option<tempfile::TempDir>,
}

impl Root {
    pub fn new(backend: Backend) -> Self {
        match backend {
            Backend::Memory => Self { dir: MemoryFs::new().root(), _disk: None },
            Backend::Disk => {
                let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                Self { dir: Arc::new(NativeDir::open_ambient(disk.path()).unwrap()), _disk: Some(disk) }
            }
        }
    }
}

/// How a run ended, what it printed, and what it left in the table.
pub struct Ended {
    pub status: Result<i32>,
    pub stdout: String,
    pub stderr: String,
    pub left: usize,
}

impl Ended {
    /// Nothing was wrong.
    pub fn ok(&self) -> bool {
        matches!(self.status, Ok(0))
    }

    pub fn describe(&self) -> String {
        format!("{:?}\n{}{}", self.status, self.stdout, self.stderr)
    }
}

/// Which version of WASI a component is for, and what kind of host it runs in.
#[derive(Clone, Copy, Debug)]
pub enum Host {
    Two(Kind, BlockingPolicy),
    /// Beside 0.2.
    Three(BlockingPolicy),
}

impl From<Kind> for Host {
    fn from(kind: Kind) -> Self {
        Self::Two(kind, BlockingPolicy::default())
    }
}

impl From<BlockingPolicy> for Host {
    fn from(policy: BlockingPolicy) -> Self {
        Self::Three(policy)
    }
}

/// Longer than any program takes, and shorter than anybody waits for one that hangs.
const LONG: Duration = Duration::from_secs(120);

/// A prebuilt guest.
pub struct Program {
    engine: Engine,
    component: Component,
    pub binary: Vec<u8>,
}

impl Program {
    pub fn new(name: &str) -> Self {
        let path: PathBuf =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/prebuilt/{name}.wasm"));
        let binary = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let engine = Engine::new(Config::new().wasm_component_model_async(true)).unwrap();
        let component = Component::new(&engine, &binary).unwrap();
        Self { engine, component, binary }
    }

    /// The names of the checks in it.
    pub fn checks(&self, host: impl Into<Host>) -> Vec<String> {
        let listed = self.run(host, &["--list"], "", &Root::new(Backend::Memory));
        assert!(listed.ok(), "{}", listed.describe());
        listed.stdout.lines().map(str::to_owned).collect()
    }

    pub fn run(&self, host: impl Into<Host>, args: &[&str], stdin: &'static str, root: &Root) -> Ended {
        self.run_watched(host, args, stdin, root, |_| {})
    }

    /// The same, with something done to the store before it starts.
    pub fn run_watched(
        &self,
        host: impl Into<Host>,
        args: &[&str],
        stdin: &'static str,
        root: &Root,
        watch: impl FnOnce(&mut Store<State>),
    ) -> Ended {
        self.run_built(host, given(args, stdin, root), watch)
    }

    /// The same in a context that is made already but for its output.
    pub fn run_built(
        &self,
        host: impl Into<Host>,
        mut b: WasiCtxBuilder,
        watch: impl FnOnce(&mut Store<State>),
    ) -> Ended {
        let (host, stdout, stderr) =
            (host.into(), MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
        b.stdout(stdout.clone()).stderr(stderr.clone());
        let (Host::Two(_, policy) | Host::Three(policy)) = host;
        b.blocking(policy);
        let mut store = Store::new(&self.engine, State { ctx: b.build(), table: ResourceTable::new() });
        watch(&mut store);
        let started = match host {
            Host::Two(kind, _) => self.start(kind, &mut store),
            Host::Three(_) => self.start_three(&mut store),
        };
        let status = match started {
            Ok(Ok(())) => Ok(0),
            Ok(Err(())) => Ok(1),
            Err(e) => e.downcast::<I32Exit>().map(|exit| exit.0),
        };
        let text = |pipe: &MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        let left = store.data_mut().table.iter_mut().count();
        Ended { status, stdout: text(&stdout), stderr: text(&stderr), left }
    }

    fn start(&self, kind: Kind, store: &mut Store<State>) -> Result<Result<(), ()>> {
        let mut options = LinkOptions::default();
        options.clocks_timezone(true).network_error_code(true);
        let mut linker = Linker::new(&self.engine);
        match kind {
            Kind::Sync => {
                add_to_linker_with_options_sync(&mut linker, &options)?;
                let command = sync::Command::instantiate(&mut *store, &self.component, &linker)?;
                command.wasi_cli_run().call_run(store)
            }
            Kind::Async => {
                add_to_linker_with_options_async(&mut linker, &options)?;
                runtime().block_on(async {
                    let command = Command::instantiate_async(&mut *store, &self.component, &linker).await?;
                    command.wasi_cli_run().call_run(store).await
                })
            }
        }
    }

    fn start_three(&self, store: &mut Store<State>) -> Result<Result<(), ()>> {
        let mut linker = Linker::new(&self.engine);
        add_to_linker_async(&mut linker)?;
        p3::add_to_linker_with_options(&mut linker, p3::LinkOptions::default().clocks_timezone(true))?;
        runtime().block_on(async {
            let run = async {
                let command =
                    p3::bindings::Command::instantiate_async(&mut *store, &self.component, &linker).await?;
                store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await).await?
            };
            tokio::time::timeout(LONG, run).await?
        })
    }
}

/// What a program finds.
pub fn given(args: &[&str], stdin: &'static str, root: &Root) -> WasiCtxBuilder {
    let mut b = WasiCtxBuilder::new();
    b.arg("program").args(args).env("GREETING", "hello").env("EMPTY", "").initial_cwd("/");
    b.stdin(MemoryInputPipe::new(stdin));
    b.preopened_shared(root.dir.clone(), "/", DirPerms::all(), FilePerms::all());
    b.inherit_network().allow_tcp(true).allow_udp(true).allow_ip_name_lookup(true);
    b
}

/// Threads that were started for programs: one works, and more are there for what may block.
pub static THREADS: AtomicUsize = AtomicUsize::new(0);

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let count = || _ = THREADS.fetch_add(1, Ordering::Relaxed);
    runtime.worker_threads(1).on_thread_start(count).enable_all().build().unwrap()
}
