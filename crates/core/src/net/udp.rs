//! A UDP socket as a guest holds it.

use super::association::{Association, End, LONGEST};
use super::datagrams::FOREIGN;
use super::readiness::Source;
use super::{
    Checked, Checking, Datagram, Error, Family, Readiness, SocketAddrUse, Sockets, UdpInput, UdpOption,
    UdpOptionName, UdpOutput, UdpSocket, address,
};
use crate::Errno;
use crate::fs::Interest;
use crate::slots::Slot;
use crate::stream::Subscribe;
use crate::wait::Wait;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A backend's socket with what the guest has made of it. Once the network was taken back all is [`Error::InvalidState`].
///
/// Its datagrams come and go one by one, [`send`](Self::send) and [`receive`](Self::receive), or by the streams that
/// [`stream`](Self::stream) gives.
pub struct Udp {
    association: Association,
    bound: bool,
}

impl Udp {
    pub(super) fn new(sockets: Sockets, family: Family, socket: Arc<dyn UdpSocket>, slot: Slot) -> Self {
        let end = Arc::new(End { socket, family, number: AtomicU64::new(0), _slot: slot });
        Self { association: Association { sockets, end, peer: None }, bound: false }
    }

    /// The family it was made for.
    pub fn family(&self) -> Family {
        self.association.end.family
    }

    /// The backend's, unless the network was taken back.
    fn socket(&self) -> Result<&dyn UdpSocket, Error> {
        if self.association.sockets.is_revoked() {
            return Err(Error::InvalidState);
        }
        Ok(&*self.association.end.socket)
    }

    /// Asks whether the guest may bind to an address.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family; [`Error::InvalidState`].
    pub fn check_bind(&self, addr: SocketAddr) -> Result<Checking, Error> {
        self.bindable()?;
        address::of_family(self.family(), addr)?;
        Ok(self.association.sockets.check(addr, SocketAddrUse::UdpBind))
    }

    /// Asks whether the guest may bind to any address, which is to come before [`send`](Self::send) where it is not bound
    /// and that is to be done for it; `None` where it is. If another send was faster [`bind`](Self::bind) says
    /// [`Error::InvalidState`], and all is well.
    pub fn check_implicit_bind(&self) -> Option<Checking> {
        let any = || self.association.sockets.check(address::any(self.family()), SocketAddrUse::UdpBind);
        (!self.bound).then(any)
    }

    fn bindable(&self) -> Result<(), Error> {
        self.socket()?;
        if self.bound { Err(Error::InvalidState) } else { Ok(()) }
    }

    /// Gives it a local address. If that fails another may be tried.
    ///
    /// # Errors
    ///
    /// [`Error::AddressInUse`], [`Error::AddressNotBindable`], [`Error::InvalidState`].
    pub fn bind(&mut self, addr: Checked) -> Result<(), Error> {
        self.bindable()?;
        self.socket()?.bind(addr.for_use(SocketAddrUse::UdpBind)?)?;
        self.bound = true;
        Ok(())
    }

    /// Asks whether the guest may make an address its only peer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family, or without host or port.
    pub fn check_connect(&self, addr: SocketAddr) -> Result<Checking, Error> {
        address::of_family(self.family(), addr)?;
        address::remote(addr)?;
        Ok(self.association.sockets.check(addr, SocketAddrUse::UdpConnect))
    }

    /// Makes an address its only peer, in place of the one before; even if this fails that is none any more. Where it is
    /// not bound the system does that, for this peer. Streams that were made before work no longer.
    ///
    /// # Errors
    ///
    /// [`Error::RemoteUnreachable`]; [`Error::AddressInUse`] where no port is left.
    pub fn connect(&mut self, peer: Checked) -> Result<(), Error> {
        self.associate(Some(peer.for_use(SocketAddrUse::UdpConnect)?))
    }

    /// Takes its only peer back. A local address that it had only for this peer goes with it, where the system so
    /// decides. Streams that were made before work no longer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] where it has none; [`Error::AddressInUse`] where somebody else was given its port.
    pub fn disconnect(&mut self) -> Result<(), Error> {
        self.remote_address()?;
        self.associate(None)
    }

    fn associate(&mut self, peer: Option<SocketAddr>) -> Result<(), Error> {
        self.association.end.number.fetch_add(1, Ordering::Relaxed);
        if self.association.peer.take().is_none() && peer.is_none() {
            return Ok(());
        }
        let done = self.socket()?.connect(peer);
        // Systems bind a socket for its peer, and some take that back with it.
        self.bound = self.association.end.socket.local_addr().is_ok_and(|addr| addr.port() != 0);
        done.map_err(|e| match e {
            // No port is left for the local end: systems do not agree on what to call it.
            Errno::AddrNotAvail => Error::AddressInUse,
            e => e.into(),
        })?;
        self.association.peer = peer;
        Ok(())
    }

    /// Asks whether the guest may send a datagram of `len` bytes to an address: the peer if it is `None`.
    ///
    /// # Errors
    ///
    /// [`Error::DatagramTooLarge`]; [`Error::InvalidArgument`] for one of the other family, without host or port, or
    /// other than the only peer; and for none where there is no peer.
    pub fn check_send(&self, len: usize, to: Option<SocketAddr>) -> Result<Checking, Error> {
        if len > LONGEST {
            return Err(Error::DatagramTooLarge);
        }
        self.association.check(to)
    }

    /// Sends one datagram to the address that was checked. Lent, because it may have to be tried again.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is no room; [`Error::InvalidArgument`] if it has been given another peer since the
    /// check; [`Error::InvalidState`] where it is not bound; [`Error::DatagramTooLarge`], [`Error::RemoteUnreachable`],
    /// [`Error::ConnectionRefused`], ….
    pub fn send(&self, data: &[u8], to: &Checked) -> Result<(), Error> {
        self.is_bound()?;
        self.association.send(data, to)
    }

    /// One datagram that has come in: from the only peer, if there is one. Not all that others have sent before it was
    /// named is dropped at once: there may be more to look at after [`Error::WouldBlock`], and then it is ready.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; [`Error::InvalidState`] where it is not bound; [`Error::RemoteUnreachable`],
    /// [`Error::ConnectionRefused`].
    pub fn receive(&self) -> Result<Datagram, Error> {
        self.is_bound()?;
        Ok(self.association.receive(&mut { FOREIGN })?)
    }

    /// What to wait for before [`receive`](Self::receive), or [`send`](Self::send), is tried again.
    pub fn readiness(&self, interest: Interest) -> Readiness {
        let source: Arc<dyn Source> = self.association.end.clone();
        Readiness::new(self.association.sockets.clone(), Some((source, interest)))
    }

    /// The same as [`check_connect`](Self::check_connect) for [`stream`](Self::stream).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family, or without host or port; [`Error::InvalidState`].
    pub fn check_stream(&self, addr: SocketAddr) -> Result<Checking, Error> {
        self.is_bound()?;
        self.check_connect(addr)
    }

    fn is_bound(&self) -> Result<(), Error> {
        self.socket()?;
        if self.bound { Ok(()) } else { Err(Error::InvalidState) }
    }

    /// Streams to and from a single peer, or everybody. Those that were made before work no longer, even if this fails:
    /// then the socket has no peer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] where it is not bound; [`Error::RemoteUnreachable`], [`Error::AddressInUse`] where no
    /// port is left.
    pub fn stream(&mut self, peer: Option<Checked>) -> Result<(UdpInput, UdpOutput), Error> {
        self.is_bound()?;
        self.associate(peer.map(|addr| addr.for_use(SocketAddrUse::UdpConnect)).transpose()?)?;
        Ok((UdpInput::new(self.association.clone()), UdpOutput::new(self.association.clone())))
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`].
    pub fn local_address(&self) -> Result<SocketAddr, Error> {
        self.is_bound()?;
        Ok(self.socket()?.local_addr()?)
    }

    /// Its only peer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] where it has none.
    pub fn remote_address(&self) -> Result<SocketAddr, Error> {
        self.socket()?;
        self.association.peer.ok_or(Error::InvalidState)
    }

    /// Reads an option.
    ///
    /// # Errors
    ///
    /// Whatever the system says.
    pub fn get(&self, name: UdpOptionName) -> Result<UdpOption, Error> {
        Ok(self.socket()?.get(name)?)
    }

    /// Sets an option. What is too large becomes the largest that the system has.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for 0.
    pub fn set(&self, option: UdpOption) -> Result<(), Error> {
        let zero = match option {
            UdpOption::UnicastHopLimit(n) => n == 0,
            UdpOption::ReceiveBufferSize(n) | UdpOption::SendBufferSize(n) => n == 0,
        };
        if zero { Err(Error::InvalidArgument) } else { Ok(self.socket()?.set(option)?) }
    }
}

/// Nothing that is asked of the socket itself takes time; its streams are waited for each by itself, its datagrams by
/// [`readiness`](Udp::readiness).
#[async_trait::async_trait]
impl Subscribe for Udp {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = &self.association.peer;
        f.debug_struct("Udp").field("bound", &self.bound).field("peer", peer).finish_non_exhaustive()
    }
}
