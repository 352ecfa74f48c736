//! How a stream ended: what its mover tells the guest's future.

use crate::mode::{Awaits, Pause};
use crate::waiting::Waiting;
use futures_channel::oneshot;
use std::iter;
use std::sync::Arc;
use wasi_host_bindings::failure;
use wasi_host_core::Errno;
use wasi_host_core::slots::Slot;
use wasi_host_core::stream::{OutputStream, StreamError};
use wasmtime::component::{FutureReader, Lift, Lower, StreamReader};
use wasmtime::{AsContextMut, Result};

/// Tells it, once. Dropped untold it has ended well: the guest wanted no more.
pub(super) type Teller = oneshot::Sender<End>;

/// The guest's end of it.
pub(super) type Ended<E> = FutureReader<Result<(), E>>;

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
pub(super) fn future<E, S>(store: S, waiting: &Arc<Waiting>) -> Result<(Teller, Ended<E>)>
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

/// A stream that could not be opened: it has ended, and its future says why.
pub(super) fn no_source<I, E, S>(mut store: S, e: E) -> Result<(StreamReader<I>, Ended<E>)>
where
    I: Lower + Lift + Send + Sync + 'static,
    E: Send + Sync + 'static,
    Result<(), E>: Lower + Lift,
    S: AsContextMut,
{
    Ok((StreamReader::new(&mut store, iter::empty())?, failed(store, e)?))
}

/// The same for what the guest would have written: nobody reads it.
pub(super) fn no_sink<E, S>(mut store: S, mut data: StreamReader<u8>, e: E) -> Result<Ended<E>>
where
    E: Send + Sync + 'static,
    Result<(), E>: Lower + Lift,
    S: AsContextMut,
{
    data.close(&mut store)?;
    failed(store, e)
}

fn failed<E, S>(store: S, e: E) -> Result<Ended<E>>
where
    E: Send + Sync + 'static,
    Result<(), E>: Lower + Lift,
    S: AsContextMut,
{
    FutureReader::new(store, async move { wasmtime::error::Ok(Err(e)) })
}

/// What an error of an output means that has been ended before.
pub(super) fn after_its_end(e: StreamError) -> Result<(), Errno> {
    // A trap is not the guest's fault any more, nor is anything left to be stopped.
    outcome(e, Ok(())).unwrap_or(Err(Errno::Io))
}

/// Waits until a stream that has been ended has brought out all that it took.
async fn delivered(mut stream: OutputStream, waiting: &Waiting) -> Result<Result<(), Errno>, Pause> {
    loop {
        match stream.check_write() {
            Ok(0) => waiting.pause_for_stream::<Awaits, _>(&mut stream).await?,
            Ok(_) => return Ok(Ok(())),
            Err(e) => return Ok(after_its_end(e)),
        }
    }
}
