//! What a filesystem backend must do.
//!
//! Expected is what Linux does beneath a root (`openat2` with `RESOLVE_BENEATH`): a path, a symbolic link or a
//! `..` that leads outside is `NotCapable`, and everything else is as POSIX has it.
//!
//! # Example
//!
//! ```
//! use wasi_host_virtual::memory::MemoryFs;
//!
//! wasi_host_core::conformance::fs::all(|| MemoryFs::new().root());
//! ```

mod check;
mod dirs;
mod files;
mod foreign;
mod links;
mod metadata;
mod names;
mod open;
mod paths;
mod read_only;
mod rename;
mod symlinks;
mod threads;
mod times;

pub use read_only::{Kind, TREE};

use crate::fs::Dir;
use std::sync::{Arc, LazyLock};

/// A name, and a function that takes a directory, fresh, empty and writable, and panics if that is not a good one.
pub type Case = (&'static str, fn(&Arc<dyn Dir>));

/// Runs every case on a directory of its own, made by `fresh`: empty, writable, its filesystem otherwise idle.
///
/// # Panics
///
/// At the end, if any case failed, with the name of each and what it said.
#[track_caller]
pub fn all(fresh: impl FnMut() -> Arc<dyn Dir>) {
    run(cases(), fresh);
}

/// Runs what a backend that cannot be changed must do, on directories made by `filled` that hold [`TREE`] and
/// nothing else.
///
/// # Panics
///
/// As [`all`].
#[track_caller]
pub fn read_only(filled: impl FnMut() -> Arc<dyn Dir>) {
    run(read_only::CASES, filled);
}

#[track_caller]
fn run(cases: &[Case], mut fresh: impl FnMut() -> Arc<dyn Dir>) {
    super::check::run(
        "filesystem",
        cases.iter().map(|(name, case)| {
            let root = fresh();
            (name, move || case(&root))
        }),
    );
}

/// Every case by name, for a harness of one's own.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            open::CASES,
            files::CASES,
            metadata::CASES,
            times::CASES,
            dirs::CASES,
            rename::CASES,
            links::CASES,
            symlinks::CASES,
            names::CASES,
            paths::CASES,
            threads::CASES,
        ]
        .concat()
    });
    &CASES
}

use super::check::list;
