//! A program's run, written down and run again: with the same time, the same chance and the same files, though none are
//! there any more.
//!
//! ```text
//! cargo run --example record-replay
//! ```

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use wasi_host::record::{Recorder, Replay};
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder, p1};
use wasi_host_virtual::stdio::{Captured, Full};
use wasmtime::{Engine, Linker, Module, Result, Store};

/// A log in memory; a file would do as well.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::from_file(&engine, "guests/prebuilt/dice.wasm")?;
    // Runs it with what `ctx` gives, and says what it printed.
    let run = |ctx: &mut WasiCtxBuilder| -> Result<String> {
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
        let out = Captured::new(1 << 20, Full::Truncate);
        let mut store = Store::new(&engine, ctx.stdout(out.clone()).build_p1());
        let instance = linker.instantiate(&mut store, &module)?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())?;
        Ok(String::from_utf8_lossy(&out.contents()).into_owned())
    };

    // The date, five throws, a second of sleep, and a directory of the host.
    let (dir, log) = (tempfile::tempdir()?, Log::default());
    std::fs::write(dir.path().join("a file"), "of the host")?;
    let recorder = Recorder::new(log.clone());
    let first = run(WasiCtxBuilder::new()
        .args(&["dice", "1", "/dir"])
        .preopened_dir(dir.path(), "/dir", DirPerms::READ, FilePerms::READ)?
        .record(&recorder))?;
    recorder.finish()?;
    dir.close()?;

    // Again, from the log alone, and without the second of sleep.
    let log = log.0.lock().expect("nobody panics with it").clone();
    let replay = Replay::open(log.clone())?;
    let second = run(WasiCtxBuilder::new().replay(&replay))?;
    replay.finish()?;
    println!("the same again: {}", first == second);

    // Another program would do something else, and so does this one with other arguments.
    let replay = Replay::open(log)?;
    let _ended = run(WasiCtxBuilder::new().args(&["dice", "2", "/dir"]).replay(&replay));
    println!("with other arguments: {}", replay.finish().expect_err("it sleeps longer"));
    Ok(())
}
