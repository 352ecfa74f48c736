//! Clocks and randomness on a tape.

use super::tape::{Tape, Taped};
use bytes::Bytes;
use std::num::NonZeroU32;
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::clock::{HostMonotonicClock, HostTimezone, HostWallClock, ZoneDisplay};
use wasi_host_core::random::RngCore;
use wasi_host_core::wait::Wait;

impl Tape {
    /// The clock on the wall; `clock` is not used in a replay, nor are those below.
    pub fn wall_clock(&self, clock: Box<dyn HostWallClock>) -> Box<dyn HostWallClock> {
        Box::new(self.taped_unless_replayed(clock, "the wall clock"))
    }

    /// The clock by which the guest measures and sleeps.
    pub fn monotonic_clock(&self, clock: Box<dyn HostMonotonicClock>) -> Box<dyn HostMonotonicClock> {
        Box::new(self.taped_unless_replayed(clock, "the monotonic clock"))
    }

    /// Where the wall clock hangs.
    pub fn timezone(&self, timezone: Box<dyn HostTimezone>) -> Box<dyn HostTimezone> {
        Box::new(self.taped_unless_replayed(timezone, "the time zone"))
    }

    /// A source of randomness, called so.
    pub fn random(&self, random: Box<dyn RngCore + Send>, name: &str) -> Box<dyn RngCore + Send> {
        Box::new(self.taped_unless_replayed(random, name))
    }
}

#[deny(clippy::missing_trait_methods)]
impl HostWallClock for Taped<Box<dyn HostWallClock>> {
    fn resolution(&self) -> Duration {
        self.call(format_args!("resolution"), |clock| clock.resolution())
    }

    fn now(&self) -> Duration {
        self.call(format_args!("now"), |clock| clock.now())
    }

    fn read(&self) -> Duration {
        self.call(format_args!("read"), |clock| clock.read())
    }

    fn wait_until(&self, when: Duration) -> Wait<'_> {
        self.wait(format_args!("wait_until {when:?}"), |clock| clock.wait_until(when))
    }
}

#[deny(clippy::missing_trait_methods)]
impl HostMonotonicClock for Taped<Box<dyn HostMonotonicClock>> {
    fn resolution(&self) -> u64 {
        self.call(format_args!("resolution"), |clock| clock.resolution())
    }

    fn now(&self) -> u64 {
        self.call(format_args!("now"), |clock| clock.now())
    }

    fn read(&self) -> u64 {
        self.call(format_args!("read"), |clock| clock.read())
    }

    fn wait_until(&self, when: u64) -> Wait<'_> {
        self.wait(format_args!("wait_until {when}"), |clock| clock.wait_until(when))
    }
}

#[deny(clippy::missing_trait_methods)]
impl HostTimezone for Taped<Box<dyn HostTimezone>> {
    fn display(&self, when: Duration) -> ZoneDisplay {
        self.call(format_args!("display {when:?}"), |timezone| timezone.display(when))
    }
}

#[deny(clippy::missing_trait_methods)]
impl RngCore for Taped<Box<dyn RngCore + Send>> {
    fn next_u32(&mut self) -> u32 {
        self.call_mut(format_args!("next_u32"), |random| random.next_u32())
    }

    fn next_u64(&mut self) -> u64 {
        self.call_mut(format_args!("next_u64"), |random| random.next_u64())
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        if self.try_fill_bytes(out).is_err() {
            out.fill(0);
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        let what = format_args!("fill {} bytes", out.len());
        let bytes = self.call_mut(what, |random| {
            random.try_fill_bytes(out).map_err(|_| Errno::Io)?;
            Ok::<_, Errno>(Bytes::copy_from_slice(out))
        });
        match bytes {
            Ok(bytes) if bytes.len() == out.len() => {
                out.copy_from_slice(&bytes);
                Ok(())
            }
            _ => Err(NonZeroU32::MIN.into()),
        }
    }
}
