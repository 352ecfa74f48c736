//! `wasi:random`.

use crate::view::WasiView;
use wasmtime::{Result, format_err};

/// The most that one call gives: of more a guest gets so many and asks again.
const MOST: u64 = 64 << 10;

fn bytes(view: &mut impl WasiView, len: u64) -> Result<Vec<u8>> {
    match view.ctx().limits.random().min(MOST) {
        // A guest that asked again for the rest would do so for ever.
        0 if len > 0 => Err(format_err!("no random bytes are allowed")),
        most => Ok(vec![0; len.min(most) as usize]),
    }
}

crate::randomness::randomness!(wasi_host_bindings::p3::random, bytes, get_insecure_seed);
