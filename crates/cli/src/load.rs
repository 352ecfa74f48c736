//! From a file to a compiled module.

use anyhow::{Result, anyhow, bail};
use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;
use wasmparser::{Parser, Payload};
use wasmtime::{Engine, Module};

/// A module and what its engine does not tell about it.
pub(crate) struct Loaded {
    pub(crate) module: Module,
    /// It names a function that runs when it is instantiated.
    pub(crate) starts_itself: bool,
}

/// Reads, checks and compiles `file`, in either format.
pub(crate) fn load(engine: &Engine, file: &Path) -> Result<Loaded> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    let binary = binary(file, &bytes)?;
    if Parser::is_component(&binary) {
        bail!(
            "{name}: this is a component, and components cannot be run yet; build the program as a core module, for \
             WASI 0.1 (target wasm32-wasip1)"
        );
    }
    let module = Module::new(engine, &binary).map_err(|error| {
        let text = chain(&error);
        let hint = if text.contains("not enabled") || text.contains("support is not") {
            "; proposals are switched on with -W, see -W help"
        } else {
            ""
        };
        anyhow!("{name}: cannot be compiled: {text}{hint}")
    })?;
    Ok(Loaded { starts_itself: starts_itself(&binary), module })
}

fn binary<'a>(file: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    let name = file.display();
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes.into());
    }
    if bytes.is_empty() {
        bail!("{name}: the file is empty; it must be WebAssembly, .wasm or .wat");
    }
    if Engine::detect_precompiled(bytes).is_some() {
        bail!(
            "{name}: this is precompiled code, which cannot be checked and is never loaded; give the .wasm it was made \
             from: what is compiled is kept in a cache on disk, so later starts are fast"
        );
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim_start().starts_with(['(', ';']) => {
            let mut parsed = wat::parse_str(text);
            if let Err(error) = &mut parsed {
                error.set_path(file);
            }
            parsed.map(Cow::Owned).map_err(|error| anyhow!("{error}"))
        }
        _ => bail!("{name}: this is not WebAssembly, neither binary (.wasm) nor text (.wat)"),
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> anyhow::Error {
    let name = file.display();
    match error.kind() {
        ErrorKind::NotFound if file.components().count() == 1 && file.extension().is_none() => anyhow!(
            "{name}: no such file, and no subcommand of that name either (there are run, completions and man)"
        ),
        ErrorKind::NotFound => anyhow!("{name}: no such file"),
        ErrorKind::IsADirectory => anyhow!("{name}: this is a directory; name the .wasm or .wat file in it"),
        ErrorKind::PermissionDenied => anyhow!("{name}: permission to read the file is denied"),
        _ => anyhow!("{name}: cannot be read: {error}"),
    }
}

fn starts_itself(binary: &[u8]) -> bool {
    // The section stands before the code, so a large program is not gone through.
    Parser::new(0)
        .parse_all(binary)
        .map_while(Result::ok)
        .take_while(|payload| !matches!(payload, Payload::CodeSectionStart { .. }))
        .any(|payload| matches!(payload, Payload::StartSection { .. }))
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
