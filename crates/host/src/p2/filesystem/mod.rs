//! `wasi:filesystem`. Which code stands for which number is in the bindings; who may do what, at the core's door.

mod bind;

use crate::filesystem::{self, hash, read_link, sync};
use crate::mode::{BlockingPolicy, Kind, Mode};
use crate::view::{Both, WasiImpl, WasiView};
use bytes::Bytes;
use std::io::{IoSlice, IoSliceMut};
use std::time::Duration;
use wasi_host_bindings::{DirectoryEntries, FsResult, p2};
use wasi_host_core::fs::{
    Descriptor, DirEntry, FileInputStream, FileOutputStream, Follow, Metadata, Open, Sync,
};
use wasi_host_core::stream::{InputStream, OutputStream, Scratch};
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};
use wasmtime::component::Resource;

/// The most that one call reads or, where it leaves the thread, writes.
const MOST: usize = 1 << 20;

/// What counts as a copy into the page cache.
const COPY: usize = 64 << 10;

/// One more user of what `fd` has open, which may outlive it.
fn counted(view: &mut impl WasiView, fd: &Resource<Descriptor>) -> FsResult<Descriptor> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    Ok(ctx.counted(table.get(fd)?)?)
}

fn read_via_stream<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    offset: u64,
) -> FsResult<Resource<InputStream>> {
    let descriptor = counted(view, fd)?;
    let offload = view.ctx().waiting.offload::<M>();
    let stream: InputStream = Box::new(FileInputStream::new(descriptor, offset, offload)?);
    Ok(view.table().push(stream)?)
}

/// To `offset`, or to the end wherever that is.
fn write_via_stream<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    offset: Option<u64>,
) -> FsResult<Resource<OutputStream>> {
    let descriptor = counted(view, fd)?;
    let offload = view.ctx().waiting.offload::<M>();
    let stream: OutputStream = Box::new(match offset {
        Some(offset) => FileOutputStream::at(descriptor, offset, offload)?,
        None => FileOutputStream::append(descriptor, offload)?,
    });
    Ok(view.table().push(stream)?)
}

/// What can be read at once; `None` if it has to be read elsewhere.
#[inline]
pub(super) fn read_now<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    len: u64,
    offset: u64,
) -> FsResult<Option<Bytes>> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let descriptor = table.get(fd)?;
    let policy = ctx.waiting.policy;
    let offloads = M::offloads(policy, descriptor.blocking(), Kind::Cached);
    if offloads && policy != BlockingPolicy::Adaptive {
        return Ok(None);
    }
    if !offloads && let Some(bytes) = descriptor.lend(length(len), offset) {
        return Ok(Some(bytes));
    }
    let read = ctx.scratch.fill(length(len), |buf| {
        let mut bufs = [IoSliceMut::new(buf)];
        if offloads {
            descriptor.try_read_at(&mut bufs, offset)
        } else {
            descriptor.read_at(&mut bufs, offset)
        }
    });
    match read {
        Err(Errno::Again) if offloads => Ok(None),
        read => Ok(Some(read?)),
    }
}

/// Reads at an offset, elsewhere.
pub(super) async fn read_elsewhere<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    len: u64,
    offset: u64,
) -> FsResult<Bytes> {
    let descriptor = view.table().get(fd)?.clone();
    let read = move || {
        Scratch::default().fill(length(len), |buf| descriptor.read_at(&mut [IoSliceMut::new(buf)], offset))
    };
    Ok(view.ctx().waiting.elsewhere::<M, _>(read).await?)
}

fn length(len: u64) -> usize {
    len.min(MOST as u64) as usize
}

async fn read<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    len: u64,
    offset: u64,
) -> FsResult<(Vec<u8>, bool)> {
    let bytes = match read_now::<M>(view, fd, len, offset)? {
        Some(bytes) => bytes,
        None => read_elsewhere::<M>(view, fd, len, offset).await?,
    };
    Ok((bytes.to_vec(), is_end(&bytes, len)))
}

/// Whether a read that gave this has met the end of the file.
pub(super) fn is_end(bytes: &Bytes, len: u64) -> bool {
    bytes.is_empty() && len > 0
}

/// A descriptor to be written to, and whether a write of this length leaves the thread.
pub(super) fn writing<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    len: usize,
) -> FsResult<(Descriptor, bool)> {
    let descriptor = view.table().get(fd)?.clone();
    let kind = if len <= COPY && descriptor.synchronous() == Sync::No { Kind::Buffered } else { Kind::Disk };
    let offloads = M::offloads(view.ctx().waiting.policy, descriptor.blocking(), kind);
    Ok((descriptor, offloads))
}

/// Writes at an offset, elsewhere; how much that was.
pub(super) async fn write_elsewhere<M: Mode>(
    view: &mut impl WasiView,
    descriptor: Descriptor,
    bytes: Vec<u8>,
    offset: u64,
) -> FsResult<u64> {
    let write = move || descriptor.write_at(&[IoSlice::new(&bytes)], offset);
    Ok(view.ctx().waiting.elsewhere::<M, _>(write).await? as u64)
}

/// As much as one trip to the pool carries.
pub(super) fn load(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(MOST)].to_vec()
}

async fn write<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    bytes: &[u8],
    offset: u64,
) -> FsResult<u64> {
    let (descriptor, offloads) = writing::<M>(view, fd, bytes.len())?;
    if offloads {
        return write_elsewhere::<M>(view, descriptor, load(bytes), offset).await;
    }
    Ok(descriptor.write_at(&[IoSlice::new(bytes)], offset)? as u64)
}

/// Does something with a descriptor, elsewhere if that may take long.
async fn on<M: Mode, R: Send + 'static>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    op: impl FnOnce(&Descriptor) -> Result<R> + Send + 'static,
) -> FsResult<R> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    Ok(ctx.waiting.on_descriptor::<M, _>(table.get(fd)?, op).await?)
}

/// Asks something about a descriptor that is open, which is never worth another thread.
fn ask<R>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    op: impl FnOnce(&Descriptor) -> Result<R>,
) -> FsResult<R> {
    let descriptor = view.table().get(fd)?;
    descriptor.valid()?;
    Ok(op(descriptor)?)
}

/// Does something with a name in a directory, elsewhere if that may take long.
async fn on_path<M: Mode, R: Send + 'static>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    path: &str,
    op: impl FnOnce(&Descriptor, &str) -> Result<R> + Send + 'static,
) -> FsResult<R> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    Ok(ctx.waiting.on_path::<M, _>(table.get(fd)?, path, op).await?)
}

/// Does something with two names, elsewhere if that may take long.
async fn on_paths<M: Mode>(
    view: &mut impl WasiView,
    (from, path): (&Resource<Descriptor>, &str),
    (to, to_path): (&Resource<Descriptor>, &str),
    op: impl FnOnce((&Descriptor, &str), (&Descriptor, &str)) -> Result<()> + Send + 'static,
) -> FsResult<()> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let (from, to) = (table.get(from)?, table.get(to)?);
    Ok(ctx.waiting.on_paths::<M, _>((from, path), (to, to_path), op).await?)
}

async fn stat_at<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    path: &str,
    follow: Follow,
) -> FsResult<Metadata> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let (cached, stat) =
        (|d: &Descriptor, p: &str| d.try_stat(p, follow), move |d: &Descriptor, p: &str| d.stat(p, follow));
    Ok(ctx.waiting.look_up::<M, _>(true, table.get(fd)?, path, cached, stat).await?)
}

async fn open_at<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
    path: &str,
    how: Open,
    mutates: bool,
) -> FsResult<Resource<Descriptor>> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let (slot, dir) = (ctx.slot()?, table.get(fd)?);
    if mutates {
        dir.may_mutate()?;
    }
    let (cached, open) =
        (|d: &Descriptor, p: &str| d.try_open(p, how), move |d: &Descriptor, p: &str| d.open(p, how));
    let opened = ctx.waiting.look_up::<M, _>(true, dir, path, cached, open).await?;
    Ok(table.push(opened.counted(slot))?)
}

async fn read_directory<M: Mode>(
    view: &mut impl WasiView,
    fd: &Resource<Descriptor>,
) -> FsResult<Resource<DirectoryEntries>> {
    let dir = counted(view, fd)?;
    let entries = view.ctx().waiting.on_descriptor::<M, _>(&dir, DirectoryEntries::new).await?;
    Ok(view.table().push(entries)?)
}

async fn read_directory_entry<M: Mode>(
    view: &mut impl WasiView,
    listing: &Resource<DirectoryEntries>,
) -> FsResult<Option<DirEntry>> {
    loop {
        let entries = view.table().get_mut(listing)?;
        match entries.pop() {
            Some(entry) => return Ok(Some(entry?)),
            None if !entries.has_more() => return Ok(None),
            None => {}
        }
        let entries = std::mem::replace(entries, DirectoryEntries::ended());
        let waiting = &view.ctx().waiting;
        let fetched = if M::offloads(waiting.policy, entries.blocking(), Kind::Disk) {
            waiting.elsewhere::<M, _>(move || Ok(entries.fetch())).await?
        } else {
            entries.fetch()
        };
        *view.table().get_mut(listing)? = fetched;
    }
}

impl<T: WasiView> p2::filesystem::preopens::Host for WasiImpl<T> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut both = Both::of(self);
        let (ctx, table) = both.parts();
        filesystem::preopens(ctx, table)
    }
}

/// A file's time as a wall clock would show it; none before 1970.
fn datetime(t: Timestamp) -> Option<p2::clocks::wall_clock::Datetime> {
    let seconds = u64::try_from(t.seconds()).ok()?;
    Some(super::clocks::datetime(Duration::new(seconds, t.subsec_nanos())))
}

/// The code of a failure that a stream met, unless it is one that files do not meet.
fn code_of_file(e: Errno) -> Option<p2::filesystem::types::ErrorCode> {
    let code = p2::filesystem::types::ErrorCode::from(e);
    (code != p2::filesystem::types::ErrorCode::Io || e == Errno::Io).then_some(code)
}
