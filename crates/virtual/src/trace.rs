//! Every operation on a tree, told with its result.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use wasi_host_core::fs::Follow;
//! use wasi_host_virtual::{call::{Answer, Call}, memory::MemoryFs, trace::Trace};
//!
//! let seen = Arc::new(Mutex::new(Vec::new()));
//! let told = seen.clone();
//! let trace = Trace::new(MemoryFs::new().root(), move |event| {
//!     told.lock().unwrap().push(event.to_string());
//! });
//! trace.root().create_dir("dir")?;
//! let _ = trace.root().unlink("none");
//! assert_eq!(*seen.lock().unwrap(), [
//!     r#""" CreateDir { path: "dir" } -> Ok(Done)"#,
//!     r#""" Unlink { path: "none" } -> Err(NoEnt)"#,
//! ]);
//! # Ok::<(), wasi_host_core::Errno>(())
//! ```

use crate::call::{Answer, Call};
use crate::intercept::{self, Hook};
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::fs::{Blocking, Dir};

/// An operation that was done, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The path by which the file or directory was opened, from the top; of one that is very long, the end. Empty for
    /// the top itself. It may have been moved since.
    pub on: &'a str,
    /// What was to be done.
    pub call: Call<'a>,
    /// What came of it.
    pub result: Result<Answer<'a>>,
}

impl std::fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} -> {:?}", self.on, self.call, self.result)
    }
}

/// A tree, every operation on which is told when it is over.
///
/// What asks for no operation is not told: what type a file is, whether it would block, the single names of a
/// listing. Neither is an attempt to do something without waiting for it, if it came to nothing.
#[derive(Clone, Debug)]
pub struct Trace {
    root: Arc<dyn Dir>,
}

impl Trace {
    /// `dir` and all that is below it, told to `tell`: on the thread of the operation, which goes on when it returns.
    pub fn new(dir: Arc<dyn Dir>, tell: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self { root: intercept::around(dir, Teller(tell)) }
    }

    /// `dir` and all that is below it, told as events of the crate `tracing`: target `wasi_host_virtual::trace`, level
    /// `DEBUG`, fields `on`, `call`, `result`, message the operation's name.
    #[cfg(feature = "tracing")]
    pub fn tracing(dir: Arc<dyn Dir>) -> Self {
        Self::new(dir, |event| {
            let Event { on, call, result } = event;
            tracing::debug!(on, ?call, ?result, "{}", call.name());
        })
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        self.root.clone()
    }
}

struct Teller<F>(F);

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Hook for Teller<F> {
    fn before(&self, _: &str, _: &Call<'_>) -> Result<u64> {
        Ok(u64::MAX)
    }

    fn after(&self, on: &str, call: &Call<'_>, result: Result<Answer<'_>>) {
        (self.0)(&Event { on, call: *call, result });
    }

    fn blocking(&self, inner: Blocking) -> Blocking {
        inner
    }

    fn allows_tries(&self) -> bool {
        true
    }
}
