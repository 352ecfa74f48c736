//! Waiting without the operating system's help.

use crate::wait::{BoxFuture, Deadline, Event, Registration, Wait, Waiter};
use crate::{Errno, Result};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

/// A waiter that parks the thread. It knows no descriptors: `NotSup`.
///
/// ```
/// use std::time::Duration;
/// use wasi_host_core::conformance::stream::Parker;
/// use wasi_host_core::wait::{Event, Wait, Waiter};
///
/// let mut ended = Vec::new();
/// Parker.any(&[Wait::Forever, Wait::For(Duration::from_millis(1))], &mut [], &mut ended)?;
/// assert_eq!(ended, [Event::new(1)]);
/// # Ok::<_, wasi_host_core::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Parker;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Waiter for Parker {
    fn any(
        &self,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<()> {
        let (before, began) = (ended.len(), Instant::now());
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let _registered: Vec<Option<Registration<'_>>> =
            waits.iter().flat_map(Wait::watches).map(|watch| watch.register(&waker)).collect();
        let due: Vec<(usize, Instant)> =
            waits.iter().enumerate().filter_map(|(i, wait)| Some((i, due(wait, began)?))).collect();
        if waits.iter().any(|wait| matches!(wait, Wait::Readable(_) | Wait::Writable(_))) {
            return Err(Errno::NotSup);
        }
        loop {
            let now = Instant::now();
            let is_due = |i| due.iter().any(|(of, at)| *of == i && *at <= now);
            let over = waits.iter().enumerate().filter(|(i, wait)| wait.changed() || is_due(*i));
            ended.extend(over.map(|(i, _)| Event::new(i)));
            for (i, future) in &mut *futures {
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    ended.push(Event::new(*i));
                }
            }
            if ended.len() > before {
                return Ok(());
            }
            match due.iter().map(|(_, at)| *at).min() {
                Some(at) => thread::park_timeout(at.saturating_duration_since(now)),
                None => thread::park(),
            }
        }
    }
}

/// When a wait ends by itself.
fn due(wait: &Wait<'_>, began: Instant) -> Option<Instant> {
    match *wait {
        Wait::Ready => Some(began),
        Wait::Until(at) | Wait::NotifyBy(_, Deadline::Until(at)) => Some(at),
        Wait::For(span) => began.checked_add(span),
        _ => None,
    }
}
