//! Streams of WASI 0.3 as the component model has them: reads and writes of nothing, ends, cancellation at each point,
//! errors, and any order of these.
#![allow(unreachable_pub, reason = "modules of a test binary")]

mod doubles;
mod edges;
mod guest;
mod model;

use std::sync::Mutex;
use wasi_host::{InputStream, OutputStream, StdinStream, StdoutStream};

/// What has one stream only: any can be read as the guest's input, or written as its output.
struct Once<S>(Mutex<Option<S>>);

impl<S> Once<S> {
    fn new(stream: S) -> Self {
        Self(Mutex::new(Some(stream)))
    }

    fn take(&self) -> S {
        self.0.lock().unwrap().take().expect("asked for once")
    }
}

impl StdinStream for Once<InputStream> {
    fn stream(&self) -> InputStream {
        self.take()
    }

    fn isatty(&self) -> bool {
        false
    }
}

impl StdoutStream for Once<OutputStream> {
    fn stream(&self) -> OutputStream {
        self.take()
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
