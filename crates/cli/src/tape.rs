//! `--record` and `--replay`: a run that is written down, or one that was.

use crate::options::RunOptions;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::PathBuf;
use wasi_host::WasiCtxBuilder;
use wasi_host::record::{Recorder, Replay};

/// What is written down of the run.
pub(crate) enum Tape {
    /// Nothing.
    None,
    /// All that the program is given, to this file.
    Records(Recorder, PathBuf),
    /// The program is given what this file says.
    Replays(Replay, PathBuf),
}

impl Tape {
    /// Opens what the options name.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or cannot be read as a log; if the program is given more than the log.
    pub(crate) fn open(options: &RunOptions) -> Result<Self> {
        match (&options.record, &options.replay) {
            (None, None) => Ok(Self::None),
            (Some(path), None) => {
                let file = File::create(path)
                    .with_context(|| format!("--record {}: it cannot be written", path.display()))?;
                Ok(Self::Records(Recorder::new(file), path.clone()))
            }
            (None, Some(path)) => {
                if let Some(option) = given(options) {
                    bail!("{option} does not work with --replay: the program is given what the log says");
                }
                let log = std::fs::read(path)
                    .with_context(|| format!("--replay {}: it cannot be read", path.display()))?;
                let replay = Replay::open(log).with_context(|| format!("--replay {}", path.display()))?;
                Ok(Self::Replays(replay, path.clone()))
            }
            (Some(_), Some(_)) => {
                bail!("--record does not work with --replay: a copy of the log would be the same")
            }
        }
    }

    /// Whether the program is given what a log says.
    pub(crate) fn replays(&self) -> bool {
        matches!(self, Self::Replays(..))
    }

    /// Puts the program's context on the tape.
    pub(crate) fn give(&self, builder: &mut WasiCtxBuilder) {
        match self {
            Self::None => {}
            Self::Records(recorder, _) => drop(builder.record(recorder)),
            Self::Replays(replay, _) => drop(builder.replay(replay)),
        }
    }

    /// Ends it, when the program has ended.
    ///
    /// # Errors
    ///
    /// If the log could not be written; if the program did other than what was recorded.
    pub(crate) fn finish(&self) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Records(recorder, path) => recorder
                .finish()
                .with_context(|| format!("--record {}: the log is not complete", path.display())),
            Self::Replays(replay, path) => {
                replay.finish().with_context(|| format!("--replay {}", path.display()))
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
        ("--allow-net", !options.allow_net.is_empty()),
        ("--deny-net", !options.deny_net.is_empty()),
        ("--clock", options.clock.is_some()),
        ("--deterministic", options.deterministic.is_some()),
        ("-S listenfd", wasi.listenfd == Some(true)),
        ("-S tcplisten", !wasi.tcplisten.is_empty()),
        ("-S inherit-network", wasi.inherit_network == Some(true)),
    ];
    all.into_iter().find_map(|(option, given)| given.then_some(option))
}
