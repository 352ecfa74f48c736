//! What a component can import, and what to say when it wants more.

use super::{Guest, unknown};
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

/// The release of WASI 0.2 that the linker knows its interfaces by; it serves every other with them.
const VERSION: &str = "0.2.12";

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
    let trapping = options.common.wasm.unknown_imports_trap == Some(true);
    if trapping {
        unknown::trap(&mut linker, component, |name| match name.split_once('@') {
            Some((interface, _)) if on && is_stable(name) => format!("{interface}@{VERSION}"),
            _ => name.to_owned(),
        });
    }
    linker.instantiate_pre(component).map_err(|error| {
        let file = file.display();
        let mut missing = missing(component, on);
        missing.retain(|(_, can_trap)| !(trapping && *can_trap));
        let Some((first, can_trap)) = missing.first() else {
            let hint = match chain(&error) {
                text if text.contains("network-error-code") => "; -S network-error-code provides it",
                _ => "",
            };
            return anyhow!("{file}: {}{hint}", chain(&error));
        };
        let all = missing.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        anyhow!("{file}: nothing here provides {all}; {}", advice(first, on, *can_trap))
    })
}

/// The imports that stand for no interface of WASI 0.2, and whether each can be there and trap.
fn missing(component: &Component, on: bool) -> Vec<(String, bool)> {
    let ty = component.component_type();
    let engine = component.engine();
    ty.imports(engine)
        .filter(|(name, import)| !(on && is_stable(name) || matches!(import.ty, ComponentItem::Type(_))))
        .map(|(name, import)| (name.to_owned(), unknown::can_trap(engine, &import.ty)))
        .collect()
}

/// Whether this names an interface, known or not, of a package of WASI 0.2.
fn is_stable(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else { return false };
    let package = interface.strip_prefix("wasi:").and_then(|rest| rest.split_once('/'));
    package.is_some_and(|(package, _)| PACKAGES.contains(&package))
        && version.starts_with("0.2.")
        && !version.contains('-')
}

fn advice(name: &str, on: bool, can_trap: bool) -> &'static str {
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
        _ if !can_trap => "compose the component with one that exports it (`wac plug`)",
        Some(_) => NEVER_CALLED,
        None => {
            "compose the component with one that exports it (`wac plug`), or let its functions trap when they are \
             called: -W unknown-imports-trap"
        }
    }
}
