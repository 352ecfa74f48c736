//! `wasi:random` as far as 0.2 and 0.3 have it alike.

/// For one output of the generator. `$bytes` makes room for as many as a call may have.
macro_rules! randomness {
    ($random:path, $bytes:ident, $seed:ident) => {
        const _: () = {
            use crate::ctx::fill_random;
            use crate::view::{WasiImpl, WasiView};
            use interfaces::{insecure, insecure_seed, random};
            use wasi_host_core::random::RngCore;
            use wasmtime::Result;
            use $random as interfaces;

            impl<T: WasiView> random::Host for WasiImpl<T> {
                fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
                    let mut bytes = $bytes(self, len)?;
                    fill_random(&mut *self.ctx().random, &mut bytes)?;
                    Ok(bytes)
                }

                fn get_random_u64(&mut self) -> Result<u64> {
                    Ok(self.ctx().random.next_u64())
                }
            }

            impl<T: WasiView> insecure::Host for WasiImpl<T> {
                fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
                    let mut bytes = $bytes(self, len)?;
                    fill_random(&mut *self.ctx().insecure_random, &mut bytes)?;
                    Ok(bytes)
                }

                fn get_insecure_random_u64(&mut self) -> Result<u64> {
                    Ok(self.ctx().insecure_random.next_u64())
                }
            }

            impl<T: WasiView> insecure_seed::Host for WasiImpl<T> {
                fn $seed(&mut self) -> Result<(u64, u64)> {
                    let seed = self.ctx().insecure_random_seed();
                    Ok((seed as u64, (seed >> 64) as u64))
                }
            }
        };
    };
}
pub(crate) use randomness;
