//! `--profile=guest`: samples of the program's own stack.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasmtime::{AsContext, GuestProfiler};

/// A profile that grows.
pub(crate) struct Sampler {
    profiler: GuestProfiler,
    interval: Duration,
    path: PathBuf,
    file: File,
}

impl Sampler {
    /// Begins a profile. The file is made now, so that a run is not lost to a wrong name.
    pub(crate) fn new(
        path: &Path,
        interval: Duration,
        profiler: impl FnOnce() -> wasmtime::Result<GuestProfiler>,
    ) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("--profile: cannot write {}", path.display()))?;
        Ok(Self { profiler: profiler()?, interval, path: path.to_owned(), file })
    }

    /// Takes a sample.
    pub(crate) fn sample(&mut self, store: impl AsContext) {
        self.profiler.sample(store, self.interval);
    }

    /// Writes the profile down.
    pub(crate) fn finish(self) -> Result<()> {
        let written = self.profiler.finish(BufWriter::new(self.file));
        written
            .map_err(anyhow::Error::from)
            .with_context(|| format!("--profile: cannot write {}", self.path.display()))
    }
}
