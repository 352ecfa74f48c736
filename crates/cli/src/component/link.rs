//! What a component can import, and what to say when it wants more.

use super::Guest;
use crate::load::chain;
use crate::options::RunOptions;
use anyhow::{Result, anyhow};
use std::path::Path;
use wasi_host::{LinkOptions, add_to_linker_with_options_sync};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

/// What to do with a component that asks for WASI 0.3.
pub(crate) const P3: &str =
    "WASI 0.3 is not provided yet; build the program for WASI 0.2 (target wasm32-wasip2)";

/// What of WASI 0.2 is here: `wasi:PACKAGE/`.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// Links a component with as much of WASI as the options say.
///
/// # Errors
///
/// If it imports something else; all that is missing is named, and what to do about the first.
pub(crate) fn ready(component: &Component, file: &Path, options: &RunOptions) -> Result<InstancePre<Guest>> {
    let wasi = &options.common.wasi;
    let on = wasi.cli.or(wasi.common) != Some(false);
    let mut linker = Linker::new(component.engine());
    if on {
        let mut unstable = LinkOptions::default();
        // No option of `wasmtime run` is for the time zone; all that a program learns of it is UTC.
        unstable.network_error_code(wasi.network_error_code == Some(true)).clocks_timezone(true);
        add_to_linker_with_options_sync(&mut linker, &unstable)?;
    }
    if options.common.wasm.unknown_imports_trap == Some(true) {
        linker.define_unknown_imports_as_traps(component)?;
    }
    linker.instantiate_pre(component).map_err(|error| {
        let file = file.display();
        let missing = missing(component, on);
        let Some(first) = missing.first() else {
            let hint = match chain(&error) {
                text if text.contains("network-error-code") => "; -S network-error-code provides it",
                _ => "",
            };
            return anyhow!("{file}: {}{hint}", chain(&error));
        };
        let all = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        anyhow!("{file}: nothing here provides {all}; {}", advice(first, on))
    })
}

/// The imports that stand for no interface of WASI 0.2.
fn missing(component: &Component, on: bool) -> Vec<String> {
    let ty = component.component_type();
    ty.imports(component.engine())
        .filter(|(name, import)| {
            let provided = on && PACKAGES.iter().any(|package| is_stable(name, package));
            !provided && !matches!(import.ty, ComponentItem::Type(_))
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn is_stable(name: &str, package: &str) -> bool {
    let interface = name.strip_prefix("wasi:").and_then(|rest| rest.strip_prefix(package));
    let version = interface.filter(|rest| rest.starts_with('/')).and_then(|rest| rest.split_once('@'));
    version.is_some_and(|(_, version)| version.starts_with("0.2.") && !version.contains('-'))
}

fn advice(name: &str, on: bool) -> &'static str {
    const NEVER_CALLED: &str = "where the program can do without it, its functions may trap when they are called: -W unknown-imports-trap";
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let package = interface.split('/').next().unwrap_or_default();
    match package.strip_prefix("wasi:") {
        Some(package) if PACKAGES.contains(&package) => match version {
            _ if !on => "WASI is switched off: leave out -S cli=n (or -S common=n)",
            _ if version.starts_with("0.3.") => P3,
            _ => {
                "this is a draft of WASI from before its release 0.2.0; build the program anew with newer tools"
            }
        },
        Some(_) => NEVER_CALLED,
        None => {
            "compose the component with one that exports it (`wac plug`), or let its functions trap when they are \
             called: -W unknown-imports-trap"
        }
    }
}
