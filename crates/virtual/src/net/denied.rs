//! No network, for guests that want to see one.

use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{
    Error, Family, Lookup, Network, Shutdown, Slot, TcpOption, TcpOptionName, TcpSocket, UdpOption,
    UdpOptionName, UdpSocket,
};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

/// A network that is there and refuses everything: sockets can be made, since that speaks to nobody, and whatever is done
/// with one is `Access`; so is looking up a name. A guest that can do without a network finds that out by itself.
///
/// ```
/// use wasi_host_core::{Errno, net::{Family, Network}};
/// use wasi_host_virtual::net::Denied;
///
/// let socket = Denied.tcp(Family::Ipv4)?;
/// assert_eq!(socket.connect(([127, 0, 0, 1], 80).into()), Err(Errno::Access));
/// # Ok::<(), Errno>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Denied;

struct Refusing;

impl Network for Denied {
    fn tcp(&self, _: Family) -> Result<Arc<dyn TcpSocket>> {
        Ok(Arc::new(Refusing))
    }

    fn udp(&self, _: Family) -> Result<Arc<dyn UdpSocket>> {
        Ok(Arc::new(Refusing))
    }

    fn lookup(&self, _: &str, _: Slot) -> Result<Box<dyn Lookup>, Error> {
        Err(Error::AccessDenied)
    }
}

#[deny(clippy::missing_trait_methods)]
impl TcpSocket for Refusing {
    fn bind(&self, _: SocketAddr) -> Result<()> {
        Err(Errno::Access)
    }

    fn connect(&self, _: SocketAddr) -> Result<()> {
        Err(Errno::Access)
    }

    fn listen(&self, _: u32) -> Result<()> {
        Err(Errno::Access)
    }

    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        Err(Errno::Access)
    }

    fn recv(&self, _: &mut [IoSliceMut<'_>], _: bool) -> Result<usize> {
        Err(Errno::Access)
    }

    fn send(&self, _: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::Access)
    }

    fn shutdown(&self, _: Shutdown) -> Result<()> {
        Err(Errno::Access)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        Err(Errno::Access)
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        Err(Errno::Access)
    }

    fn get(&self, _: TcpOptionName) -> Result<TcpOption> {
        Err(Errno::Access)
    }

    fn set(&self, _: TcpOption) -> Result<()> {
        Err(Errno::Access)
    }

    fn wait(&self, _: Interest) -> Wait<'_> {
        Wait::Ready
    }

    fn is_listening(&self) -> bool {
        false
    }
}

#[deny(clippy::missing_trait_methods)]
impl UdpSocket for Refusing {
    fn bind(&self, _: SocketAddr) -> Result<()> {
        Err(Errno::Access)
    }

    fn connect(&self, _: Option<SocketAddr>) -> Result<()> {
        Err(Errno::Access)
    }

    fn recv(&self, _: &mut [u8]) -> Result<(usize, SocketAddr)> {
        Err(Errno::Access)
    }

    fn send(&self, _: &[u8], _: Option<SocketAddr>) -> Result<()> {
        Err(Errno::Access)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        Err(Errno::Access)
    }

    fn wait(&self, _: Interest) -> Wait<'_> {
        Wait::Ready
    }

    fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn get(&self, _: UdpOptionName) -> Result<UdpOption> {
        Err(Errno::Access)
    }

    fn set(&self, _: UdpOption) -> Result<()> {
        Err(Errno::Access)
    }
}
