//! Descriptors themselves: what they are, may do, and where they stand.

use super::abi::{self, FdFlags, Rights};
use super::memory::Memory;
use super::table::Object;
use super::{Stop, Version, WasiP1Ctx};
use wasi_host_core::Errno;
use wasi_host_core::fs::Seek;

/// Closes a descriptor; its number is free again.
pub(super) fn fd_close(_: &mut Memory<'_>, ctx: &mut WasiP1Ctx, fd: u32) -> Result<(), Stop> {
    ctx.table.remove(fd)?;
    Ok(())
}

/// Moves a descriptor to a number that is open, and closes what that stood for.
///
/// # Errors
///
/// `BadF` if either is not open.
///
/// # POSIX
///
/// `dup2` and `close`, in one step.
pub(super) fn fd_renumber(_: &mut Memory<'_>, ctx: &mut WasiP1Ctx, from: u32, to: u32) -> Result<(), Stop> {
    Ok(ctx.table.renumber(from, to)?)
}

/// Says what a descriptor is, its flags and its rights.
pub(super) fn fd_fdstat_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    fdstat: u32,
) -> Result<(), Stop> {
    let entry = ctx.table.get(fd)?;
    abi::set_fdstat(memory, fdstat, entry.file_type(), entry.flags, (entry.base, entry.inheriting))
}

/// Sets the flags of a descriptor.
///
/// # Errors
///
/// `NotSup` where that would have writes reach the disk earlier: when they do is settled when a file is opened.
///
/// # POSIX
///
/// `fcntl(F_SETFL)`
pub(super) fn fd_fdstat_set_flags(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    flags: u32,
) -> Result<(), Stop> {
    let flags: FdFlags = abi::flags(flags)?;
    let entry = ctx.table.get_mut(fd)?;
    entry.need(Rights::FD_FDSTAT_SET_FLAGS)?;
    let switches = FdFlags::APPEND | FdFlags::NONBLOCK;
    if (flags ^ entry.flags).intersects(!switches) && !(flags & !switches).is_empty() {
        return Err(Errno::NotSup.into());
    }
    if let Object::File { cursor, .. } = &mut entry.object {
        cursor.append = flags.contains(FdFlags::APPEND);
    }
    entry.flags = (entry.flags & !switches) | (flags & switches);
    Ok(())
}

/// Gives up rights of a descriptor.
///
/// # Errors
///
/// `NotCapable` if that would add one.
pub(super) fn fd_fdstat_set_rights(
    _: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> Result<(), Stop> {
    let entry = ctx.table.get_mut(fd)?;
    let (base, inheriting) = (Rights::from_bits_retain(base), Rights::from_bits_retain(inheriting));
    if !entry.base.contains(base) || !entry.inheriting.contains(inheriting) {
        return Err(Errno::NotCapable.into());
    }
    (entry.base, entry.inheriting) = (base, inheriting);
    Ok(())
}

/// Says how long the name is under which a directory was given.
///
/// # Errors
///
/// `BadF` for whatever was not given as a directory, sockets too: that is how a C library finds the end of the
/// list.
///
/// # Notes
///
/// One that was taken back says it still, or those behind it would not be found.
pub(super) fn fd_prestat_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    prestat: u32,
) -> Result<(), Stop> {
    if ctx.ctx.shared.preopens.given() != ctx.given {
        ctx.take_in();
    }
    let len = preopen(ctx, fd)?.len() as u32;
    // A tag of 0 is a directory, the only kind there is; the length stands behind it.
    let record = memory.array_mut(prestat, 1, 8, 4)?;
    record[..4].fill(0);
    record[4..].copy_from_slice(&len.to_le_bytes());
    Ok(())
}

/// Reads the name under which a directory was given.
///
/// # Errors
///
/// `NameTooLong` if it does not fit.
pub(super) fn fd_prestat_dir_name(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    name: u32,
    len: u32,
) -> Result<(), Stop> {
    let preopen = preopen(ctx, fd)?.as_bytes();
    if preopen.len() > len as usize {
        return Err(Errno::NameTooLong.into());
    }
    memory.bytes_mut(name, preopen.len() as u32)?.copy_from_slice(preopen);
    Ok(())
}

fn preopen(ctx: &WasiP1Ctx, fd: u32) -> Result<&str, Errno> {
    match &ctx.table.get_any(fd)?.object {
        Object::Dir { preopen: Some(name), .. } => Ok(name),
        _ => Err(Errno::BadF),
    }
}

/// Moves the position of a file, also beyond its end, and says where it is.
///
/// # Errors
///
/// `SPipe` for what has no position, `BadF` for a directory, `Inval` before the beginning.
#[inline]
pub(super) fn fd_seek<V: Version>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    offset: u64,
    whence: u32,
    position: u32,
) -> Result<(), Stop> {
    let to = abi::seek::<V>(offset, whence)?;
    memory.writable(position, 8, 8)?;
    let entry = ctx.table.get_mut(fd)?;
    let need = if to == Seek::Current(0) { Rights::FD_TELL } else { Rights::FD_SEEK };
    match &mut entry.object {
        Object::File { descriptor, cursor } => {
            if !entry.base.intersects(need | Rights::FD_SEEK) {
                return Err(no_position(descriptor.is_seekable()).into());
            }
            let at = cursor.seek(descriptor, to)?;
            memory.set_u64(position, at)
        }
        Object::Dir { .. } => Err(Errno::BadF.into()),
        _ => Err(Errno::SPipe.into()),
    }
}

/// Says where in a file the next read or write begins.
pub(super) fn fd_tell(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    position: u32,
) -> Result<(), Stop> {
    fd_seek::<super::V1>(memory, ctx, fd, 0, 1, position)
}

/// Why a file cannot be positioned: it has no position at all, or the guest has given up the right.
fn no_position(seekable: bool) -> Errno {
    if seekable { Errno::NotCapable } else { Errno::SPipe }
}
