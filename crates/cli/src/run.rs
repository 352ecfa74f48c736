//! `run`: one program, from its file to its exit status.

use crate::link::{self, Entry, Library};
use crate::load;
use crate::options::{Profile, RunOptions};
use crate::outcome::{self, Stop};
use crate::profile::Sampler;
use crate::timer::{TimedOut, Timer};
use crate::{context, engine, invoke};
use anyhow::{Context, Result, anyhow};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use wasi_host::p1::WasiP1Ctx;
use wasmtime::{Linker, Module, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline, Val};

/// What belongs to one program.
pub(crate) struct Guest {
    pub(crate) wasi: WasiP1Ctx,
    limits: StoreLimits,
    sampler: Option<Sampler>,
}

/// Runs a program and says how it ended.
///
/// # Errors
///
/// If it did not come to run.
pub(crate) fn run(mut options: RunOptions) -> Result<u8> {
    let (file, args) = program(&options.file_and_args)?;
    let engine = engine::new(&mut options)?;
    let loaded = load::load(&engine, &file)?;
    let entry = link::entry(&loaded, &file, options.invoke.as_deref())?;
    let call = match &entry {
        Entry::Function(name, ty) => invoke::arguments(name, ty, &args)?,
        Entry::Command | Entry::Start => Vec::new(),
    };

    let libraries = link::libraries(&engine, &options)?;
    let mut argv = vec![options.argv0.clone().unwrap_or_else(|| own_name(&file))];
    argv.extend(args);
    let wasi = context::new(&options, &argv)?;
    let mut store = Store::new(&engine, Guest { wasi, limits: limits(&options), sampler: None });
    store.limiter(|guest| &mut guest.limits);
    if let Some(fuel) = options.common.wasm.fuel {
        store.set_fuel(fuel)?;
    }
    let mut linker = link::wasi(&engine, &options)?;
    let program = Program { file: &file, module: &loaded.module, entry, call };

    let timer = timer(&mut store, &options, &file)?;
    let ended = start(&mut linker, &mut store, &program, &libraries, &options);
    let passed = timer.as_ref().is_some_and(|timer| timer.passed().load(Ordering::Acquire));
    let timed_out = options.common.wasm.timeout.filter(|_| passed).map(TimedOut);
    // From now on it does not end the process: what is left to do is not the program's.
    drop(timer);

    if let Some(sampler) = store.data_mut().sampler.take() {
        sampler.finish()?;
    }
    match ended {
        Ok(results) => {
            invoke::print(&results);
            Ok(0)
        }
        Err(stop) => {
            outcome::of(stop, timed_out, &mut store, options.common.debug.coredump.as_deref().map(Path::new))
        }
    }
}

/// The file, and the arguments behind it.
fn program(words: &[OsString]) -> Result<(PathBuf, Vec<String>)> {
    let (file, args) = words.split_first().context("no FILE is given")?;
    let args = args.iter().enumerate().map(|(index, arg)| {
        let arg = arg.to_str().map(str::to_owned);
        arg.ok_or_else(|| anyhow!("argument {} of the program, {:?}, is not UTF-8", index + 1, args[index]))
    });
    Ok((file.into(), args.collect::<Result<_>>()?))
}

fn own_name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

fn limits(options: &RunOptions) -> StoreLimits {
    let wasm = &options.common.wasm;
    let mut limits = StoreLimitsBuilder::new();
    if let Some(bytes) = wasm.max_memory_size {
        limits = limits.memory_size(bytes);
    }
    if let Some(elements) = wasm.max_table_elements {
        limits = limits.table_elements(elements);
    }
    if let Some(instances) = wasm.max_instances {
        limits = limits.instances(instances);
    }
    if let Some(tables) = wasm.max_tables {
        limits = limits.tables(tables);
    }
    if let Some(memories) = wasm.max_memories {
        limits = limits.memories(memories);
    }
    limits.trap_on_grow_failure(wasm.trap_on_grow_failure == Some(true)).build()
}

/// Arranges for what happens as time goes by: samples, and the end.
fn timer(store: &mut Store<Guest>, options: &RunOptions, file: &Path) -> Result<Option<Timer>> {
    let every = match &options.profile {
        Some(Profile::Guest { interval, .. }) => Some(*interval),
        _ => None,
    };
    let timeout = options.common.wasm.timeout;
    if every.is_none() && timeout.is_none() {
        // With -W epoch-interruption the code looks at a clock that never moves.
        if options.common.wasm.epoch_interruption == Some(true) {
            store.set_epoch_deadline(u64::MAX);
        }
        return Ok(None);
    }
    let interrupt = store.data().wasi.interrupt();
    let timer = Timer::start(store.engine(), interrupt, every, timeout, file)
        .context("cannot start the thread that keeps the time")?;
    let passed = timer.passed();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut store| {
        if let Some(timeout) = timeout.filter(|_| passed.load(Ordering::Acquire)) {
            return Err(TimedOut(timeout).into());
        }
        // The sampler needs the store that it lies in.
        if let Some(mut sampler) = store.data_mut().sampler.take() {
            sampler.sample(&store);
            store.data_mut().sampler = Some(sampler);
        }
        Ok(UpdateDeadline::Continue(1))
    });
    Ok(Some(timer))
}

/// What is to be run, and how.
struct Program<'a> {
    file: &'a Path,
    module: &'a Module,
    entry: Entry,
    /// The arguments of the entry.
    call: Vec<Val>,
}

/// Links, instantiates and calls. What comes back are the results of a function that `--invoke` names.
fn start(
    linker: &mut Linker<Guest>,
    store: &mut Store<Guest>,
    program: &Program<'_>,
    libraries: &[Library],
    options: &RunOptions,
) -> Result<Vec<Val>, Stop> {
    let Program { file, module, entry, call } = program;
    link::preload(linker, store, libraries, options)?;
    link::unknown(linker, store, module, options)?;
    link::imports(linker, store, module, file, options)?;
    link::memory(module, file)?;
    let ready = linker
        .instantiate_pre(module)
        .map_err(|error| anyhow!("{}: {}", file.display(), load::chain(&error)))?;
    if let Some(Profile::Guest { file: profile, interval }) = &options.profile {
        let libraries = libraries.iter().map(|library| (library.name.clone(), library.module.clone()));
        let modules = [(own_name(file), (*module).clone())].into_iter().chain(libraries);
        store.data_mut().sampler = Some(Sampler::new(module.engine(), profile, *interval, modules)?);
    }

    let stopped = |error| Stop::within(file, error);
    let instance = ready.instantiate(&mut *store).map_err(stopped)?;
    // Found once; but where several modules speak WASI, each call has to look whose memory it means.
    if let Some(memory) = instance.get_memory(&mut *store, "memory").filter(|_| libraries.is_empty()) {
        store.data_mut().wasi.set_memory(memory);
    }
    let mut function = |name: &str| instance.get_func(&mut *store, name);
    let (initialize, function, mut results) = match entry {
        Entry::Start => return Ok(Vec::new()),
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
    Ok(results)
}
