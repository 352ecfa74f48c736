//! Names and what they stand for.

use super::{Error, Lookup, Sockets};
use crate::stream::Subscribe;
use crate::wait::Wait;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::vec;

/// No name in use has more bytes before its conversion, which takes its time with each of them.
const LONGEST: usize = 4096;

/// The addresses of a name, one after the other, the best first.
pub struct Addresses {
    sockets: Sockets,
    state: State,
}

enum State {
    Looking(Box<dyn Lookup>),
    Found(vec::IntoIter<IpAddr>),
    Failed(Error),
}

impl Addresses {
    pub(super) fn look_up(
        sockets: Sockets,
        name: &str,
        begin: impl FnOnce(&str) -> Result<Box<dyn Lookup>, Error>,
    ) -> Result<Self, Error> {
        let state = match Name::parse(name)? {
            Name::Literal(addr) => State::Found(vec![addr].into_iter()),
            Name::Host(name) => State::Looking(begin(&name)?),
        };
        Ok(Self { sockets, state })
    }

    /// The next address, `None` after the last. None comes twice, and none of IPv4 in the guise of IPv6.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; [`Error::NameUnresolvable`], [`Error::TemporaryResolverFailure`],
    /// [`Error::PermanentResolverFailure`], [`Error::AccessDenied`] once the network was taken back; each time again.
    pub fn next_address(&mut self) -> Result<Option<IpAddr>, Error> {
        if self.sockets.is_revoked() {
            self.state = State::Failed(Error::AccessDenied);
        }
        if let State::Looking(lookup) = &mut self.state {
            self.state = match lookup.addresses() {
                Ok(found) => match distinct(found) {
                    none if none.is_empty() => State::Failed(Error::NameUnresolvable),
                    some => State::Found(some.into_iter()),
                },
                Err(Error::WouldBlock) => return Err(Error::WouldBlock),
                Err(e) => State::Failed(e),
            };
        }
        match &mut self.state {
            State::Found(addresses) => Ok(addresses.next()),
            State::Failed(e) => Err(*e),
            State::Looking(_) => Err(Error::WouldBlock),
        }
    }
}

#[async_trait::async_trait]
impl Subscribe for Addresses {
    async fn ready(&mut self) {
        self.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        match &self.state {
            State::Looking(lookup) if !self.sockets.is_revoked() => lookup.wait(),
            _ => Wait::Ready,
        }
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Looking(_) => f.write_str("Looking"),
            State::Found(addresses) => f.debug_tuple("Found").field(&addresses.as_slice()).finish(),
            State::Failed(e) => f.debug_tuple("Failed").field(e).finish(),
        }
    }
}

fn distinct(found: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut distinct = Vec::with_capacity(found.len());
    for addr in found {
        let addr = addr.to_canonical();
        if !distinct.contains(&addr) {
            distinct.push(addr);
        }
    }
    distinct
}

#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Literal(IpAddr),
    Host(Cow<'a, str>),
}

impl<'a> Name<'a> {
    fn parse(name: &'a str) -> Result<Self, Error> {
        if let Ok(ip) = name.parse::<Ipv6Addr>() {
            return Ok(Self::Literal(IpAddr::V6(ip).to_canonical()));
        }
        if name.len() > LONGEST {
            return Err(Error::InvalidArgument);
        }
        let length = DnsLength::VerifyAllowRootDot;
        let host = Uts46::new()
            .to_ascii(name.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, length)
            .map_err(|_| Error::InvalidArgument)?;
        // Digits of other scripts have become ours.
        if let Ok(ip) = host.parse() {
            return Ok(Self::Literal(IpAddr::V4(ip)));
        }
        // No domain ends in a number. Resolvers take `127.1` and `0x7f000001` for addresses, each in its own way.
        let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let number = match last.strip_prefix("0x") {
            Some(hex) => hex.bytes().all(|b| b.is_ascii_hexdigit()),
            None => last.bytes().all(|b| b.is_ascii_digit()),
        };
        if number { Err(Error::InvalidArgument) } else { Ok(Self::Host(host)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_it_says() {
        for (text, ip) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("１９２.０.２.１", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(Name::parse(text), Ok(Name::Literal(ip.parse().unwrap())), "{text}");
        }
    }

    #[test]
    fn unicode_names_are_converted_by_idna() {
        for (text, ascii) in [
            ("example.com", "example.com"),
            ("EXAMPLE.com.", "example.com."),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("_service.example", "_service.example"),
            ("a-.example", "a-.example"),
            ("localhost", "localhost"),
            ("1.example", "1.example"),
            ("0xg", "0xg"),
        ] {
            assert_eq!(Name::parse(text), Ok(Name::Host(ascii.into())), "{text}");
        }
    }

    #[test]
    fn what_is_neither_a_name_nor_an_address() {
        let long_label = "a".repeat(64);
        let long_name = ["a"; 128].join(".");
        let shrinking = "\u{ad}".repeat(3000) + "a";
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            " ",
            "a b",
            "a\0b",
            "a\nb",
            "a:80",
            "[::1]",
            "::1%lo",
            "fe80::1%1",
            "::g",
            "a/b",
            "a@b",
            "127.0.0.1:80",
            "127.1",
            "127.0.0.256",
            "1.2.3.4.5",
            "256",
            "0x7f.1",
            "0x7f000001",
            "127.0.0.1.",
            "0x",
            "xn--",
            "xn--a",
            "\u{ad}",
            &long_label,
            &long_name,
            &shrinking,
        ] {
            assert_eq!(Name::parse(text), Err(Error::InvalidArgument), "{text:?}");
        }
    }
}
