//! `wasi:random`.

use crate::ctx::fill_random;
use crate::view::{WasiImpl, WasiView};
use wasi_host_bindings::p2::random::{insecure, insecure_seed, random};
use wasi_host_core::random::RngCore;
use wasmtime::{Result, format_err};

/// How many bytes a guest may have at once.
pub(super) fn length(view: &mut impl WasiView, len: u64) -> Result<usize> {
    let most = view.ctx().limits.random;
    match usize::try_from(len) {
        Ok(n) if len <= most => Ok(n),
        _ => Err(format_err!("{len} random bytes at once are more than the {most} that are allowed")),
    }
}

impl<T: WasiView> random::Host for WasiImpl<T> {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length(self, len)?];
        fill_random(&mut *self.ctx().random, &mut bytes)?;
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        Ok(self.ctx().random.next_u64())
    }
}

impl<T: WasiView> insecure::Host for WasiImpl<T> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length(self, len)?];
        fill_random(&mut *self.ctx().insecure_random, &mut bytes)?;
        Ok(bytes)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        Ok(self.ctx().insecure_random.next_u64())
    }
}

impl<T: WasiView> insecure_seed::Host for WasiImpl<T> {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        let seed = self.ctx().insecure_random_seed();
        Ok((seed as u64, (seed >> 64) as u64))
    }
}
