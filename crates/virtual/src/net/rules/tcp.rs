//! TCP sockets under rules.

use super::member::{Member, Socket};
use super::{DROPPED, Shared};
use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Shutdown, SocketAddrUse, TcpOption, TcpOptionName, TcpSocket};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

pub(super) struct Tcp {
    inner: Arc<dyn TcpSocket>,
    member: Arc<Member>,
    family: Family,
}

impl Tcp {
    pub(super) fn new(rules: &Arc<Shared>, inner: Arc<dyn TcpSocket>, family: Family) -> Self {
        let member = Member::new(rules, Socket::Tcp(inner.clone()));
        Self { inner, member, family }
    }

    fn inner(&self) -> Result<&dyn TcpSocket> {
        self.member.valid()?;
        Ok(&*self.inner)
    }
}

#[deny(clippy::missing_trait_methods)]
impl TcpSocket for Tcp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        self.member.use_for(addr, SocketAddrUse::TcpBind, || self.inner.bind(addr))
    }

    fn connect(&self, addr: SocketAddr) -> Result<()> {
        self.member.use_for(addr, SocketAddrUse::TcpConnect, || self.inner.connect(addr))
    }

    fn listen(&self, backlog: u32) -> Result<()> {
        if self.member.used_for(SocketAddrUse::TcpBind).is_some() {
            return self.inner()?.listen(backlog);
        }
        // It is about to be bound for that.
        let any = match self.family {
            Family::Ipv4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
            Family::Ipv6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        self.member.use_for(any, SocketAddrUse::TcpBind, || self.inner.listen(backlog))
    }

    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        for _ in 0..DROPPED {
            let (inner, peer) = self.inner()?.accept()?;
            let member = self.member.accepted(Socket::Tcp(inner.clone()), peer);
            if !member.is_revoked() {
                return Ok((Arc::new(Self { inner, member, family: self.family }), peer));
            }
        }
        Err(Errno::Again)
    }

    fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool) -> Result<usize> {
        self.inner()?.recv(bufs, peek)
    }

    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.inner()?.send(bufs)
    }

    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.inner()?.shutdown(how)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.inner()?.local_addr()
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        self.inner()?.peer_addr()
    }

    fn get(&self, name: TcpOptionName) -> Result<TcpOption> {
        self.inner()?.get(name)
    }

    fn set(&self, option: TcpOption) -> Result<()> {
        self.inner()?.set(option)
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.member.unless_revoked(self.inner.wait(interest))
    }

    fn is_listening(&self) -> bool {
        self.inner().is_ok_and(|inner| inner.is_listening())
    }
}
