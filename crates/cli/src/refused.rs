//! The options of `wasmtime run` that do not work here, each with what to do instead.
//!
//! A key that only switches something off is no reason to refuse: `-S http=n` is what happens anyway.

use crate::options::RunOptions;
use anyhow::{Result, bail};

struct Refusal {
    option: &'static str,
    given: fn(&RunOptions) -> bool,
    instead: &'static str,
}

const HTTP: &str = "wasi:http is not provided; a program can speak HTTP over sockets: a component over those that \
                    --allow-net lets it use, a core module over one that listens, -S tcplisten";
const CONFIG: &str = "wasi:config is not provided; give the program variables with --env";
const KEYVALUE: &str = "wasi:keyvalue is not provided; give the program a directory with --dir";
const NN: &str = "machine learning (wasi-nn) is no part of WASI proper; load such a program with an embedding that \
                  links it";
const RECORD: &str =
    "what the engine does cannot be recorded; --record FILE writes down what the program is given";
const DEBUGGER: &str = "debuggers that are components cannot be loaded; -D debug-info lets a native one, lldb or gdb, \
                        see the program's source";

const LISTENER: &str =
    "components are handed no sockets down; the program opens and binds its own: --allow-net ADDRESS:PORT";

macro_rules! refusals {
    ($($option:literal, $given:expr, $instead:expr;)*) => {
        &[$(Refusal { option: $option, given: $given, instead: $instead }),*]
    };
}

#[rustfmt::skip]
const REFUSALS: &[Refusal] = refusals! {
    "-g", |o| o.gdbstub.is_some(), DEBUGGER;
    "-D debugger", |o| o.common.debug.debugger.is_some(), DEBUGGER;
    "-D arg", |o| !o.common.debug.arg.is_empty(), DEBUGGER;
    "-D inherit-stdin", |o| o.common.debug.inherit_stdin == Some(true), DEBUGGER;
    "-D inherit-stdout", |o| o.common.debug.inherit_stdout == Some(true), DEBUGGER;
    "-D inherit-stderr", |o| o.common.debug.inherit_stderr == Some(true), DEBUGGER;
    "-R path", |o| o.common.record.path.is_some(), RECORD;
    "-R validation-metadata", |o| o.common.record.validation_metadata == Some(true), RECORD;
    "-R event-window-size", |o| o.common.record.event_window_size.is_some(), RECORD;
    "-S nn", |o| o.common.wasi.nn == Some(true), NN;
    "-S nn-graph", |o| !o.common.wasi.nn_graph.is_empty(), NN;
    "-S threads", |o| o.common.wasi.threads == Some(true),
        "wasi-threads is a proposal that was given up; build the program for one thread (target wasm32-wasip1)";
    "-S http", |o| o.common.wasi.http == Some(true), HTTP;
    "-S http-outgoing-body-buffer-chunks", |o| o.common.wasi.http_outgoing_body_buffer_chunks.is_some(), HTTP;
    "-S http-outgoing-body-chunk-size", |o| o.common.wasi.http_outgoing_body_chunk_size.is_some(), HTTP;
    "-S max-http-fields-size", |o| o.common.wasi.max_http_fields_size.is_some(), HTTP;
    "-S config", |o| o.common.wasi.config == Some(true), CONFIG;
    "-S config-var", |o| !o.common.wasi.config_var.is_empty(), CONFIG;
    "-S keyvalue", |o| o.common.wasi.keyvalue == Some(true), KEYVALUE;
    "-S keyvalue-in-memory-data", |o| !o.common.wasi.keyvalue_in_memory_data.is_empty(), KEYVALUE;
    "-S tls", |o| o.common.wasi.tls == Some(true),
        "wasi:tls is not provided; the program can bring its own TLS";
};

#[rustfmt::skip]
const BY_COMPONENTS: &[Refusal] = refusals! {
    "--preload", |o| !o.preload.is_empty(),
        "a component imports from components; make one of them, with `wac plug` for instance";
    "-S listenfd", |o| o.common.wasi.listenfd == Some(true), LISTENER;
    "-S tcplisten", |o| !o.common.wasi.tcplisten.is_empty(), LISTENER;
    "-W unknown-imports-default", |o| o.common.wasm.unknown_imports_default == Some(true),
        "not every value of a component has a default; -W unknown-imports-trap lets what is called trap";
};

#[rustfmt::skip]
const BY_MODULES: &[Refusal] = refusals! {
    "--allow-net", |o| !o.allow_net.is_empty(),
        "WASI 0.1 has no call that opens a socket; -S tcplisten gives the program one that listens, and a component \
         opens its own";
    "--deny-net", |o| !o.deny_net.is_empty(),
        "WASI 0.1 has no call that opens a socket, so that there is nothing to deny";
};

/// Refuses the first option that does not work here, by name.
///
/// The options must have been read in full, those of a `--config` file among them.
pub(crate) fn check(options: &RunOptions) -> Result<()> {
    refuse(options, REFUSALS, "here")
}

/// Refuses the first option that does not work with components.
pub(crate) fn check_component(options: &RunOptions) -> Result<()> {
    refuse(options, BY_COMPONENTS, "with a component")
}

/// Refuses the first option that does not work with core modules.
pub(crate) fn check_module(options: &RunOptions) -> Result<()> {
    refuse(options, BY_MODULES, "with a core module")
}

fn refuse(options: &RunOptions, refusals: &[Refusal], place: &str) -> Result<()> {
    match refusals.iter().find(|refusal| (refusal.given)(options)) {
        Some(refusal) => bail!("{} does not work {place}: {}", refusal.option, refusal.instead),
        None => Ok(()),
    }
}
