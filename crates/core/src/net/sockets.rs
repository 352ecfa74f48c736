//! Where a context's sockets and look-ups are made.

use super::{AddrCheck, Addresses, Checking, Error, Family, Network, SocketAddrUse, Tcp, Udp, Undelivered};
use crate::limits::Limits;
use crate::slots::{Slot, Slots};
use crate::wait::{Wait, Waiter};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a guest may do with the network. The default is nothing.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Which addresses it may use.
    pub check: AddrCheck,
    /// Whether it may use TCP, with those addresses.
    pub tcp: bool,
    /// Whether it may use UDP, with those addresses.
    pub udp: bool,
    /// Whether it may look names up.
    pub lookup: bool,
}

/// What one context has of the network. Clones are the same: sockets keep one.
#[derive(Clone)]
pub struct Sockets(Arc<Shared>);

struct Shared {
    network: Arc<dyn Network>,
    permissions: Permissions,
    waiter: Arc<dyn Waiter>,
    undelivered: Undelivered,
    open: Slots,
    looking: Slots,
    /// What datagrams are received into: one for all sockets of the context.
    scratch: Mutex<Vec<u8>>,
}

impl Sockets {
    /// Sockets of `network`, under these permissions and within these limits. `waiter` serves those who await a stream
    /// themselves.
    pub fn new(
        network: Arc<dyn Network>,
        permissions: Permissions,
        limits: &Limits,
        waiter: Arc<dyn Waiter>,
    ) -> Self {
        Self(Arc::new(Shared {
            network,
            permissions,
            waiter,
            undelivered: Undelivered::default(),
            open: Slots::new(limits.sockets),
            looking: Slots::new(limits.lookups),
            scratch: Mutex::default(),
        }))
    }

    /// The bytes that were accepted from the guest and that the network has not taken yet.
    pub fn undelivered(&self) -> &Undelivered {
        &self.0.undelivered
    }

    /// A TCP socket, neither bound nor connected. That needs no permission: it cannot speak to anybody yet.
    ///
    /// # Errors
    ///
    /// [`Error::NotSupported`] where the network has no such family, [`Error::NewSocketLimit`].
    pub fn tcp(&self, family: Family) -> Result<Tcp, Error> {
        let slot = self.slot()?;
        Ok(Tcp::new(self.clone(), family, self.0.network.tcp(family)?, slot))
    }

    /// A UDP socket that is not bound. That needs no permission either.
    ///
    /// # Errors
    ///
    /// [`Error::NotSupported`] where the network has no such family, [`Error::NewSocketLimit`].
    pub fn udp(&self, family: Family) -> Result<Udp, Error> {
        let slot = self.slot()?;
        Ok(Udp::new(self.clone(), family, self.0.network.udp(family)?, slot))
    }

    /// Begins to look up a name, or says at once what a literal address stands for.
    ///
    /// # Errors
    ///
    /// [`Error::AccessDenied`]; [`Error::InvalidArgument`] for what is neither a name nor an address;
    /// [`Error::TemporaryResolverFailure`] where too many look-ups go on.
    pub fn lookup(&self, name: &str) -> Result<Addresses, Error> {
        if !self.0.permissions.lookup {
            return Err(Error::AccessDenied);
        }
        Addresses::look_up(self.clone(), name, |name| {
            let slot = self.0.looking.take().ok_or(Error::TemporaryResolverFailure)?;
            self.0.network.lookup(name, slot)
        })
    }

    pub(super) fn slot(&self) -> Result<Slot, Error> {
        self.0.open.take().ok_or(Error::NewSocketLimit)
    }

    /// What to wait for before there may be one.
    pub(super) fn wait_for_slot(&self) -> Wait<'_> {
        self.0.open.wait()
    }

    pub(super) fn check(&self, addr: SocketAddr, to: SocketAddrUse) -> Checking {
        let allowed = match to {
            SocketAddrUse::TcpBind | SocketAddrUse::TcpConnect => self.0.permissions.tcp,
            SocketAddrUse::UdpBind | SocketAddrUse::UdpConnect | SocketAddrUse::UdpOutgoingDatagram => {
                self.0.permissions.udp
            }
        };
        if allowed { self.0.permissions.check.check(addr, to) } else { AddrCheck::deny_all().check(addr, to) }
    }

    pub(super) fn scratch(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when `wait` has. It is a hint as ever: who cannot wait finds out by trying again.
    pub(super) async fn ready(&self, wait: Wait<'_>) {
        let _ = self.0.waiter.any_async(&[wait], &mut [], &mut Vec::new()).await;
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("permissions", &self.0.permissions).finish_non_exhaustive()
    }
}
