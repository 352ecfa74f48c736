//! The functions that carry a guest's bytes, by hand: what a guest writes is borrowed from its memory, and what it
//! reads is lowered from a buffer that is used again. The generated ones collect each in a `Vec`.

use super::{filesystem, poll, random, streams};
use crate::ctx::fill_random;
use crate::mode::{Awaits, Blocks, Mode, now};
use crate::view::{WasiImpl, WasiView};
use bytes::Bytes;
use wasi_host_bindings::p2::filesystem::types::ErrorCode;
use wasi_host_bindings::p2::io::streams::StreamError as StreamCode;
use wasi_host_bindings::{FsError, FsResult, Pollable};
use wasi_host_core::fs::Descriptor;
use wasi_host_core::stream::{InputStream, OutputStream, StreamResult};
use wasmtime::component::{Linker, LinkerInstance, Resource, WasmList};
use wasmtime::{Result, StoreContextMut};

const FILESYSTEM: &str = "wasi:filesystem/types@0.2.12";
const POLL: &str = "wasi:io/poll@0.2.12";
const STREAMS: &str = "wasi:io/streams@0.2.12";
const RANDOM: &str = "wasi:random/random@0.2.12";
const INSECURE: &str = "wasi:random/insecure@0.2.12";

/// Defines them over the generated ones. Only here may a definition hide another: an embedder's second definition
/// of the same name still fails.
pub(super) fn shadow<T: WasiView + 'static>(
    linker: &mut Linker<T>,
    define: impl FnOnce(&mut Linker<T>) -> Result<()>,
) -> Result<()> {
    linker.allow_shadowing(true);
    let defined = define(linker);
    linker.allow_shadowing(false);
    defined
}

/// What a function of `wasi:filesystem/types` gives: the two outputs' error codes are the same in the ABI.
type OfFile<R> = Result<(Result<R, ErrorCode>,)>;

fn of_file<R>(result: FsResult<R>) -> OfFile<R> {
    match result {
        Ok(r) => Ok((Ok(r),)),
        Err(FsError::Code(code)) => Ok((Err(code),)),
        Err(FsError::Trap(trap)) => Err(trap),
    }
}

/// What a function of `wasi:io/streams` gives.
type OfStream<R> = Result<(Result<R, StreamCode>,)>;

fn of_stream<R>(view: &mut impl WasiView, result: StreamResult<R>) -> OfStream<R> {
    match result {
        Ok(r) => Ok((Ok(r),)),
        Err(e) => Ok((Err(streams::code(view, e)?),)),
    }
}

type Cx<'a, T> = StoreContextMut<'a, T>;
type Reading = (Resource<InputStream>, u64);
type Writing = (Resource<OutputStream>, WasmList<u8>);
type ReadingAt = (Resource<Descriptor>, u64, u64);
type WritingAt = (Resource<Descriptor>, WasmList<u8>, u64);

/// Those that never wait.
fn common<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    let mut of = linker.instance(STREAMS)?;
    of.func_wrap("[method]input-stream.read", |mut cx: Cx<'_, T>, (from, len): Reading| {
        let read = streams::read(cx.data_mut(), &from, len);
        of_stream(cx.data_mut(), read)
    })?;
    of.func_wrap("[method]output-stream.write", |mut cx: Cx<'_, T>, (to, bytes): Writing| {
        let written = with_stream(&mut cx, &to, &bytes, |stream, bytes| stream.write_from(bytes));
        of_stream(cx.data_mut(), written)
    })?;
    random_bytes(&mut linker.instance(RANDOM)?, "get-random-bytes", |view, bytes| {
        fill_random(&mut *view.ctx().random, bytes)
    })?;
    random_bytes(&mut linker.instance(INSECURE)?, "get-insecure-random-bytes", |view, bytes| {
        fill_random(&mut *view.ctx().insecure_random, bytes)
    })
}

fn random_bytes<T: WasiView + 'static>(
    of: &mut LinkerInstance<'_, T>,
    name: &str,
    fill: fn(&mut T, &mut [u8]) -> Result<()>,
) -> Result<()> {
    of.func_wrap(name, move |mut cx: Cx<'_, T>, (len,): (u64,)| {
        let view = cx.data_mut();
        let len = random::length(view, len)?;
        let mut scratch = std::mem::take(&mut view.ctx().scratch);
        let bytes = scratch.fill(len, |bytes| fill(view, bytes).map(|()| len));
        view.ctx().scratch = scratch;
        Ok((bytes?,))
    })
}

/// Lends a stream and the guest's bytes at once: both belong to the store, so the stream is taken out of it.
fn with_stream<T: WasiView, R>(
    cx: &mut Cx<'_, T>,
    to: &Resource<OutputStream>,
    bytes: &WasmList<u8>,
    op: impl FnOnce(&mut OutputStream, &[u8]) -> StreamResult<R>,
) -> StreamResult<R> {
    let mut stream = streams::take(cx.data_mut(), to)?;
    let done = op(&mut stream, bytes.as_le_slice(&*cx));
    streams::put(cx.data_mut(), to, stream);
    done
}

/// Writes what goes out at once; what remains is copied, as are so few of the bytes that block.
fn write_now<T: WasiView>(
    cx: &mut Cx<'_, T>,
    to: &Resource<OutputStream>,
    bytes: &WasmList<u8>,
) -> StreamResult<Option<Vec<u8>>> {
    streams::most_blocking(bytes.len() as u64)?;
    with_stream(cx, to, bytes, |stream, bytes| {
        let (n, done) = streams::write_now(&mut **stream, bytes)?;
        Ok((!done).then(|| bytes[n..].to_vec()))
    })
}

fn read_at(read: FsResult<Bytes>, len: u64) -> OfFile<(Bytes, bool)> {
    of_file(read.map(|bytes| {
        let end = filesystem::is_end(&bytes, len);
        (bytes, end)
    }))
}

/// Writes, unless that has to be done elsewhere: then what is to be written.
fn write_at<M: Mode, T: WasiView>(
    cx: &mut Cx<'_, T>,
    (fd, bytes, offset): &WritingAt,
) -> FsResult<Result<u64, (Descriptor, Vec<u8>)>> {
    let (descriptor, offloads) = filesystem::writing::<M>(cx.data_mut(), fd, bytes.len())?;
    let bytes = bytes.as_le_slice(&*cx);
    if offloads {
        return Ok(Err((descriptor, filesystem::load(bytes))));
    }
    Ok(Ok(descriptor.write_at(&[std::io::IoSlice::new(bytes)], *offset)? as u64))
}

/// For synchronous hosts.
pub(super) fn blocking<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    common(linker)?;
    let mut of = linker.instance(FILESYSTEM)?;
    of.func_wrap("[method]descriptor.read", |mut cx: Cx<'_, T>, (fd, len, offset): ReadingAt| {
        let read = filesystem::read_now::<Blocks>(cx.data_mut(), &fd, len, offset);
        read_at(read.map(Option::unwrap_or_default), len)
    })?;
    of.func_wrap("[method]descriptor.write", |mut cx: Cx<'_, T>, writing: WritingAt| {
        of_file(write_at::<Blocks, T>(&mut cx, &writing).map(|n| n.unwrap_or_default()))
    })?;
    let mut of = linker.instance(STREAMS)?;
    of.func_wrap("[method]input-stream.blocking-read", |mut cx: Cx<'_, T>, (from, len): Reading| {
        let read = now(streams::blocking_read::<Blocks>(cx.data_mut(), &from, len));
        of_stream(cx.data_mut(), read)
    })?;
    of.func_wrap(
        "[method]output-stream.blocking-write-and-flush",
        |mut cx: Cx<'_, T>, (to, bytes): Writing| {
            let written = write_now(&mut cx, &to, &bytes).and_then(|rest| match rest {
                None => Ok(()),
                Some(rest) => now(streams::blocking_write_and_flush::<Blocks>(cx.data_mut(), &to, &rest)),
            });
            of_stream(cx.data_mut(), written)
        },
    )
}

/// What an asynchronous function gives.
type Later<'a, R> = Box<dyn Future<Output = Result<R>> + Send + 'a>;

/// A result that is there already, in a box that has room for nothing else: that of a wait is many times as large.
fn done<'a, R: Send + 'a>(result: Result<R>) -> Later<'a, R> {
    Box::new(std::future::ready(result))
}

/// For asynchronous hosts: no wait is prepared before one is needed.
pub(super) fn awaiting<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    common(linker)?;
    questions(linker)?;
    let mut of = linker.instance(FILESYSTEM)?;
    of.func_wrap_async("[method]descriptor.read", read_async)?;
    of.func_wrap_async("[method]descriptor.write", write_async)?;
    let mut of = linker.instance(STREAMS)?;
    of.func_wrap_async("[method]input-stream.blocking-read", blocking_read_async)?;
    of.func_wrap_async("[method]output-stream.blocking-write-and-flush", write_and_flush_async)?;
    let mut of = linker.instance(POLL)?;
    of.func_wrap_async("poll", poll_async)?;
    of.func_wrap_async("[method]pollable.block", block_async)?;
    of.func_wrap_async("[method]pollable.ready", ready_async)
}

/// What is asked about an open file or directory is answered at once, as in a synchronous host.
fn questions<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    use wasi_host_bindings::p2::sync::filesystem::types::HostDescriptor;
    type Fd = (Resource<Descriptor>,);
    let mut of = linker.instance(FILESYSTEM)?;
    of.func_wrap("[method]descriptor.get-flags", |mut cx: Cx<'_, T>, (fd,): Fd| {
        of_file(WasiImpl(cx.data_mut()).get_flags(fd))
    })?;
    of.func_wrap("[method]descriptor.get-type", |mut cx: Cx<'_, T>, (fd,): Fd| {
        of_file(WasiImpl(cx.data_mut()).get_type(fd))
    })?;
    of.func_wrap("[method]descriptor.stat", |mut cx: Cx<'_, T>, (fd,): Fd| {
        of_file(WasiImpl(cx.data_mut()).stat(fd))
    })?;
    of.func_wrap("[method]descriptor.metadata-hash", |mut cx: Cx<'_, T>, (fd,): Fd| {
        of_file(WasiImpl(cx.data_mut()).metadata_hash(fd))
    })
}

fn read_async<'a, T: WasiView>(
    mut cx: Cx<'a, T>,
    (fd, len, offset): ReadingAt,
) -> Later<'a, (Result<(Bytes, bool), ErrorCode>,)> {
    match filesystem::read_now::<Awaits>(cx.data_mut(), &fd, len, offset) {
        Ok(None) => Box::new(async move {
            read_at(filesystem::read_elsewhere::<Awaits>(cx.data_mut(), &fd, len, offset).await, len)
        }),
        read => done(read_at(read.map(Option::unwrap_or_default), len)),
    }
}

fn write_async<'a, T: WasiView>(
    mut cx: Cx<'a, T>,
    writing: WritingAt,
) -> Later<'a, (Result<u64, ErrorCode>,)> {
    match write_at::<Awaits, T>(&mut cx, &writing) {
        Ok(Ok(n)) => done(of_file(Ok(n))),
        Ok(Err((descriptor, bytes))) => Box::new(async move {
            of_file(filesystem::write_elsewhere::<Awaits>(cx.data_mut(), descriptor, bytes, writing.2).await)
        }),
        Err(e) => done(of_file(Err(e))),
    }
}

fn blocking_read_async<'a, T: WasiView>(
    mut cx: Cx<'a, T>,
    (from, len): Reading,
) -> Later<'a, (Result<Bytes, StreamCode>,)> {
    match streams::read(cx.data_mut(), &from, len) {
        Ok(bytes) if bytes.is_empty() && len > 0 => Box::new(async move {
            let read = streams::blocking_read::<Awaits>(cx.data_mut(), &from, len).await;
            of_stream(cx.data_mut(), read)
        }),
        read => done(of_stream(cx.data_mut(), read)),
    }
}

fn write_and_flush_async<'a, T: WasiView>(
    mut cx: Cx<'a, T>,
    (to, bytes): Writing,
) -> Later<'a, (Result<(), StreamCode>,)> {
    match write_now(&mut cx, &to, &bytes) {
        Ok(Some(rest)) => Box::new(async move {
            let written = streams::blocking_write_and_flush::<Awaits>(cx.data_mut(), &to, &rest).await;
            of_stream(cx.data_mut(), written)
        }),
        written => done(of_stream(cx.data_mut(), written.map(drop))),
    }
}

fn poll_async<'a, T: WasiView>(
    mut cx: Cx<'a, T>,
    (list,): (Vec<Resource<Pollable>>,),
) -> Later<'a, (Vec<u32>,)> {
    match poll::poll_now(cx.data_mut(), &list) {
        Ok(None) => Box::new(async move { Ok((poll::poll_waiting::<Awaits>(cx.data_mut(), &list).await?,)) }),
        ready => done(ready.map(|ready| (ready.unwrap_or_default(),))),
    }
}

fn block_async<'a, T: WasiView>(mut cx: Cx<'a, T>, (pollable,): (Resource<Pollable>,)) -> Later<'a, ()> {
    match poll::ready_now(cx.data_mut(), &pollable, |clock| clock.now()) {
        Ok(Some(true)) => done(Ok(())),
        _ => Box::new(async move { poll::block::<Awaits>(cx.data_mut(), &pollable).await }),
    }
}

fn ready_async<'a, T: WasiView>(mut cx: Cx<'a, T>, (pollable,): (Resource<Pollable>,)) -> Later<'a, (bool,)> {
    match poll::ready_now(cx.data_mut(), &pollable, |clock| clock.read()) {
        Ok(None) => Box::new(async move { Ok((poll::ready::<Awaits>(cx.data_mut(), &pollable).await?,)) }),
        ready => done(ready.map(|ready| (ready.unwrap_or_default(),))),
    }
}
