//! Reading and writing.

use super::abi::{FdFlags, Rights};
use super::memory::{Buffers, ConstBuffers, Memory};
use super::table::Object;
use super::{Stop, WasiP1Ctx};
use crate::mode::{BlockingPolicy, Kind, Mode, Pause};
use crate::waiting::Waiting;
use std::io::{IoSlice, IoSliceMut};
use wasi_host_core::fs::{Cursor, Descriptor, Interest};
use wasi_host_core::stream::{self, HostOutputStream, InputStream, OutputStream, StreamError, StreamResult};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

/// The longest write that an adaptive host takes for a mere copy, and what one trip to the pool carries.
const COPY: usize = 64 << 10;
const TRIP: usize = 1 << 20;

/// Reads from where the descriptor stands.
///
/// # Parameters
///
/// - `iovs`, `n`: the buffers, filled in turn
/// - `nread`: where to put the number of bytes; 0 is the end
///
/// # Errors
///
/// `Again` if there is nothing yet and the descriptor is non-blocking; `IsDir` for a directory.
///
/// # POSIX
///
/// `readv`
pub(super) async fn fd_read<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    iovs: u32,
    n: u32,
    nread: u32,
) -> Result<(), Stop> {
    memory.writable(nread, 4, 4)?;
    let mut bufs = Buffers::new();
    memory.scatter(iovs, n, &mut bufs)?;
    let entry = ctx.table.get_mut(fd)?;
    let allowed = entry.need(Rights::FD_READ);
    let (nonblocking, waiting) = (entry.nonblocking(), &ctx.ctx.waiting);
    let count = match &mut entry.object {
        Object::Dir { .. } => return Err(Errno::IsDir.into()),
        Object::Output { .. } => return Err(Errno::BadF.into()),
        _ if allowed.is_err() => return Err(Errno::NotCapable.into()),
        _ if bufs.iter().all(|b| b.is_empty()) => 0,
        Object::File { descriptor, cursor } => loop {
            match read_file::<M>(waiting, descriptor, cursor, &mut bufs).await {
                Err(Pause::Errno(Errno::Again)) if !nonblocking && !descriptor.is_seekable() => {
                    waiting.pause_for::<M>(|| descriptor.wait(Interest::Read)).await?;
                }
                r => break r?,
            }
        },
        Object::Input { stream, .. } => read_stream::<M>(waiting, stream, nonblocking, &mut bufs).await?,
        Object::Socket(socket) => {
            let (wait, recv) = (|| socket.wait(Interest::Read), || socket.open()?.recv(&mut bufs, false));
            waiting.until_done::<M, _>(nonblocking, wait, recv).await?
        }
    };
    drop(bufs);
    memory.set_u32(nread, count as u32)
}

/// Reads from a file where its cursor stands.
async fn read_file<M: Mode>(
    waiting: &Waiting,
    descriptor: &Descriptor,
    cursor: &mut Cursor,
    bufs: &mut [IoSliceMut<'_>],
) -> Result<usize, Pause> {
    if !descriptor.is_seekable() || !M::offloads(waiting.policy, descriptor.blocking(), Kind::Cached) {
        return Ok(cursor.read(descriptor, bufs)?);
    }
    let n = read_elsewhere::<M>(waiting, descriptor, bufs, cursor.position()).await?;
    cursor.advance(n);
    Ok(n)
}

/// Reads at an offset of a file that may have to wait for its disk: what is cached at once, the rest on the pool.
async fn read_elsewhere<M: Mode>(
    waiting: &Waiting,
    descriptor: &Descriptor,
    bufs: &mut [IoSliceMut<'_>],
    offset: u64,
) -> Result<usize, Pause> {
    let wanted: usize = bufs.iter().map(|b| b.len()).sum();
    if M::TRIES {
        // The cache is asked first; after that it is known not to have all of it.
        return match waiting.policy {
            BlockingPolicy::Adaptive => match descriptor.try_read_at(bufs, offset) {
                // Short in the middle of a file is the end of what is cached, not of the file.
                Ok(n) if n > 0 && n < wanted && descriptor.metadata()?.size > offset + n as u64 => {
                    Err(Pause::Later)
                }
                Err(Errno::Again) => Err(Pause::Later),
                r => Ok(r?),
            },
            _ => Err(Pause::Later),
        };
    }
    let (descriptor, len) = (descriptor.clone(), wanted.min(TRIP));
    let read = move || {
        let mut bytes = vec![0; len];
        let n = descriptor.read_at(&mut [IoSliceMut::new(&mut bytes)], offset)?;
        bytes.truncate(n);
        Ok(bytes)
    };
    let bytes = waiting.elsewhere::<M, _>(read).await?;
    let mut rest = &bytes[..];
    for buf in bufs {
        let (now, later) = rest.split_at(rest.len().min(buf.len()));
        buf[..now.len()].copy_from_slice(now);
        rest = later;
    }
    Ok(bytes.len())
}

/// Reads from a stream until it has given something, and then as much as it has at once.
async fn read_stream<M: Mode>(
    waiting: &Waiting,
    stream: &mut InputStream,
    nonblocking: bool,
    bufs: &mut [IoSliceMut<'_>],
) -> Result<usize, Stop> {
    let mut count = 0;
    for buf in bufs.iter_mut().filter(|b| !b.is_empty()) {
        let n = loop {
            match stream::read_into(&mut **stream, buf) {
                Ok(Some(n)) => break n,
                Ok(None) if count > 0 => break 0,
                Ok(None) if nonblocking => return Err(Errno::Again.into()),
                Ok(None) => waiting.pause_for_stream::<M, _>(&mut **stream).await?,
                // What was read before stays read.
                Err(StreamError::LastOperationFailed(_)) if count > 0 => break 0,
                Err(e) => return Err(stopped(e)),
            }
        };
        count += n;
        if n < buf.len() {
            break;
        }
    }
    Ok(count)
}

/// Writes where the descriptor stands, or at the end if it appends.
///
/// # Parameters
///
/// - `iovs`, `n`: the bytes, one buffer after the other
/// - `nwritten`: where to put how many were taken
///
/// # Errors
///
/// `Pipe` if nobody reads; `Again` if there is no room yet and the descriptor is non-blocking; `FBig` beyond
/// [`Limits::file_size`](crate::limits::Limits::file_size).
///
/// # POSIX
///
/// `writev`
pub(super) async fn fd_write<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    iovs: u32,
    n: u32,
    nwritten: u32,
) -> Result<(), Stop> {
    memory.writable(nwritten, 4, 4)?;
    let mut bufs = ConstBuffers::new();
    memory.gather(iovs, n, &mut bufs)?;
    let entry = ctx.table.get_mut(fd)?;
    let allowed = entry.need(Rights::FD_WRITE);
    let (nonblocking, waiting) = (entry.nonblocking(), &ctx.ctx.waiting);
    let count = match &mut entry.object {
        Object::Dir { .. } => return Err(Errno::IsDir.into()),
        Object::Input { .. } => return Err(Errno::BadF.into()),
        _ if allowed.is_err() => return Err(Errno::NotCapable.into()),
        _ if bufs.iter().all(|b| b.is_empty()) => 0,
        Object::File { descriptor, cursor } => loop {
            match write_file::<M>(waiting, descriptor, cursor, entry.flags, &bufs).await {
                Err(Pause::Errno(Errno::Again)) if !nonblocking && !descriptor.is_seekable() => {
                    waiting.pause_for::<M>(|| descriptor.wait(Interest::Write)).await?;
                }
                r => break r?,
            }
        },
        Object::Output { stream, .. } => write_stream::<M>(waiting, stream, nonblocking, &bufs).await?,
        Object::Socket(socket) => {
            let (wait, send) = (|| socket.wait(Interest::Write), || socket.open()?.send(&bufs));
            waiting.until_done::<M, _>(nonblocking, wait, send).await?
        }
    };
    drop(bufs);
    memory.set_u32(nwritten, count as u32)
}

/// Whether a write leaves the thread: short ones are a copy into the page cache, unless they are to reach the disk.
fn write_offloads<M: Mode>(
    waiting: &Waiting,
    descriptor: &Descriptor,
    flags: FdFlags,
    bufs: &[IoSlice<'_>],
) -> bool {
    let synchronous = flags.intersects(FdFlags::SYNCHRONOUS);
    let small = bufs.iter().map(|b| b.len()).sum::<usize>() <= COPY;
    let kind = if small && !synchronous { Kind::Buffered } else { Kind::Disk };
    descriptor.is_seekable() && M::offloads(waiting.policy, descriptor.blocking(), kind)
}

/// What one trip to the pool carries of a write.
fn gathered(bufs: &[IoSlice<'_>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bufs.iter().map(|b| b.len()).sum::<usize>().min(TRIP));
    for buf in bufs {
        let room = TRIP - bytes.len();
        bytes.extend_from_slice(&buf[..buf.len().min(room)]);
    }
    bytes
}

/// Writes to a file where its cursor stands.
async fn write_file<M: Mode>(
    waiting: &Waiting,
    descriptor: &Descriptor,
    cursor: &mut Cursor,
    flags: FdFlags,
    bufs: &[IoSlice<'_>],
) -> Result<usize, Pause> {
    if !write_offloads::<M>(waiting, descriptor, flags, bufs) {
        return Ok(cursor.write(descriptor, bufs)?);
    }
    if M::TRIES {
        return Err(Pause::Later);
    }
    let (descriptor, bytes, mut moved) = (descriptor.clone(), gathered(bufs), *cursor);
    let write = move || {
        let n = moved.write(&descriptor, &[IoSlice::new(&bytes)])?;
        Ok((n, moved))
    };
    let (n, moved) = waiting.elsewhere::<M, _>(write).await?;
    *cursor = moved;
    Ok(n)
}

/// Writes all of it to a stream, waiting for room as often as needed; some of it if the stream fails on the way.
async fn write_stream<M: Mode>(
    waiting: &Waiting,
    stream: &mut OutputStream,
    nonblocking: bool,
    bufs: &[IoSlice<'_>],
) -> Result<usize, Stop> {
    if M::TRIES && !takes_at_once(&mut **stream, bufs).map_err(stopped)? {
        return Err(Pause::Later.into());
    }
    let mut count = 0;
    for buf in bufs {
        let mut rest = &buf[..];
        while !rest.is_empty() {
            match stream.write_some(rest) {
                // A call that is only tried must not be done again once it has done something.
                Ok(0) if (nonblocking || M::TRIES) && count > 0 => return Ok(count),
                Ok(0) if nonblocking => return Err(Errno::Again.into()),
                Ok(0) => waiting.pause_for_stream::<M, _>(&mut **stream).await?,
                Ok(n) => (count, rest) = (count + n, &rest[n..]),
                // What was taken before stays taken; the next call meets the failure again.
                Err(StreamError::Closed | StreamError::LastOperationFailed(_)) if count > 0 => {
                    return Ok(count);
                }
                Err(e) => return Err(stopped(e)),
            }
        }
    }
    stream.flush().map_err(stopped)?;
    // A stream of a user's may still be carrying them: what `write` says it took has arrived.
    while !nonblocking && matches!(stream.wait(), Wait::Future) && matches!(stream.check_write(), Ok(0)) {
        waiting.pause_for_stream::<M, _>(&mut **stream).await?;
    }
    Ok(count)
}

/// Whether a stream takes all of it in one step and is done with it then.
fn takes_at_once(stream: &mut dyn HostOutputStream, bufs: &[IoSlice<'_>]) -> StreamResult<bool> {
    let total: usize = bufs.iter().map(|b| b.len()).sum();
    Ok(!matches!(stream.wait(), Wait::Future) && stream.check_write()? >= total)
}

fn stopped(e: StreamError) -> Stop {
    match e.number() {
        Ok(errno) => Stop::Errno(errno),
        Err(trap) => Stop::Trap(wasmtime::Error::from_anyhow(trap)),
    }
}

/// Reads at an offset, without moving where the descriptor stands.
///
/// # Errors
///
/// `SPipe` for what has no position.
///
/// # POSIX
///
/// `preadv`
pub(super) async fn fd_pread<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    iovs: u32,
    n: u32,
    offset: u64,
    nread: u32,
) -> Result<(), Stop> {
    memory.writable(nread, 4, 4)?;
    let mut bufs = Buffers::new();
    memory.scatter(iovs, n, &mut bufs)?;
    let descriptor = positioned(ctx, fd, Rights::FD_READ, offset)?;
    let waiting = &ctx.ctx.waiting;
    let count = if M::offloads(waiting.policy, descriptor.blocking(), Kind::Cached) {
        read_elsewhere::<M>(waiting, descriptor, &mut bufs, offset).await?
    } else {
        descriptor.read_at(&mut bufs, offset)?
    };
    drop(bufs);
    memory.set_u32(nread, count as u32)
}

/// Writes at an offset, without moving where the descriptor stands. One that appends writes at the end.
///
/// # Errors
///
/// `SPipe` for what has no position.
///
/// # POSIX
///
/// `pwritev`
pub(super) async fn fd_pwrite<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    iovs: u32,
    n: u32,
    offset: u64,
    nwritten: u32,
) -> Result<(), Stop> {
    memory.writable(nwritten, 4, 4)?;
    let mut bufs = ConstBuffers::new();
    memory.gather(iovs, n, &mut bufs)?;
    let descriptor = positioned(ctx, fd, Rights::FD_WRITE, offset)?;
    let (waiting, flags) = (&ctx.ctx.waiting, ctx.table.get(fd)?.flags);
    let append = flags.contains(FdFlags::APPEND);
    let write = move |to: &Descriptor, bufs: &[IoSlice<'_>]| {
        if append { to.append(bufs) } else { to.write_at(bufs, offset) }
    };
    let count = if write_offloads::<M>(waiting, descriptor, flags, &bufs) {
        if M::TRIES {
            return Err(Pause::Later.into());
        }
        let (descriptor, bytes) = (descriptor.clone(), gathered(&bufs));
        waiting.elsewhere::<M, _>(move || write(&descriptor, &[IoSlice::new(&bytes)])).await?
    } else {
        write(descriptor, &bufs)?
    };
    drop(bufs);
    memory.set_u32(nwritten, count as u32)
}

/// The file behind a descriptor for which `offset` means something.
fn positioned(ctx: &WasiP1Ctx, fd: u32, right: Rights, offset: u64) -> Result<&Descriptor, Errno> {
    let entry = ctx.table.get(fd)?;
    match &entry.object {
        Object::File { descriptor, .. } => {
            if !descriptor.is_seekable() {
                return Err(Errno::SPipe);
            }
            // Reading and writing at an offset is what `FD_SEEK` allows.
            entry.need(right | Rights::FD_SEEK)?;
            if i64::try_from(offset).is_err() { Err(Errno::Inval) } else { Ok(descriptor) }
        }
        Object::Dir { .. } => Err(Errno::IsDir),
        _ => Err(Errno::SPipe),
    }
}
