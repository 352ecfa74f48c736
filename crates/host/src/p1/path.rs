//! Names in directories.

use super::abi::{self, FdFlags, OFlags, Rights};
use super::memory::Memory;
use super::table::{Entry, Object};
use super::{Stop, Version, WasiP1Ctx};
use crate::mode::Mode;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Cursor, Descriptor, Follow, Open, Sync};

/// Makes a directory.
///
/// # POSIX
///
/// `mkdirat`
pub(super) async fn path_create_directory<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    path: u32,
    len: u32,
) -> Result<(), Stop> {
    let path = memory.str(path, len)?;
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_CREATE_DIRECTORY)?;
    Ok(ctx.ctx.waiting.on_path::<M, _>(dir, path, Descriptor::create_dir).await?)
}

/// Says what is known of what a name stands for.
///
/// # POSIX
///
/// `fstatat`
pub(super) async fn path_filestat_get<M: Mode, V: Version>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    filestat: u32,
) -> Result<(), Stop> {
    let (follow, path) = (abi::follow(lookup)?, memory.str(path, len)?);
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_FILESTAT_GET)?;
    let (cached, stat) =
        (|d: &Descriptor, p: &str| d.try_stat(p, follow), move |d: &Descriptor, p: &str| d.stat(p, follow));
    let metadata = ctx.ctx.waiting.look_up::<M, _>(M::TRIES, dir, path, cached, stat).await?;
    abi::set_filestat::<V>(memory, filestat, &metadata)
}

/// Sets the times of what a name stands for, in nanoseconds since 1970.
///
/// # POSIX
///
/// `utimensat`
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
pub(super) async fn path_filestat_set_times<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(), Stop> {
    let (follow, path) = (abi::follow(lookup)?, memory.str(path, len)?);
    let (accessed, modified) = abi::times(accessed, modified, flags)?;
    let now = ctx.ctx.virtual_now();
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_FILESTAT_SET_TIMES)?;
    let set = move |d: &Descriptor, p: &str| d.set_times_at(p, follow, accessed, modified, now);
    Ok(ctx.ctx.waiting.on_path::<M, _>(dir, path, set).await?)
}

/// Gives a file another name.
///
/// # POSIX
///
/// `linkat`
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
pub(super) async fn path_link<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    to_fd: u32,
    to_path: u32,
    to_len: u32,
) -> Result<(), Stop> {
    let (follow, path, to_path) =
        (abi::follow(lookup)?, memory.str(path, len)?, memory.str(to_path, to_len)?);
    let from = ctx.table.get(fd)?.dir(Rights::PATH_LINK_SOURCE)?;
    let to = ctx.table.get(to_fd)?.dir(Rights::PATH_LINK_TARGET)?;
    let link = move |(d, p): (&Descriptor, &str), (to, q): (&Descriptor, &str)| d.hard_link(p, follow, to, q);
    Ok(ctx.ctx.waiting.on_paths::<M, _>((from, path), (to, to_path), link).await?)
}

/// Opens a name.
///
/// # Parameters
///
/// - `lookup`: 1 to follow a symbolic link in the last place
/// - `oflags`: create, directory, exclusive, truncate
/// - `base`: the rights that are wanted, of which `FD_READ` and `FD_WRITE` say what a file is opened for
/// - `fdflags`: append, non-blocking, when writes reach the disk
/// - `opened`: where to put the number of the new descriptor
///
/// # Errors
///
/// `NotCapable` for rights that the directory may not pass on, or a path that leads out of it; `Perm` for what the
/// directory was not given for; `MFile` beyond
/// [`Limits::descriptors`](crate::limits::Limits::descriptors).
///
/// # Notes
///
/// The guest gets the rights to all that its access allows, whether it named them or not: programs rely on it.
///
/// # POSIX
///
/// `openat`
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
pub(super) async fn path_open<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    lookup: u32,
    path: u32,
    len: u32,
    oflags: u32,
    base: u64,
    _inheriting: u64,
    fdflags: u32,
    opened: u32,
) -> Result<(), Stop> {
    memory.writable(opened, 4, 4)?;
    let (follow, path) = (abi::follow(lookup)? == Follow::Yes, memory.str(path, len)?);
    let (oflags, flags): (OFlags, FdFlags) = (abi::flags(oflags)?, abi::flags(fdflags)?);
    let base = Rights::from_bits_truncate(base);
    let parent = ctx.table.get(fd)?;
    let mut need = Rights::PATH_OPEN;
    need.set(Rights::PATH_CREATE_FILE, oflags.contains(OFlags::CREAT));
    need.set(Rights::PATH_FILESTAT_SET_SIZE, oflags.contains(OFlags::TRUNC));
    let dir = parent.dir(need)?;
    let access = base & (Rights::FD_READ | Rights::FD_WRITE);
    let passed_on = (parent.base, parent.inheriting);
    if !passed_on.1.contains(access) {
        return Err(Errno::NotCapable.into());
    }
    ctx.table.room()?;
    let how = Open {
        read: base.contains(Rights::FD_READ),
        write: base.contains(Rights::FD_WRITE),
        create: oflags.contains(OFlags::CREAT),
        exclusive: oflags.contains(OFlags::EXCL),
        truncate: oflags.contains(OFlags::TRUNC),
        directory: oflags.contains(OFlags::DIRECTORY),
        follow,
        sync: match () {
            () if flags.intersects(FdFlags::SYNC | FdFlags::RSYNC) => Sync::All,
            () if flags.contains(FdFlags::DSYNC) => Sync::Data,
            () => Sync::No,
        },
    };
    let (cached, open) =
        (|d: &Descriptor, p: &str| d.try_open(p, how), move |d: &Descriptor, p: &str| d.open(p, how));
    let descriptor = ctx.ctx.waiting.look_up::<M, _>(M::TRIES, dir, path, cached, open).await?;
    let entry = opened_entry(descriptor, flags, access, passed_on);
    let number = ctx.table.insert(entry)?;
    memory.set_u32(opened, number)
}

/// What the guest gets for a name that was opened in a directory with these rights.
fn opened_entry(
    descriptor: Descriptor,
    flags: FdFlags,
    access: Rights,
    (parent_base, passed_on): (Rights, Rights),
) -> Entry {
    if descriptor.is_dir() {
        let base = parent_base & Rights::DIRECTORY;
        let object = Object::Dir { descriptor, preopen: None, listing: None };
        return Entry { object, flags, base, inheriting: passed_on };
    }
    let all = if descriptor.is_seekable() { Rights::FILE } else { Rights::STREAM };
    let writes = Rights::FD_WRITE | Rights::FD_ALLOCATE | Rights::FD_FILESTAT_SET_SIZE;
    let mut base = (all - Rights::FD_READ - writes) | access;
    if access.contains(Rights::FD_WRITE) {
        base |= all & writes;
    }
    let mut cursor = Cursor::default();
    cursor.append = flags.contains(FdFlags::APPEND);
    let object = Object::File { descriptor, cursor };
    Entry { object, flags, base: base & passed_on, inheriting: Rights::empty() }
}

/// Reads what a symbolic link holds, cut to the space there is.
///
/// # POSIX
///
/// `readlinkat`
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
pub(super) async fn path_readlink<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    path: u32,
    len: u32,
    buf: u32,
    buf_len: u32,
    used: u32,
) -> Result<(), Stop> {
    let path = memory.str(path, len)?;
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_READLINK)?;
    let target = ctx.ctx.waiting.on_path::<M, _>(dir, path, Descriptor::read_link).await?;
    let out = memory.bytes_mut(buf, buf_len)?;
    let n = target.len().min(out.len());
    out[..n].copy_from_slice(&target.as_bytes()[..n]);
    memory.set_u32(used, n as u32)
}

/// Removes an empty directory.
///
/// # POSIX
///
/// `unlinkat(AT_REMOVEDIR)`
pub(super) async fn path_remove_directory<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    path: u32,
    len: u32,
) -> Result<(), Stop> {
    let path = memory.str(path, len)?;
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_REMOVE_DIRECTORY)?;
    Ok(ctx.ctx.waiting.on_path::<M, _>(dir, path, Descriptor::remove_dir).await?)
}

/// Moves a name.
///
/// # POSIX
///
/// `renameat`
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
pub(super) async fn path_rename<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    path: u32,
    len: u32,
    to_fd: u32,
    to_path: u32,
    to_len: u32,
) -> Result<(), Stop> {
    let (path, to_path) = (memory.str(path, len)?, memory.str(to_path, to_len)?);
    let from = ctx.table.get(fd)?.dir(Rights::PATH_RENAME_SOURCE)?;
    let to = ctx.table.get(to_fd)?.dir(Rights::PATH_RENAME_TARGET)?;
    let rename = |(d, p): (&Descriptor, &str), (to, q): (&Descriptor, &str)| d.rename(p, to, q);
    Ok(ctx.ctx.waiting.on_paths::<M, _>((from, path), (to, to_path), rename).await?)
}

/// Makes a symbolic link.
///
/// # Errors
///
/// `NotCapable` for an absolute target, which could only lead out of what the guest was given.
///
/// # POSIX
///
/// `symlinkat`
pub(super) async fn path_symlink<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    target: u32,
    target_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> Result<(), Stop> {
    let (target, path) = (memory.str(target, target_len)?, memory.str(path, len)?);
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_SYMLINK)?;
    let link = |(d, target): (&Descriptor, &str), (_, path): (&Descriptor, &str)| d.symlink(target, path);
    Ok(ctx.ctx.waiting.on_paths::<M, _>((dir, target), (dir, path), link).await?)
}

/// Removes the name of a file.
///
/// # POSIX
///
/// `unlinkat`
pub(super) async fn path_unlink_file<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    path: u32,
    len: u32,
) -> Result<(), Stop> {
    let path = memory.str(path, len)?;
    let dir = ctx.table.get(fd)?.dir(Rights::PATH_UNLINK_FILE)?;
    Ok(ctx.ctx.waiting.on_path::<M, _>(dir, path, Descriptor::unlink).await?)
}
