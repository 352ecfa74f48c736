//! `wasi:io/streams`.

use super::any;
use crate::mode::Mode;
use crate::view::{Both, WasiView};
use crate::wait::{BoxFuture, Wait};
use bytes::Bytes;
use std::task::{Context, Waker};
use wasi_host_bindings::p2;
use wasi_host_core::pipe::{ClosedInputStream, ClosedOutputStream};
use wasi_host_core::stream::{
    self, HostOutputStream, InputStream, OutputStream, StreamError, StreamResult, Subscribe,
};
use wasmtime::component::{Resource, ResourceTableError};

fn trap(e: ResourceTableError) -> StreamError {
    StreamError::Trap(e.into())
}

/// As much as a list can hold; more is never there to be read.
fn size(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Up to `len` bytes that are there.
pub(super) fn read(view: &mut impl WasiView, from: &Resource<InputStream>, len: u64) -> StreamResult<Bytes> {
    let mut scratch = std::mem::take(&mut view.ctx().scratch);
    let bytes = match view.table().get_mut(from) {
        Ok(stream) => stream.read_with(size(len), &mut scratch),
        Err(e) => Err(trap(e)),
    };
    view.ctx().scratch = scratch;
    let bytes = bytes?;
    stream::within(bytes.len(), size(len))?;
    Ok(bytes)
}

/// `read`, once there is something.
pub(super) async fn blocking_read<M: Mode>(
    view: &mut impl WasiView,
    from: &Resource<InputStream>,
    len: u64,
) -> StreamResult<Bytes> {
    loop {
        let bytes = read(view, from, len)?;
        if len == 0 || !bytes.is_empty() {
            return Ok(bytes);
        }
        wait_for::<M, _>(view, from).await?;
    }
}

/// Reads and forgets up to `len` bytes that are there.
pub(super) fn skip(view: &mut impl WasiView, from: &Resource<InputStream>, len: u64) -> StreamResult<u64> {
    Ok(view.table().get_mut(from).map_err(trap)?.skip(size(len))? as u64)
}

/// `skip`, once there is something.
pub(super) async fn blocking_skip<M: Mode>(
    view: &mut impl WasiView,
    from: &Resource<InputStream>,
    len: u64,
) -> StreamResult<u64> {
    loop {
        let n = skip(view, from, len)?;
        if len == 0 || n > 0 {
            return Ok(n);
        }
        wait_for::<M, _>(view, from).await?;
    }
}

pub(super) fn check_write(view: &mut impl WasiView, to: &Resource<OutputStream>) -> StreamResult<u64> {
    Ok(view.table().get_mut(to).map_err(trap)?.check_write()? as u64)
}

pub(super) fn write(view: &mut impl WasiView, to: &Resource<OutputStream>, bytes: Bytes) -> StreamResult<()> {
    view.table().get_mut(to).map_err(trap)?.write(bytes)
}

pub(super) fn flush(view: &mut impl WasiView, to: &Resource<OutputStream>) -> StreamResult<()> {
    view.table().get_mut(to).map_err(trap)?.flush()
}

/// What of `bytes` goes out at once, and whether nothing is left to be done: for the many writes that need no waiting.
pub(super) fn write_now(to: &mut dyn HostOutputStream, bytes: &[u8]) -> StreamResult<(usize, bool)> {
    let mut done = 0;
    while done < bytes.len() {
        match to.write_some(&bytes[done..])? {
            0 => return Ok((done, false)),
            n => done += n,
        }
    }
    to.flush()?;
    Ok((done, is_flushed(to)?))
}

/// Whether what was flushed is out. A stream that has ended with its last bytes has taken them.
fn is_flushed(stream: &mut dyn HostOutputStream) -> StreamResult<bool> {
    match stream.check_write() {
        Ok(permit) => Ok(permit > 0),
        Err(StreamError::Closed) => Ok(true),
        Err(e) => Err(e),
    }
}

/// Writes all of `bytes`, flushes, and waits until that is done.
pub(super) async fn blocking_write_and_flush<M: Mode>(
    view: &mut impl WasiView,
    to: &Resource<OutputStream>,
    mut bytes: &[u8],
) -> StreamResult<()> {
    most_blocking(bytes.len() as u64)?;
    loop {
        let (n, done) = write_now(&mut **view.table().get_mut(to).map_err(trap)?, bytes)?;
        bytes = &bytes[n..];
        match (done, bytes.is_empty()) {
            (true, _) => return Ok(()),
            (false, true) => return flushed::<M>(view, to).await,
            (false, false) => wait_for::<M, _>(view, to).await?,
        }
    }
}

/// What the standard allows in one call that blocks.
const BLOCKING_WRITE: u64 = 4096;

pub(super) fn most_blocking(len: u64) -> StreamResult<()> {
    if len > BLOCKING_WRITE {
        return Err(StreamError::trap("a blocking write takes at most 4096 bytes"));
    }
    Ok(())
}

/// Flushes, and waits until that is done.
pub(super) async fn blocking_flush<M: Mode>(
    view: &mut impl WasiView,
    to: &Resource<OutputStream>,
) -> StreamResult<()> {
    flush(view, to)?;
    flushed::<M>(view, to).await
}

/// Waits until what was flushed is out.
async fn flushed<M: Mode>(view: &mut impl WasiView, to: &Resource<OutputStream>) -> StreamResult<()> {
    while !is_flushed(&mut **view.table().get_mut(to).map_err(trap)?)? {
        wait_for::<M, _>(view, to).await?;
    }
    Ok(())
}

/// The most zeroes that any stream is asked to take at a time, whatever it permits.
const ZEROES: u64 = 64 << 20;

pub(super) fn write_zeroes(
    view: &mut impl WasiView,
    to: &Resource<OutputStream>,
    len: u64,
) -> StreamResult<()> {
    let stream = view.table().get_mut(to).map_err(trap)?;
    // Whoever shares a pipe may have filled it since the guest asked; a block of this size is taken nevertheless.
    let permit = (stream.check_write()? as u64).clamp(BLOCKING_WRITE, ZEROES);
    if len > permit {
        return Err(StreamError::trap("more zeroes are written than check-write has permitted"));
    }
    stream.write_zeroes(len as usize)
}

/// `blocking_write_and_flush` of zeroes.
pub(super) async fn blocking_write_zeroes_and_flush<M: Mode>(
    view: &mut impl WasiView,
    to: &Resource<OutputStream>,
    len: u64,
) -> StreamResult<()> {
    most_blocking(len)?;
    let zeroes = [0; BLOCKING_WRITE as usize];
    blocking_write_and_flush::<M>(view, to, &zeroes[..len as usize]).await
}

/// Moves bytes that are there to where there is room for them.
pub(super) fn splice(
    view: &mut impl WasiView,
    to: &Resource<OutputStream>,
    from: &Resource<InputStream>,
    len: u64,
) -> StreamResult<u64> {
    let mut scratch = std::mem::take(&mut view.ctx().scratch);
    let table = view.table();
    let moved = (|| {
        // Both at once: so each is taken out for the moment.
        let input = table.get_mut(from).map_err(trap)?;
        let mut input = std::mem::replace(input, Box::new(ClosedInputStream));
        let moved = match table.get_mut(to) {
            Ok(output) => stream::splice(&mut *input, &mut **output, size(len), &mut scratch),
            Err(e) => Err(trap(e)),
        };
        *table.get_mut(from).map_err(trap)? = input;
        Ok(moved? as u64)
    })();
    view.ctx().scratch = scratch;
    moved
}

/// `splice`, once there are bytes and room.
pub(super) async fn blocking_splice<M: Mode>(
    view: &mut impl WasiView,
    to: &Resource<OutputStream>,
    from: &Resource<InputStream>,
    len: u64,
) -> StreamResult<u64> {
    loop {
        while check_write(view, to)? == 0 {
            wait_for::<M, _>(view, to).await?;
        }
        match splice(view, to, from, len)? {
            0 if len > 0 => wait_for::<M, _>(view, from).await?,
            n => return Ok(n),
        }
    }
}

/// Takes a stream out of the table for a moment in which the store is lent elsewhere.
pub(super) fn take(view: &mut impl WasiView, stream: &Resource<OutputStream>) -> StreamResult<OutputStream> {
    let stream = view.table().get_mut(stream).map_err(trap)?;
    Ok(std::mem::replace(stream, Box::new(ClosedOutputStream)))
}

/// Puts it back.
pub(super) fn put(view: &mut impl WasiView, stream: &Resource<OutputStream>, to: OutputStream) {
    if let Ok(place) = view.table().get_mut(stream) {
        *place = to;
    }
}

/// Waits for a stream of either kind.
async fn wait_for<M: Mode, S: Subscribe>(view: &mut impl WasiView, stream: &Resource<S>) -> StreamResult<()> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let stream = table.get_mut(stream).map_err(trap)?;
    Ok(ctx.waiting.pause_for_stream::<M, _>(stream).await?)
}

/// What the guest sees of a failure; a trap stops it.
pub(super) fn code(
    view: &mut impl WasiView,
    e: StreamError,
) -> wasmtime::Result<p2::io::streams::StreamError> {
    match e {
        StreamError::Closed => Ok(p2::io::streams::StreamError::Closed),
        StreamError::LastOperationFailed(e) => {
            Ok(p2::io::streams::StreamError::LastOperationFailed(view.table().push(e)?))
        }
        StreamError::Trap(e) => Err(any(e)),
    }
}

/// Lets a stream stop what goes on in the background, before it is dropped.
pub(super) async fn cancel_input<M: Mode>(
    view: &mut impl WasiView,
    mut stream: InputStream,
) -> wasmtime::Result<()> {
    let plain = !matches!(stream.wait(), Wait::Future);
    cancel::<M>(view, plain, stream.cancel()).await
}

/// The same for one that is written.
pub(super) async fn cancel_output<M: Mode>(
    view: &mut impl WasiView,
    mut stream: OutputStream,
) -> wasmtime::Result<()> {
    let plain = !matches!(stream.wait(), Wait::Future);
    cancel::<M>(view, plain, stream.cancel()).await
}

/// A plain stream says what it waits for as a value, so it needs no runtime; and its cancelling is nothing, as a rule.
async fn cancel<M: Mode>(
    view: &mut impl WasiView,
    plain: bool,
    mut cancelled: BoxFuture<'_, ()>,
) -> wasmtime::Result<()> {
    if plain && cancelled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
        return Ok(());
    }
    let (waiting, mut ended) = (&view.ctx().waiting, Vec::new());
    let mut futures = [(0, cancelled)];
    while ended.is_empty() {
        waiting.pause::<M>(waiting.watch(), &mut vec![Wait::Future], &mut futures, &mut ended).await?;
    }
    Ok(())
}
