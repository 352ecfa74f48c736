//! Where a context's sockets and look-ups are made.

use super::revocation::Revocation;
use super::{
    AddrCheck, Addresses, Checking, Error, Family, Network, SocketAddrUse, Tcp, TcpSocket, Udp, Undelivered,
};
use crate::limits::Limits;
use crate::slots::{Slot, Slots};
use crate::wait::{Wait, Waiter};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
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
    revocation: Revocation,
    /// What stands for the check that was permitted, once `rechecked`: who never changes it never locks.
    check: Mutex<AddrCheck>,
    rechecked: AtomicBool,
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
            revocation: Revocation::default(),
            check: Mutex::default(),
            rechecked: AtomicBool::new(false),
            scratch: Mutex::default(),
        }))
    }

    /// Changes how many sockets and look-ups there may be. None ends for it.
    pub fn set_limits(&self, limits: &Limits) {
        self.0.open.set_most(limits.sockets);
        self.0.looking.set_most(limits.lookups);
    }

    /// Changes which addresses may be used from now on. A connection that there is stays, and so does what is bound;
    /// each datagram is checked.
    pub fn set_check(&self, check: AddrCheck) {
        *self.0.check.lock().unwrap_or_else(PoisonError::into_inner) = check;
        self.0.rechecked.store(true, Ordering::Release);
    }

    /// Takes the network back, from any thread, for good. Connections are shut down, and what was not delivered is lost;
    /// sockets say [`Error::InvalidState`], streams of connections fail with `ConnAborted`, look-ups and whatever is
    /// asked for anew with [`Error::AccessDenied`]. What is under way on another thread is done to its end.
    ///
    /// Who waits for a connection is woken by its end. Who waits for something else is not by this alone: a wait is one
    /// value. A host that revokes has its guest look again.
    pub fn revoke(&self) {
        self.0.revocation.revoke();
    }

    /// Whether it was taken back.
    #[inline]
    pub fn is_revoked(&self) -> bool {
        self.0.revocation.is_revoked()
    }

    /// Has a socket shut down with the others when the network is taken back, which may be at once. Those that are made
    /// here know.
    pub fn adopt(&self, socket: &Arc<dyn TcpSocket>) {
        self.0.revocation.watch_over(socket);
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
        if !self.0.permissions.lookup || self.is_revoked() {
            return Err(Error::AccessDenied);
        }
        Addresses::look_up(self.clone(), name, |name| {
            let slot = self.0.looking.take().ok_or(Error::TemporaryResolverFailure)?;
            self.0.network.lookup(name, slot)
        })
    }

    pub(super) fn slot(&self) -> Result<Slot, Error> {
        if self.is_revoked() {
            return Err(Error::AccessDenied);
        }
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
        match () {
            () if !allowed || self.is_revoked() => AddrCheck::deny_all().check(addr, to),
            () if self.0.rechecked.load(Ordering::Acquire) => {
                let check = self.0.check.lock().unwrap_or_else(PoisonError::into_inner).clone();
                check.check(addr, to)
            }
            () => self.0.permissions.check.check(addr, to),
        }
    }

    pub(super) fn scratch(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when `wait` has, or the network is taken back. It is a hint as ever: who cannot wait finds out by trying
    /// again.
    pub(super) async fn ready(&self, wait: Wait<'_>) {
        let revoked = self.0.revocation.wait();
        let _ = self.0.waiter.any_async(&[wait, revoked], &mut [], &mut Vec::new()).await;
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("permissions", &self.0.permissions).finish_non_exhaustive()
    }
}
