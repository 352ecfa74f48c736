//! Whom a UDP socket speaks to, and one datagram to or from there.

use super::readiness::Source;
use super::{Checked, Checking, Error, Family, SocketAddrUse, Sockets, UdpSocket, address};
use crate::fs::Interest;
use crate::slots::Slot;
use crate::wait::Wait;
use crate::{Errno, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The longest payload that any version of IP carries, in bytes.
pub(super) const LONGEST: usize = 65_535;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// What it held.
    pub data: Vec<u8>,
    /// Who sent it.
    pub from: SocketAddr,
}

/// A socket with its only peer, if it has one.
#[derive(Clone)]
pub(super) struct Association {
    pub(super) sockets: Sockets,
    pub(super) end: Arc<End>,
    pub(super) peer: Option<SocketAddr>,
}

/// What the socket and its streams share.
pub(super) struct End {
    pub(super) socket: Arc<dyn UdpSocket>,
    pub(super) family: Family,
    /// How often the association was made anew: streams from before do not work.
    pub(super) number: AtomicU64,
    pub(super) _slot: Slot,
}

impl Source for End {
    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.socket.wait(interest)
    }
}

impl Association {
    /// Asks whether the guest may send to an address: the peer if it is `None`.
    pub(super) fn check(&self, to: Option<SocketAddr>) -> Result<Checking, Error> {
        let to = match (to, self.peer) {
            (Some(to), Some(peer)) if to != peer => return Err(Error::InvalidArgument),
            (Some(to), None) => {
                address::of_family(self.end.family, to)?;
                address::remote(to)?;
                to
            }
            (_, Some(peer)) => peer,
            (None, None) => return Err(Error::InvalidArgument),
        };
        Ok(self.sockets.check(to, SocketAddrUse::UdpOutgoingDatagram))
    }

    /// Sends a datagram there and nowhere else, whoever is the peer by now.
    pub(super) fn send(&self, data: &[u8], to: &Checked) -> Result<(), Error> {
        let to = to.for_use(SocketAddrUse::UdpOutgoingDatagram)?;
        if data.len() > LONGEST {
            return Err(Error::DatagramTooLarge);
        }
        let to = match self.peer {
            Some(peer) if peer == to => None,
            Some(_) => return Err(Error::InvalidArgument),
            None => Some(to),
        };
        Ok(self.end.socket.send(data, to)?)
    }

    /// The next datagram. What others than the peer have sent before it was named is dropped, until `patience` is 0.
    pub(super) fn receive(&self, patience: &mut usize) -> Result<Datagram> {
        let mut scratch = self.sockets.scratch();
        scratch.resize(LONGEST, 0);
        while *patience > 0 {
            let (n, from) = self.end.socket.recv(&mut scratch)?;
            if self.peer.is_none_or(|peer| is_same(peer, from)) {
                return Ok(Datagram { data: scratch[..n].to_vec(), from });
            }
            *patience -= 1;
        }
        Err(Errno::Again)
    }
}

/// What the peer was called and what the system calls a sender may differ in what only has a meaning here.
fn is_same(peer: SocketAddr, from: SocketAddr) -> bool {
    (peer.ip(), peer.port()) == (from.ip(), from.port())
}
