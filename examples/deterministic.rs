//! A program that has no way to tell one run from another.
//!
//! ```text
//! cargo run --example deterministic
//! ```

use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder, p1};
use wasmtime::{Config, Engine, Linker, Module, Result, Store};

fn main() -> Result<()> {
    // What differs from processor to processor is the engine's to settle.
    let mut config = Config::new();
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    let engine = Engine::new(&config)?;
    let module = Module::from_file(&engine, "guests/prebuilt/dice.wasm")?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;

    // The same files, made in different orders: listings, inode numbers and times tell nothing of that.
    for names in [["one", "two", "three"], ["three", "two", "one"]] {
        let dir = tempfile::tempdir()?;
        for name in names {
            std::fs::write(dir.path().join(name), name)?;
        }
        let ctx = WasiCtxBuilder::new()
            .args(&["dice", "3600", "/dir"])
            .inherit_stdout()
            .preopened_dir(dir.path(), "/dir", DirPerms::READ, FilePerms::READ)?
            .deterministic(42)
            .build_p1();
        let mut store = Store::new(&engine, ctx);
        let instance = linker.instantiate(&mut store, &module)?;
        // It sleeps for an hour, and is done at once.
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())?;
    }
    Ok(())
}
