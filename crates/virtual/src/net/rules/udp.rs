//! UDP sockets under rules.

use super::member::{Member, Socket};
use super::{DROPPED, Shared};
use std::net::SocketAddr;
use std::sync::Arc;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{SocketAddrUse, UdpOption, UdpOptionName, UdpSocket};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

pub(super) struct Udp {
    inner: Arc<dyn UdpSocket>,
    member: Arc<Member>,
}

impl Udp {
    pub(super) fn new(rules: &Arc<Shared>, inner: Arc<dyn UdpSocket>) -> Self {
        let member = Member::new(rules, Socket::Udp(inner.clone()));
        Self { inner, member }
    }

    fn inner(&self) -> Result<&dyn UdpSocket> {
        self.member.valid()?;
        Ok(&*self.inner)
    }
}

#[deny(clippy::missing_trait_methods)]
impl UdpSocket for Udp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        self.member.use_for(addr, SocketAddrUse::UdpBind, || self.inner.bind(addr))
    }

    fn connect(&self, addr: Option<SocketAddr>) -> Result<()> {
        let connected = match addr {
            Some(peer) => self.member.use_for(peer, SocketAddrUse::UdpConnect, || self.inner.connect(addr)),
            None => self.inner()?.connect(None),
        };
        // Even if this failed the peer before is none any more, unless it was not tried.
        if connected != Err(Errno::Access) && connected != Err(Errno::BadF) {
            self.member.unuse(SocketAddrUse::UdpConnect, addr.filter(|_| connected.is_ok()));
        }
        connected
    }

    fn recv(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)> {
        for _ in 0..DROPPED {
            let (len, from) = self.inner()?.recv(buf)?;
            if self.member.rules.hears(from) {
                return Ok((len, from));
            }
            // Nothing of it is left beneath a shorter one.
            buf[..len].fill(0);
        }
        Err(Errno::Again)
    }

    fn send(&self, buf: &[u8], to: Option<SocketAddr>) -> Result<()> {
        let inner = self.inner()?;
        if let Some(addr) = to.or_else(|| self.member.used_for(SocketAddrUse::UdpConnect))
            && !self.member.rules.permits(addr, SocketAddrUse::UdpOutgoingDatagram)
        {
            return Err(Errno::Access);
        }
        inner.send(buf, to)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.inner()?.local_addr()
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.member.unless_revoked(self.inner.wait(interest))
    }

    fn shutdown(&self) -> Result<()> {
        self.inner()?.shutdown()
    }

    fn is_writable(&self) -> bool {
        self.member.is_revoked() || self.inner.is_writable()
    }

    fn get(&self, name: UdpOptionName) -> Result<UdpOption> {
        self.inner()?.get(name)
    }

    fn set(&self, option: UdpOption) -> Result<()> {
        self.inner()?.set(option)
    }
}
