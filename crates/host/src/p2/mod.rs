//! WASI 0.2 for components.
//!
//! One text serves both kinds of host: what may wait is an `async fn` over a [`Mode`](crate::mode::Mode), and the
//! traits of [`bindings`](crate::bindings) and [`bindings::sync`](crate::bindings::sync) are implemented by the
//! same macro. The few functions that carry a guest's bytes are then defined once more by hand ([`fast`]).

mod cli;
mod clocks;
mod fast;
mod filesystem;
mod io;
mod linker;
mod poll;
mod random;
mod sockets;
mod streams;

pub use linker::{
    LinkOptions, add_to_linker_async, add_to_linker_sync, add_to_linker_with_options_async,
    add_to_linker_with_options_sync,
};

use crate::mode::Pause;
use wasi_host_bindings::{FsError, SocketError};
use wasi_host_core::stream::StreamError;

/// A stream's trap as the engine wants it.
fn any(e: anyhow::Error) -> wasmtime::Error {
    wasmtime::Error::from_anyhow(e)
}

/// The end of a future: at once in a synchronous host, awaited in an asynchronous one.
macro_rules! end {
    (blocking $future:expr) => {
        now($future)
    };
    (awaiting $future:expr) => {
        $future.await
    };
}
use end;

impl From<Pause> for StreamError {
    fn from(p: Pause) -> Self {
        match p {
            Pause::Errno(e) => Self::from(e),
            Pause::Interrupted(i) => Self::Trap(i.into()),
            Pause::Later => unreachable!("only what is tried gives up"),
        }
    }
}

crate::mode::from_pause!(FsError SocketError);
