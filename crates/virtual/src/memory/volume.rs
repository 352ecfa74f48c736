//! What all files of one filesystem share: its device number, its clock, and what it may hold.

use super::Clock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};

/// Devices in memory count from here, where no operating system has any.
static NEXT_DEVICE: AtomicU64 = AtomicU64::new(0x6d65_6d00_0000_0001);

pub(super) struct Volume {
    dev: u64,
    clock: Clock,
    limit: u64,
    used: AtomicU64,
    next_ino: AtomicU64,
}

impl Volume {
    pub(super) fn new(limit: u64, clock: Clock) -> Self {
        Self {
            dev: NEXT_DEVICE.fetch_add(1, Relaxed),
            clock,
            limit,
            used: AtomicU64::new(0),
            next_ino: AtomicU64::new(1),
        }
    }

    pub(super) fn dev(&self) -> u64 {
        self.dev
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn next_ino(&self) -> u64 {
        self.next_ino.fetch_add(1, Relaxed)
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Takes `bytes` of what is free, or `NoSpc`.
    pub(super) fn charge(&self, bytes: u64) -> Result<()> {
        let fits = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Relaxed, Relaxed, fits).map(drop).map_err(|_| Errno::NoSpc)
    }

    /// Gives back what was charged.
    pub(super) fn refund(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Relaxed);
    }
}
