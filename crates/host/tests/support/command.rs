//! A core module, run as a command.
#![allow(unreachable_pub, reason = "each test binary has a copy")]

use crate::support::Kind;
use wasi_host::p0;
use wasi_host::p1::{self, WasiP1Ctx};
use wasmtime::{Linker, Module, Result, Store};

/// Runs `_start` to its end, in a store and, if need be, a runtime of its own.
pub fn start(module: &Module, kind: Kind, ctx: WasiP1Ctx) -> Result<()> {
    let mut linker = Linker::<WasiP1Ctx>::new(module.engine());
    let mut store = Store::new(module.engine(), ctx);
    match kind {
        Kind::Sync => {
            p1::add_to_linker_sync(&mut linker, |c| c)?;
            p0::add_to_linker_sync(&mut linker, |c| c)?;
            let instance = linker.instantiate(&mut store, module)?;
            instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
        }
        Kind::Async => {
            p1::add_to_linker_async(&mut linker, |c| c)?;
            p0::add_to_linker_async(&mut linker, |c| c)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                let instance = linker.instantiate_async(&mut store, module).await?;
                let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
                start.call_async(&mut store, ()).await
            })
        }
    }
}
