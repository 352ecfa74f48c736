//! WASI 0.3 for components: asynchronous, as the component model is.
//!
//! What the standard calls a `stream` is moved by one producer and one consumer of bytes between the guest's memory and a stream
//! of the core; streams of directory entries and of connections have producers of their own. What fails on the way is told
//! by the `future` that comes with the stream.

mod bytes;
mod cli;
mod clocks;
mod completion;
mod filesystem;
mod held;
mod linker;
mod listing;
mod random;
mod sockets;

pub use linker::{LinkOptions, add_to_linker, add_to_linker_all_async, add_to_linker_with_options};
pub use wasi_host_bindings::p3 as bindings;

use crate::ctx::WasiCtx;
use crate::mode::Pause;
use crate::wait::Interrupt;
use crate::waiting::Waiting;
use std::sync::Arc;
use std::task::Poll;
use wasi_host_bindings::p3::{FsError, LookupError, SocketError};
use wasi_host_core::net::Error;
use wasmtime::component::StreamResult;

impl WasiCtx {
    /// How this context waits, for what waits without holding it. The embedder may ask for an interrupt while it does.
    fn waiting(&self) -> Arc<Waiting> {
        self.waiting.interrupt.get_or_init(Interrupt::default);
        self.waiting.clone()
    }
}

/// A read or write that cannot go on waits, unless the guest takes it back.
fn pending(finish: bool) -> Poll<wasmtime::Result<StreamResult>> {
    if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending }
}

crate::mode::from_pause!(FsError SocketError);

impl From<Pause> for LookupError {
    fn from(p: Pause) -> Self {
        match p {
            Pause::Errno(_) => Error::TemporaryResolverFailure.into(),
            stop => Self::Trap(stop.into()),
        }
    }
}
