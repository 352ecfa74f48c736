//! The process, its clocks and its randomness.

use super::memory::Memory;
use super::{Stop, WasiP1Ctx};
use crate::error::I32Exit;
use wasi_host_core::Errno;
use wasi_host_core::time::Timestamp;

/// A clock that 0.1 numbers. The CPU-time clocks (2 and 3) would tell a guest about its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Realtime,
    Monotonic,
}

impl Clock {
    /// # Errors
    ///
    /// `NotSup` for CPU time, `Inval` for what is no clock.
    #[inline]
    pub(super) fn new(id: u32) -> Result<Self, Errno> {
        match id {
            0 => Ok(Self::Realtime),
            1 => Ok(Self::Monotonic),
            2 | 3 => Err(Errno::NotSup),
            _ => Err(Errno::Inval),
        }
    }

    /// What it shows, in nanoseconds.
    #[inline]
    pub(super) fn now(self, ctx: &WasiP1Ctx) -> u64 {
        match self {
            Self::Realtime => Timestamp::from(ctx.ctx.wall_clock.now()).as_nanos(),
            Self::Monotonic => ctx.ctx.monotonic_clock.now(),
        }
    }

    /// What it shows a guest that looks at it, in nanoseconds.
    #[inline]
    fn read(self, ctx: &WasiP1Ctx) -> u64 {
        match self {
            Self::Realtime => Timestamp::from(ctx.ctx.wall_clock.read()).as_nanos(),
            Self::Monotonic => ctx.ctx.monotonic_clock.read(),
        }
    }
}

/// Says how finely a clock ticks, in nanoseconds.
pub(super) fn clock_res_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    id: u32,
    resolution: u32,
) -> Result<(), Stop> {
    let ticks = match Clock::new(id)? {
        Clock::Realtime => Timestamp::from(ctx.ctx.wall_clock.resolution()).as_nanos(),
        Clock::Monotonic => ctx.ctx.monotonic_clock.resolution(),
    };
    memory.set_u64(resolution, ticks)
}

/// Reads a clock, in nanoseconds. The precision asked for is ignored: every reading is as good as the clock.
#[inline]
pub(super) fn clock_time_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    id: u32,
    _precision: u64,
    time: u32,
) -> Result<(), Stop> {
    memory.set_u64(time, Clock::new(id)?.read(ctx))
}

/// Fills `len` bytes with randomness fit for keys.
///
/// # Errors
///
/// `Inval` beyond [`Limits::random`](crate::limits::Limits::random).
#[inline]
pub(super) fn random_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    buf: u32,
    len: u32,
) -> Result<(), Stop> {
    if u64::from(len) > ctx.ctx.limits.random() {
        return Err(Errno::Inval.into());
    }
    let bytes = memory.bytes_mut(buf, len)?;
    ctx.ctx.random.try_fill_bytes(bytes).map_err(|_| Errno::Io.into())
}

/// Ends the guest. The error is [`I32Exit`].
pub(super) fn proc_exit(status: u32) -> wasmtime::Result<()> {
    Err(wasmtime::Error::new(I32Exit(status.cast_signed())))
}

/// Sends a signal to the guest itself, which has no way to handle one.
///
/// # Errors
///
/// Always `NotSup`.
pub(super) fn proc_raise(_: &mut Memory<'_>, _: &mut WasiP1Ctx, _signal: u32) -> Result<(), Stop> {
    Err(Errno::NotSup.into())
}

/// Gives way. A guest has one thread: there is nobody to give way to.
#[inline]
pub(super) fn sched_yield(_: &mut Memory<'_>, _: &mut WasiP1Ctx) -> Result<(), Stop> {
    Ok(())
}
