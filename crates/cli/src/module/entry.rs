//! What a module is started by.

use super::invoke::callable;
use anyhow::{Result, bail};
use std::path::Path;
use wasmparser::{Parser, Payload};
use wasmtime::{FuncType, Module};

/// What a module is to be started by.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A command: `_start`.
    Command,
    /// A function that `--invoke` names.
    Function(String, FuncType),
    /// Instantiation has done it all.
    Start,
}

/// Decides how to start a module, or says why it cannot be.
pub(crate) fn entry(module: &Module, binary: &[u8], file: &Path, invoke: Option<&str>) -> Result<Entry> {
    let function = |name: &str| module.get_export(name).and_then(|ty| ty.func().cloned());
    let name = file.display();
    if let Some(wanted) = invoke {
        return match function(wanted) {
            Some(ty) => Ok(Entry::Function(wanted.to_owned(), ty)),
            None if wanted.ends_with(')') => bail!(
                "{name}: there is no function `{wanted}` to invoke; the arguments of a core module's function stand \
                 behind FILE"
            ),
            None => bail!("{name}: there is no function `{wanted}` to invoke; {}", callable(module)),
        };
    }
    if let Some(ty) = function("_start") {
        if ty.params().len() + ty.results().len() > 0 {
            bail!(
                "{name}: `_start` must take and return nothing to be a command; call it with --invoke _start"
            );
        }
        return Ok(Entry::Command);
    }
    if function("_initialize").is_some() {
        bail!(
            "{name}: this is a library (it exports `_initialize`, not `_start`); choose a function with --invoke: {}",
            callable(module)
        );
    }
    if starts_itself(binary) {
        return Ok(Entry::Start);
    }
    bail!(
        "{name}: this is no command, `_start` is missing; choose a function with --invoke: {}",
        callable(module)
    )
}

fn starts_itself(binary: &[u8]) -> bool {
    // The section stands before the code, so a large program is not gone through.
    Parser::new(0)
        .parse_all(binary)
        .map_while(Result::ok)
        .take_while(|payload| !matches!(payload, Payload::CodeSectionStart { .. }))
        .any(|payload| matches!(payload, Payload::StartSection { .. }))
}
