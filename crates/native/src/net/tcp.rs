//! TCP sockets of the operating system.

use super::{FLAGS, address, options};
use crate::errno::from_os;
use crate::kernel::{first, first_mut};
use crate::wait::Registered;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno as Os;
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, sockopt};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Shutdown, TcpOption, TcpOptionName, TcpSocket};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

pub(super) struct Tcp {
    fd: Registered,
    family: Family,
    listening: AtomicBool,
    connecting: AtomicBool,
}

/// A socket that listens already. It is set not to block, also for those who hold a duplicate.
///
/// # Errors
///
/// Those of `fcntl(2)` and `getsockname(2)`.
pub fn listener(listener: TcpListener) -> io::Result<Arc<dyn TcpSocket>> {
    listener.set_nonblocking(true)?;
    let family = Family::of(listener.local_addr()?);
    Ok(Arc::new(Tcp::new(listener.into(), family, true)))
}

/// A socket that is connected already. It is set not to block, also for those who hold a duplicate.
///
/// # Errors
///
/// Those of `fcntl(2)` and `getsockname(2)`.
pub fn stream(stream: TcpStream) -> io::Result<Arc<dyn TcpSocket>> {
    stream.set_nonblocking(true)?;
    let family = Family::of(stream.local_addr()?);
    Ok(Arc::new(Tcp::new(stream.into(), family, false)))
}

impl Tcp {
    pub(super) fn new(fd: OwnedFd, family: Family, listening: bool) -> Self {
        Self { fd: Registered::new(fd), family, listening: listening.into(), connecting: false.into() }
    }
}

impl TcpSocket for Tcp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        // Or the address of a server that has just ended could not be taken again for minutes.
        sockopt::set_socket_reuseaddr(&self.fd, true).map_err(from_os)?;
        rustix::net::bind(&self.fd, &addr).map_err(from_os)
    }

    fn connect(&self, addr: SocketAddr) -> Result<()> {
        // Asked again, the kernel tells how the attempt goes.
        match rustix::io::retry_on_intr(|| rustix::net::connect(&self.fd, &addr)) {
            Err(Os::INPROGRESS | Os::ALREADY) => {
                self.connecting.store(true, Ordering::Relaxed);
                Err(Errno::InProgress)
            }
            Err(Os::ISCONN) if self.connecting.swap(false, Ordering::Relaxed) => Ok(()),
            done => {
                self.connecting.store(false, Ordering::Relaxed);
                done.map_err(from_os)
            }
        }
    }

    fn listen(&self, backlog: u32) -> Result<()> {
        rustix::net::listen(&self.fd, i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(from_os)?;
        self.listening.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        loop {
            match rustix::net::acceptfrom_with(&self.fd, FLAGS) {
                Ok((fd, peer)) => {
                    let accepted = Tcp::new(fd, self.family, false);
                    let peer = peer.map_or_else(|| accepted.peer_addr(), address::address)?;
                    return Ok((Arc::new(accepted), peer));
                }
                // One that had gone before we took it, or failed on the way: the next, please.
                Err(
                    Os::INTR
                    | Os::CONNABORTED
                    | Os::PROTO
                    | Os::NOPROTOOPT
                    | Os::NETDOWN
                    | Os::NETUNREACH
                    | Os::HOSTDOWN
                    | Os::HOSTUNREACH,
                ) => {}
                Err(e) => return Err(from_os(e)),
            }
        }
    }

    fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool) -> Result<usize> {
        let bufs = first_mut(bufs);
        let flags = if peek { RecvFlags::PEEK } else { RecvFlags::empty() };
        let received = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(&self.fd, bufs, &mut RecvAncillaryBuffer::default(), flags)
        });
        received.map(|m| m.bytes).map_err(from_os)
    }

    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let bufs = first(bufs);
        rustix::io::retry_on_intr(|| {
            rustix::net::sendmsg(&self.fd, bufs, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL)
        })
        .map_err(from_os)
    }

    fn shutdown(&self, how: Shutdown) -> Result<()> {
        let how = match how {
            Shutdown::Receive => rustix::net::Shutdown::Read,
            Shutdown::Send => rustix::net::Shutdown::Write,
            Shutdown::Both => rustix::net::Shutdown::Both,
        };
        rustix::net::shutdown(&self.fd, how).map_err(from_os)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        address::local(&self.fd)
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        address::peer(&self.fd)
    }

    fn get(&self, name: TcpOptionName) -> Result<TcpOption> {
        options::get(self.fd.as_fd(), self.family, name)
    }

    fn set(&self, option: TcpOption) -> Result<()> {
        options::set(self.fd.as_fd(), self.family, option)
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        match interest {
            Interest::Read => Wait::Readable(self.fd.as_fd()),
            Interest::Write => Wait::Writable(self.fd.as_fd()),
        }
    }

    fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }
}
