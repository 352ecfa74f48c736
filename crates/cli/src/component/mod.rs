//! Components: WASI 0.2 and 0.3.

mod call;
mod concurrency;
mod entry;
mod exports;
mod invoke;
mod link;
mod release;
mod unknown;

use crate::options::{Profile, RunOptions};
use crate::profile::Sampler;
use crate::run::{self, Program};
use crate::{context, load};
use anyhow::Result;
use call::Start;
use wasi_host::{ResourceTable, WasiCtx, WasiView};
use wasmtime::component::Component;
use wasmtime::{Engine, GuestProfiler};

pub(crate) use concurrency::decide as decide_concurrency;

/// What a component sees of WASI.
pub(crate) struct View {
    ctx: WasiCtx,
    table: ResourceTable,
}

type Guest = run::Guest<View>;

impl WasiView for Guest {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.wasi.table
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.wasi.ctx
    }
}

/// Runs a component and says how it ended; `concurrent` is whether it has tasks that go on beside each other.
///
/// # Errors
///
/// If it did not come to run.
pub(crate) fn run(engine: &Engine, options: &RunOptions, program: &Program, concurrent: bool) -> Result<u8> {
    let file = &program.file;
    let component =
        Component::new(engine, &program.binary).map_err(|error| load::uncompilable(file, &error))?;
    let entry = entry::entry(&component, file, options)?;
    let ready = link::ready(&component, file, options, concurrent)?;
    let start = Start { file, ready, entry };
    let ctx = context::new(options, program)?.build();
    let wasi = &options.common.wasi;
    let mut table = ResourceTable::new();
    if let Some(resources) = wasi.max_resources {
        table.set_max_capacity(resources);
    }
    let interrupt = |view: &View| view.ctx.interrupt();
    run::within(engine, options, file, View { ctx, table }, interrupt, |store| {
        if let Some(handles) = wasi.max_component_handles {
            store.set_max_component_handles(handles);
        }
        if let Some(bytes) = wasi.hostcall_fuel {
            store.set_hostcall_fuel(bytes);
        }
        if let Some(Profile::Guest { file, interval }) = &options.profile {
            store.data_mut().sampler = Some(Sampler::new(file, *interval, || {
                GuestProfiler::new_component(engine, &program.name(), *interval, component, [])
            })?);
        }
        if concurrent { start.concurrent(store) } else { start.alone(store) }
    })
}
