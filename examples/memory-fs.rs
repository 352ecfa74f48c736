//! A filesystem in memory, and forks of it: each guest begins with the same files and changes its own.
//!
//! A fork takes well under a microsecond whatever the tree holds, and memory only for what it changes.
//!
//! ```text
//! cargo run --example memory-fs
//! ```

use wasi_host::p1::{self, WasiP1Ctx};
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
use wasi_host_virtual::memory::{Limits, MemoryFs};
use wasmtime::{Engine, InstancePre, Linker, Module, Result, Store};

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::from_file(&engine, "guests/prebuilt/notes.wasm")?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    let program = linker.instantiate_pre(&module)?;

    // What every guest finds. No guest makes it larger than a megabyte.
    let template = MemoryFs::new();
    template.write("1.txt", "from the template\n")?;
    template.set_limits(Limits { bytes: 1 << 20, ..Limits::default() });

    let (alice, bob) = (template.fork(), template.fork());
    run(&program, &alice, &["add", "by", "Alice"])?;
    run(&program, &bob, &["add", "by", "Bob"])?;
    run(&program, &alice, &["list"])?;
    run(&program, &bob, &["list"])?;

    // The host reads and writes it, too.
    println!("Alice's: {}", String::from_utf8_lossy(&alice.read("2.txt")?).trim_end());
    println!("files of the template: {}", template.usage().inodes);
    Ok(())
}

fn run(program: &InstancePre<WasiP1Ctx>, fs: &MemoryFs, words: &[&str]) -> Result<()> {
    let ctx = WasiCtxBuilder::new()
        .arg("notes")
        .args(words)
        .inherit_stdio()
        .preopened_shared(fs.root(), "/notes", DirPerms::all(), FilePerms::all())
        .build_p1();
    let mut store = Store::new(program.module().engine(), ctx);
    let instance = program.instantiate(&mut store)?;
    instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
}
