//! Components: WASI 0.2.

mod concurrency;
mod exports;
mod invoke;
mod link;
mod unknown;

use crate::options::{Profile, RunOptions};
use crate::outcome::{Ended, Stop};
use crate::profile::Sampler;
use crate::run::{self, Program};
use crate::{context, load};
use anyhow::{Result, bail};
use exports::Export;
use std::path::Path;
use wasi_host::bindings::sync::CommandPre;
use wasi_host::{ResourceTable, WasiCtx, WasiView};
use wasmtime::component::{Component, InstancePre, Val};
use wasmtime::{Engine, GuestProfiler, Store};

pub(crate) use concurrency::decide as decide_concurrency;
pub(crate) use link::P3;

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

/// Runs a component and says how it ended. No call of it enters an async runtime.
///
/// # Errors
///
/// If it did not come to run.
pub(crate) fn run(engine: &Engine, options: &RunOptions, program: &Program) -> Result<u8> {
    let file = &program.file;
    let component =
        Component::new(engine, &program.binary).map_err(|error| load::uncompilable(file, &error))?;
    let entry = entry(&component, file, options.invoke.as_deref())?;
    let ready = link::ready(&component, file, options)?;
    let ctx = context::new(options, &program.argv(options))?.build();
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
        start(store, ready, &entry).map_err(|error| Stop::within(file, error))
    })
}

/// What a component is started by.
enum Entry {
    /// `wasi:cli/run`.
    Command,
    /// A function that `--invoke` names, and its arguments.
    Function(Export, Vec<Val>),
}

/// Decides how to start a component, or says why it cannot be.
fn entry(component: &Component, file: &Path, invoke: Option<&str>) -> Result<Entry> {
    let name = file.display();
    if let Some(text) = invoke {
        let (wanted, _) = invoke::split(text);
        let wanted = wanted.trim_end();
        let export = Export::find(Export::all(component), wanted, file)?;
        let arguments = invoke::arguments(&export, text)?;
        return Ok(Entry::Function(export, arguments));
    }
    if component.get_export_index(None, "wasi:cli/run@0.2.12").is_some() {
        return Ok(Entry::Command);
    }
    let all = Export::all(component);
    let of = |interface: &str| all.iter().find(|export| export.name().starts_with(interface));
    if of("wasi:cli/run@0.3").is_some() {
        bail!("{name}: {P3}");
    }
    if let Some(handler) = of("wasi:http/").map(Export::name) {
        bail!(
            "{name}: this is an HTTP service (it exports `{handler}`), and wasi:http is not provided; serve it with a \
             host for HTTP, `wasmtime serve` for one"
        );
    }
    bail!(
        "{name}: this is no command, `wasi:cli/run` is missing; choose a function with --invoke: {}",
        exports::listed(&all)
    )
}

/// Instantiates and calls.
fn start(store: &mut Store<Guest>, ready: InstancePre<Guest>, entry: &Entry) -> wasmtime::Result<Ended> {
    match entry {
        Entry::Command => {
            let command = CommandPre::new(ready)?.instantiate(&mut *store)?;
            let ended = command.wasi_cli_run().call_run(store)?;
            Ok(Ended { status: ended.is_err().into(), ..Ended::default() })
        }
        Entry::Function(export, arguments) => {
            let instance = ready.instantiate(&mut *store)?;
            let function = instance.get_func(&mut *store, export.index);
            let function = function.ok_or_else(|| wasmtime::format_err!("`{}` is gone", export.name()))?;
            let mut results = vec![Val::Bool(false); export.ty.results().len()];
            function.call(store, arguments, &mut results)?;
            Ok(Ended { status: 0, results: invoke::text(export, &results) })
        }
    }
}
