//! `wasi:random`.

use crate::view::WasiView;
use wasmtime::{Result, format_err};

/// How many bytes a guest may have at once.
pub(super) fn length(view: &mut impl WasiView, len: u64) -> Result<usize> {
    let most = view.ctx().limits.random();
    match usize::try_from(len) {
        Ok(n) if len <= most => Ok(n),
        _ => Err(format_err!("{len} random bytes at once are more than the {most} that are allowed")),
    }
}

fn bytes(view: &mut impl WasiView, len: u64) -> Result<Vec<u8>> {
    Ok(vec![0; length(view, len)?])
}

crate::randomness::randomness!(wasi_host_bindings::p2::random, bytes, insecure_seed);
