//! What every suite says of an answer, and how its cases are run.

use crate::{Errno, Result};
use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs each, and panics at the end if any of them did, with the name of each and what it said.
#[track_caller]
pub(super) fn run<N: Display, F: FnOnce()>(what: &str, cases: impl IntoIterator<Item = (N, F)>) {
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
    assert!(failed.is_empty(), "the {what} does not conform:{failed}");
}

/// What `got` holds.
#[track_caller]
pub(super) fn ok<T>(what: impl Display, got: Result<T>) -> T {
    match got {
        Ok(value) => value,
        Err(e) => panic!("{what}: expected success, got {e:?}"),
    }
}

/// Panics unless `got` is one of these errors: the first is Linux's, the others are as good.
#[track_caller]
pub(super) fn fails<T>(what: impl Display, got: Result<T>, expected: &[Errno]) {
    match got {
        Ok(_) => panic!("{what}: expected {expected:?}, got success"),
        Err(e) => assert!(expected.contains(&e), "{what}: expected {expected:?}, got {e:?}"),
    }
}

/// Panics unless both are the same.
#[track_caller]
pub(super) fn equal<T: PartialEq + Debug>(what: impl Display, got: T, expected: T) {
    assert!(got == expected, "{what}: expected {expected:?}, got {got:?}");
}

/// Panics unless `holds`.
#[track_caller]
pub(super) fn holds(what: impl Display, holds: bool) {
    assert!(holds, "{what}");
}

/// A file's list of cases, each named after its function.
macro_rules! list {
    ($group:literal: $($case:ident),+ $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$((concat!($group, "::", stringify!($case)), $case)),+];
    };
}
pub(super) use list;
