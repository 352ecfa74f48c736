//! Waiting as data, and the one capability that waits.

use crate::Result;
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A future that somebody else will poll.
///
/// [`Waiter`] has an example.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a guest that cannot go on is waiting for.
///
/// [`Subscribe`](crate::stream::Subscribe) and [`HostMonotonicClock`](crate::clock::HostMonotonicClock) have examples.
#[derive(Clone, Copy, Debug)]
pub enum Wait<'a> {
    /// Nothing: go on.
    Ready,
    /// A point in time.
    Until(Instant),
    /// A span, counted from when the waiting begins: for clocks that know only the distance.
    For(Duration),
    /// A descriptor that can be read, is at its end, or has failed.
    Readable(BorrowedFd<'a>),
    /// A descriptor that can be written, or has failed.
    Writable(BorrowedFd<'a>),
    /// A change of state that has no descriptor.
    Notify(Watch<'a>),
    /// The moment at which a clock that goes by other than real time shows so many nanoseconds. Whoever moves that clock
    /// tells; a waiter that owns it may move it when nobody can go on otherwise. To others it is a `Notify`.
    Clock(Watch<'a>, u64),
    /// A change of state, or a moment if that comes first: what is on its way, and may be called off or overtaken.
    NotifyBy(Watch<'a>, Deadline<'a>),
    /// What never comes.
    Forever,
    /// Only [`Subscribe::ready`](crate::stream::Subscribe::ready) knows: streams that users wrote.
    Future,
}

impl<'a> Wait<'a> {
    /// The changes that end it, if any does.
    pub fn watches(&self) -> impl Iterator<Item = Watch<'a>> + use<'a> {
        let both = match *self {
            Self::Notify(watch) | Self::Clock(watch, _) | Self::NotifyBy(watch, Deadline::Until(_)) => {
                [Some(watch), None]
            }
            Self::NotifyBy(watch, Deadline::Clock(moved, _)) => [Some(watch), Some(moved)],
            _ => [None, None],
        };
        both.into_iter().flatten()
    }

    /// Whether a change that ends it has happened.
    pub fn changed(&self) -> bool {
        self.watches().any(|watch| watch.changed())
    }
}

/// When a [`Wait::NotifyBy`] ends though nothing has changed.
///
/// ```
/// use std::time::Instant;
/// use wasi_host_core::wait::{Deadline, Notify, Wait};
///
/// let called_off = Notify::default();
/// let wait = Wait::NotifyBy(called_off.watch(), Deadline::Until(Instant::now()));
/// assert!(!wait.changed());
/// called_off.notify();
/// assert!(wait.changed());
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Deadline<'a> {
    /// As [`Wait::Until`].
    Until(Instant),
    /// As [`Wait::Clock`].
    Clock(Watch<'a>, u64),
}

/// One wait of a list that has ended.
///
/// [`Waiter`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the list.
    pub index: usize,
    /// The other side has gone, or the descriptor has failed.
    pub hangup: bool,
}

impl Event {
    /// The wait at `index` has ended in the ordinary way.
    pub fn new(index: usize) -> Self {
        Self { index, hangup: false }
    }
}

/// The one place that waits. A capability of the context, so that virtual time, faults and replay can stand in.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use wasi_host_core::Result;
/// use wasi_host_core::wait::{BoxFuture, Event, Wait, Waiter};
///
/// /// Counts how often a guest waits.
/// struct Counted<W>(W, AtomicUsize);
///
/// impl<W: Waiter> Waiter for Counted<W> {
///     fn any(
///         &self,
///         waits: &[Wait<'_>],
///         futures: &mut [(usize, BoxFuture<'_, ()>)],
///         ended: &mut Vec<Event>,
///     ) -> Result<()> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.any(waits, futures, ended)
///     }
/// }
/// ```
pub trait Waiter: Send + Sync {
    /// Blocks the thread until at least one of `waits` or `futures` has ended, then appends all that have to
    /// `ended`. If some have at once it does not block. An event is a hint: the caller looks again.
    ///
    /// `futures` go with entries that are [`Wait::Future`]; each is tagged with that entry's index. One that
    /// is dropped forgets whom to wake, so whoever goes on waiting for the same thing keeps it; one that has ended
    /// is not brought again.
    ///
    /// # Errors
    ///
    /// What the operating system says when it cannot wait at all, [`Errno::NoMem`](crate::Errno::NoMem) for one.
    fn any(
        &self,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<()>;

    /// The same for asynchronous hosts. This provided one blocks the thread; a waiter that is to serve
    /// asynchronous hosts writes its own.
    fn any_async<'a, 'f: 'a>(
        &'a self,
        waits: &'a [Wait<'a>],
        futures: &'a mut [(usize, BoxFuture<'f, ()>)],
        ended: &'a mut Vec<Event>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.any(waits, futures, ended) })
    }
}

/// Wakes whoever waits for something that has no descriptor: a loopback socket, a virtual clock, a replay.
///
/// It knows wakers and an epoch, no system call. Whoever waits takes a [`Watch`] *before* looking at the state,
/// so that a change in between is seen. What answers `wait` does so itself: it takes the watch, looks again, and says
/// [`Wait::Ready`] if there is something by now.
///
/// ```
/// use wasi_host_core::wait::Notify;
/// let changed = Notify::default();
/// let watch = changed.watch();
/// assert!(!watch.changed());
/// changed.notify();
/// assert!(watch.changed());
/// ```
#[derive(Debug, Default)]
pub struct Notify(Arc<Told>);

/// Shared with the watches that outlive a borrow.
#[derive(Debug, Default)]
struct Told {
    epoch: AtomicU64,
    wakers: Mutex<Wakers>,
}

#[derive(Debug, Default)]
struct Wakers {
    next: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Notify {
    /// Call before looking at the state that this guards.
    pub fn watch(&self) -> Watch<'_> {
        Watch { told: &self.0, seen: self.0.epoch.load(Ordering::Acquire) }
    }

    /// Call after changing the state.
    pub fn notify(&self) {
        let wakers = {
            let mut wakers = self.0.wakers();
            self.0.epoch.fetch_add(1, Ordering::Release);
            std::mem::take(&mut wakers.waiting)
        };
        wakers.into_values().for_each(Waker::wake);
    }
}

impl Told {
    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A [`Notify`] and the epoch that was current when the state was about to be looked at.
///
/// [`Notify`] has an example.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    told: &'a Arc<Told>,
    seen: u64,
}

impl<'a> Watch<'a> {
    /// Whether the state has changed since.
    pub fn changed(&self) -> bool {
        self.told.epoch.load(Ordering::Acquire) != self.seen
    }

    /// Whether it was taken from `notify`.
    pub fn is_of(&self, notify: &Notify) -> bool {
        Arc::ptr_eq(self.told, &notify.0)
    }

    /// Has `waker` woken at the next change, for as long as the registration is kept. `None` if there was a change
    /// already.
    pub fn register(&self, waker: &Waker) -> Option<Registration<'a>> {
        let mut wakers = self.told.wakers();
        if self.changed() {
            return None;
        }
        let key = wakers.next;
        wakers.next += 1;
        wakers.waiting.insert(key, waker.clone());
        Some(Registration { told: self.told, key })
    }

    /// A future that ends when the state has changed.
    pub fn wait(self) -> Changed<'a> {
        Changed { watch: self, registered: None }
    }

    /// The same without the borrow, for who waits where nothing can be borrowed meanwhile.
    pub fn to_owned(&self) -> OwnedWatch {
        OwnedWatch { told: self.told.clone(), seen: self.seen }
    }
}

/// A [`Watch`] that borrows nothing. It keeps what it was taken from able to wake, and nothing else alive.
///
/// ```
/// use wasi_host_core::wait::{Notify, Wait};
/// let changed = Notify::default();
/// let watch = changed.watch().to_owned();
/// changed.notify();
/// assert!(matches!(Wait::Notify(watch.as_watch()), Wait::Notify(w) if w.changed()));
/// ```
#[derive(Clone, Debug)]
pub struct OwnedWatch {
    told: Arc<Told>,
    seen: u64,
}

impl OwnedWatch {
    /// What it was made from, with the epoch that was current then.
    pub fn as_watch(&self) -> Watch<'_> {
        Watch { told: &self.told, seen: self.seen }
    }
}

/// A waker that a [`Notify`] knows. Dropping it takes it back: its own alone, though others wake the same task.
#[derive(Debug)]
#[must_use = "dropped at once it wakes nobody"]
pub struct Registration<'a> {
    told: &'a Told,
    key: u64,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        // Dropped after the lock is released: a waker runs code of its executor.
        let _waker = self.told.wakers().waiting.remove(&self.key);
    }
}

/// The future of [`Watch::wait`].
#[derive(Debug)]
pub struct Changed<'a> {
    watch: Watch<'a>,
    registered: Option<(Waker, Registration<'a>)>,
}

impl Future for Changed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.watch.changed() {
            return Poll::Ready(());
        }
        if self.registered.as_ref().is_some_and(|(waker, _)| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.registered = self.watch.register(cx.waker()).map(|r| (cx.waker().clone(), r));
        if self.registered.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// Ends the waiting of a context from another thread: for time limits and shutdown.
///
/// It stays set until it is cleared: a wait that begins later ends at once.
///
/// ```
/// use wasi_host_core::wait::Interrupt;
/// let interrupt = Interrupt::default();
/// interrupt.interrupt();
/// assert!(interrupt.is_set());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<InterruptState>);

#[derive(Debug, Default)]
struct InterruptState {
    set: AtomicBool,
    notify: Notify,
}

impl Interrupt {
    /// Ends every wait of the context, now and from now on.
    pub fn interrupt(&self) {
        self.0.set.store(true, Ordering::Release);
        self.0.notify.notify();
    }

    /// Ends every wait of the context that goes on, for who waits to look again: something has changed that no wait
    /// names. It does not count as an interrupt.
    pub fn look_again(&self) {
        self.0.notify.notify();
    }

    /// Lets the context wait again.
    pub fn clear(&self) {
        self.0.set.store(false, Ordering::Release);
    }

    /// Whether it has been interrupted and not cleared.
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// What to add to a list of waits, taken before [`is_set`](Self::is_set) is asked.
    pub fn watch(&self) -> Watch<'_> {
        self.0.notify.watch()
    }
}
