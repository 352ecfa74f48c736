//! Open files and directories: what is known of them, and what can be done with them as a whole.

use super::abi::{self, Rights};
use super::memory::Memory;
use super::readdir::{self, Listing};
use super::table::Object;
use super::{Stop, Version, WasiP1Ctx};
use crate::mode::{Kind, Mode};
use wasi_host_core::Errno;
use wasi_host_core::fs::{Descriptor, Metadata};
use wasi_host_core::time::Timestamp;

/// Says how a part of a file will be used.
///
/// # POSIX
///
/// `posix_fadvise`
pub(super) async fn fd_advise<M: Mode>(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    offset: u64,
    len: u64,
    advice: u32,
) -> Result<(), Stop> {
    let advice = abi::advice(advice)?;
    let descriptor = file(ctx, fd, Rights::FD_ADVISE)?;
    if i64::try_from(offset).is_err() || i64::try_from(len).is_err() {
        return Err(Errno::Inval.into());
    }
    Ok(ctx.ctx.waiting.on_descriptor::<M, _>(descriptor, move |d| d.advise(offset, len, advice)).await?)
}

/// Makes room in a file, and the file at least that long.
///
/// # POSIX
///
/// `posix_fallocate`
pub(super) async fn fd_allocate<M: Mode>(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    offset: u64,
    len: u64,
) -> Result<(), Stop> {
    let descriptor = file(ctx, fd, Rights::FD_ALLOCATE)?;
    if len == 0 {
        return Err(Errno::Inval.into());
    }
    Ok(ctx.ctx.waiting.on_descriptor::<M, _>(descriptor, move |d| d.allocate(offset, len)).await?)
}

/// The file behind a descriptor, for a call that means nothing for a directory.
fn file(ctx: &WasiP1Ctx, fd: u32, right: Rights) -> Result<&Descriptor, Errno> {
    let entry = ctx.table.get(fd)?;
    match &entry.object {
        Object::Dir { .. } => Err(Errno::BadF),
        _ => entry.descriptor(right, Errno::SPipe),
    }
}

/// Returns when the data of a file is safe.
///
/// # POSIX
///
/// `fdatasync`
pub(super) async fn fd_datasync<M: Mode>(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
) -> Result<(), Stop> {
    sync::<M>(ctx, fd, Rights::FD_DATASYNC, true).await
}

/// Returns when the data and metadata of a file are safe.
///
/// # POSIX
///
/// `fsync`
pub(super) async fn fd_sync<M: Mode>(_: &mut Memory<'_>, ctx: &mut WasiP1Ctx, fd: u32) -> Result<(), Stop> {
    sync::<M>(ctx, fd, Rights::FD_SYNC, false).await
}

async fn sync<M: Mode>(ctx: &mut WasiP1Ctx, fd: u32, right: Rights, data_only: bool) -> Result<(), Stop> {
    let descriptor = ctx.table.get(fd)?.descriptor(right, Errno::Inval)?;
    Ok(ctx.ctx.waiting.on_descriptor::<M, _>(descriptor, move |d| d.sync(data_only)).await?)
}

/// Says what is known of an open file.
///
/// # POSIX
///
/// `fstat`
pub(super) fn fd_filestat_get<V: Version>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    filestat: u32,
) -> Result<(), Stop> {
    let entry = ctx.table.get(fd)?;
    entry.need(Rights::FD_FILESTAT_GET)?;
    let metadata = match &entry.object {
        Object::File { descriptor, .. } | Object::Dir { descriptor, .. } => descriptor.metadata()?,
        // Of a stream only its kind is known.
        _ => Metadata {
            file_type: entry.file_type(),
            dev: 0,
            ino: 0,
            nlink: 0,
            size: 0,
            accessed: Timestamp::default(),
            modified: Timestamp::default(),
            changed: Timestamp::default(),
        },
    };
    abi::set_filestat::<V>(memory, filestat, &metadata)
}

/// Cuts a file, or makes it longer with zeroes.
///
/// # POSIX
///
/// `ftruncate`
pub(super) async fn fd_filestat_set_size<M: Mode>(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    size: u64,
) -> Result<(), Stop> {
    let descriptor = ctx.table.get(fd)?.descriptor(Rights::FD_FILESTAT_SET_SIZE, Errno::Inval)?;
    Ok(ctx.ctx.waiting.on_descriptor::<M, _>(descriptor, move |d| d.set_len(size)).await?)
}

/// Sets the times of an open file, in nanoseconds since 1970.
///
/// # POSIX
///
/// `futimens`
pub(super) async fn fd_filestat_set_times<M: Mode>(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(), Stop> {
    let (accessed, modified) = abi::times(accessed, modified, flags)?;
    let now = ctx.ctx.virtual_now();
    let descriptor = ctx.table.get(fd)?.descriptor(Rights::FD_FILESTAT_SET_TIMES, Errno::BadF)?;
    let waiting = &ctx.ctx.waiting;
    Ok(waiting.on_descriptor::<M, _>(descriptor, move |d| d.set_times(accessed, modified, now)).await?)
}

/// Lists a directory.
///
/// # Parameters
///
/// - `buf`, `len`: where to put entries, the last cut where the space ends
/// - `cookie`: 0 to begin, with a listing made anew, or what the entry before said comes next
/// - `used`: where to put the space used; less than `len` says that this was the end
///
/// # Notes
///
/// The order is the backend's; `.` and `..` are among them.
///
/// # POSIX
///
/// `readdir`, `seekdir`
pub(super) async fn fd_readdir<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    buf: u32,
    len: u32,
    cookie: u64,
    used: u32,
) -> Result<(), Stop> {
    memory.writable(used, 4, 4)?;
    let out = memory.bytes_mut(buf, len)?;
    let entry = ctx.table.get_mut(fd)?;
    entry.dir(Rights::FD_READDIR)?;
    let Object::Dir { descriptor, listing: kept, .. } = &mut entry.object else {
        return Err(Errno::NotDir.into());
    };
    readdir::check(cookie)?;
    let mut listing = if cookie == 0 { None } else { kept.take() };
    let (mut next, mut written) = (Some(cookie), 0);
    let offloads = M::offloads(ctx.ctx.waiting.policy, descriptor.blocking(), Kind::Disk);
    while let Some(cookie) = next.filter(|_| written < out.len()) {
        let space = out.len() - written;
        // What an earlier look at the disk has left needs no other.
        if !listing.as_mut().is_some_and(|left| left.holds(cookie, space)) {
            let left = listing.take();
            listing = Some(if offloads {
                let d = descriptor.clone();
                let fill = move || Listing::filled(left, &d, cookie, space);
                ctx.ctx.waiting.elsewhere::<M, _>(fill).await?
            } else {
                Listing::filled(left, descriptor, cookie, space)?
            });
        }
        if let Some(filled) = &listing {
            written += filled.write(&mut out[written..]);
            next = filled.after();
        }
    }
    // A guest that had room to spare has seen the end, and a listing holds a descriptor of the host's.
    let kept = listing.filter(|_| written == out.len());
    ctx.table.keep(fd, kept);
    memory.set_u32(used, written as u32)
}
