//! The network of the operating system.

mod address;
mod lookup;
mod options;
mod tcp;
mod udp;

pub use tcp::{listener, stream};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::net::{Error, Family, Lookup, Network, Slot, TcpSocket, UdpSocket};

/// Nothing blocks, and no other program inherits it.
const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// Whatever this host can reach. Sockets for IPv6 have nothing to do with IPv4.
///
/// Each look-up that goes on has a thread of its own for as long as it lasts, because `getaddrinfo` waits; beyond
/// 64 in the whole process the others take their turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeNetwork;

impl Network for NativeNetwork {
    fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>> {
        Ok(Arc::new(tcp::Tcp::new(socket(family, SocketType::STREAM)?, family, false)))
    }

    fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>> {
        Ok(Arc::new(udp::Udp::new(socket(family, SocketType::DGRAM)?, family)))
    }

    fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
        lookup::begin(name, slot)
    }
}

fn socket(family: Family, kind: SocketType) -> Result<rustix::fd::OwnedFd> {
    let domain = match family {
        Family::Ipv4 => AddressFamily::INET,
        Family::Ipv6 => AddressFamily::INET6,
    };
    let fd = rustix::net::socket_with(domain, kind, FLAGS, None).map_err(crate::errno::from_os)?;
    if family == Family::Ipv6 {
        sockopt::set_ipv6_v6only(&fd, true).map_err(crate::errno::from_os)?;
    }
    Ok(fd)
}
