//! What can be said on the command line: the one definition behind the parser, `--help`, the man page and the
//! completions.

use crate::clock::Clock;
use crate::filesystems::{Archive, Bound, Memory, Overlay, Preopen};
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
/// option gives it: a directory with --dir, one in memory with --mem, a variable with --env, an address of the network
/// with --allow-net, a listening socket with -S tcplisten.
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
    // Its id is its field's name in `CommonOptions`; by its long name there is another.
    let engine = |record: clap::Arg| record.hide(true).long("record-engine");
    let hide = |command: clap::Command| command.mut_arg("record_raw", engine);
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
    ///
    /// Where one GUEST lies in another, /lib in / for one, each is given by itself, however they are made: of a path,
    /// programs use that which says more. A listing of / does not show /lib.
    #[arg(long = "dir", value_name = "HOST[::GUEST[::ro]]")]
    pub(crate) dirs: Vec<Preopen>,

    /// Gives the program a directory in memory
    ///
    /// It is empty, or begins as a copy of HOST, a directory or an archive, of which devices, FIFOs and sockets are left
    /// out. It is gone when the program ends. It may hold 1 GiB, unless --quota says otherwise. May be given several
    /// times.
    #[arg(long = "mem", value_name = "GUEST[=HOST]")]
    pub(crate) mem: Vec<Memory>,

    /// Gives the program a directory that it can write to, while HOST stays as it is
    ///
    /// HOST is a directory or an archive. What the program writes is kept in memory and gone when it ends, or kept in
    /// the directory UPPER, in the form of layers of container images: there it is seen again the next time. Nobody
    /// else may change either meanwhile. May be given several times.
    #[arg(long = "overlay", value_name = "HOST::GUEST[=UPPER]")]
    pub(crate) overlays: Vec<Overlay>,

    /// Gives the program what is in an archive, to read
    ///
    /// FILE is a tar archive, not compressed, or a zip archive. It is read in place, not unpacked, and nobody may
    /// change it meanwhile. May be given several times.
    #[arg(long = "archive", value_name = "FILE::GUEST")]
    pub(crate) archives: Vec<Archive>,

    /// Bounds what directories may hold: BYTES, and INODES files, directories and links
    ///
    /// The bound is that of the directory GUEST, or without GUEST that of each that has none of its own. Beyond, the
    /// program is told that the disk is full. K, M, G and T behind a number are units of 1024. Of --dir, all that is in
    /// it counts, byte by byte, and it is looked through at the start; of --overlay, what is written; in memory, files
    /// count in pages of 4096 bytes, and each name and file takes a little, too. May be given several times.
    #[arg(long = "quota", value_name = "[GUEST=]BYTES[,INODES]")]
    pub(crate) quotas: Vec<Bound>,

    /// Says at the end on stderr what of each --overlay is added (A), modified (M) or deleted (D)
    #[arg(long)]
    pub(crate) diff: bool,

    /// Writes to stderr, or to FILE, what the program does with files
    ///
    /// First there is a line for each directory that it was given and what that is; then one for each operation with its
    /// result.
    #[arg(long = "trace-fs", value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub(crate) trace_fs: Option<Option<PathBuf>>,

    /// Has the program run the same each time: time, chance, and what directories tell
    ///
    /// Time begins in the year 2000, or as --clock @TIME says, and goes by when the program waits, and then at once.
    /// Random numbers come from SEED, a number (0). Names in directories are in order, and inode numbers and times are
    /// the same in every run. NaNs and relaxed SIMD are the same on every machine. The network and standard input
    /// stay what they are.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub(crate) deterministic: Option<u64>,

    /// Sets the program's clocks: frozen, virtual, @TIME, or one of the first two and @TIME
    ///
    /// `frozen`: the clock on the wall stands still. `virtual`: time begins in the year 2000 and goes by when the program
    /// waits, and then at once: who sleeps for an hour goes on immediately; each look at a clock takes a microsecond.
    /// `@TIME`: the clock on the wall shows TIME when the program begins, in seconds since 1970 or as a date in UTC,
    /// @2030-01-31T12:00:00Z.
    #[arg(long, value_name = "CLOCK")]
    pub(crate) clock: Option<Clock>,

    /// Writes down in FILE all that the program is given, to --replay it
    ///
    /// That is what it reads, what its clocks show, what comes from the network: secrets, too. What it writes is not in
    /// it, but for checksums.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// Gives the program what was recorded in FILE, and nothing else
    ///
    /// It is the same program, with the same options -W. Arguments behind FILE stand for all those of the recording, and so
    /// does --env for all its variables. If the program does other than what was recorded, the first call that differs is
    /// named, and the exit status is 1.
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,

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
