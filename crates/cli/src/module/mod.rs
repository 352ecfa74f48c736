//! Core modules: WASI 0.1 and 0.0.

mod entry;
mod invoke;
mod link;

use crate::options::{Profile, RunOptions};
use crate::outcome::{Ended, Stop};
use crate::profile::Sampler;
use crate::run::{self, Program};
use crate::{context, load};
use anyhow::{Context, Result, anyhow, bail};
use entry::Entry;
use link::Library;
use std::path::Path;
use wasi_host::p1::WasiP1Ctx;
use wasmparser::Parser;
use wasmtime::{Engine, GuestProfiler, Linker, Module, Store, Val};

type Guest = run::Guest<WasiP1Ctx>;

/// Runs a module and says how it ended.
///
/// # Errors
///
/// If it did not come to run.
pub(crate) fn run(engine: &Engine, options: &RunOptions, program: &Program) -> Result<u8> {
    let Program { file, args, binary, .. } = program;
    let module = compile(engine, file, binary)?;
    let entry = entry::entry(&module, binary, file, options.invoke.as_deref())?;
    let call = match &entry {
        Entry::Function(name, ty) => invoke::arguments(name, ty, args)?,
        Entry::Command | Entry::Start => Vec::new(),
    };
    let libraries = link::libraries(engine, options)?;
    let wasi = context::new(options, program)?.build_p1();
    let linker = link::wasi(engine, options)?;
    let plan = Plan { program, module, entry, call, libraries, options };
    run::within(engine, options, file, wasi, |wasi| wasi.interrupt(), |store| plan.start(linker, store))
}

fn compile(engine: &Engine, file: &Path, binary: &[u8]) -> Result<Module> {
    if Parser::is_component(binary) {
        bail!("{}: this is a component; --preload is for core modules", file.display());
    }
    Module::new(engine, binary).map_err(|error| load::uncompilable(file, &error))
}

/// All that is known before there is a store.
struct Plan<'a> {
    program: &'a Program,
    module: Module,
    entry: Entry,
    /// The arguments of the entry.
    call: Vec<Val>,
    libraries: Vec<Library>,
    options: &'a RunOptions,
}

impl Plan<'_> {
    /// Links, instantiates and calls.
    fn start(&self, mut linker: Linker<Guest>, store: &mut Store<Guest>) -> Result<Ended, Stop> {
        let Self { program, module, entry, call, libraries, options } = self;
        let file = &*program.file;
        link::preload(&mut linker, store, libraries, options)?;
        link::unknown(&mut linker, store, module, options)?;
        link::imports(&linker, store, module, file, options)?;
        link::memory(module, file)?;
        let ready = linker
            .instantiate_pre(module)
            .map_err(|error| anyhow!("{}: {}", file.display(), load::chain(&error)))?;
        if let Some(Profile::Guest { file: profile, interval }) = &options.profile {
            let libraries = libraries.iter().map(|library| (library.name.clone(), library.module.clone()));
            let modules = [(program.name(), module.clone())].into_iter().chain(libraries);
            store.data_mut().sampler = Some(Sampler::new(profile, *interval, || {
                GuestProfiler::new(module.engine(), &program.name(), *interval, modules)
            })?);
        }

        let stopped = |error| Stop::within(file, error);
        let instance = ready.instantiate(&mut *store).map_err(|error| Stop::instantiating(file, error))?;
        // Found once; but where several modules speak WASI, each call has to look whose memory it means.
        if let Some(memory) = instance.get_memory(&mut *store, "memory").filter(|_| libraries.is_empty()) {
            store.data_mut().wasi.set_memory(memory);
        }
        let mut function = |name: &str| instance.get_func(&mut *store, name);
        let (initialize, function, mut results) = match entry {
            Entry::Start => return Ok(Ended::default()),
            Entry::Command => (None, function("_start"), Vec::new()),
            Entry::Function(name, ty) => {
                let initialize = function("_initialize").filter(|_| name != "_initialize");
                (initialize, function(name), invoke::results(ty))
            }
        };
        if let Some(initialize) = initialize {
            initialize.call(&mut *store, &[], &mut []).map_err(stopped)?;
        }
        let function = function.context("a function that the module exports is gone")?;
        function.call(&mut *store, call, &mut results).map_err(stopped)?;
        Ok(Ended { status: 0, results: invoke::text(&results) })
    }
}
