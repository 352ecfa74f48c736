//! Which addresses mean anything to a socket, whoever may use them.

use super::{Error, Family};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whatever the system chooses.
pub(super) fn any(family: Family) -> SocketAddr {
    match family {
        Family::Ipv4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
        Family::Ipv6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// The address is of the socket's own family, and not one of the other's in disguise.
pub(super) fn of_family(family: Family, addr: SocketAddr) -> Result<(), Error> {
    let foreign = match addr.ip() {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some() || is_ipv4_compatible(ip),
    };
    refuse(Family::of(addr) != family || foreign)
}

/// The address belongs to one host, or to any.
pub(super) fn unicast(addr: SocketAddr) -> Result<(), Error> {
    refuse(match addr.ip() {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    })
}

/// The address says where to.
pub(super) fn remote(addr: SocketAddr) -> Result<(), Error> {
    refuse(addr.ip().is_unspecified() || addr.port() == 0)
}

/// Long deprecated (RFC 4291, 2.5.5.1), and treated by each system in its own way. `::` and `::1` only look like it.
fn is_ipv4_compatible(ip: Ipv6Addr) -> bool {
    matches!(ip.segments(), [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1)
}

fn refuse(wrong: bool) -> Result<(), Error> {
    if wrong { Err(Error::InvalidArgument) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_of_the_other_family_is_refused_in_every_disguise() {
        for good in ["[::]:0", "[::1]:1", "[fe80::1]:1", "[2001:db8::1]:1", "[ff02::1]:1"] {
            assert_eq!(of_family(Family::Ipv6, addr(good)), Ok(()), "{good}");
            assert_eq!(of_family(Family::Ipv4, addr(good)), Err(Error::InvalidArgument), "{good}");
        }
        for bad in ["127.0.0.1:1", "[::ffff:127.0.0.1]:1", "[::ffff:0:0]:1", "[::127.0.0.1]:1", "[::2]:1"] {
            assert_eq!(of_family(Family::Ipv6, addr(bad)), Err(Error::InvalidArgument), "{bad}");
        }
        assert_eq!(of_family(Family::Ipv4, addr("127.0.0.1:1")), Ok(()));
    }

    #[test]
    fn what_is_not_unicast() {
        for good in ["0.0.0.0:0", "127.0.0.1:0", "223.255.255.255:0", "240.0.0.1:0", "[::]:0", "[fe80::1]:0"]
        {
            assert_eq!(unicast(addr(good)), Ok(()), "{good}");
        }
        for bad in ["224.0.0.1:1", "239.255.255.255:1", "255.255.255.255:1", "[ff02::1]:1"] {
            assert_eq!(unicast(addr(bad)), Err(Error::InvalidArgument), "{bad}");
        }
    }

    #[test]
    fn what_leads_nowhere() {
        for bad in ["0.0.0.0:1", "127.0.0.1:0", "[::]:1", "[::1]:0"] {
            assert_eq!(remote(addr(bad)), Err(Error::InvalidArgument), "{bad}");
        }
        assert_eq!(remote(addr("127.0.0.1:1")), Ok(()));
    }
}
