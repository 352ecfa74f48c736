//! The command `wasi-host`: runs a WebAssembly program with just what it is given.

mod clock;
mod component;
mod context;
mod engine;
mod exports;
mod filesystems;
mod load;
mod module;
mod network;
mod options;
mod outcome;
mod profile;
mod refused;
mod run;
mod tape;
mod timer;

use anyhow::Result;
use clap::FromArgMatches;
use options::{Cli, Command};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&options::command().get_matches()).unwrap_or_else(|error| error.exit());
    let ended = match cli.command {
        None => run::run(cli.run),
        Some(Command::Run(options)) => run::run(*options),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man) => man(),
    };
    ExitCode::from(ended.unwrap_or_else(|error| {
        // Nobody may be reading.
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
        outcome::FAILED
    }))
}

fn completions(shell: clap_complete::Shell) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut options::command(), "wasi-host", &mut script);
    print(&script)
}

fn man() -> Result<u8> {
    let man = clap_mangen::Man::new(options::command());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    // Not the subcommands, as pages of their own: there is this one.
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    print(&page)
}

fn print(text: &[u8]) -> Result<u8> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(0),
    }
}
