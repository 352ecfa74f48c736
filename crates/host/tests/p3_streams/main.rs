//! Streams of WASI 0.3 as the component model has them: reads and writes of nothing, ends, cancellation at each point,
//! errors, and any order of these.

mod doubles;
mod edges;
mod guest;
mod model;

use std::sync::Mutex;
use wasi_host::{InputStream, StdinStream};

/// A source whose only stream is this one: any stream can be read as the guest's input.
struct Once(Mutex<Option<InputStream>>);

impl Once {
    fn new(stream: InputStream) -> Self {
        Self(Mutex::new(Some(stream)))
    }
}

impl StdinStream for Once {
    fn stream(&self) -> InputStream {
        self.0.lock().unwrap().take().expect("asked for once")
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// Tells runs apart, and which one failed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}
