//! `run`: one program, from its file to its exit status.

use crate::filesystems::Trees;
use crate::options::{Profile, RunOptions};
use crate::outcome::{self, Ended, Stop};
use crate::profile::Sampler;
use crate::tape::Tape;
use crate::timer::{TimedOut, Timer};
use crate::{component, engine, load, module, refused};
use anyhow::{Context, Result, anyhow};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use wasi_host::wait::Interrupt;
use wasmparser::Parser;
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};

/// What is to be run.
pub(crate) struct Program {
    pub(crate) file: PathBuf,
    /// What stands behind the file.
    pub(crate) args: Vec<String>,
    /// What stands in the file, in binary form.
    pub(crate) binary: Vec<u8>,
    /// The files that it is given.
    pub(crate) trees: Trees,
    /// What is written down of its run.
    pub(crate) tape: Tape,
}

impl Program {
    /// How the file is called, without the way to it.
    pub(crate) fn name(&self) -> String {
        self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy().into_owned()
    }

    /// The arguments as the program sees them, its name before them.
    pub(crate) fn argv(&self, options: &RunOptions) -> Vec<String> {
        let name = options.argv0.clone().unwrap_or_else(|| self.name());
        std::iter::once(name).chain(self.args.iter().cloned()).collect()
    }
}

/// What belongs to one program; `W` is its view of WASI.
pub(crate) struct Guest<W> {
    pub(crate) wasi: W,
    limits: StoreLimits,
    pub(crate) sampler: Option<Sampler>,
}

/// Runs a program and says how it ended.
///
/// # Errors
///
/// If it did not come to run.
pub(crate) fn run(mut options: RunOptions) -> Result<u8> {
    let (file, args) = words(&options.file_and_args)?;
    engine::read(&mut options)?;
    refused::check(&options)?;
    let binary = load::read(&file)?;
    let is_component = Parser::is_component(&binary);
    if is_component {
        refused::check_component(&options)?;
    } else {
        refused::check_module(&options)?;
    }
    let (trees, tape) = (Trees::open(&options)?, Tape::open(&options)?);
    let program = Program { binary, file, args, trees, tape };
    let status = if is_component {
        let concurrent = component::decide_concurrency(&mut options, &program.binary)?;
        component::run(&engine::new(&mut options)?, &options, &program, concurrent)?
    } else {
        module::run(&engine::new(&mut options)?, &options, &program)?
    };
    program.trees.tell();
    program.tape.finish()?;
    Ok(status)
}

/// The file, and the arguments behind it.
fn words(words: &[OsString]) -> Result<(PathBuf, Vec<String>)> {
    let (file, args) = words.split_first().context("no FILE is given")?;
    let args = args.iter().enumerate().map(|(index, arg)| {
        let arg = arg.to_str().map(str::to_owned);
        arg.ok_or_else(|| anyhow!("argument {} of the program, {:?}, is not UTF-8", index + 1, args[index]))
    });
    Ok((file.into(), args.collect::<Result<_>>()?))
}

/// Does what `start` does in a store of its own, within the time and the bounds that the options set.
///
/// # Errors
///
/// If the program did not come to run.
pub(crate) fn within<W: Send + 'static>(
    engine: &Engine,
    options: &RunOptions,
    file: &Path,
    wasi: W,
    interrupt: fn(&W) -> Interrupt,
    start: impl FnOnce(&mut Store<Guest<W>>) -> Result<Ended, Stop>,
) -> Result<u8> {
    let mut store = Store::new(engine, Guest { wasi, limits: limits(options), sampler: None });
    store.limiter(|guest| &mut guest.limits);
    if let Some(fuel) = options.common.wasm.fuel {
        store.set_fuel(fuel)?;
    }
    let timer = timer(&mut store, options, interrupt, file)?;
    let ended = start(&mut store).or_else(Stop::left);
    let sampler = store.data_mut().sampler.take();
    let finish = |sampler: Option<Sampler>| sampler.map_or(Ok(()), Sampler::finish);
    let timed_out = |timer: &Option<Timer>| {
        let passed = timer.as_ref().is_some_and(|timer| timer.passed().load(Ordering::Acquire));
        options.common.wasm.timeout.filter(|_| passed).map(TimedOut)
    };
    match ended {
        Ok(ended) => {
            // Here what the program sent is delivered, and that is in the program's time, too.
            drop(store);
            let late = timed_out(&timer);
            drop(timer);
            finish(sampler)?;
            match late {
                Some(late) => {
                    outcome::report(&file.display(), &late);
                    Ok(outcome::TRAPPED)
                }
                None => Ok(ended.print()),
            }
        }
        Err(stop) => {
            let timed_out = timed_out(&timer);
            // From now on it does not end the process: what is left to do is not the program's.
            drop(timer);
            finish(sampler)?;
            let core_dump = options.common.debug.coredump.as_deref().map(Path::new);
            outcome::of(stop, timed_out, &mut store, core_dump)
        }
    }
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
fn timer<W: 'static>(
    store: &mut Store<Guest<W>>,
    options: &RunOptions,
    interrupt: fn(&W) -> Interrupt,
    file: &Path,
) -> Result<Option<Timer>> {
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
    let interrupt = interrupt(&store.data().wasi);
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
