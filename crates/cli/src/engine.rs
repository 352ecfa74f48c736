//! The engine: every option that is one of Wasmtime's own, and where compiled code is kept.

use crate::options::{Profile, RunOptions};
use anyhow::{Result, bail};
use etcetera::BaseStrategy;
use wasmtime::{Cache, CacheConfig, Engine};

/// Reads the options in full, `--config` among them: until then the groups -O, -C, -D, -W and -S are empty.
pub(crate) fn read(options: &mut RunOptions) -> Result<()> {
    Ok(options.common.init_logging()?)
}

/// Builds the engine.
pub(crate) fn new(options: &mut RunOptions) -> Result<Engine> {
    let common = &mut options.common;
    let ticks = common.wasm.timeout.is_some() || matches!(options.profile, Some(Profile::Guest { .. }));
    if ticks && common.wasm.epoch_interruption == Some(false) {
        bail!("-W timeout and --profile=guest need epoch interruption: leave out -W epoch-interruption=n");
    }
    let own_cache = common.codegen.cache != Some(false) && common.codegen.cache_config.is_none();
    if own_cache {
        // Its own place on disk would be Wasmtime's.
        common.codegen.cache = Some(false);
    }
    if options.deterministic.is_some() || options.record.is_some() || options.replay.is_some() {
        // What differs from machine to machine.
        common.wasm.nan_canonicalization.get_or_insert(true);
        common.wasm.relaxed_simd_deterministic.get_or_insert(true);
    }
    let mut config = common.config(None)?;
    if own_cache {
        config.cache(cache());
    }
    if ticks {
        config.epoch_interruption(true);
    }
    if let Some(Profile::Native(strategy)) = &options.profile {
        config.profiler(*strategy);
    }
    Engine::new(&config).map_err(|error| error.context("these options do not go together").into())
}

/// The cache of this command, in the user's cache folder. Where there is none that can be written, there is no cache:
/// programs run all the same.
fn cache() -> Option<Cache> {
    let base = etcetera::choose_base_strategy().ok()?;
    let mut config = CacheConfig::new();
    config.with_directory(base.cache_dir().join("wasi-host"));
    Cache::new(config).ok()
}
