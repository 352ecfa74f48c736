//! `--clock`: what time the program lives in.

use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasi_host::{HostWallClock, WasiCtxBuilder};
use wasi_host_virtual::time::{Frozen, VirtualTime};

/// `--clock frozen|virtual|@TIME`, or two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    pace: Pace,
    /// What the clock on the wall shows at first, since 1970.
    start: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pace {
    /// That of real time.
    #[default]
    Real,
    /// The clock on the wall stands still.
    Frozen,
    /// Time goes by when the program waits, and then at once; and a little when it looks at a clock.
    Virtual,
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut clock = Self::default();
        for part in text.split(',') {
            match (part, part.strip_prefix('@')) {
                ("frozen", _) if clock.pace == Pace::Real => clock.pace = Pace::Frozen,
                ("virtual", _) if clock.pace == Pace::Real => clock.pace = Pace::Virtual,
                (_, Some(time)) if clock.start.is_none() => clock.start = Some(since_1970(time)?),
                ("frozen" | "virtual", _) => return Err("the clock is either frozen or virtual".into()),
                (_, Some(_)) => return Err("there are two times".into()),
                _ => return Err(format!("`{part}` is neither frozen nor virtual nor @TIME")),
            }
        }
        Ok(clock)
    }
}

/// Seconds since 1970, or a date.
fn since_1970(time: &str) -> Result<Duration, String> {
    if let Ok(seconds) = time.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let date = humantime::parse_rfc3339_weak(time).ok();
    date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).ok_or_else(|| {
        format!("`{time}` is no time after 1970; write seconds since then, or a date in UTC: @2030-01-31T12:00:00Z")
    })
}

impl Clock {
    /// The clock of a program that is the same in each run: not the real one.
    pub(crate) fn of_a_deterministic_program(self) -> Result<Self, &'static str> {
        match self.pace {
            Pace::Real => Ok(Self { pace: Pace::Virtual, ..self }),
            Pace::Virtual => Ok(self),
            Pace::Frozen => Err("--deterministic has a virtual clock; say when it begins with --clock @TIME"),
        }
    }

    /// Gives the program its clocks.
    pub(crate) fn give(self, builder: &mut WasiCtxBuilder) {
        match (self.pace, self.start) {
            (Pace::Real, None) => builder,
            (Pace::Real, Some(start)) => builder.wall_clock(Since { start, began: Instant::now() }),
            (Pace::Frozen, start) => builder.wall_clock(Frozen(start.unwrap_or_else(now))),
            (Pace::Virtual, start) => {
                let time = start.map_or_else(VirtualTime::new, VirtualTime::starting_at);
                builder.virtual_time(time.with_step(VirtualTime::STEP))
            }
        };
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A clock that was set when the program began, and runs.
struct Since {
    start: Duration,
    began: Instant,
}

impl HostWallClock for Since {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.start.saturating_add(self.began.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        let clock = |pace, start: Option<u64>| Ok(Clock { pace, start: start.map(Duration::from_secs) });
        assert_eq!("frozen".parse(), clock(Pace::Frozen, None));
        assert_eq!("virtual".parse(), clock(Pace::Virtual, None));
        assert_eq!("@86400".parse(), clock(Pace::Real, Some(86_400)));
        assert_eq!("@1970-01-02T00:00:00Z".parse(), clock(Pace::Real, Some(86_400)));
        assert_eq!("frozen,@1970-01-02 00:00:00".parse(), clock(Pace::Frozen, Some(86_400)));
        assert_eq!("@0,virtual".parse(), clock(Pace::Virtual, Some(0)));
        for (wrong, says) in [
            ("", "`` is neither"),
            ("now", "`now` is neither"),
            ("frozen,virtual", "either frozen or virtual"),
            ("@1,@2", "two times"),
            ("@tomorrow", "`tomorrow` is no time"),
            ("@-1", "`-1` is no time"),
            ("@1969-12-31T23:59:59Z", "no time after 1970"),
        ] {
            let error = wrong.parse::<Clock>().expect_err(wrong);
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
