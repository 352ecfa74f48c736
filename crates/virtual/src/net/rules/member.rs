//! A socket under rules.

use super::Shared;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasi_host_core::net::{Shutdown, SocketAddrUse, TcpSocket, UdpSocket};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

/// What an address is used for, for as long as the socket lives.
type Use = (SocketAddr, SocketAddrUse);
type Used = SmallVec<[Use; 2]>;

/// What the rules know of a socket. It is looked at again whenever they change.
pub(super) struct Member {
    pub(super) rules: Arc<Shared>,
    used: Mutex<Used>,
    /// Who came, if it was accepted.
    peer: Option<SocketAddr>,
    revoked: AtomicBool,
    socket: Socket,
}

pub(super) enum Socket {
    Tcp(Arc<dyn TcpSocket>),
    Udp(Arc<dyn UdpSocket>),
}

impl Member {
    /// One more socket.
    pub(super) fn new(rules: &Arc<Shared>, socket: Socket) -> Arc<Self> {
        Self::enlisted(rules, socket, Used::new(), None)
    }

    /// A socket that this one has accepted from `peer`. It is of no use if that is denied.
    pub(super) fn accepted(&self, socket: Socket, peer: SocketAddr) -> Arc<Self> {
        Self::enlisted(&self.rules, socket, self.used(), Some(peer))
    }

    fn enlisted(rules: &Arc<Shared>, socket: Socket, used: Used, peer: Option<SocketAddr>) -> Arc<Self> {
        let (used, revoked) = (Mutex::new(used), AtomicBool::new(false));
        let member = Arc::new(Self { rules: rules.clone(), used, peer, revoked, socket });
        rules.enlist(&member);
        // The rules may have changed before it was on their list.
        member.judge();
        member
    }

    /// Fails once what the socket uses is not allowed any more.
    pub(super) fn valid(&self) -> Result<()> {
        if self.is_revoked() { Err(Errno::BadF) } else { Ok(()) }
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// What to wait for, asked of the socket before: what is revoked after that ends this wait.
    pub(super) fn unless_revoked<'w>(&self, wait: Wait<'w>) -> Wait<'w> {
        if self.is_revoked() { Wait::Ready } else { wait }
    }

    /// Does something that uses an address from now on, if that is allowed.
    pub(super) fn use_for<T>(
        &self,
        addr: SocketAddr,
        to: SocketAddrUse,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.valid()?;
        // Noted before the rules are asked: whoever changes them after that finds it.
        let new = {
            let mut used = self.used.lock();
            let new = !used.contains(&(addr, to));
            if new {
                used.push((addr, to));
            }
            new
        };
        let done = if self.rules.permits(addr, to) { act() } else { Err(Errno::Access) };
        let stays = match done {
            Ok(_) | Err(Errno::InProgress | Errno::Again) => true,
            // It is bound, connected or about to be, be it to this or to something else; or was not tried.
            Err(Errno::Inval | Errno::IsConn | Errno::Already | Errno::Access) => !new,
            Err(_) => false,
        };
        if !stays {
            self.used.lock().retain(|used| *used != (addr, to));
        }
        if self.is_revoked() {
            self.end();
            return Err(Errno::BadF);
        }
        done
    }

    /// Takes back all uses of one kind, but for that of one address.
    pub(super) fn unuse(&self, to: SocketAddrUse, but: Option<SocketAddr>) {
        self.used.lock().retain(|(addr, used)| *used != to || Some(*addr) == but);
    }

    fn used(&self) -> Used {
        self.used.lock().clone()
    }

    /// The address that it uses in this way.
    pub(super) fn used_for(&self, to: SocketAddrUse) -> Option<SocketAddr> {
        self.used.lock().iter().find(|(_, used)| *used == to).map(|(addr, _)| *addr)
    }

    /// Ends it if something that it uses is not allowed any more, or who came is denied.
    pub(super) fn judge(&self) {
        let unheard = self.peer.is_some_and(|peer| !self.rules.hears(peer));
        if unheard || self.used().iter().any(|(addr, to)| !self.rules.permits(*addr, *to)) {
            self.revoked.store(true, Ordering::Release);
            self.end();
        }
    }

    /// Wakes whoever waits for it. That it was never connected, or is no more, is as good.
    fn end(&self) {
        let _ = match &self.socket {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Both),
            Socket::Udp(socket) => socket.shutdown(),
        };
    }
}
