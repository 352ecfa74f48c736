//! What a component can import, and what to say when it wants more.

use super::release::{self, Release};
use super::{Guest, unknown};
use crate::load::chain;
use crate::options::RunOptions;
use anyhow::{Result, anyhow};
use std::path::Path;
use wasi_host::{LinkOptions, add_to_linker_with_options_async, add_to_linker_with_options_sync, p3};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

/// Links a component with as much of WASI as the options say; `concurrent` is how it will be called.
///
/// # Errors
///
/// If it imports something else; all that is missing is named, and what to do about the first.
pub(crate) fn ready(
    component: &Component,
    file: &Path,
    options: &RunOptions,
    concurrent: bool,
) -> Result<InstancePre<Guest>> {
    let on = On(options);
    let linker = &mut Linker::new(component.engine());
    if on.any() {
        let mut unstable = LinkOptions::default();
        // No option of `wasmtime run` is for the time zone; all that a program learns of it is UTC.
        unstable
            .network_error_code(options.common.wasi.network_error_code == Some(true))
            .clocks_timezone(true);
        if concurrent {
            add_to_linker_with_options_async(linker, &unstable)?;
        } else {
            add_to_linker_with_options_sync(linker, &unstable)?;
        }
        if concurrent && Release::P3.is_on(options) {
            p3::add_to_linker_with_options(linker, p3::LinkOptions::default().clocks_timezone(true))?;
        }
    }
    let trapping = options.common.wasm.unknown_imports_trap == Some(true);
    if trapping {
        unknown::trap(linker, component, |name| match on.release(name) {
            Some(release) => release.known_as(name),
            None => name.to_owned(),
        });
    }
    linker.instantiate_pre(component).map_err(|error| {
        let file = file.display();
        let mut missing = missing(component, &on);
        missing.retain(|(_, can_trap)| !(trapping && *can_trap));
        let Some((first, can_trap)) = missing.first() else {
            let hint = match chain(&error) {
                text if text.contains("network-error-code") => "; -S network-error-code provides it",
                _ => "",
            };
            return anyhow!("{file}: {}{hint}", chain(&error));
        };
        let all = missing.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        anyhow!("{file}: nothing here provides {all}; {}", advice(first, &on, *can_trap))
    })
}

/// What of WASI the options leave on.
struct On<'a>(&'a RunOptions);

impl On<'_> {
    fn any(&self) -> bool {
        let wasi = &self.0.common.wasi;
        wasi.cli.or(wasi.common) != Some(false)
    }

    /// That which an interface is of, if it is on.
    fn release(&self, name: &str) -> Option<Release> {
        Release::of(name).filter(|release| self.any() && release.is_on(self.0))
    }
}

/// The imports that stand for no interface of WASI, and whether each can be there and trap.
fn missing(component: &Component, on: &On<'_>) -> Vec<(String, bool)> {
    let ty = component.component_type();
    let engine = component.engine();
    ty.imports(engine)
        .filter(|(name, import)| on.release(name).is_none() && !matches!(import.ty, ComponentItem::Type(_)))
        .map(|(name, import)| (name.to_owned(), unknown::can_trap(engine, &import.ty)))
        .collect()
}

fn advice(name: &str, on: &On<'_>, can_trap: bool) -> &'static str {
    if release::is_ours(name) {
        return match Release::of(name) {
            _ if !on.any() => "WASI is switched off: leave out -S cli=n (or -S common=n)",
            Some(_) => release::P3_OFF,
            None => {
                "this is a draft of WASI from before its release; build the program anew with newer tools"
            }
        };
    }
    match name.starts_with("wasi:") {
        _ if !can_trap => "compose the component with one that exports it (`wac plug`)",
        true => {
            "where the program can do without it, its functions may trap when they are called: \
             -W unknown-imports-trap"
        }
        false => {
            "compose the component with one that exports it (`wac plug`), or let its functions trap when they are \
             called: -W unknown-imports-trap"
        }
    }
}
