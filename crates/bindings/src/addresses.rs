//! Addresses as the standard library has them and as each version of WASI does.

/// One text, because the generator makes types of its own for each.
macro_rules! addresses {
    ($types:path) => {
        const _: () = {
            use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
            use types::{IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress};
            use wasi_host_core::net::Family;
            use $types as types;

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
        };
    };
}
addresses!(crate::p2::sockets::network);
#[cfg(feature = "p3")]
addresses!(crate::p3::sockets::types);
