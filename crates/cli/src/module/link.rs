//! What a module can import, and what to say when it wants more.

use super::{Guest, compile};
use crate::load;
use crate::options::{Preload, RunOptions};
use crate::outcome::Stop;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use wasi_host::{p0, p1};
use wasmtime::{Engine, Linker, Module, Store};

/// The modules' names that stand for WASI 0.1 and 0.0.
const P1: &str = "wasi_snapshot_preview1";
const P0: &str = "wasi_unstable";

/// What of WASI is switched on.
#[derive(Clone, Copy)]
struct Versions {
    p1: bool,
    p0: bool,
}

impl Versions {
    fn of(options: &RunOptions) -> Self {
        let wasi = &options.common.wasi;
        let p1 = wasi.cli.or(wasi.common) != Some(false);
        Self { p1, p0: p1 && wasi.preview0 != Some(false) }
    }
}

/// A linker with as much of WASI as the options say.
pub(crate) fn wasi(engine: &Engine, options: &RunOptions) -> Result<Linker<Guest>> {
    let versions = Versions::of(options);
    let mut linker = Linker::new(engine);
    linker.allow_unknown_exports(options.common.wasm.unknown_exports_allow == Some(true));
    if versions.p1 {
        p1::add_to_linker_sync(&mut linker, |guest: &mut Guest| &mut guest.wasi)?;
    }
    if versions.p0 {
        p0::add_to_linker_sync(&mut linker, |guest: &mut Guest| &mut guest.wasi)?;
    }
    Ok(linker)
}

/// What a `--preload` names.
pub(crate) struct Library {
    pub(crate) name: String,
    pub(crate) module: Module,
    file: PathBuf,
}

/// Loads what each `--preload` names.
pub(crate) fn libraries(engine: &Engine, options: &RunOptions) -> Result<Vec<Library>> {
    let library = |Preload { name, file }: &Preload| {
        let module = compile(engine, file, &load::read(file)?)?;
        Ok(Library { name: name.clone(), module, file: file.clone() })
    };
    options.preload.iter().map(library).collect()
}

/// Instantiates the libraries, in order; each can import from those before it.
pub(crate) fn preload(
    linker: &mut Linker<Guest>,
    store: &mut Store<Guest>,
    libraries: &[Library],
    options: &RunOptions,
) -> Result<(), Stop> {
    for Library { name, module, file } in libraries {
        imports(linker, store, module, file, options)?;
        memory(module, file)?;
        linker.module(&mut *store, name, module).map_err(|error| Stop::instantiating(file, error))?;
    }
    Ok(())
}

/// Defines what the options say about imports that nobody knows.
pub(crate) fn unknown(
    linker: &mut Linker<Guest>,
    store: &mut Store<Guest>,
    module: &Module,
    options: &RunOptions,
) -> Result<()> {
    if options.common.wasm.unknown_imports_trap == Some(true) {
        linker.define_unknown_imports_as_traps(module)?;
    }
    if options.common.wasm.unknown_imports_default == Some(true) {
        linker.define_unknown_imports_as_default_values(store, module)?;
    }
    Ok(())
}

/// Names every import that is missing, and what to do about the first.
pub(crate) fn imports(
    linker: &Linker<Guest>,
    store: &mut Store<Guest>,
    module: &Module,
    file: &Path,
    options: &RunOptions,
) -> Result<()> {
    let missing: Vec<(&str, &str)> = module
        .imports()
        .filter(|import| linker.get_by_import(&mut *store, import).is_none())
        .map(|import| (import.module(), import.name()))
        .collect();
    let Some(&(from, name)) = missing.first() else { return Ok(()) };
    let all = missing.iter().map(|(from, name)| format!("`{from}::{name}`")).collect::<Vec<_>>().join(", ");
    bail!("{}: nothing here provides {all}; {}", file.display(), advice(from, name, Versions::of(options)))
}

fn advice(from: &str, name: &str, have: Versions) -> String {
    match from {
        P1 | P0 if !have.p1 => "WASI is switched off: leave out -S cli=n (or -S common=n)".into(),
        P0 if !have.p0 => "WASI 0.0 is switched off: leave out -S preview0=n".into(),
        P1 | P0 => format!(
            "`{name}` is no function of this version of WASI; was the program built for an extension?"
        ),
        "wasi" if name == "thread-spawn" => {
            "WASI threads are not provided; build for one thread (target wasm32-wasip1)".into()
        }
        _ if from.starts_with("wasi:") => {
            "this belongs to a component: make one of the module (`wasm-tools component new`), or build the program for \
             WASI 0.1 (target wasm32-wasip1)"
                .into()
        }
        _ => format!(
            "load a module that exports it with --preload {from}=FILE, or let it trap when it is called: \
             -W unknown-imports-trap"
        ),
    }
}

/// A module without memory cannot receive anything from WASI.
pub(crate) fn memory(module: &Module, file: &Path) -> Result<()> {
    let wants = module.imports().find(|import| {
        [P0, P1].contains(&import.module()) && import.ty().func().is_some() && import.name() != "proc_exit"
    });
    let has = module.exports().any(|export| export.name() == "memory" && export.ty().memory().is_some());
    if let Some(import) = wants.filter(|_| !has) {
        bail!(
            "{}: it imports `{}::{}` but exports no memory named `memory`, so WASI cannot reach its data; export it, \
             (memory (export \"memory\") …)",
            file.display(),
            import.module(),
            import.name()
        );
    }
    Ok(())
}
