//! Deadlines of asynchronous hosts: one timerfd for each runtime, however many sleep.
//!
//! Tokio's own timer tells milliseconds apart, no less; this one nanoseconds, and the runtime may be one that was
//! built without a timer.

use crate::runtime;
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Handle, Id};

/// A future that ends at a point in time and never before.
pub(crate) struct Sleep {
    until: Instant,
    timers: Arc<Timers>,
    key: Option<u64>,
}

/// Ends at `until`; `runtime` sees to it.
pub(crate) fn sleep_until(runtime: &Handle, until: Instant) -> io::Result<Sleep> {
    Ok(Sleep { until, timers: Timers::of(runtime)?, key: None })
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until {
            return Poll::Ready(());
        }
        let timers = self.timers.clone();
        let mut due = timers.due();
        let key = *self.key.get_or_insert_with(|| {
            due.next += 1;
            due.next
        });
        let _old = due.sleepers.insert((self.until, key), cx.waker().clone());
        timers.arm(&mut due);
        drop(due);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            // The waker goes after the lock: it may be the last thing that holds another sleeper.
            let _waker = self.timers.due().sleepers.remove(&(self.until, key));
        }
    }
}

struct Timers {
    fd: AsyncFd<OwnedFd>,
    due: Mutex<Due>,
}

#[derive(Default)]
struct Due {
    next: u64,
    /// What the timerfd is set to: never later than the first sleeper.
    armed: Option<Instant>,
    sleepers: BTreeMap<(Instant, u64), Waker>,
}

impl Timers {
    fn of(runtime: &Handle) -> io::Result<Arc<Self>> {
        static ALL: LazyLock<Mutex<HashMap<Id, Weak<Timers>>>> = LazyLock::new(Mutex::default);
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(timers) = all.get(&runtime.id()).and_then(Weak::upgrade) {
            return Ok(timers);
        }
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let timers =
            Arc::new(Self { fd: runtime::watch(runtime, fd, Interest::READABLE)?, due: Mutex::default() });
        runtime.spawn(timers.clone().drive());
        all.retain(|_, timers| timers.strong_count() > 0);
        all.insert(runtime.id(), Arc::downgrade(&timers));
        Ok(timers)
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arm(&self, due: &mut Due) {
        let Some((&(first, _), _)) = due.sleepers.first_key_value() else { return };
        if due.armed.is_some_and(|armed| armed <= first) {
            return;
        }
        // Zero would disarm it.
        let left = first.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let never = Timespec { tv_sec: i64::MAX, tv_nsec: 0 };
        let it_value = Timespec::try_from(left).unwrap_or(never);
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let time = Itimerspec { it_interval, it_value };
        if timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &time).is_ok() {
            due.armed = Some(first);
        }
    }

    /// Wakes sleepers, for as long as the runtime lives.
    async fn drive(self: Arc<Self>) {
        while let Ok(mut expired) = self.fd.readable().await {
            let _ = rustix::io::read(self.fd.get_ref(), &mut [0; 8]);
            expired.clear_ready();
            let mut awake = Vec::new();
            let mut due = self.due();
            due.armed = None;
            let now = Instant::now();
            while let Some(first) = due.sleepers.first_entry() {
                if first.key().0 > now {
                    break;
                }
                awake.push(first.remove());
            }
            self.arm(&mut due);
            drop(due);
            awake.into_iter().for_each(Waker::wake);
        }
    }
}
