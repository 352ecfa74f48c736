//! Runs that are the same each time.

use super::WasiCtxBuilder;
use crate::mode::BlockingPolicy;
use std::sync::Arc;
use wasi_host_core::random::RngCore;
use wasi_host_virtual::random::Seeded;
use wasi_host_virtual::stable::Stable;
use wasi_host_virtual::time::VirtualTime;

impl WasiCtxBuilder {
    /// Makes the guest's run the same each time: two runs of one program with the same seed, arguments, input and
    /// files give the same bytes, in every version of WASI.
    ///
    /// * Time begins at 2000-01-01 and goes by only when the guest waits, and by a microsecond when it looks at a clock: one
    ///   that sleeps for an hour goes on at once, and one that looks at the clock until it is over does so in the end
    ///   ([`virtual_time`](Self::virtual_time), which can be called as well, to begin elsewhere, with a
    ///   [step](VirtualTime::with_step) or without; a [`wall_clock`](Self::wall_clock) of one's own has no part in the times
    ///   of files).
    /// * The three sources of randomness are streams of `seed`. Others may be set afterwards.
    /// * Directories list their names in order and number their files in the order in which they are first seen; what
    ///   was there before has the time at which time begins, what the guest changes has the time of that
    ///   ([`Stable`]). This goes for all that is given, before or after this call, or later by a
    ///   [`Handle`](crate::Handle). Nobody else may change them
    ///   while the guest runs.
    /// * What may wait for a disk does so on the calling thread ([`BlockingPolicy::Inline`]).
    ///
    /// Real networks and real input stay what they are: a guest that waits for one of them *or* for a moment gets that
    /// moment at once. Two things are the engine's, and the embedder's to set: `Config::cranelift_nan_canonicalization`
    /// and `Config::relaxed_simd_deterministic`; and threads of the guest run as they please.
    ///
    /// ```
    /// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
    /// use wasmtime::{Config, Engine};
    ///
    /// # fn main() -> wasmtime::Result<()> {
    /// let mut config = Config::new();
    /// config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    /// let engine = Engine::new(&config)?;
    ///
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.deterministic(42).preopened_dir("src", "/", DirPerms::READ, FilePerms::READ)?;
    /// let ctx = builder.build();
    /// # drop((engine, ctx));
    /// # Ok(()) }
    /// ```
    pub fn deterministic(&mut self, seed: u64) -> &mut Self {
        if self.time.is_none() {
            self.virtual_time(VirtualTime::new().with_step(VirtualTime::STEP));
        }
        self.stable = true;
        let mut numbers = Seeded::stream(seed, 2);
        self.secure_random(Seeded::new(seed))
            .insecure_random(Seeded::stream(seed, 1))
            .insecure_random_seed(u128::from(numbers.next_u64()) << 64 | u128::from(numbers.next_u64()))
    }

    /// Has the guest live in a time of its own: both its clocks show that, and whenever the guest can do nothing but
    /// wait it moves on to the next moment that the guest waits for. Guests that are given clones of one time move it on
    /// when all of them wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wasi_host::WasiCtxBuilder;
    /// use wasi_host_virtual::time::VirtualTime;
    /// let moon_landing = VirtualTime::starting_at(Duration::from_secs(0)).with_step(VirtualTime::STEP);
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.virtual_time(moon_landing);
    /// ```
    ///
    /// Whoever shall wait for somebody to move it by hand is given its two clocks alone, by
    /// [`wall_clock`](Self::wall_clock) and [`monotonic_clock`](Self::monotonic_clock).
    pub fn virtual_time(&mut self, time: VirtualTime) -> &mut Self {
        self.wall_clock(time.wall()).monotonic_clock(time.monotonic());
        self.time = Some(time);
        self
    }

    /// Takes part in that time, with whatever waiter there is by now, and says what is to be around all that is given.
    pub(super) fn determined(&mut self) -> Option<Stable> {
        let time = self.time.as_ref()?;
        let waiter = time.waiter(self.ctx.waiting.waiter.clone());
        let stable = self.stable.then(|| Stable::new(time.wall()));
        self.ctx.waiting_mut().waiter = Arc::new(waiter);
        if stable.is_some() {
            self.blocking(BlockingPolicy::Inline);
        }
        stable
    }
}
