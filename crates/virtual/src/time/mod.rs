//! Time that goes by when it is told to, or when everybody waits for it.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use wasi_host_core::clock::HostMonotonicClock;
//! use wasi_host_core::wait::Waiter;
//! use wasi_host_native::wait::Poller;
//! use wasi_host_virtual::time::VirtualTime;
//!
//! const HOUR: Duration = Duration::from_secs(3600);
//! let (time, began) = (VirtualTime::new(), Instant::now());
//! let (clock, waiter) = (time.monotonic(), time.waiter(Arc::new(Poller::default())));
//!
//! // A guest sleeps for an hour: nobody else has anything to do, so that hour is over.
//! let when = clock.now() + HOUR.as_nanos() as u64;
//! waiter.any(&[clock.wait_until(when)], &mut [], &mut Vec::new())?;
//! assert_eq!(clock.now(), when);
//! assert!(began.elapsed() < HOUR);
//!
//! // By hand; where guests wait by an ordinary waiter, by nothing else.
//! time.advance(HOUR);
//! assert_eq!(clock.now(), 2 * HOUR.as_nanos() as u64);
//! # Ok::<(), wasi_host_core::Errno>(())
//! ```

mod clocks;
mod participants;
mod waiter;

pub use clocks::{Frozen, Monotonic, Wall};
pub use waiter::AutoAdvance;

use parking_lot::Mutex;
use participants::Participants;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasi_host_core::wait::{Notify, Wait, Waiter};

/// 2000-01-01 00:00 UTC, since 1970.
const YEAR_2000: Duration = Duration::from_secs(946_684_800);

/// A time of its own, which stands still until somebody moves it. Clones are the same time.
///
/// It moves in two ways, which do not exclude each other: [`advance`](Self::advance) moves it by hand; and a
/// [`waiter`](Self::waiter) moves it to the next moment that somebody waits for, when all who take part in this time can do
/// nothing but wait.
///
/// While a program runs, time stands still. One that waits by looking at the clock again and again, without ever sleeping, would
/// do so for ever: [`with_step`](Self::with_step) has it go on a little at each look.
#[derive(Clone)]
pub struct VirtualTime(Arc<Shared>);

struct Shared {
    /// What the wall clock showed when this time began.
    start: Duration,
    /// Nanoseconds since. Written under the lock of `participants`.
    now: AtomicU64,
    /// Nanoseconds from one look at a clock to the next.
    step: AtomicU64,
    moved: Notify,
    participants: Mutex<Participants>,
}

impl VirtualTime {
    /// Time that begins at 2000-01-01 00:00 UTC: the same in every run.
    pub fn new() -> Self {
        Self::starting_at(YEAR_2000)
    }

    /// Time that begins so long after 1970-01-01 00:00 UTC, as its wall clock shows it. Its monotonic clock begins at 0.
    pub fn starting_at(since_1970: Duration) -> Self {
        Self(Arc::new(Shared {
            start: since_1970,
            now: AtomicU64::new(0),
            step: AtomicU64::new(0),
            moved: Notify::default(),
            participants: Mutex::default(),
        }))
    }

    /// What a look takes in a deterministic run: as long as on a slow machine.
    pub const STEP: Duration = Duration::from_micros(1);

    /// Moves it, and so all its clones, on by `step` each time that a guest looks at one of its clocks; 0 by default. In WASI
    /// 0.2 a guest looks also by asking a timer whether it is `ready`; polls and waits are no looks.
    ///
    /// Guests that share a time see each other's steps: if they run at once, another time in each run.
    ///
    /// ```
    /// use wasi_host_core::clock::HostMonotonicClock;
    /// use wasi_host_virtual::time::VirtualTime;
    /// let clock = VirtualTime::new().with_step(VirtualTime::STEP).monotonic();
    /// let begin = clock.read();
    /// while clock.read() < begin + 1_000_000 {}
    /// assert_eq!((begin, clock.now()), (1_000, 1_001_000));
    /// ```
    pub fn with_step(self, step: Duration) -> Self {
        self.0.step.store(u64::try_from(step.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self
    }

    /// Nanoseconds since it began.
    pub fn now(&self) -> u64 {
        self.0.now.load(Ordering::Acquire)
    }

    /// How to wait until it is `when`, in nanoseconds since it began. The end of time never comes by itself.
    pub fn wait_until(&self, when: u64) -> Wait<'_> {
        // Watched before it is read: a move in between is not lost.
        let moved = self.0.moved.watch();
        match when {
            _ if self.now() >= when => Wait::Ready,
            u64::MAX => Wait::Forever,
            _ => Wait::Clock(moved, when),
        }
    }

    /// A clock that shows the time since the beginning.
    pub fn monotonic(&self) -> Monotonic {
        Monotonic(self.clone())
    }

    /// A clock that shows what one on the wall would.
    pub fn wall(&self) -> Wall {
        Wall(self.clone())
    }

    /// A waiter that waits as `inner` does, and moves this time on when nothing else can happen.
    pub fn waiter(&self, inner: Arc<dyn Waiter>) -> AutoAdvance {
        AutoAdvance::new(self.clone(), inner)
    }
}

impl Default for VirtualTime {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime").field("start", &self.0.start).field("now", &self.now()).finish()
    }
}
