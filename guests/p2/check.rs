//! Named checks: a component without arguments runs them all and prints `ok NAME` for each that
//! holds; with a name it runs that one; with `--list` it prints the names.

#![allow(dead_code)] // Each program uses a part of this.

use std::fmt::{Debug, Write as _};
use std::panic::Location;
use wasip2::cli::environment::get_arguments;
use wasip2::cli::stderr::get_stderr;
use wasip2::cli::stdout::get_stdout;
use wasip2::io::streams::OutputStream;

/// Why a check failed: what differed and where, or the error of a call that should have succeeded.
/// Not `Debug`, so that `?` can make it of every error that is.
pub struct Failure(pub String);

impl Failure {
    #[track_caller]
    pub fn new(what: String) -> Self {
        Self(format!("line {}: {what}", Location::caller().line()))
    }
}

impl<E: Debug> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(format!("expected success, got {error:?}"))
    }
}

pub type Check = Result<(), Failure>;

#[macro_export]
macro_rules! equal {
    ($got:expr, $want:expr) => {{
        let (got, want) = (&$got, &$want);
        if got != want {
            let what = stringify!($got);
            return Err($crate::check::Failure::new(format!("{what}: expected {want:?}, got {got:?}")));
        }
    }};
}

#[macro_export]
macro_rules! holds {
    ($condition:expr) => {
        if !$condition {
            let what = stringify!($condition);
            return Err($crate::check::Failure::new(format!("expected to hold: {what}")));
        }
    };
}

/// The call fails with this error; with one of them, where the standard leaves a choice.
#[macro_export]
macro_rules! fails {
    ($call:expr, $($error:pat_param)|+) => {
        match $call.map(drop) {
            Err($($error)|+) => {}
            other => {
                let (what, want) = (stringify!($call), stringify!($($error)|+));
                return Err($crate::check::Failure::new(format!("{what}: expected {want}, got {other:?}")));
            }
        }
    };
}

/// A table of checks from the names of their functions.
#[macro_export]
macro_rules! checks {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name)),*] };
}

/// Makes a component of a function.
#[macro_export]
macro_rules! command {
    ($run:expr) => {
        struct Command;
        wasip2::cli::command::export!(Command);
        impl wasip2::exports::cli::run::Guest for Command {
            fn run() -> Result<(), ()> {
                std::panic::set_hook(Box::new(|info| $crate::check::complain(&info.to_string())));
                $run
            }
        }
    };
}

/// Writes all of a text to a stream.
pub fn say(stream: OutputStream, text: &str) {
    for piece in text.as_bytes().chunks(4096) {
        stream.blocking_write_and_flush(piece).expect("a standard stream takes text");
    }
}

/// Writes a line to stderr.
pub fn complain(text: &str) {
    say(get_stderr(), &format!("{text}\n"));
}

/// Runs what the arguments ask for, each check through `call`.
pub fn run<F: Copy>(checks: &[(&str, F)], call: impl Fn(&str, F) -> Check) -> Result<(), ()> {
    let arguments = get_arguments();
    let only = arguments.get(1);
    let (mut out, mut found, mut result) = (String::new(), false, Ok(()));
    for &(name, check) in checks {
        match only.map(String::as_str) {
            Some("--list") => writeln!(out, "{name}").unwrap(),
            Some(only) if only != name => continue,
            _ => match call(name, check) {
                Ok(()) if only.is_none() => writeln!(out, "ok {name}").unwrap(),
                Ok(()) => {}
                Err(Failure(why)) => {
                    complain(&format!("{name}: {why}"));
                    result = Err(());
                }
            },
        }
        found = true;
    }
    if !found {
        complain(&format!("no check is called {only:?}"));
        return Err(());
    }
    say(get_stdout(), &out);
    result
}
