//! Programs in Rust and C, whole, in every linker and on every backend.

#[path = "support/command.rs"]
mod command;
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::{KINDS, Kind};
use wasi_host::fs::Dir;
use wasi_host::p1::WasiP1Ctx;
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::{DirPerms, FilePerms, I32Exit, WasiCtxBuilder};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::{Engine, Module};

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests")
}

/// A program, and the ways to run it.
struct Program {
    module: Module,
}

/// How a run ended, and what it printed.
struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Program {
    fn new(name: &str) -> Self {
        let engine = Engine::default();
        let path = guests().join(format!("prebuilt/{name}.wasm"));
        let module =
            Module::from_file(&engine, &path).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
        Self { module }
    }

    fn run(&self, kind: Kind, args: &[&str], stdin: &'static str, root: Option<Arc<dyn Dir>>) -> Ended {
        let (stdout, stderr) = (MemoryOutputPipe::new(8 << 20), MemoryOutputPipe::new(1 << 20));
        let mut b = WasiCtxBuilder::new();
        b.arg("program").args(args).env("GREETING", "hello").env("EMPTY", "");
        b.stdin(MemoryInputPipe::new(stdin)).stdout(stdout.clone()).stderr(stderr.clone());
        if let Some(root) = root {
            b.preopened_shared(root, "/", DirPerms::all(), FilePerms::all());
        }
        let status = self.start(kind, b.build_p1());
        let text = |pipe: &MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        Ended { status, stdout: text(&stdout), stderr: text(&stderr) }
    }

    /// Runs the program to its end; its status.
    fn start(&self, kind: Kind, ctx: WasiP1Ctx) -> i32 {
        match command::start(&self.module, kind, ctx) {
            Ok(()) => 0,
            Err(e) => e.downcast_ref::<I32Exit>().unwrap_or_else(|| panic!("{e:?}")).0,
        }
    }
}

/// Runs every check of a program, in both linkers, in memory and on a disk.
fn all_checks(name: &str, at_least: usize) {
    let program = Program::new(name);
    let checks = program.run(Kind::Sync, &["--list"], "", None).stdout;
    assert!(checks.lines().count() >= at_least, "{name} lists {checks:?}");
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for kind in KINDS {
        for (backend, root) in [
            ("memory", MemoryFs::new().root()),
            ("disk", Arc::new(NativeDir::open_ambient(disk.path()).unwrap()) as Arc<dyn Dir>),
        ] {
            let failed: Vec<String> = checks
                .lines()
                .filter_map(|check| {
                    let ended = program.run(kind, &[check], "", Some(root.clone()));
                    (ended.status != 0).then(|| format!("{check}: {}{}", ended.stdout, ended.stderr))
                })
                .collect();
            assert!(failed.is_empty(), "{name}, {kind:?}, {backend}:\n{}", failed.join("\n"));
        }
    }
}

#[test]
fn files() {
    all_checks("files", 20);
}

#[test]
fn dirs() {
    all_checks("dirs", 15);
}

#[test]
fn links() {
    all_checks("links", 12);
}

#[test]
fn std_surface() {
    all_checks("std_surface", 15);
}

#[test]
fn poll() {
    all_checks("poll", 10);
}

#[test]
fn unstable() {
    all_checks("unstable", 6);
}

#[test]
fn process() {
    let program = Program::new("process");
    let checks = program.run(Kind::Sync, &["--list"], "", None).stdout;
    for kind in KINDS {
        for check in checks.lines() {
            let ended = program.run(kind, &[check], "", None);
            // Two checks are about arguments and variables that this test does not give.
            let told = ["arguments", "environment"].contains(&check);
            assert!(ended.status == 0 || told, "{check}: {}", ended.stderr);
        }
        assert_eq!(program.run(kind, &["exit", "7"], "", None).status, 7);
        assert_eq!(program.run(kind, &["echo"], "some\ninput", None).stdout, "some\ninput");
        assert_eq!(program.run(kind, &["lines", "100000"], "", None).stdout.lines().count(), 100_000);
        let env = program.run(kind, &["environ"], "", None).stdout;
        assert!(env.contains("GREETING=hello") && env.contains("EMPTY="), "{env}");
        let args = program.run(kind, &["args", "one", "", "drei ✓"], "", None).stdout;
        assert!(args.contains("one") && args.contains("drei ✓"), "{args}");
    }
}

#[test]
fn notes_as_the_readme_says() {
    let program = Program::new("notes");
    for kind in KINDS {
        let fs = MemoryFs::new();
        fs.create_dir_all("notes").unwrap();
        let root = || Some(fs.root());
        assert_eq!(program.run(kind, &["add", "water", "the", "plants"], "", root()).status, 0);
        assert_eq!(program.run(kind, &["add", "-"], "from a pipe", root()).status, 0);
        let list = program.run(kind, &["list"], "", root()).stdout;
        assert!(list.contains("water the plants") && list.contains("from a pipe"), "{list}");
        assert_ne!(program.run(kind, &["show", "99"], "", root()).status, 0);
    }
}

#[test]
fn prebuilt_binaries_are_of_these_sources() {
    let output = std::process::Command::new(guests().join("build")).arg("--check").output().unwrap();
    let say = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{say}\nrebuild the guests: see guests/README.md");
}

/// A C server, given a directory and a listener: it finds both, serves one connection, and keeps a log.
#[test]
fn serve() {
    use std::io::{Read as _, Write as _};
    let program = Program::new("serve");
    for kind in KINDS {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let fs = MemoryFs::new();
        let (log, stdout) = (fs.root(), MemoryOutputPipe::new(1 << 16));
        std::thread::scope(|scope| {
            let client = scope.spawn(move || {
                let mut stream = std::net::TcpStream::connect(addr).unwrap();
                stream.write_all(&[b'x'; 100_000]).unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let mut echo = Vec::new();
                stream.read_to_end(&mut echo).unwrap();
                echo.len()
            });
            let mut b = WasiCtxBuilder::new();
            b.arg("serve").stdout(stdout.clone()).stderr(stdout.clone());
            b.preopened_listener(listener).unwrap();
            b.preopened_shared(log, "/", DirPerms::all(), FilePerms::all());
            let status = program.start(kind, b.build_p1());
            let said = stdout.contents();
            assert_eq!((status, client.join().unwrap()), (0, 100_000), "{kind:?}: {said:?}");
        });
        let log = String::from_utf8(fs.read("serve.log").unwrap()).unwrap();
        assert!(log.contains("100000"), "{log}");
    }
}
