//! From a file to WebAssembly in binary form, and what to say when it is not that or cannot be compiled.

use anyhow::{Result, anyhow, bail};
use std::io::ErrorKind;
use std::path::Path;
use wasmtime::Engine;

/// Reads `file`, in either format, as the binary one.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    if bytes.is_empty() {
        bail!("{name}: the file is empty; it must be WebAssembly, .wasm or .wat");
    }
    if Engine::detect_precompiled(&bytes).is_some() {
        bail!(
            "{name}: this is precompiled code, which cannot be checked and is never loaded; give the .wasm it was made \
             from: what is compiled is kept in a cache on disk, so later starts are fast"
        );
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with(['(', ';']) => {
            let mut parsed = wat::parse_str(text);
            if let Err(error) = &mut parsed {
                error.set_path(file);
            }
            parsed.map_err(|error| anyhow!("{error}"))
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

/// Why the engine does not compile a file.
pub(crate) fn uncompilable(file: &Path, error: &wasmtime::Error) -> anyhow::Error {
    let text = chain(error);
    let proposal = ["not enabled", "support is not", "feature"].iter().any(|words| text.contains(words));
    let hint = if proposal { "; proposals are switched on with -W, see -W help" } else { "" };
    anyhow!("{}: cannot be compiled: {text}{hint}", file.display())
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
