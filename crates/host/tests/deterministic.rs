//! The same program gives the same bytes, in every version of WASI, and sleeps for hours at once.

#[path = "support/view.rs"]
mod view;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use view::State;
use wasi_host::bindings::{Command, sync};
use wasi_host::fs::{Descriptor, Dir, Node, Open};
use wasi_host::pipe::MemoryOutputPipe;
use wasi_host::{
    DirPerms, FilePerms, Grant, I32Exit, ResourceTable, WasiCtx, WasiCtxBuilder, add_to_linker_async,
    add_to_linker_sync, p1, p3,
};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::time::VirtualTime;
use wasmtime::component::{self, Component};
use wasmtime::{Config, Engine, Linker, Module, Result, Store};

/// A version of WASI, and the kind of host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    OneSync,
    OneAsync,
    TwoSync,
    TwoAsync,
    Three,
}
use Host::{OneAsync, OneSync, Three, TwoAsync, TwoSync};

const HOSTS: [Host; 5] = [OneSync, OneAsync, TwoSync, TwoAsync, Three];

/// A program for one of the hosts.
struct Program {
    host: Host,
    engine: Engine,
    code: Code,
}

enum Code {
    Module(Module),
    Component(Component),
}

impl Program {
    fn new(host: Host, name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/prebuilt/{name}.wasm"));
        let binary = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
        let engine = Engine::new(&config).unwrap();
        let code = match host {
            OneSync | OneAsync => Code::Module(Module::new(&engine, &binary).unwrap()),
            TwoSync | TwoAsync | Three => Code::Component(Component::new(&engine, &binary).unwrap()),
        };
        Self { host, engine, code }
    }

    /// The one that prints what may differ.
    fn same(host: Host) -> Self {
        Self::new(
            host,
            match host {
                OneSync | OneAsync => "same",
                TwoSync | TwoAsync => "p2_same",
                Three => "p3_same",
            },
        )
    }

    /// What it prints, given what `give` gives.
    fn run(&self, args: &[&str], give: impl FnOnce(&mut WasiCtxBuilder)) -> String {
        let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
        let mut builder = WasiCtxBuilder::new();
        builder.arg("program").args(args).stdout(stdout.clone()).stderr(stderr.clone());
        give(&mut builder);
        let text = |pipe: &MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        let ended = match &self.code {
            Code::Module(module) => self.module(module, builder.build_p1()),
            Code::Component(component) => self.component(component, builder.build()),
        };
        if let Err(e) = ended {
            let exit = e.downcast_ref::<I32Exit>().map(|exit| exit.0);
            assert_eq!(exit, Some(0), "{:?} {args:?}: {e:?}\n{}{}", self.host, text(&stdout), text(&stderr));
        }
        text(&stdout)
    }

    fn module(&self, module: &Module, ctx: p1::WasiP1Ctx) -> Result<()> {
        let (mut linker, mut store) = (Linker::new(&self.engine), Store::new(&self.engine, ctx));
        if self.host == OneSync {
            p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
            let instance = linker.instantiate(&mut store, module)?;
            return instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ());
        }
        p1::add_to_linker_async(&mut linker, |ctx| ctx)?;
        in_time(async {
            let instance = linker.instantiate_async(&mut store, module).await?;
            let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
            start.call_async(&mut store, ()).await
        })
    }

    fn component(&self, program: &Component, ctx: WasiCtx) -> Result<()> {
        let mut linker = component::Linker::new(&self.engine);
        let mut store = Store::new(&self.engine, State { ctx, table: ResourceTable::new() });
        let run = match self.host {
            TwoSync => {
                add_to_linker_sync(&mut linker)?;
                sync::Command::instantiate(&mut store, program, &linker)?.wasi_cli_run().call_run(&mut store)
            }
            TwoAsync => {
                add_to_linker_async(&mut linker)?;
                in_time(async {
                    let command = Command::instantiate_async(&mut store, program, &linker).await?;
                    command.wasi_cli_run().call_run(&mut store).await
                })
            }
            _ => {
                p3::add_to_linker(&mut linker)?;
                in_time(async {
                    let command =
                        p3::bindings::Command::instantiate_async(&mut store, program, &linker).await?;
                    store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await).await?
                })
            }
        };
        run?.map_err(|()| wasmtime::format_err!("it failed"))
    }
}

/// Much longer than any of the programs takes, and shorter than an hour.
fn in_time<R>(run: impl Future<Output = Result<R>>) -> Result<R> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(120), run).await? })
}

/// What the programs want, made in this order.
fn fill(dir: &dyn Dir, order: [&str; 3]) {
    for name in order {
        match name {
            "dir" => dir.create_dir("dir").unwrap(),
            name => match dir.open(name, Open { write: true, create: true, ..Open::default() }).unwrap() {
                Node::File(file) => file.set_len(7).unwrap(),
                Node::Dir(_) => panic!("{name}"),
            },
        }
    }
}

fn on_disk(order: [&str; 3]) -> (TempDir, Arc<dyn Dir>) {
    let kept = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let dir = NativeDir::open_ambient(kept.path()).unwrap();
    fill(&dir, order);
    (kept, Arc::new(dir))
}

fn in_memory() -> Arc<dyn Dir> {
    let dir = MemoryFs::new().root();
    fill(&*dir, ["b", "dir", "a"]);
    dir
}

fn give(builder: &mut WasiCtxBuilder, dir: Arc<dyn Dir>) -> &mut WasiCtxBuilder {
    builder.preopened_shared(dir, "/", DirPerms::all(), FilePerms::all())
}

#[test]
fn the_same_bytes_wherever_and_whenever() {
    for host in HOSTS {
        let (program, began) = (Program::same(host), Instant::now());
        let run = |dir, seed| program.run(&[], |b| _ = give(b.deterministic(seed), dir));
        let (_a, forward) = on_disk(["a", "b", "dir"]);
        thread::sleep(Duration::from_millis(20));
        let (_b, backward) = on_disk(["dir", "b", "a"]);
        let first = run(forward, 7);
        assert!(first.lines().count() > 10, "{host:?}: {first}");
        assert_eq!(first, run(backward, 7), "{host:?}");
        assert_eq!(first, run(in_memory(), 7), "{host:?}, in memory");
        assert_ne!(first, run(in_memory(), 8), "{host:?}, with another seed");
        assert!(began.elapsed() < Duration::from_secs(600), "{host:?}: hours were slept");
    }
}

#[test]
fn whatever_the_kind_of_host() {
    for (one, other) in [(OneSync, OneAsync), (TwoSync, TwoAsync)] {
        let [one, other] = [one, other]
            .map(|host| Program::same(host).run(&[], |b| _ = give(b.deterministic(1), in_memory())));
        assert_eq!(one, other);
    }
}

#[test]
fn in_whatever_order_it_is_asked_for() {
    let program = Program::same(TwoSync);
    let first = program.run(&[], |b| _ = give(b.deterministic(7), in_memory()));
    let last = program.run(&[], |b| _ = give(b, in_memory()).deterministic(7));
    assert_eq!(first, last);
    let descriptor = program.run(&[], |b| {
        let dir = Descriptor::preopen(in_memory(), Grant::full().into());
        b.deterministic(7).preopened_descriptor(dir, "/");
    });
    assert_eq!(first, descriptor);

    let early = || VirtualTime::starting_at(Duration::from_secs(1000));
    let before = program.run(&[], |b| _ = give(b.virtual_time(early()).deterministic(7), in_memory()));
    let after = program.run(&[], |b| _ = give(b.deterministic(7).virtual_time(early()), in_memory()));
    assert_eq!(before, after);
    assert!(before.contains("seconds: 1000") && !first.contains("seconds: 1000,"), "{before}");
}

#[test]
fn an_hour_is_an_hour_by_every_clock() {
    for host in [OneSync, OneAsync] {
        let said = Program::same(host).run(&[], |b| _ = give(b.deterministic(0), in_memory()));
        let clocks: Vec<_> = said.lines().filter(|line| line.starts_with("wall")).collect();
        assert_eq!(
            clocks,
            [
                // Each look at a clock takes a microsecond.
                "wall 946684800.000001000 monotonic 0.000002000",
                "wall 946688400.000003000 monotonic 3600.000004000",
                // It slept until two hours after what the wall clock had shown first.
                "wall 946692000.000002000 monotonic 7200.000003000",
            ],
            "{host:?}"
        );
    }
}

/// Each wakes when it said, though all three of them sleep at once and work in between.
#[test]
fn concurrent_timers_end_in_order() {
    const HOUR: u64 = 3_600_000_000_000;
    let said = Program::same(Three).run(&[], |b| _ = give(b.deterministic(0), in_memory()));
    let woke: Vec<u64> = said
        .lines()
        .filter(|line| line.contains("round"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    let hours: Vec<_> = woke.iter().map(|when| when / HOUR).collect();
    assert_eq!(hours, [2, 3, 4, 5, 6, 6, 9, 10, 15]);
    assert!(woke.iter().all(|when| when % HOUR < 100_000), "what looking at clocks has taken: {woke:?}");
}

/// The guests know that it is later than 2020, and one looks at the clock until a time is over.
fn of_today() -> VirtualTime {
    VirtualTime::starting_at(Duration::from_secs(1_700_000_000)).with_step(VirtualTime::STEP)
}

/// What the guests expect of clocks holds in a time of their own.
#[test]
fn clocks_are_good_clocks() {
    let programs = [
        (OneSync, "poll", 5),
        (OneAsync, "poll", 5),
        (TwoSync, "p2_clocks", 5),
        (TwoAsync, "p2_clocks", 5),
        (Three, "p3_clocks", 8),
    ];
    for (host, name, at_least) in programs {
        let program = Program::new(host, name);
        let checks = program.run(&["--list"], |_| {});
        assert!(checks.lines().count() >= at_least, "{name}: {checks}");
        for check in checks.lines() {
            program.run(&[check], |b| _ = give(b.virtual_time(of_today()), MemoryFs::new().root()));
        }
    }
}

/// And what they expect of files, of directories that say the same of themselves.
#[test]
fn files_are_good_files() {
    let programs = [
        (OneSync, "files", 20),
        (OneSync, "dirs", 15),
        (OneSync, "links", 12),
        (TwoSync, "p2_filesystem", 15),
        (Three, "p3_filesystem", 15),
        (Three, "p3_directories", 9),
    ];
    for (host, name, at_least) in programs {
        let program = Program::new(host, name);
        let checks = program.run(&["--list"], |_| {});
        assert!(checks.lines().count() >= at_least, "{name}: {checks}");
        let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for check in checks.lines() {
            let dir = Arc::new(NativeDir::open_ambient(disk.path()).unwrap());
            program.run(&[check], |b| _ = give(b.deterministic(0).virtual_time(of_today()), dir));
        }
    }
}

#[test]
fn thousands_of_timers() {
    Program::new(Three, "p3_stress").run(&["timers", "3000"], |b| _ = b.deterministic(0));
}

/// Two guests in one time: the other's hours count for both.
#[test]
fn guests_that_share_a_time() {
    let time = VirtualTime::new();
    let said: Vec<_> = thread::scope(|s| {
        let guests = [OneSync, OneAsync, Three].map(|host| {
            let time = time.clone();
            s.spawn(move || {
                Program::same(host).run(&[], |b| _ = give(b.deterministic(0).virtual_time(time), in_memory()))
            })
        });
        guests.into_iter().map(|guest| guest.join().unwrap()).collect()
    });
    assert!(said.iter().all(|said| said.lines().count() > 10));
    assert!(time.now() >= 15 * 3_600_000_000_000);
}
