//! A tree around each operation of which something else happens, too.

mod dir;
mod file;

use crate::call::{Answer, Call};
use dir::HookedDir;
use std::sync::Arc;
use wasi_host_core::fs::{Blocking, Dir, Metadata};
use wasi_host_core::{Errno, Result};

/// What happens around each operation. `on` is the path by which the file or directory was opened, from the top.
pub(crate) trait Hook: Send + Sync + 'static {
    /// Called before: with an error the operation is not done and fails with that; otherwise it reads or writes at
    /// most so many bytes.
    fn before(&self, on: &str, call: &Call<'_>) -> Result<u64>;

    /// Called after, unless `before` failed.
    fn after(&self, on: &str, call: &Call<'_>, result: Result<Answer<'_>>);

    /// Whether operations may have to wait, given that for those of the tree itself.
    fn blocking(&self, inner: Blocking) -> Blocking;

    /// Whether what needs no waiting may be tried first. Such an operation is not announced by `before`, and told to
    /// `after` only if it could be done.
    fn allows_tries(&self) -> bool;
}

/// `dir` and all that is below it, with `hook` around each operation.
pub(crate) fn around<H: Hook>(dir: Arc<dyn Dir>, hook: H) -> Arc<dyn Dir> {
    Arc::new(HookedDir::new(dir, Arc::new(hook), String::new()))
}

/// Runs one operation.
fn run<T>(
    hook: &impl Hook,
    on: &str,
    call: &Call<'_>,
    run: impl FnOnce(u64) -> Result<T>,
    answer: impl FnOnce(&T) -> Answer<'_>,
) -> Result<T> {
    let most = hook.before(on, call)?;
    let result = run(most);
    hook.after(on, call, result.as_ref().map(answer).map_err(|e| *e));
    result
}

/// Runs one operation, if that needs no waiting; `Again` otherwise.
fn attempt<T>(
    hook: &impl Hook,
    on: &str,
    call: &Call<'_>,
    attempt: impl FnOnce() -> Result<T>,
    answer: impl FnOnce(&T) -> Answer<'_>,
) -> Result<T> {
    if !hook.allows_tries() {
        return Err(Errno::Again);
    }
    let result = attempt();
    if !matches!(result, Err(Errno::Again)) {
        hook.after(on, call, result.as_ref().map(answer).map_err(|e| *e));
    }
    result
}

fn done<T>(_: &T) -> Answer<'_> {
    Answer::Done
}

fn about(m: &Metadata) -> Answer<'_> {
    Answer::Metadata(m)
}
