//! Connections, and sockets that listen.

use super::abi::{self, FdFlags, Rights};
use super::memory::{Buffers, Memory};
use super::table::{Entry, Object};
use super::{Stop, WasiP1Ctx};
use crate::mode::Mode;
use wasi_host_core::Errno;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::Shutdown;

/// Takes a connection that has come in.
///
/// # Parameters
///
/// - `flags`: the flags of the new descriptor, of which a socket knows `NONBLOCK`
/// - `accepted`: where to put its number
///
/// # Errors
///
/// `NotSock`; `Again` if nobody has called yet and the listener is non-blocking.
///
/// # POSIX
///
/// `accept4`
pub(super) async fn sock_accept<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    flags: u32,
    accepted: u32,
) -> Result<(), Stop> {
    memory.writable(accepted, 4, 4)?;
    let flags: FdFlags = abi::flags(flags)?;
    if !FdFlags::NONBLOCK.contains(flags) {
        return Err(Errno::Inval.into());
    }
    let entry = ctx.table.get(fd)?;
    let socket = entry.socket(Rights::SOCK_ACCEPT)?;
    let (base, nonblocking) = (entry.inheriting, entry.nonblocking());
    ctx.table.room()?;
    let wait = || socket.wait(Interest::Read);
    let accept = || socket.open()?.accept();
    let (connection, _) = ctx.ctx.waiting.until_done::<M, _>(nonblocking, wait, accept).await?;
    let object = Object::Socket(socket.with(connection));
    let number = ctx.table.insert(Entry { object, flags, base, inheriting: Rights::empty() })?;
    memory.set_u32(accepted, number)
}

/// Receives from a connection.
///
/// # Parameters
///
/// - `flags`: 1 to leave the bytes to be received again, 2 to wait until the buffers are full
/// - `nread`: where to put the number of bytes; 0 is the end
/// - `oflags`: where to put what happened to the message; always 0, as streams have none to cut
///
/// # POSIX
///
/// `recvmsg`
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
pub(super) async fn sock_recv<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    iovs: u32,
    n: u32,
    flags: u32,
    nread: u32,
    oflags: u32,
) -> Result<(), Stop> {
    memory.writable(nread, 4, 4)?;
    memory.writable(oflags, 2, 2)?;
    if flags > 0b11 {
        return Err(Errno::Inval.into());
    }
    let (peek, all) = (flags & 1 != 0, flags & 2 != 0);
    let mut bufs = Buffers::new();
    memory.scatter(iovs, n, &mut bufs)?;
    let entry = ctx.table.get(fd)?;
    let (socket, nonblocking) = (entry.socket(Rights::FD_READ)?, entry.nonblocking());
    let (mut count, mut rest) = (0, &mut bufs[..]);
    let wanted: usize = rest.iter().map(|b| b.len()).sum();
    loop {
        if wanted == 0 {
            break;
        }
        match socket.open().and_then(|s| s.recv(rest, peek)) {
            // Peeked bytes stay where they are: there is no going on behind them.
            Ok(n) if !all || peek || n == 0 || count + n == wanted => {
                count += n;
                break;
            }
            Ok(n) => {
                count += n;
                std::io::IoSliceMut::advance_slices(&mut rest, n);
            }
            Err(Errno::Again) if count > 0 && nonblocking => break,
            Err(Errno::Again) if !nonblocking => {
                ctx.ctx.waiting.pause_for::<M>(|| socket.wait(Interest::Read)).await?;
            }
            Err(_) if count > 0 => break,
            Err(e) => return Err(e.into()),
        }
    }
    drop(bufs);
    memory.set_u32(nread, count as u32)?;
    memory.array_mut(oflags, 1, 2, 2)?.fill(0);
    Ok(())
}

/// Sends to a connection.
///
/// # Parameters
///
/// - `flags`: 0
/// - `nwritten`: where to put how many bytes were taken
///
/// # POSIX
///
/// `sendmsg`
pub(super) async fn sock_send<M: Mode>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    fd: u32,
    iovs: u32,
    n: u32,
    flags: u32,
    nwritten: u32,
) -> Result<(), Stop> {
    if flags != 0 {
        return Err(Errno::Inval.into());
    }
    ctx.table.get(fd)?.socket(Rights::FD_WRITE)?;
    super::io::fd_write::<M>(memory, ctx, fd, iovs, n, nwritten).await
}

/// Ends one direction of a connection, or both.
///
/// # Parameters
///
/// - `how`: 1 to receive no more, 2 to send no more, 3 for both
///
/// # POSIX
///
/// `shutdown`
pub(super) fn sock_shutdown(_: &mut Memory<'_>, ctx: &mut WasiP1Ctx, fd: u32, how: u32) -> Result<(), Stop> {
    let socket = ctx.table.get(fd)?.socket(Rights::SOCK_SHUTDOWN)?;
    let how = match how {
        1 => Shutdown::Receive,
        2 => Shutdown::Send,
        3 => Shutdown::Both,
        _ => return Err(Errno::Inval.into()),
    };
    Ok(socket.open()?.shutdown(how)?)
}
