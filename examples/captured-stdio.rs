//! What a program prints, in the host's hands: kept up to a bound, called line by line as it comes, and its input fed.
//!
//! ```text
//! cargo run --example captured-stdio
//! ```

use std::io::Write;
use wasi_host::p1::{self, WasiP1Ctx};
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::stdio::{Callback, Captured, Full, Limited, Prefixed, feed};
use wasmtime::{Engine, InstancePre, Linker, Module, Result, Store};

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::from_file(&engine, "guests/prebuilt/notes.wasm")?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    let program = linker.instantiate_pre(&module)?;
    let fs = MemoryFs::new();

    // Standard input comes from a thread of the host, as it has it; `stdio::channel` is the same the other way round. What
    // comes out is kept: a megabyte at most, and what is more is forgotten.
    let (stdin, mut feeder) = feed(1 << 10);
    std::thread::spawn(move || feeder.write_all(b"typed by the host"));
    let out = Captured::new(1 << 20, Full::Truncate);
    let mut ctx = WasiCtxBuilder::new();
    ctx.stdin(stdin).stdout(out.clone());
    run(&program, &fs, ctx, &["add", "-"])?;
    println!("captured: {:?}", String::from_utf8_lossy(&out.contents()));

    // Each line is a call, as soon as it is there; no line is longer than a kilobyte.
    let lines = Callback::lines(1024, |line| println!("line: {:?}", String::from_utf8_lossy(line)));
    let mut ctx = WasiCtxBuilder::new();
    ctx.stdout(lines);
    run(&program, &fs, ctx, &["list"])?;

    // Ten bytes and no more: the rest the program is told is written, and here it is counted. `Full::Fail` tells it.
    let log = Captured::new(1 << 20, Full::Truncate);
    let short = Limited::new(Prefixed::new(log.clone(), "[notes] "), 10, Full::Truncate);
    let mut ctx = WasiCtxBuilder::new();
    ctx.stdout(short.clone());
    run(&program, &fs, ctx, &["list"])?;
    println!("cut: {:?}, {} bytes lost", String::from_utf8_lossy(&log.contents()), short.lost());
    Ok(())
}

fn run(
    program: &InstancePre<WasiP1Ctx>,
    fs: &MemoryFs,
    mut ctx: WasiCtxBuilder,
    words: &[&str],
) -> Result<()> {
    ctx.arg("notes").args(words).preopened_shared(fs.root(), "/notes", DirPerms::all(), FilePerms::all());
    let mut store = Store::new(program.module().engine(), ctx.build_p1());
    let instance = program.instantiate(&mut store)?;
    instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
}
