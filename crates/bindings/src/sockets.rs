//! The network, as WASI 0.2 names it.

use crate::p2::sockets::network::{
    IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use wasi_host_core::net::{Error, Family, Tcp, Udp};
use wasi_host_core::stream::Subscribe;
use wasi_host_core::wait::Wait;

/// The resource behind `wasi:sockets/network`: a guest's handle to the network of its context. What may be reached
/// through it is said once for the whole context.
///
/// ```
/// use wasi_host_bindings::Network;
/// use wasmtime::component::{Resource, ResourceTable};
/// /// What an `instance-network` of one's own gives a guest.
/// fn instance_network(table: &mut ResourceTable) -> wasmtime::Result<Resource<Network>> {
///     Ok(table.push(Network::default())?)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Network;

/// The resource behind `wasi:sockets/tcp`'s `tcp-socket`.
pub type TcpSocket = Socket<Tcp>;

/// The resource behind `wasi:sockets/udp`'s `udp-socket`.
pub type UdpSocket = Socket<Udp>;

/// A socket whose steps are taken in two halves, as only WASI 0.2 has it: the first does the work, and the second ends
/// the time in which no other step may be begun.
#[derive(Debug)]
pub struct Socket<S> {
    socket: S,
    begun: Option<Step>,
}

/// What a [`Socket`] begins and finishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To bind.
    Bind,
    /// To listen.
    Listen,
}

impl<S> Socket<S> {
    /// One with which nothing was begun.
    pub fn new(socket: S) -> Self {
        Self { socket, begun: None }
    }

    /// What is there in every state.
    pub fn get(&self) -> &S {
        &self.socket
    }

    /// The same, where it is not about a step.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The socket, where no step is under way.
    ///
    /// # Errors
    ///
    /// `e` where one is.
    pub fn free(&mut self, e: Error) -> Result<&mut S, Error> {
        if self.begun.is_some() { Err(e) } else { Ok(&mut self.socket) }
    }

    /// Takes the first half of a step, and nothing if that fails.
    ///
    /// # Errors
    ///
    /// Those of `op`; [`Error::ConcurrencyConflict`].
    pub fn begin(&mut self, step: Step, op: impl FnOnce(&mut S) -> Result<(), Error>) -> Result<(), Error> {
        op(self.free(Error::ConcurrencyConflict)?)?;
        self.begun = Some(step);
        Ok(())
    }

    /// Takes the second half.
    ///
    /// # Errors
    ///
    /// [`Error::NotInProgress`].
    pub fn finish(&mut self, step: Step) -> Result<(), Error> {
        self.begun.take_if(|begun| *begun == step).map(drop).ok_or(Error::NotInProgress)
    }

    /// Whether this step waits for its second half.
    pub fn has_begun(&self, step: Step) -> bool {
        self.begun == Some(step)
    }
}

#[async_trait::async_trait]
impl<S: Subscribe> Subscribe for Socket<S> {
    async fn ready(&mut self) {
        if self.begun.is_none() {
            self.socket.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        if self.begun.is_none() { self.socket.wait() } else { Wait::Ready }
    }
}

impl From<IpAddressFamily> for Family {
    fn from(family: IpAddressFamily) -> Self {
        match family {
            IpAddressFamily::Ipv4 => Self::Ipv4,
            IpAddressFamily::Ipv6 => Self::Ipv6,
        }
    }
}

impl From<Family> for IpAddressFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ipv4,
            Family::Ipv6 => Self::Ipv6,
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(ip) => Self::Ipv4(ip.octets().into()),
            IpAddr::V6(ip) => Self::Ipv6(ip.segments().into()),
        }
    }
}

impl From<SocketAddrV4> for Ipv4SocketAddress {
    fn from(addr: SocketAddrV4) -> Self {
        Self { port: addr.port(), address: addr.ip().octets().into() }
    }
}

impl From<SocketAddrV6> for Ipv6SocketAddress {
    fn from(addr: SocketAddrV6) -> Self {
        Self {
            port: addr.port(),
            flow_info: addr.flowinfo(),
            address: addr.ip().segments().into(),
            scope_id: addr.scope_id(),
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(addr: SocketAddr) -> Self {
        match addr {
            SocketAddr::V4(addr) => Self::Ipv4(addr.into()),
            SocketAddr::V6(addr) => Self::Ipv6(addr.into()),
        }
    }
}

impl From<Ipv4SocketAddress> for SocketAddrV4 {
    fn from(addr: Ipv4SocketAddress) -> Self {
        Self::new(<[u8; 4]>::from(addr.address).into(), addr.port)
    }
}

impl From<Ipv6SocketAddress> for SocketAddrV6 {
    fn from(addr: Ipv6SocketAddress) -> Self {
        Self::new(<[u16; 8]>::from(addr.address).into(), addr.port, addr.flow_info, addr.scope_id)
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(addr: IpSocketAddress) -> Self {
        match addr {
            IpSocketAddress::Ipv4(addr) => Self::V4(addr.into()),
            IpSocketAddress::Ipv6(addr) => Self::V6(addr.into()),
        }
    }
}
