//! Randomness that an embedder may replace.

pub use rand_core::RngCore;

/// A source that repeats the bytes it was given, for tests and for reproducible runs. A number's first byte is its
/// most significant.
///
/// ```
/// use wasi_host_core::random::{Deterministic, RngCore};
/// let mut five = Deterministic::new(vec![1, 2, 3, 4, 5]);
/// let mut out = [0; 7];
/// five.fill_bytes(&mut out);
/// assert_eq!(out, [1, 2, 3, 4, 5, 1, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct Deterministic {
    bytes: Vec<u8>,
    next: usize,
}

impl Deterministic {
    /// Repeats `bytes` for ever; none at all count as a single zero.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            bytes.push(0);
        }
        Self { bytes, next: 0 }
    }
}

impl RngCore for Deterministic {
    fn next_u32(&mut self) -> u32 {
        let mut b = [0; 4];
        self.fill_bytes(&mut b);
        u32::from_be_bytes(b)
    }

    fn next_u64(&mut self) -> u64 {
        let mut b = [0; 8];
        self.fill_bytes(&mut b);
        u64::from_be_bytes(b)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = self.bytes[self.next];
            self.next = (self.next + 1) % self.bytes.len();
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(out);
        Ok(())
    }
}
