//! `--record` and `--replay`: a run that is written down, or one that was.

use crate::options::RunOptions;
use anyhow::{Context, Result, anyhow, bail};
use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;
use wasi_host::WasiCtxBuilder;
use wasi_host::record::{LogError, Recorder, Replay};

/// What is written down of the run.
pub(crate) enum Tape {
    /// Nothing.
    None,
    /// All that the program is given, to this file, which is made when the program is about to run.
    Records(PathBuf, OnceLock<Recorder>),
    /// The program is given what this file says.
    Replays(PathBuf, Replay),
}

impl Tape {
    /// Opens what the options name.
    ///
    /// # Errors
    ///
    /// If a file cannot be read as a log; if the program would be given more than the log.
    pub(crate) fn open(options: &RunOptions) -> Result<Self> {
        match (&options.record, &options.replay) {
            (None, None) => Ok(Self::None),
            (Some(path), None) => Ok(Self::Records(path.clone(), OnceLock::new())),
            (None, Some(path)) => {
                if let Some(option) = given(options) {
                    bail!("{option} does not work with --replay: the program is given what the log says");
                }
                let log = std::fs::read(path)
                    .with_context(|| format!("--replay {}: it cannot be read", path.display()))?;
                let replay = match Replay::open(log.clone()) {
                    // All that its recorder came to write.
                    Err(LogError::CutOff { .. }) => Replay::salvage(log),
                    replay => replay,
                };
                Ok(Self::Replays(
                    path.clone(),
                    replay.with_context(|| format!("--replay {}", path.display()))?,
                ))
            }
            (Some(_), Some(_)) => bail!("--record does not work with --replay: it would write the same log"),
        }
    }

    /// Whether the program is given what a log says.
    pub(crate) fn replays(&self) -> bool {
        matches!(self, Self::Replays(..))
    }

    /// Puts the program's context on the tape.
    ///
    /// # Errors
    ///
    /// If the log cannot be written.
    pub(crate) fn give(&self, builder: &mut WasiCtxBuilder) -> Result<()> {
        match self {
            Self::None => {}
            Self::Records(path, recorder) => {
                let file = File::create(path)
                    .with_context(|| format!("--record {}: it cannot be written", path.display()))?;
                builder.record(recorder.get_or_init(|| Recorder::new(file)));
            }
            Self::Replays(_, replay) => drop(builder.replay(replay)),
        }
        Ok(())
    }

    /// Ends it, when the program has ended.
    ///
    /// # Errors
    ///
    /// If the log could not be written; if the program did other than what was recorded.
    pub(crate) fn finish(&self) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Records(path, recorder) => recorder
                .get()
                .map_or(Ok(()), Recorder::finish)
                .with_context(|| format!("--record {}: the log is not complete", path.display())),
            Self::Replays(path, replay) => {
                replay.finish().map_err(|astray| anyhow!("--replay {}: {astray}", path.display()))
            }
        }
    }
}

/// The first option that would give the program something.
fn given(options: &RunOptions) -> Option<&'static str> {
    let wasi = &options.common.wasi;
    let all = [
        ("--dir", !options.dirs.is_empty()),
        ("--mem", !options.mem.is_empty()),
        ("--overlay", !options.overlays.is_empty()),
        ("--archive", !options.archives.is_empty()),
        ("--quota", !options.quotas.is_empty()),
        ("--trace-fs", options.trace_fs.is_some()),
        ("--allow-net", !options.allow_net.is_empty()),
        ("--deny-net", !options.deny_net.is_empty()),
        ("--clock", options.clock.is_some()),
        ("--deterministic", options.deterministic.is_some()),
        ("-S cwd", wasi.cwd.is_some()),
        ("-S listenfd", wasi.listenfd == Some(true)),
        ("-S tcplisten", !wasi.tcplisten.is_empty()),
        ("-S inherit-network", wasi.inherit_network == Some(true)),
        ("-S allow-ip-name-lookup", wasi.allow_ip_name_lookup == Some(true)),
        ("-S max-random-size", wasi.max_random_size.is_some()),
    ];
    all.into_iter().find_map(|(option, given)| given.then_some(option))
}
