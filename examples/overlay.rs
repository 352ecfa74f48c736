//! A directory that a program may change, though nothing in it changes: what it writes goes to memory, and afterwards the
//! host looks at the differences and keeps what it likes.
//!
//! ```text
//! cargo run --example overlay
//! ```

use std::sync::Arc;
use wasi_host::fs::Dir;
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder, p1};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::overlay::{Change, OverlayFs};
use wasmtime::{Engine, Linker, Module, Result, Store};

fn main() -> Result<()> {
    // A directory on disk with a note in it.
    let disk = tempfile::tempdir()?;
    std::fs::write(disk.path().join("1.txt"), "on the disk\n")?;

    let lower: Arc<dyn Dir> = Arc::new(NativeDir::open_ambient(disk.path())?);
    let upper = MemoryFs::with_limit(16 << 20);
    let overlay = OverlayFs::new(upper.root(), [lower])?;

    let engine = Engine::default();
    let module = Module::from_file(&engine, "guests/prebuilt/notes.wasm")?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    for words in [&["add", "in", "memory"][..], &["remove", "1"], &["list"]] {
        let ctx = WasiCtxBuilder::new()
            .arg("notes")
            .args(words)
            .inherit_stdio()
            .preopened_shared(overlay.root(), "/notes", DirPerms::all(), FilePerms::all())
            .build_p1();
        let mut store = Store::new(&engine, ctx);
        let instance = linker.instantiate(&mut store, &module)?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())?;
    }

    for (path, change) in overlay.diff()? {
        let mark = match change {
            Change::Added => '+',
            Change::Changed => '*',
            Change::Removed => '-',
        };
        println!("{mark} {path}");
    }
    println!("on the disk still: {:?}", std::fs::read_to_string(disk.path().join("1.txt"))?);
    Ok(())
}
