//! Operations on a tree that fail, fall short or take long, by rule: to see what a guest makes of that.
//!
//! ```
//! use wasi_host_core::{Errno, fs::Follow};
//! use wasi_host_virtual::{call::Call, faults::{Faults, Rule}, memory::MemoryFs};
//!
//! let faults = Faults::new(MemoryFs::new().root(), [
//!     // The second directory that is made is one too many.
//!     Rule::fail(Errno::NoSpc).when(|_, call| matches!(call, Call::CreateDir { .. })).after(1).times(1),
//! ]);
//! let root = faults.root();
//! assert_eq!(root.create_dir("a"), Ok(()));
//! assert_eq!(root.create_dir("b"), Err(Errno::NoSpc));
//! assert_eq!(root.create_dir("c"), Ok(()));
//! assert_eq!(root.stat("b", Follow::No), Err(Errno::NoEnt));
//! # Ok::<(), Errno>(())
//! ```

use crate::call::{Answer, Call};
use crate::intercept::{self, Hook};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use wasi_host_core::fs::{Blocking, Dir};
use wasi_host_core::{Errno, Result};

/// What goes wrong, and when.
pub struct Rule {
    effect: Effect,
    when: When,
    skip: u64,
    times: u64,
    /// How many operations it was asked for.
    met: AtomicU64,
}

type When = Box<dyn Fn(&str, &Call<'_>) -> bool + Send + Sync>;

#[derive(Clone, Copy, Debug)]
enum Effect {
    Fail(Errno),
    Shorten(u64),
    Delay(Duration),
}

impl Rule {
    fn new(effect: Effect) -> Self {
        Self { effect, when: Box::new(|_, _| true), skip: 0, times: u64::MAX, met: AtomicU64::new(0) }
    }

    /// Operations are not done and fail with this.
    pub fn fail(error: Errno) -> Self {
        Self::new(Effect::Fail(error))
    }

    /// Reads and writes are of this many bytes at most, and of one at least. Other operations go unharmed.
    pub fn shorten(bytes: u64) -> Self {
        Self::new(Effect::Shorten(bytes.max(1)))
    }

    /// Operations begin this much later. They keep their thread for that time, as those on a slow disk do.
    pub fn delay(by: Duration) -> Self {
        Self::new(Effect::Delay(by))
    }

    /// Only those operations for which this says so. It is given the path by which the file or directory was opened,
    /// from the top, and the operation.
    #[must_use]
    pub fn when(self, when: impl Fn(&str, &Call<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self { when: Box::new(when), ..self }
    }

    /// Not the first `n` of them.
    #[must_use]
    pub fn after(self, n: u64) -> Self {
        Self { skip: n, ..self }
    }

    /// `n` of them, and then no more.
    #[must_use]
    pub fn times(self, n: u64) -> Self {
        Self { times: n, ..self }
    }

    fn applies(&self, on: &str, call: &Call<'_>) -> bool {
        (self.when)(on, call) && {
            let nth = self.met.fetch_add(1, Relaxed);
            nth.checked_sub(self.skip).is_some_and(|nth| nth < self.times)
        }
    }
}

/// A tree, operations on which go wrong by rule.
///
/// Of several rules that apply to an operation each has its effect, in their order, up to one that makes it fail.
#[derive(Clone, Debug)]
pub struct Faults {
    root: Arc<dyn Dir>,
}

impl Faults {
    /// `dir` and all that is below it, under `rules`.
    pub fn new(dir: Arc<dyn Dir>, rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { root: intercept::around(dir, Rules(rules.into_iter().collect())) }
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        self.root.clone()
    }
}

struct Rules(Vec<Rule>);

impl Hook for Rules {
    fn before(&self, on: &str, call: &Call<'_>) -> Result<u64> {
        let mut most = u64::MAX;
        for rule in &self.0 {
            if rule.applies(on, call) {
                match rule.effect {
                    Effect::Fail(error) => return Err(error),
                    Effect::Shorten(bytes) => most = most.min(bytes),
                    Effect::Delay(by) => std::thread::sleep(by),
                }
            }
        }
        Ok(most)
    }

    fn after(&self, _: &str, _: &Call<'_>, _: Result<Answer<'_>>) {}

    fn blocking(&self, inner: Blocking) -> Blocking {
        let delays = self.0.iter().any(|rule| matches!(rule.effect, Effect::Delay(_)));
        if delays { Blocking::Maybe } else { inner }
    }

    /// An attempt would be counted like the operation.
    fn allows_tries(&self) -> bool {
        false
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("effect", &self.effect).finish_non_exhaustive()
    }
}
