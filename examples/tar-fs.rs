//! A program that reads its files out of a tar archive, and writes to memory over it. Nothing is unpacked.
//!
//! ```text
//! cargo run --example tar-fs
//! ```

use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder, p1};
use wasi_host_virtual::archive::{ArchiveFs, Limits};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::overlay::OverlayFs;
use wasmtime::{Engine, Linker, Module, Result, Store};

/// An archive with two notes in it. `std::fs::File::open("notes.tar")?` would do as well: members are read in place.
fn archive() -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in [("1.txt", "packed\n"), ("2.txt", "packed, too\n")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes())?;
    }
    builder.into_inner()
}

fn main() -> Result<()> {
    // How much an archive of unknown origin may make its host hold.
    let limits = Limits { entries: 10_000, ..Limits::default() };
    let archive = ArchiveFs::tar(archive()?, limits)?;
    let overlay = OverlayFs::new(MemoryFs::with_limit(1 << 20).root(), [archive.root()])?;

    let engine = Engine::default();
    let module = Module::from_file(&engine, "guests/prebuilt/notes.wasm")?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    for words in [&["add", "new"][..], &["list"]] {
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
    Ok(())
}
