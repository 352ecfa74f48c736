//! Core modules of WASI 0.1 and 0.0.

use crate::command;
use crate::sink::Sink;
use crate::support::{KINDS, Kind};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasi_host::p1::WasiP1Ctx;
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::record::{Divergence, Recorder, Replay};
use wasi_host::{DirPerms, FilePerms, I32Exit, WasiCtxBuilder};
use wasi_host_native::fs::NativeDir;
use wasmtime::{Engine, Module};

pub(crate) struct Program {
    module: Module,
}

/// How a run ended, and what it printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// `None` for a trap.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn new(name: &str) -> Self {
        let engine = Engine::default();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/prebuilt/{name}.wasm"));
        let module = Module::from_file(&engine, &path).unwrap();
        Self { module }
    }

    /// Runs it in a context that is made already but for its output.
    pub(crate) fn run(&self, kind: Kind, b: &mut WasiCtxBuilder) -> Ended {
        let (stdout, stderr) = (MemoryOutputPipe::new(8 << 20), MemoryOutputPipe::new(1 << 20));
        b.stdout(stdout.clone()).stderr(stderr.clone());
        let status = self.start(kind, b.build_p1());
        let text = |pipe: &MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        Ended { status, stdout: text(&stdout), stderr: text(&stderr) }
    }

    /// Runs the program to its end; its status, if that is no trap.
    fn start(&self, kind: Kind, ctx: WasiP1Ctx) -> Option<i32> {
        match command::start(&self.module, kind, ctx) {
            Ok(()) => Some(0),
            Err(e) => e.downcast_ref::<I32Exit>().map(|exit| exit.0),
        }
    }

    pub(crate) fn record(&self, kind: Kind, b: &mut WasiCtxBuilder) -> (Ended, Vec<u8>) {
        let sink = Sink::default();
        let recorder = Recorder::new(sink.clone());
        let ended = self.run(kind, b.record(&recorder));
        recorder.finish().unwrap();
        (ended, sink.contents())
    }

    pub(crate) fn replay(
        &self,
        kind: Kind,
        log: &[u8],
        b: &mut WasiCtxBuilder,
    ) -> (Ended, Result<(), Divergence>) {
        let replay = Replay::open(log.to_vec()).unwrap();
        let ended = self.run(kind, b.replay(&replay));
        (ended, replay.finish())
    }

    /// Records, and replays twice.
    #[track_caller]
    fn twice(&self, kind: Kind, what: &str, b: &mut WasiCtxBuilder) -> Ended {
        let (recorded, log) = self.record(kind, b);
        for _ in 0..2 {
            let (replayed, ended) = self.replay(kind, &log, &mut WasiCtxBuilder::new());
            assert_eq!(ended, Ok(()), "{kind:?}: {what}");
            assert_eq!(recorded, replayed, "{kind:?}: {what}");
        }
        recorded
    }
}

/// A program's surroundings, with a directory of the disk.
pub(crate) fn given(args: &[&str], disk: &Path) -> WasiCtxBuilder {
    let mut b = WasiCtxBuilder::new();
    b.arg("program").args(args).env("GREETING", "hello").env("EMPTY", "");
    b.stdin(MemoryInputPipe::new("some\ninput"));
    let dir = NativeDir::open_ambient(disk).unwrap();
    b.preopened(dir, "/", DirPerms::all(), FilePerms::all());
    b
}

pub(crate) fn disk() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn all_checks(name: &str) {
    let (program, disk) = (Program::new(name), disk());
    let checks = program.run(Kind::Sync, &mut given(&["--list"], disk.path())).stdout;
    assert!(checks.lines().count() > 3, "{checks}");
    for kind in KINDS {
        for check in checks.lines() {
            let ended = program.twice(kind, check, &mut given(&[check], disk.path()));
            // Two are about arguments and variables that are not given here.
            let told = ["arguments", "environment"].contains(&check);
            assert!(ended.status == Some(0) || told, "{name}, {kind:?}: {check}: {ended:?}");
        }
    }
}

#[test]
fn files() {
    all_checks("files");
}

#[test]
fn directories_and_links() {
    all_checks("dirs");
    all_checks("links");
}

#[test]
fn polls() {
    all_checks("poll");
}

#[test]
fn processes() {
    all_checks("process");
    all_checks("unstable");
}

#[test]
fn a_whole_standard_library() {
    all_checks("std_surface");
}

/// Arguments, environment and what is on the disk are in the log.
#[test]
fn a_log_is_all_that_it_takes() {
    let program = Program::new("notes");
    for kind in KINDS {
        let disk = disk();
        std::fs::create_dir(disk.path().join("notes")).unwrap();
        let add = program.twice(kind, "add", &mut given(&["add", "water", "the", "plants"], disk.path()));
        assert_eq!(add.status, Some(0), "{add:?}");
        let (listed, log) = program.record(kind, &mut given(&["list"], disk.path()));
        assert!(listed.stdout.contains("water the plants"), "{listed:?}");
        drop(disk);
        let (again, ended) = program.replay(kind, &log, &mut WasiCtxBuilder::new());
        assert_eq!((again, ended), (listed, Ok(())));
    }
}

/// A server in C, which is called only while it is recorded.
#[test]
fn a_server_without_clients() {
    let program = Program::new("serve");
    for kind in KINDS {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, disk) = (listener.local_addr().unwrap(), disk());
        let (recorded, log) = std::thread::scope(|scope| {
            let client = scope.spawn(move || {
                let mut stream = std::net::TcpStream::connect(addr).unwrap();
                stream.write_all(&[b'x'; 100_000]).unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let mut echo = Vec::new();
                stream.read_to_end(&mut echo).unwrap();
                echo.len()
            });
            let mut b = given(&[], disk.path());
            b.preopened_listener(listener).unwrap();
            let recorded = program.record(kind, &mut b);
            assert_eq!(client.join().unwrap(), 100_000, "{recorded:?}");
            recorded
        });
        assert_eq!(recorded.status, Some(0), "{recorded:?}");
        for _ in 0..2 {
            let (again, ended) = program.replay(kind, &log, &mut WasiCtxBuilder::new());
            assert_eq!((ended, &again), (Ok(()), &recorded));
        }
    }
}

/// A module that sleeps for so many nanoseconds by `poll_oneoff`.
fn sleeper(nanoseconds: u64) -> Program {
    let engine = Engine::default();
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (i32.store (i32.const 16) (i32.const 1))
                (i64.store (i32.const 24) (i64.const {nanoseconds}))
                (if (call $poll (i32.const 0) (i32.const 104) (i32.const 1) (i32.const 200)) (then unreachable))
                (if (i32.ne (i32.load (i32.const 200)) (i32.const 1)) (then unreachable))))"#
    );
    let module = Module::new(&engine, text).unwrap();
    Program { module }
}

#[test]
fn a_sleep_takes_no_time() {
    for kind in KINDS {
        let program = sleeper(2_000_000_000);
        let began = Instant::now();
        let (recorded, log) = program.record(kind, &mut WasiCtxBuilder::new());
        assert_eq!(recorded.status, Some(0));
        assert!(began.elapsed() >= Duration::from_secs(2));
        let began = Instant::now();
        let (replayed, ended) = program.replay(kind, &log, &mut WasiCtxBuilder::new());
        assert_eq!((ended, replayed), (Ok(()), recorded));
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    }
}

/// The guest's memory is not what a recording holds: a directory under a grant of the embedder's own, and what that allows,
/// comes again.
#[test]
fn grants_come_again() {
    use wasi_host::fs::Descriptor;
    use wasi_host::{Grant, limits::Limits};
    let (program, disk) = (Program::new("notes"), disk());
    std::fs::create_dir(disk.path().join("notes")).unwrap();
    let grant = Arc::new(Grant::new(DirPerms::READ, FilePerms::READ, Limits::default()));
    let dir = Arc::new(NativeDir::open_ambient(disk.path()).unwrap());
    let mut b = WasiCtxBuilder::new();
    b.args(&["notes", "add", "nothing"]).preopened_descriptor(Descriptor::preopen(dir, grant), "/");
    let ended = program.twice(Kind::Sync, "add", &mut b);
    assert_ne!(ended.status, Some(0), "{ended:?}");
}
