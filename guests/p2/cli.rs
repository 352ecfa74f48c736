//! `wasi:cli`. Beside the checks there are actions, whose effects only the caller can see:
//!
//! `arguments`, `environment`, `cwd`, `terminals` print what the host gave; `echo` copies stdin to
//! stdout; `complain TEXT` writes to stderr; `return-error` returns an error; `exit ok`,
//! `exit error` and `exit-with-code N` do not return, whatever comes behind them.

#[macro_use]
mod check;

use check::{complain, say, Check};
use wasip2::cli::environment::{get_arguments, get_environment, initial_cwd};
use wasip2::cli::exit::{exit, exit_with_code};
use wasip2::cli::stderr::get_stderr;
use wasip2::cli::stdin::get_stdin;
use wasip2::cli::stdout::get_stdout;
use wasip2::cli::terminal_stderr::get_terminal_stderr;
use wasip2::cli::terminal_stdin::get_terminal_stdin;
use wasip2::cli::terminal_stdout::get_terminal_stdout;
use wasip2::io::streams::StreamError;

/// The same on each call.
fn environment() -> Check {
    let variables = get_environment();
    holds!(variables.iter().all(|(name, _)| !name.is_empty() && !name.contains('=')));
    equal!(get_environment(), variables);
    Ok(())
}

fn arguments() -> Check {
    let arguments = get_arguments();
    holds!(!arguments.is_empty());
    equal!(get_arguments(), arguments);
    Ok(())
}

fn working_directory() -> Check {
    let cwd = initial_cwd();
    holds!(cwd.as_deref() != Some(""));
    equal!(initial_cwd(), cwd);
    Ok(())
}

/// Each call gives a handle of its own to the one stream.
fn standard_streams() -> Check {
    for get in [get_stdout, get_stderr] {
        let (first, second) = (get(), get());
        holds!(first.handle() != second.handle());
        drop(first);
        second.subscribe().block();
        holds!(second.check_write()? > 0);
        second.write(b"")?;
        second.blocking_flush()?;
    }
    let (first, second) = (get_stdin(), get_stdin());
    holds!(first.handle() != second.handle());
    drop(first);
    equal!(second.read(0)?, b"");
    Ok(())
}

/// Standard input comes to its end, and the end lasts.
fn end_of_input() -> Check {
    let stdin = get_stdin();
    while stdin.blocking_read(1000).is_ok() {}
    fails!(stdin.read(1), StreamError::Closed);
    fails!(stdin.blocking_read(1), StreamError::Closed);
    fails!(get_stdin().blocking_skip(1), StreamError::Closed);
    let pollable = stdin.subscribe();
    pollable.block();
    holds!(pollable.ready());
    Ok(())
}

fn terminals() -> Check {
    equal!(get_terminal_stdin().is_some(), get_terminal_stdin().is_some());
    equal!(get_terminal_stdout().is_some(), get_terminal_stdout().is_some());
    equal!(get_terminal_stderr().is_some(), get_terminal_stderr().is_some());
    Ok(())
}

fn echo() {
    let (stdin, stdout) = (get_stdin(), get_stdout());
    loop {
        match stdin.blocking_read(4096) {
            Ok(bytes) => stdout.blocking_write_and_flush(&bytes).unwrap(),
            Err(StreamError::Closed) => return,
            Err(error) => panic!("{error:?}"),
        }
    }
}

const CHECKS: &[(&str, fn() -> Check)] =
    checks![environment, arguments, working_directory, standard_streams, end_of_input, terminals];

fn run() -> Result<(), ()> {
    let arguments = get_arguments();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        ["arguments", ..] if words.len() > 1 => say(get_stdout(), &format!("{:?}", &words[1..])),
        ["environment", "-"] => say(get_stdout(), &format!("{:?}", get_environment())),
        ["cwd"] => say(get_stdout(), &format!("{:?}", initial_cwd())),
        ["terminals", "-"] => {
            let found = (get_terminal_stdin(), get_terminal_stdout(), get_terminal_stderr());
            let found = [found.0.is_some(), found.1.is_some(), found.2.is_some()];
            say(get_stdout(), &format!("{found:?}"));
        }
        ["echo"] => echo(),
        ["complain", text] => complain(text),
        ["return-error"] => return Err(()),
        ["exit", how] => {
            exit(if how == "ok" { Ok(()) } else { Err(()) });
            panic!("exit returned");
        }
        ["exit-with-code", code] => {
            exit_with_code(code.parse().unwrap());
            panic!("exit-with-code returned");
        }
        _ => return check::run(CHECKS, |_, check| check()),
    }
    Ok(())
}

command!(run());
