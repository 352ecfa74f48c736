//! Test suites that a backend runs against itself.
//!
//! What they expect of files is POSIX as Linux has it, and they were checked against the Linux kernel itself. Where
//! filesystems differ from one another each of the answers is allowed.

pub mod clock;
pub mod fs;
pub mod stream;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs each case, and panics at the end if any failed, with the name of each and what it said.
#[track_caller]
fn run(cases: impl IntoIterator<Item = (&'static str, impl FnOnce())>) {
    let mut failed = String::new();
    for (name, case) in cases {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(case)) {
            let said = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
                (Some(said), _) => said,
                (None, Some(said)) => *said,
                (None, None) => "panicked",
            };
            failed += &format!("\n{name}: {said}");
        }
    }
    assert!(failed.is_empty(), "the backend does not conform:{failed}");
}
