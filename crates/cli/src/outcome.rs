//! How a program ended: its exit status, and what to say on stderr.

use crate::load::chain;
use crate::timer::TimedOut;
use anyhow::anyhow;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use wasi_host::{I32Exit, Interrupted};
use wasmtime::{AsContextMut, Error, ThrownException, Trap, WasmBacktrace, WasmCoreDump};

/// The exit status after a trap: what a shell shows for a process that aborted.
pub(crate) const TRAPPED: u8 = 134;

/// The exit status when the program did not start, or its own status is none.
pub(crate) const FAILED: u8 = 1;

/// One line on stderr. That nobody reads it is no error.
pub(crate) fn report(subject: &dyn Display, text: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "error: {subject}: {text}");
}

/// How a program ended that ended by itself.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) status: u8,
    /// What a function that `--invoke` names gave back, each value in a line.
    pub(crate) results: String,
}

impl Ended {
    /// Prints the results, and gives the exit status. That nobody reads them is no error.
    pub(crate) fn print(self) -> u8 {
        let _ = std::io::stdout().lock().write_all(self.results.as_bytes());
        self.status
    }
}

/// What kept a program from its end.
pub(crate) enum Stop {
    /// It could not begin.
    Before(anyhow::Error),
    /// The code of this file ended with an error.
    Within(PathBuf, Error),
}

impl Stop {
    pub(crate) fn within(file: &Path, error: Error) -> Self {
        Self::Within(file.to_owned(), error)
    }

    /// That a file could not be instantiated, unless it was its own code that failed.
    pub(crate) fn instantiating(file: &Path, error: Error) -> Self {
        if error.is::<WasmBacktrace>() || error.is::<Trap>() || error.is::<ThrownException>() {
            return Self::within(file, error);
        }
        Self::Before(anyhow!("{}: {}", file.display(), chain(&error)))
    }

    /// That it left is an end by itself.
    pub(crate) fn left(self) -> Result<Ended, Self> {
        match &self {
            Self::Within(_, error) => match error.downcast_ref() {
                // What a process can give: the low eight bits, as after C's `exit`.
                Some(&I32Exit(status)) => Ok(Ended { status: status as u8, ..Ended::default() }),
                None => Err(self),
            },
            Self::Before(_) => Err(self),
        }
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Before(error)
    }
}

/// The exit status for what stopped the program, after saying why.
///
/// # Errors
///
/// If it did not come to run.
pub(crate) fn of(
    stop: Stop,
    timed_out: Option<TimedOut>,
    store: impl AsContextMut,
    core_dump: Option<&Path>,
) -> anyhow::Result<u8> {
    let (file, error) = match stop {
        Stop::Before(error) => return Err(error),
        Stop::Within(file, error) => (file, error),
    };
    match timed_out.filter(|_| error.is::<Interrupted>()) {
        Some(timed_out) => report(&file.display(), &timed_out),
        None => report(&file.display(), &format_args!("{}{}", message(&error), hint(&error))),
    }
    // There is none if the program ended while it waited. Its first line says what the message has said.
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    if let Some((_, frames)) =
        backtrace.map(ToString::to_string).as_deref().and_then(|text| text.split_once('\n'))
    {
        let _ = writeln!(std::io::stderr(), "wasm backtrace:\n{frames}");
    }
    if let (Some(dump), Some(to)) = (error.downcast_ref(), core_dump) {
        write_core_dump(store, dump, to, &file);
    }
    Ok(TRAPPED)
}

/// The causes, without the context that Wasmtime adds for what is printed by itself.
fn message(error: &Error) -> String {
    let apart: Vec<String> = [
        error.downcast_ref::<WasmBacktrace>().map(ToString::to_string),
        error.downcast_ref::<WasmCoreDump>().map(ToString::to_string),
    ]
    .into_iter()
    .flatten()
    .collect();
    let causes: Vec<String> =
        error.chain().map(ToString::to_string).filter(|text| !apart.contains(text)).collect();
    if causes.is_empty() { chain(error) } else { causes.join(": ") }
}

fn hint(error: &Error) -> &'static str {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => " (-W fuel=N gives more)",
        Some(Trap::StackOverflow) => " (-W max-wasm-stack=BYTES gives more)",
        _ => "",
    }
}

/// Keeps the state at the trap for a debugger.
fn write_core_dump(store: impl AsContextMut, dump: &WasmCoreDump, file: &Path, program: &Path) {
    let bytes = dump.serialize(store, &program.display().to_string());
    if let Err(error) = std::fs::write(file, bytes) {
        report(&"-D coredump", &format_args!("cannot write {}: {error}", file.display()));
    }
}
