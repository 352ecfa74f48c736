//! A UDP socket as a guest holds it.

use super::{
    Checked, Checking, Error, Family, SocketAddrUse, Sockets, UdpInput, UdpOption, UdpOptionName, UdpOutput,
    UdpSocket, address,
};
use crate::Errno;
use crate::slots::Slot;
use crate::stream::Subscribe;
use crate::wait::Wait;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A backend's socket with what the guest has made of it.
pub struct Udp {
    sockets: Sockets,
    family: Family,
    end: Arc<End>,
    bound: bool,
    peer: Option<SocketAddr>,
}

/// What the socket and its streams share.
pub(super) struct End {
    pub(super) socket: Arc<dyn UdpSocket>,
    pub(super) family: Family,
    /// How often streams were made: only the last ones work.
    pub(super) streams: AtomicU64,
    _slot: Slot,
}

impl Udp {
    pub(super) fn new(sockets: Sockets, family: Family, socket: Arc<dyn UdpSocket>, slot: Slot) -> Self {
        let end = Arc::new(End { socket, family, streams: AtomicU64::new(0), _slot: slot });
        Self { sockets, family, end, bound: false, peer: None }
    }

    /// The family it was made for.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Asks whether the guest may bind to an address.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family; [`Error::InvalidState`].
    pub fn check_bind(&self, addr: SocketAddr) -> Result<Checking, Error> {
        self.bindable()?;
        address::of_family(self.family, addr)?;
        Ok(self.sockets.check(addr, SocketAddrUse::UdpBind))
    }

    fn bindable(&self) -> Result<(), Error> {
        if self.bound { Err(Error::InvalidState) } else { Ok(()) }
    }

    /// Gives it a local address. If that fails another may be tried.
    ///
    /// # Errors
    ///
    /// [`Error::AddressInUse`], [`Error::AddressNotBindable`], [`Error::InvalidState`].
    pub fn bind(&mut self, addr: Checked) -> Result<(), Error> {
        self.bindable()?;
        self.end.socket.bind(addr.for_use(SocketAddrUse::UdpBind)?)?;
        self.bound = true;
        Ok(())
    }

    /// Asks whether the guest may make an address its only peer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family, or without host or port; [`Error::InvalidState`].
    pub fn check_stream(&self, addr: SocketAddr) -> Result<Checking, Error> {
        self.streamable()?;
        address::of_family(self.family, addr)?;
        address::remote(addr)?;
        Ok(self.sockets.check(addr, SocketAddrUse::UdpConnect))
    }

    fn streamable(&self) -> Result<(), Error> {
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
        self.streamable()?;
        let peer = peer.map(|addr| addr.for_use(SocketAddrUse::UdpConnect)).transpose()?;
        let number = self.end.streams.fetch_add(1, Ordering::Relaxed) + 1;
        if self.peer.take().is_some() || peer.is_some() {
            self.end.socket.connect(peer).map_err(|e| match e {
                // No port is left for the local end: systems do not agree on what to call it.
                Errno::AddrNotAvail => Error::AddressInUse,
                e => e.into(),
            })?;
        }
        self.peer = peer;
        let input = UdpInput::new(self.sockets.clone(), self.end.clone(), number, peer);
        Ok((input, UdpOutput::new(self.sockets.clone(), self.end.clone(), number, peer)))
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`].
    pub fn local_address(&self) -> Result<SocketAddr, Error> {
        self.streamable()?;
        Ok(self.end.socket.local_addr()?)
    }

    /// Its only peer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] where it has none.
    pub fn remote_address(&self) -> Result<SocketAddr, Error> {
        self.peer.ok_or(Error::InvalidState)
    }

    /// Reads an option.
    ///
    /// # Errors
    ///
    /// Whatever the system says.
    pub fn get(&self, name: UdpOptionName) -> Result<UdpOption, Error> {
        Ok(self.end.socket.get(name)?)
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
        if zero { Err(Error::InvalidArgument) } else { Ok(self.end.socket.set(option)?) }
    }
}

/// Nothing that is asked of the socket itself takes time; its streams are waited for each by itself.
#[async_trait::async_trait]
impl Subscribe for Udp {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Udp").field("bound", &self.bound).field("peer", &self.peer).finish_non_exhaustive()
    }
}
