//! Named checks: a component without arguments runs them all and prints `ok NAME` for each that
//! holds; with a name it runs that one; with `--list` it prints the names.

#![allow(dead_code)] // Each program uses a part of this.

use crate::io::{drain, Done};
use std::fmt::{Debug, Write as _};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use wasip3::cli::environment::get_arguments;
use wasip3::cli::types::ErrorCode;
use wasip3::cli::{stderr, stdout};
use wasip3::wit_bindgen::{block_on, StreamReader};

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

#[track_caller]
pub fn differs(what: &str, want: &str, got: &dyn Debug) -> Failure {
    Failure::new(format!("{what}: expected {want}, got {got:?}"))
}

pub type Check = Result<(), Failure>;

/// A check that is going on.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Check> + 'a>>;

#[macro_export]
macro_rules! equal {
    ($got:expr, $want:expr) => {{
        let (got, want) = (&$got, &$want);
        if got != want {
            return Err($crate::check::differs(stringify!($got), &format!("{want:?}"), got));
        }
    }};
}

#[macro_export]
macro_rules! holds {
    ($condition:expr) => {
        if !$condition {
            return Err($crate::check::differs(stringify!($condition), "true", &false));
        }
    };
}

/// What has no equality is one of these.
#[macro_export]
macro_rules! is {
    ($got:expr, $($want:pat_param)|+) => {{
        let got = $got;
        if !matches!(got, $($want)|+) {
            return Err($crate::check::differs(stringify!($got), stringify!($($want)|+), &got));
        }
    }};
}

/// The call fails with this error; with one of them, where the standard leaves a choice.
#[macro_export]
macro_rules! fails {
    ($call:expr, $($error:pat_param)|+) => {{
        let got = $call.map(drop);
        if !matches!(got, Err($($error)|+)) {
            return Err($crate::check::differs(stringify!($call), stringify!($($error)|+), &got));
        }
    }};
}

/// A table of checks from the names of their functions, which take nothing, or what is named first.
#[macro_export]
macro_rules! checks {
    ($argument:ident: $($name:ident),* $(,)?) => {
        &[$((stringify!($name), |$argument| Box::pin($name($argument)))),*]
    };
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), || Box::pin($name()))),*] };
}

/// Makes a component of an asynchronous expression.
#[macro_export]
macro_rules! command {
    ($run:expr) => {
        struct Command;
        wasip3::cli::command::export!(Command);
        impl wasip3::exports::cli::run::Guest for Command {
            async fn run() -> Result<(), ()> {
                $crate::check::panics_are_told();
                $run.await
            }
        }
    };
}

pub fn panics_are_told() {
    std::panic::set_hook(Box::new(|info| block_on(complain(&info.to_string()))));
}

/// Writes all of a text to a standard stream, and waits until it is there.
pub async fn say_to(write: fn(StreamReader<u8>) -> Done<ErrorCode>, text: &str) {
    let told = drain(text.as_bytes().to_vec(), write).await;
    assert!(matches!(told, Ok(())), "a standard stream takes text: {told:?}");
}

/// Writes a text to stdout.
pub async fn say(text: &str) {
    say_to(stdout::write_via_stream, text).await;
}

/// Writes a line to stderr.
pub async fn complain(text: &str) {
    say_to(stderr::write_via_stream, &format!("{text}\n")).await;
}

/// Runs what the arguments ask for, each check through `call`.
pub async fn run<F: Copy>(checks: &[(&str, F)], call: impl AsyncFn(&str, F) -> Check) -> Result<(), ()> {
    let arguments = get_arguments();
    let only = arguments.get(1);
    let (mut out, mut found, mut result) = (String::new(), false, Ok(()));
    for &(name, check) in checks {
        match only.map(String::as_str) {
            Some("--list") => writeln!(out, "{name}").unwrap(),
            Some(only) if only != name => continue,
            _ => match call(name, check).await {
                Ok(()) if only.is_none() => writeln!(out, "ok {name}").unwrap(),
                Ok(()) => {}
                Err(Failure(why)) => {
                    complain(&format!("{name}: {why}")).await;
                    result = Err(());
                }
            },
        }
        found = true;
    }
    if !found {
        complain(&format!("no check is called {only:?}")).await;
        return Err(());
    }
    say(&out).await;
    result
}
