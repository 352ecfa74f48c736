//! UDP sockets of the operating system.

use super::{address, options};
use crate::errno::from_os;
use crate::kernel;
use crate::wait::Registered;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{RecvFlags, SendFlags};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, UdpOption, UdpOptionName, UdpSocket};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

pub(super) struct Udp {
    fd: Registered,
    family: Family,
    /// As it was asked for.
    bound: Mutex<Option<SocketAddr>>,
}

impl Udp {
    pub(super) fn new(fd: OwnedFd, family: Family) -> Self {
        Self { fd: Registered::new(fd), family, bound: Mutex::default() }
    }

    fn bound(&self) -> MutexGuard<'_, Option<SocketAddr>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disconnect(&self) -> Result<()> {
        let before = self.local_addr()?;
        rustix::net::connect_unspec(&self.fd).map_err(from_os)?;
        let mut bound = self.bound();
        // Linux forgets with the peer a port that it had chosen itself, as it should if that was for the peer alone.
        let Some(mut again) = bound.filter(|_| before.port() != 0) else { return Ok(()) };
        if self.local_addr()?.port() != 0 {
            return Ok(());
        }
        again.set_port(before.port());
        rustix::net::bind(&self.fd, &again).map_err(|e| {
            *bound = None;
            from_os(e)
        })
    }
}

impl UdpSocket for Udp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        rustix::net::bind(&self.fd, &addr).map_err(from_os)?;
        *self.bound() = Some(addr);
        Ok(())
    }

    fn connect(&self, addr: Option<SocketAddr>) -> Result<()> {
        // The kernel would go on sending from the local address that it chose for the peer before.
        match rustix::net::getpeername(&self.fd) {
            Ok(Some(_)) => self.disconnect()?,
            Ok(None) | Err(rustix::io::Errno::NOTCONN) => {}
            Err(e) => return Err(from_os(e)),
        }
        let Some(addr) = addr else { return Ok(()) };
        let done = rustix::io::retry_on_intr(|| rustix::net::connect(&self.fd, &addr));
        if done.is_err() && self.bound().is_none() {
            // Linux has given it a port by then, to which everybody could send.
            let _ = rustix::net::connect_unspec(&self.fd);
        }
        done.map_err(from_os)
    }

    fn recv(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let (n, _, from) =
            rustix::io::retry_on_intr(|| rustix::net::recvfrom(&self.fd, &mut *buf, RecvFlags::empty()))
                .map_err(from_os)?;
        Ok((n, address::address(from.ok_or(Errno::Io)?)?))
    }

    fn send(&self, buf: &[u8], to: Option<SocketAddr>) -> Result<()> {
        let flags = SendFlags::NOSIGNAL;
        let sent = rustix::io::retry_on_intr(|| match to {
            Some(to) => rustix::net::sendto(&self.fd, buf, flags, &to),
            None => rustix::net::send(&self.fd, buf, flags),
        });
        sent.map(|_| ()).map_err(from_os)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        address::local(&self.fd)
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        match interest {
            Interest::Read => Wait::Readable(self.fd.as_fd()),
            Interest::Write => Wait::Writable(self.fd.as_fd()),
        }
    }

    fn shutdown(&self) -> Result<()> {
        match rustix::net::shutdown(&self.fd, rustix::net::Shutdown::Both) {
            // Linux says so where there is no peer, and has done it.
            Err(rustix::io::Errno::NOTCONN) => Ok(()),
            done => done.map_err(from_os),
        }
    }

    fn is_writable(&self) -> bool {
        // A failure to ask is found again by sending.
        kernel::ready(&self.fd, PollFlags::OUT).unwrap_or(true)
    }

    fn get(&self, name: UdpOptionName) -> Result<UdpOption> {
        Ok(match name {
            UdpOptionName::UnicastHopLimit => {
                UdpOption::UnicastHopLimit(options::hops(&self.fd, self.family)?)
            }
            UdpOptionName::ReceiveBufferSize => {
                UdpOption::ReceiveBufferSize(options::receive_buffer(&self.fd)?)
            }
            UdpOptionName::SendBufferSize => UdpOption::SendBufferSize(options::send_buffer(&self.fd)?),
        })
    }

    fn set(&self, option: UdpOption) -> Result<()> {
        match option {
            UdpOption::UnicastHopLimit(n) => options::set_hops(&self.fd, self.family, n),
            UdpOption::ReceiveBufferSize(n) => options::set_receive_buffer(&self.fd, n),
            UdpOption::SendBufferSize(n) => options::set_send_buffer(&self.fd, n),
        }
    }
}
