//! `wasi:random`.

use crate::ctx::fill_random;
use crate::view::{WasiImpl, WasiView};
use wasi_host_bindings::p3::random::{insecure, insecure_seed, random};
use wasi_host_core::random::RngCore;
use wasmtime::Result;

/// The most that one call gives: of more a guest gets so many and asks again.
const MOST: u64 = 64 << 10;

fn bytes(view: &mut impl WasiView, len: u64) -> Vec<u8> {
    vec![0; len.min(MOST).min(view.ctx().limits.random) as usize]
}

impl<T: WasiView> random::Host for WasiImpl<T> {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        let mut bytes = bytes(self, len);
        fill_random(&mut *self.ctx().random, &mut bytes)?;
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        Ok(self.ctx().random.next_u64())
    }
}

impl<T: WasiView> insecure::Host for WasiImpl<T> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        let mut bytes = bytes(self, len);
        fill_random(&mut *self.ctx().insecure_random, &mut bytes)?;
        Ok(bytes)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        Ok(self.ctx().insecure_random.next_u64())
    }
}

impl<T: WasiView> insecure_seed::Host for WasiImpl<T> {
    fn get_insecure_seed(&mut self) -> Result<(u64, u64)> {
        let seed = self.ctx().insecure_random_seed();
        Ok((seed as u64, (seed >> 64) as u64))
    }
}
