//! Randomness that is the same in every run.
//!
//! ```
//! use wasi_host_core::random::RngCore;
//! use wasi_host_virtual::random::Seeded;
//!
//! let (mut one, mut same) = (Seeded::new(7), Seeded::new(7));
//! assert_eq!(one.next_u64(), same.next_u64());
//! assert_ne!(Seeded::new(8).next_u64(), Seeded::new(7).next_u64());
//! assert_ne!(Seeded::stream(7, 1).next_u64(), Seeded::new(7).next_u64());
//! ```

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Error, SeedableRng};
use wasi_host_core::random::RngCore;

/// ChaCha12 with a key made from a number: whoever knows that knows all that comes. The bytes are the same on every
/// machine and in every release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeded(ChaCha12Rng);

impl Seeded {
    /// The first stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self::stream(seed, 0)
    }

    /// One of the streams of `seed`. From none can another be told, without the seed.
    pub fn stream(seed: u64, number: u64) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(number);
        Self(rng)
    }
}

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.0.try_fill_bytes(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_what_they_are() {
        let mut bytes = [0; 8];
        Seeded::new(0).fill_bytes(&mut bytes);
        assert_eq!(bytes, Seeded::new(0).next_u64().to_le_bytes());
        assert_eq!(u64::from_le_bytes(bytes), 13_486_662_071_293_341_567);
    }
}
