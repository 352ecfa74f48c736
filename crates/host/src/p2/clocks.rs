//! `wasi:clocks`.

use crate::view::{WasiImpl, WasiView};
use std::time::Duration;
use wasi_host_bindings::Pollable;
use wasi_host_bindings::p2::clocks::{monotonic_clock, timezone, wall_clock};
use wasmtime::Result;
use wasmtime::component::Resource;

impl<T: WasiView> monotonic_clock::Host for WasiImpl<T> {
    fn now(&mut self) -> Result<monotonic_clock::Instant> {
        Ok(self.ctx().monotonic_clock.read())
    }

    fn resolution(&mut self) -> Result<monotonic_clock::Duration> {
        Ok(self.ctx().monotonic_clock.resolution())
    }

    fn subscribe_instant(&mut self, when: monotonic_clock::Instant) -> Result<Resource<Pollable>> {
        Ok(self.table().push(Pollable::clock(when))?)
    }

    fn subscribe_duration(&mut self, after: monotonic_clock::Duration) -> Result<Resource<Pollable>> {
        let now = self.ctx().monotonic_clock.now();
        self.subscribe_instant(now.saturating_add(after))
    }
}

/// A time as the wall clock of 0.2 counts, which begins in 1970.
pub(super) fn datetime(since_1970: Duration) -> wall_clock::Datetime {
    wall_clock::Datetime { seconds: since_1970.as_secs(), nanoseconds: since_1970.subsec_nanos() }
}

impl<T: WasiView> wall_clock::Host for WasiImpl<T> {
    fn now(&mut self) -> Result<wall_clock::Datetime> {
        Ok(datetime(self.ctx().wall_clock.read()))
    }

    fn resolution(&mut self) -> Result<wall_clock::Datetime> {
        Ok(datetime(self.ctx().wall_clock.resolution()))
    }
}

impl<T: WasiView> timezone::Host for WasiImpl<T> {
    fn display(&mut self, when: wall_clock::Datetime) -> Result<timezone::TimezoneDisplay> {
        let shown = self.ctx().timezone.display(Duration::from_secs(when.seconds));
        Ok(timezone::TimezoneDisplay {
            utc_offset: shown.utc_offset,
            name: shown.name,
            in_daylight_saving_time: shown.daylight_saving,
        })
    }

    fn utc_offset(&mut self, when: wall_clock::Datetime) -> Result<i32> {
        Ok(self.display(when)?.utc_offset)
    }
}
