//! `wasi:clocks`.

use crate::mode::{Awaits, yield_now};
use crate::sockets::nanoseconds;
use crate::view::{HasWasi, WasiImpl, WasiView};
use crate::wait::{Deadline, OwnedWatch, Wait};
use std::time::{Duration, Instant};
use wasi_host_bindings::p3::clocks::{monotonic_clock, system_clock, timezone, types};
use wasi_host_core::time::Timestamp;
use wasmtime::Result;
use wasmtime::component::Accessor;

impl<T: WasiView> types::Host for WasiImpl<T> {}

impl<T: WasiView> monotonic_clock::Host for WasiImpl<T> {
    fn now(&mut self) -> Result<monotonic_clock::Mark> {
        Ok(self.ctx().monotonic_clock.read())
    }

    fn get_resolution(&mut self) -> Result<types::Duration> {
        Ok(self.ctx().monotonic_clock.resolution())
    }
}

/// What to wait for, without the clock that said so: that stays in the store.
enum Until {
    Now,
    Instant(Option<Instant>),
    Changed(OwnedWatch),
    Moved(OwnedWatch, u64),
    ChangedBy(OwnedWatch, Instant),
    ChangedOrMoved(OwnedWatch, OwnedWatch, u64),
}

impl Until {
    /// That the guest's clock shows `when`.
    fn shows(ctx: &crate::WasiCtx, when: u64) -> Self {
        let clock = &ctx.monotonic_clock;
        if clock.now() >= when {
            return Self::Now;
        }
        let in_real_time = |span| Self::Instant(Instant::now().checked_add(span));
        match clock.wait_until(when) {
            Wait::Ready => Self::Now,
            Wait::Until(instant) => Self::Instant(Some(instant)),
            Wait::For(span) => in_real_time(span),
            Wait::Forever => Self::Instant(None),
            Wait::Notify(watch) => Self::Changed(watch.to_owned()),
            Wait::Clock(watch, when) => Self::Moved(watch.to_owned(), when),
            Wait::NotifyBy(watch, Deadline::Until(instant)) => Self::ChangedBy(watch.to_owned(), instant),
            Wait::NotifyBy(watch, Deadline::Clock(moved, when)) => {
                Self::ChangedOrMoved(watch.to_owned(), moved.to_owned(), when)
            }
            // A descriptor cannot leave the store: the clock is asked again after what it lacks.
            Wait::Readable(_) | Wait::Writable(_) | Wait::Future => {
                in_real_time(Duration::from_nanos(when.saturating_sub(clock.now())))
            }
        }
    }

    fn wait(&self) -> Wait<'_> {
        match self {
            Self::Now => Wait::Ready,
            Self::Instant(when) => when.map_or(Wait::Forever, Wait::Until),
            Self::Changed(watch) => Wait::Notify(watch.as_watch()),
            Self::Moved(watch, when) => Wait::Clock(watch.as_watch(), *when),
            Self::ChangedBy(watch, instant) => Wait::NotifyBy(watch.as_watch(), Deadline::Until(*instant)),
            Self::ChangedOrMoved(watch, moved, when) => {
                Wait::NotifyBy(watch.as_watch(), Deadline::Clock(moved.as_watch(), *when))
            }
        }
    }
}

impl<U: 'static, T: WasiView + 'static> monotonic_clock::HostWithStore<U> for HasWasi<T> {
    async fn wait_until(accessor: &Accessor<U, Self>, when: monotonic_clock::Mark) -> Result<()> {
        let mut woken = false;
        loop {
            let pause = accessor.with(|mut store| {
                let mut view = store.get();
                let ctx = view.ctx();
                match Until::shows(ctx, when) {
                    Until::Now => None,
                    until => Some((until, ctx.waiting())),
                }
            });
            let Some((until, waiting)) = pause else { return Ok(()) };
            if std::mem::replace(&mut woken, true) {
                // Too early, by this clock: others shall run, should that happen again and again.
                yield_now().await;
            }
            waiting.pause_for::<Awaits>(|| until.wait()).await?;
        }
    }

    async fn wait_for(accessor: &Accessor<U, Self>, span: types::Duration) -> Result<()> {
        if span == 0 {
            return Ok(());
        }
        let now = accessor.with(|mut store| store.get().ctx().monotonic_clock.now());
        Self::wait_until(accessor, now.saturating_add(span)).await
    }
}

/// A point in time as 0.3 has it, before 1970 as well.
pub(super) fn instant(t: Timestamp) -> system_clock::Instant {
    system_clock::Instant { seconds: t.seconds(), nanoseconds: t.subsec_nanos() }
}

impl<T: WasiView> system_clock::Host for WasiImpl<T> {
    fn now(&mut self) -> Result<system_clock::Instant> {
        Ok(instant(self.ctx().wall_clock.read().into()))
    }

    fn get_resolution(&mut self) -> Result<types::Duration> {
        Ok(nanoseconds(self.ctx().wall_clock.resolution()))
    }
}

impl<T: WasiView> timezone::Host for WasiImpl<T> {
    /// A zone's abbreviation is no identifier; UTC is both.
    fn iana_id(&mut self) -> Result<Option<String>> {
        let shown = self.ctx().timezone.display(Duration::ZERO);
        Ok((shown.name == "UTC" && shown.utc_offset == 0).then_some(shown.name))
    }

    /// In nanoseconds. A zone knows nothing of the time before 1970: it is as it was then.
    fn utc_offset(&mut self, when: timezone::Instant) -> Result<Option<i64>> {
        let since_1970 = Duration::from_secs(u64::try_from(when.seconds).unwrap_or(0));
        let seconds = self.ctx().timezone.display(since_1970).utc_offset;
        Ok(Some(i64::from(seconds) * 1_000_000_000))
    }

    fn to_debug_string(&mut self) -> Result<String> {
        let now = self.ctx().wall_clock.now();
        Ok(self.ctx().timezone.display(now).name)
    }
}
