//! What can be said on the command line: the one definition behind the parser, `--help`, the man page and the
//! completions.

use clap::{Args, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use wasi_host_virtual::net::Rule;
use wasmtime::ProfilingStrategy;
use wasmtime_cli_flags::CommonOptions;
use wasmtime_cli_flags::opt::WasmtimeOptionValue;

/// Runs a WebAssembly program with just what it is given.
///
/// The program sees its arguments, standard input, output and error, and nothing else of this machine, unless an
/// option gives it: a directory with --dir, a variable with --env, an address of the network with --allow-net, a
/// listening socket with -S tcplisten.
///
/// FILE is a core module, which speaks WASI 0.1 or 0.0, or a component, which speaks WASI 0.2 or
/// 0.3, or both at once.
#[derive(Parser)]
#[command(
    name = "wasi-host",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "wasi-host [run] [OPTIONS] FILE [ARGS]...\n       wasi-host completions SHELL\n       wasi-host man",
    after_help = "\
Exit status:
  that of the program, 0 to 255, when it ran and ended by itself
  1    the program did not start: one line on stderr says why; or its `wasi:cli/run` returned an error
  2    the command line could not be understood
  134  the program trapped, or its time (-W timeout) or fuel (-W fuel) ran out"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunOptions,
}

/// The definition as it is shown: without what is only there to be refused.
pub(crate) fn command() -> clap::Command {
    // Its id is its field's name in `CommonOptions`.
    let hide = |command: clap::Command| command.mut_arg("record_raw", |record| record.hide(true));
    hide(Cli::command()).mut_subcommand("run", hide)
}

/// What to do; without a word, `run`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs a program. The word itself can be left out.
    Run(Box<RunOptions>),
    /// Prints a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, in the form that `man` reads.
    Man,
}

/// The options of `run`.
#[derive(Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) common: CommonOptions,

    /// Gives the program a directory
    ///
    /// HOST is the directory here, GUEST the name that the program knows it by; without GUEST it is the same. With
    /// `::ro` the program can read but change nothing. May be given several times.
    #[arg(long = "dir", value_name = "HOST[::GUEST[::ro]]")]
    pub(crate) dirs: Vec<Preopen>,

    /// Gives the program an environment variable
    ///
    /// Without a value, the variable has the value that it has here; if it is not set here, the program does not see
    /// it either. May be given several times; the last word on a name counts.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<Variable>,

    /// What the program sees as its own name, argument 0; by default the name of FILE
    #[arg(long, value_name = "NAME")]
    pub(crate) argv0: Option<String>,

    /// Lets a component use addresses of the network
    ///
    /// HOST is an IPv4 or IPv6 address, a range of them (10.0.0.0/8), `localhost`, a name, or `*` for every address. A
    /// name is looked up once, at the start, and stands for all its addresses of then. `*.example.com` is for all names
    /// beneath one, each of which stands for what it does when the program first looks it up. PORT is a number or a
    /// range (8000-8010); without it, every port is meant. An IPv6 address with a port is written [::1]:80.
    ///
    /// TCP and UDP sockets may then connect and send to these addresses, and be bound to those among them that are of
    /// this machine; a UDP socket may also be bound, as a sender must be, to a port that the system chooses. May be
    /// given several times. To look names up itself the program needs -S allow-ip-name-lookup; -S inherit-network
    /// allows all addresses; -S tcp=n and -S udp=n forbid one kind of socket.
    #[arg(long = "allow-net", value_name = "HOST[:PORT]")]
    pub(crate) allow_net: Vec<Rule>,

    /// Keeps a component from addresses of the network that --allow-net or -S inherit-network allows
    ///
    /// HOST and PORT are as for --allow-net. What is denied stays denied whatever else allows it. May be given several
    /// times.
    #[arg(long = "deny-net", value_name = "HOST[:PORT]")]
    pub(crate) deny_net: Vec<Rule>,

    /// Calls this exported function instead of `_start` or `wasi:cli/run`
    ///
    /// Of a module: the ARGS are the function's arguments, read by its type: decimal, 0x hexadecimal, signed or
    /// unsigned. Its results are printed one per line.
    ///
    /// Of a component: the arguments are written behind the name, in WAVE: --invoke 'area({width: 2, height: 3.5})'.
    /// A function of an interface is called by its own name, or where that is not enough by that of the interface too:
    /// 'shapes.area(…)', 'my:geometry/shapes@1.0.0#area(…)'. Its result is printed in WAVE, too.
    #[arg(long, value_name = "FUNCTION")]
    pub(crate) invoke: Option<String>,

    /// Loads another core module first; FILE, a core module too, can import its exports from the module NAME
    #[arg(long = "preload", value_name = "NAME=FILE")]
    pub(crate) preload: Vec<Preload>,

    /// Accepted for scripts that pass it; FILE must still be WebAssembly
    ///
    /// Precompiled code cannot be checked, so it is never loaded. It is not needed either: what is compiled is kept
    /// in a cache on disk.
    #[arg(long)]
    pub(crate) allow_precompiled: bool,

    /// Profiles the program: perfmap, jitdump, vtune, pulley, or guest[,FILE[,INTERVAL]]
    ///
    /// The first three inform a profiler of the machine, `perf` for one. `guest` takes a sample every INTERVAL (10ms)
    /// and writes them to FILE (wasi-host-profile.json), which profiler.firefox.com shows.
    #[arg(long, value_name = "STRATEGY")]
    pub(crate) profile: Option<Profile>,

    /// Refused: debug natively, with -D debug-info
    #[arg(short = 'g', long = "gdbstub", value_name = "[ADDRESS:]PORT", hide = true)]
    pub(crate) gdbstub: Option<String>,

    /// The program, .wasm or .wat, and its arguments; options stand before it
    #[arg(value_name = "FILE", required = true, trailing_var_arg = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) file_and_args: Vec<OsString>,
}

/// `--dir HOST[::GUEST[::ro]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preopen {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) read_only: bool,
}

impl FromStr for Preopen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split("::").collect();
        let (host, guest, read_only) = match parts[..] {
            [host] => (host, host, false),
            [host, guest] => (host, guest, false),
            [host, guest, "ro"] => (host, guest, true),
            [_, _, other] => return Err(format!("`{other}` is no permission; only `ro`, read-only, is")),
            _ => return Err("more than three parts; the form is HOST[::GUEST[::ro]]".into()),
        };
        if host.is_empty() {
            return Err("HOST is empty; `.` is the current directory".into());
        }
        if guest.is_empty() {
            return Err("GUEST is empty; `.` is where relative paths of the program begin".into());
        }
        Ok(Self { host: host.into(), guest: guest.into(), read_only })
    }
}

/// `--env NAME[=VALUE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("the name is empty; the form is NAME or NAME=VALUE".into());
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

/// `--preload NAME=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preload {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

impl FromStr for Preload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, file)) if !file.is_empty() => Ok(Self { name: name.to_owned(), file: file.into() }),
            _ => Err("no file; the form is NAME=FILE".into()),
        }
    }
}

/// `--profile STRATEGY`.
#[derive(Clone, Debug)]
pub(crate) enum Profile {
    /// A profiler outside this process is told where the compiled code lies.
    Native(ProfilingStrategy),
    /// Samples of the guest's own stack.
    Guest { file: PathBuf, interval: Duration },
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').collect();
        let guest = |file: &str, interval| Ok(Self::Guest { file: file.into(), interval });
        let ten = Duration::from_millis(10);
        match parts[..] {
            ["perfmap"] => Ok(Self::Native(ProfilingStrategy::PerfMap)),
            ["jitdump"] => Ok(Self::Native(ProfilingStrategy::JitDump)),
            ["vtune"] => Ok(Self::Native(ProfilingStrategy::VTune)),
            ["pulley"] => Ok(Self::Native(ProfilingStrategy::Pulley)),
            ["guest"] => guest("wasi-host-profile.json", ten),
            ["guest", file] => guest(file, ten),
            ["guest", file, interval] => match <Duration as WasmtimeOptionValue>::parse(Some(interval)) {
                Ok(interval) if !interval.is_zero() => guest(file, interval),
                _ => Err(format!("`{interval}` is no interval; write 10ms, for one")),
            },
            _ => Err("the strategies are perfmap, jitdump, vtune, pulley and guest[,FILE[,INTERVAL]]".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn directories() {
        let dir = |host: &str, guest: &str, read_only| {
            Ok(Preopen { host: host.into(), guest: guest.into(), read_only })
        };
        assert_eq!("data".parse(), dir("data", "data", false));
        assert_eq!("data::/d".parse(), dir("data", "/d", false));
        assert_eq!("a:b::/d::ro".parse(), dir("a:b", "/d", true));
        for wrong in ["", "::/d", "data::", "data::/d::rw", "data::/d::ro::"] {
            assert!(wrong.parse::<Preopen>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn variables() {
        let variable = |name: &str, value: Option<&str>| {
            Ok(Variable { name: name.into(), value: value.map(str::to_owned) })
        };
        assert_eq!("A".parse(), variable("A", None));
        assert_eq!("A=".parse(), variable("A", Some("")));
        assert_eq!("A=b=c".parse(), variable("A", Some("b=c")));
        assert!("=b".parse::<Variable>().is_err());
    }
}
