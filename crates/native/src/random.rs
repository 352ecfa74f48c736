//! Randomness that nobody can predict.

use rand_chacha::ChaCha12Rng;
use rand_core::{CryptoRng, Error, RngCore, SeedableRng};
use rustix::rand::{GetRandomFlags, getrandom};

/// ChaCha12 with a key of its own from the kernel (`getrandom(2)`), fetched at first use.
///
/// Bytes go straight into the destination and cost no system call. It cannot be cloned: two guests with the same
/// stream would know each other's secrets.
///
/// # Panics
///
/// At first use, if the kernel gives no randomness: going on with less would be worse.
#[derive(Debug, Default)]
pub struct SystemRng(Option<ChaCha12Rng>);

impl SystemRng {
    fn stream(&mut self) -> Result<&mut ChaCha12Rng, Error> {
        if self.0.is_none() {
            self.0 = Some(ChaCha12Rng::from_seed(seed().map_err(Error::new)?));
        }
        self.0.as_mut().ok_or_else(|| unreachable!("seeded above"))
    }

    fn seeded(&mut self) -> &mut ChaCha12Rng {
        self.stream().expect("the kernel gives randomness")
    }
}

/// A generator for one guest.
///
/// ```
/// use wasi_host_native::random::thread_rng;
/// assert_ne!(thread_rng().next_u64(), thread_rng().next_u64());
/// ```
pub fn thread_rng() -> Box<dyn RngCore + Send> {
    Box::new(SystemRng::default())
}

fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    let mut filled = 0;
    while filled < seed.len() {
        // Interrupted only where the pool is not yet initialised, early in the boot.
        filled += rustix::io::retry_on_intr(|| getrandom(&mut seed[filled..], GetRandomFlags::empty()))?;
    }
    Ok(seed)
}

impl RngCore for SystemRng {
    fn next_u32(&mut self) -> u32 {
        self.seeded().next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.seeded().next_u64()
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.seeded().fill_bytes(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.stream()?.try_fill_bytes(out)
    }
}

impl CryptoRng for SystemRng {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_filled_and_no_two_generators_agree() {
        let (mut a, mut b) = (thread_rng(), SystemRng::default());
        // 64 bytes that are all 0, or equal, in one of 2^500 runs.
        for len in [64, 65, 1000, 100_000] {
            let (mut x, mut y) = (vec![0; len], vec![0; len]);
            a.fill_bytes(&mut x);
            b.try_fill_bytes(&mut y).unwrap();
            assert_ne!(x, y);
            assert!(x[len - 64..].iter().any(|&byte| byte != 0));
        }
        b.fill_bytes(&mut []);
        assert_ne!(a.next_u64(), b.next_u64());
    }
}
