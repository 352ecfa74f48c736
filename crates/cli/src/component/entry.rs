//! What a component is started by.

use super::exports::{self, Export};
use super::invoke;
use super::release::{P3_OFF, Release};
use crate::options::RunOptions;
use crate::outcome::Ended;
use anyhow::{Result, bail};
use std::path::Path;
use wasmtime::component::{Component, Type, Val};

/// A function that a component is started by, and its arguments.
pub(crate) struct Entry {
    pub(crate) function: Export,
    pub(crate) arguments: Vec<Val>,
    /// What its results mean.
    ended: fn(&Export, &[Val]) -> Ended,
}

impl Entry {
    /// How the program ended that gave these results.
    pub(crate) fn ended(&self, results: &[Val]) -> Ended {
        (self.ended)(&self.function, results)
    }
}

/// Decides how to start a component, or says why it cannot be.
pub(crate) fn entry(component: &Component, file: &Path, options: &RunOptions) -> Result<Entry> {
    let name = file.display();
    if let Some(text) = &options.invoke {
        let (wanted, _) = invoke::split(text);
        let function = Export::find(Export::all(component), wanted.trim_end(), file)?;
        let arguments = invoke::arguments(&function, text)?;
        let ended = |function: &Export, results: &[Val]| Ended {
            status: 0,
            results: invoke::text(function, results),
        };
        return Ok(Entry { function, arguments, ended });
    }
    // Who exports both means the older for hosts that do not know the newer.
    let releases = [Release::P3, Release::P2];
    let on = releases.into_iter().filter(|release| release.is_on(options));
    let run = |release: Release| Export::of(component, &release.known_as("wasi:cli/run"), "run");
    if let Some(function) = on.clone().find_map(run) {
        if !is_command(&function) {
            bail!("{name}: `{}` is not what a command exports: `run() -> result`", function.signature());
        }
        let ended = |_: &Export, results: &[Val]| Ended {
            status: matches!(results, [Val::Result(Err(_))]).into(),
            ..Ended::default()
        };
        return Ok(Entry { function, arguments: Vec::new(), ended });
    }
    if releases.into_iter().find_map(run).is_some() {
        bail!("{name}: {P3_OFF}");
    }
    let all = Export::all(component);
    if let Some(handler) = all.iter().map(Export::name).find(|name| name.starts_with("wasi:http/")) {
        bail!(
            "{name}: this is an HTTP service (it exports `{handler}`), and wasi:http is not provided; serve it with a \
             host for HTTP, `wasmtime serve` for one"
        );
    }
    bail!(
        "{name}: this is no command, `wasi:cli/run` is missing; choose a function with --invoke: {}",
        exports::listed(&all)
    )
}

/// Whether a function takes nothing, and says how it ended and nothing else.
fn is_command(function: &Export) -> bool {
    let results: Vec<Type> = function.ty.results().collect();
    let says =
        |ty: &Type| matches!(ty, Type::Result(result) if result.ok().is_none() && result.err().is_none());
    function.ty.params().len() == 0 && matches!(&results[..], [result] if says(result))
}
