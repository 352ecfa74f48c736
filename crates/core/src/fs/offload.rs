//! Work that leaves the thread.

use crate::wait::{Notify, Wait};
use crate::{Errno, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where work may wait without keeping a guest's thread: a pool, as a rule.
pub trait Elsewhere: Send + Sync {
    /// Runs `job` there, now or later. What a job that is dropped instead was to do has failed, with `Canceled`.
    fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// Which file operations of streams leave the thread, and where they go.
#[derive(Clone)]
pub struct Offload {
    /// Where they go.
    pub to: Arc<dyn Elsewhere>,
    /// All go. Otherwise only reads that would wait: those that need not are made at once, and writes are buffered
    /// by the system.
    pub all: bool,
}

impl std::fmt::Debug for Offload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offload").field("all", &self.all).finish_non_exhaustive()
    }
}

/// One job that was sent elsewhere. Dropped, it leaves the job to itself.
#[derive(Debug)]
pub(super) struct Errand<T>(Arc<Outcome<T>>);

#[derive(Debug)]
struct Outcome<T> {
    result: Mutex<Option<Result<T>>>,
    there: Notify,
}

impl<T> Outcome<T> {
    fn result(&self) -> MutexGuard<'_, Option<Result<T>>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Errand<T> {
    pub(super) fn send(offload: &Offload, work: impl FnOnce() -> Result<T> + Send + 'static) -> Self {
        let outcome = Arc::new(Outcome { result: Mutex::new(None), there: Notify::default() });
        let promise = Promise(outcome.clone());
        offload.to.run(Box::new(move || {
            let result = work();
            *promise.0.result() = Some(result);
        }));
        Self(outcome)
    }

    /// What came of it, once.
    pub(super) fn take(&self) -> Option<Result<T>> {
        self.0.result().take()
    }

    pub(super) fn wait(&self) -> Wait<'_> {
        let watch = self.0.there.watch();
        if self.0.result().is_some() { Wait::Ready } else { Wait::Notify(watch) }
    }

    pub(super) async fn ready(&self) {
        if let Wait::Notify(there) = self.wait() {
            there.wait().await;
        }
    }
}

/// Held by the job. However that ends, whoever waits for it is told.
struct Promise<T>(Arc<Outcome<T>>);

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.0.result().get_or_insert(Err(Errno::Canceled));
        self.0.there.notify();
    }
}
