//! How a stream ended: what its mover tells the guest's future.

use crate::mode::{Awaits, Pause};
use crate::waiting::Waiting;
use futures_channel::oneshot;
use std::sync::Arc;
use wasi_host_bindings::failure;
use wasi_host_core::Errno;
use wasi_host_core::slots::Slot;
use wasi_host_core::stream::{OutputStream, StreamError};
use wasmtime::component::{FutureReader, Lift, Lower};
use wasmtime::{AsContextMut, Result};

/// Tells it, once. Dropped untold it has ended well: the guest wanted no more.
pub(super) type Teller = oneshot::Sender<End>;

/// How it ended.
pub(super) enum End {
    Told(Result<(), Errno>),
    /// All was accepted, and the stream is not done with it yet.
    Delivering(OutputStream, Option<Slot>),
}

/// What a stream's error means to a guest; `closed` is what its end means.
///
/// # Errors
///
/// A trap.
pub(super) fn outcome(e: StreamError, closed: Result<(), Errno>) -> Result<Result<(), Errno>> {
    match e {
        StreamError::Closed => Ok(closed),
        StreamError::LastOperationFailed(e) => Ok(Err(failure(&e).unwrap_or(Errno::Io))),
        StreamError::Trap(e) => Err(wasmtime::Error::from_anyhow(e)),
    }
}

/// A future for the guest, and who completes it.
pub(super) fn future<E, S>(store: S, waiting: &Arc<Waiting>) -> Result<(Teller, FutureReader<Result<(), E>>)>
where
    E: From<Errno> + Send + Sync + 'static,
    Result<(), E>: Lower + Lift,
    S: AsContextMut,
{
    let (teller, end) = oneshot::channel();
    let waiting = waiting.clone();
    let reader = FutureReader::new(store, async move {
        let ended = match waiting.unless_interrupted(end).await? {
            // Its mover is gone: the guest has dropped its end.
            Err(oneshot::Canceled) => Ok(()),
            Ok(End::Told(told)) => told,
            Ok(End::Delivering(stream, _slot)) => delivered(stream, &waiting).await?,
        };
        wasmtime::error::Ok(ended.map_err(E::from))
    })?;
    Ok((teller, reader))
}

/// A future that is complete from the beginning.
pub(super) fn failed<E, S>(store: S, e: Errno) -> Result<FutureReader<Result<(), E>>>
where
    E: From<Errno> + Send + Sync + 'static,
    Result<(), E>: Lower + Lift,
    S: AsContextMut,
{
    FutureReader::new(store, async move { wasmtime::error::Ok(Err(E::from(e))) })
}

/// Waits until a stream that has been ended has brought out all that it took.
async fn delivered(mut stream: OutputStream, waiting: &Waiting) -> Result<Result<(), Errno>, Pause> {
    loop {
        match stream.check_write() {
            Ok(0) => waiting.pause_for_stream::<Awaits, _>(&mut stream).await?,
            Ok(_) | Err(StreamError::Closed) => return Ok(Ok(())),
            Err(StreamError::LastOperationFailed(e)) => return Ok(Err(failure(&e).unwrap_or(Errno::Io))),
            // It is not the guest's fault, nor is anything left to be stopped.
            Err(StreamError::Trap(_)) => return Ok(Err(Errno::Io)),
        }
    }
}
