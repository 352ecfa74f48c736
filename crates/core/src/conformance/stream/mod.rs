//! What a stream must do, whoever made it: what its guests rely on, and what the provided methods of its trait do.
//!
//! # Example
//!
//! ```
//! use wasi_host_core::conformance::stream::{self, Input, Output, Parker};
//! use wasi_host_core::pipe::{MemoryInputPipe, MemoryOutputPipe};
//!
//! stream::output(&Parker, || {
//!     let pipe = MemoryOutputPipe::new(32 << 20);
//!     let mut seen = 0;
//!     Output::new(Box::new(pipe.clone()), move || {
//!         let new = pipe.contents().slice(seen..);
//!         seen += new.len();
//!         new.into()
//!     })
//! });
//! stream::input(&Parker, |bytes| Input::whole(Box::new(MemoryInputPipe::new(bytes.to_vec()))));
//! ```

mod check;
mod input;
mod output;
mod parker;

pub use parker::Parker;

use crate::stream::{InputStream, OutputStream};
use crate::wait::Waiter;

/// A stream to be written, and what is seen of it from the other side.
pub struct Output {
    stream: OutputStream,
    taken: Taken,
    hangs_up: bool,
}

type Taken = Box<dyn FnMut() -> Vec<u8> + Send>;

impl Output {
    /// An output that is empty. `taken` takes what has arrived at the other side, in order, so that there is room for more;
    /// nothing if nothing has. It is called from other threads too, and does not wait.
    ///
    /// What is written has lower-case letters, `\n` and `\0` in it: so what a stream adds can be told from it, and left out.
    /// What is given as the last of a stream that was dropped ends with a `\n`.
    pub fn new(stream: OutputStream, taken: impl FnMut() -> Vec<u8> + Send + 'static) -> Self {
        Self { stream, taken: Box::new(taken), hangs_up: false }
    }

    /// Dropping `taken` takes the other side away, which the guest is to be told.
    #[must_use]
    pub fn hangs_up(mut self) -> Self {
        self.hangs_up = true;
        self
    }
}

/// A stream to be read, and what brings its bytes.
pub struct Input {
    stream: InputStream,
    feed: Option<Feed>,
}

type Feed = Box<dyn FnMut(&[u8]) + Send>;

impl Input {
    /// An input that holds all it will ever give.
    pub fn whole(stream: InputStream) -> Self {
        Self { stream, feed: None }
    }

    /// An input that also gives whatever `feed` is called with, and ends when that is dropped. It is called from other
    /// threads, and may wait until there is room.
    pub fn fed(stream: InputStream, feed: impl FnMut(&[u8]) + Send + 'static) -> Self {
        Self { stream, feed: Some(Box::new(feed)) }
    }
}

/// Runs every case on an output of its own, made by `fresh`. `waiter` is what waits for it: [`Parker`] will do for streams
/// that need no descriptor.
///
/// An output with a bound should have one of at least 32 MiB, or be emptied by what is taken from it.
///
/// # Panics
///
/// At the end, if any case failed, with the name of each and what it said.
#[track_caller]
pub fn output(waiter: &dyn Waiter, mut fresh: impl FnMut() -> Output) {
    super::check::run(
        "stream",
        output::CASES.iter().map(|(name, case)| {
            let output = fresh();
            (*name, move || case(waiter, output))
        }),
    );
}

/// Runs every case on an input of its own, made by `fresh`, which gives the bytes that `fresh` is called with: no more
/// than 4096. `waiter` is what waits for it.
///
/// # Panics
///
/// As [`output`].
#[track_caller]
pub fn input(waiter: &dyn Waiter, mut fresh: impl FnMut(&[u8]) -> Input) {
    let fed = fresh(b"").feed.is_some();
    let cases = input::CASES.iter().chain(input::FED.iter().filter(|_| fed));
    super::check::run(
        "stream",
        cases.map(|(name, first, case)| {
            let first = check::text(*first);
            let input = fresh(&first);
            (*name, move || case(waiter, input, first))
        }),
    );
}
