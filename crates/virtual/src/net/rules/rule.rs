//! One rule, and its text.

use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use wasi_host_core::net::SocketAddrUse;

/// Which addresses, or which names, are meant by a rule, and for what.
///
/// Its text is `HOST[:PORT]`. HOST is an address, a range of addresses (`10.0.0.0/8`), a name (`example.com`), all names
/// beneath one (`*.example.com`), or `*` for everything; an IPv6 address with a port stands in brackets. PORT is a port or
/// a range of ports (`8000-8010`); without one, every port is meant.
///
/// An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address, and so is a range within `::ffff:0:0/96`. Every
/// other range of IPv6 means addresses of IPv6 alone: `::/0` says nothing of IPv4, which is `0.0.0.0/0`; both are `*`.
///
/// ```
/// use wasi_host_core::net::SocketAddrUse;
/// use wasi_host_virtual::net::Rule;
///
/// let servers: Rule = "10.0.0.0/8:5432".parse()?;
/// let api: Rule = "*.example.com:443".parse()?;
/// let clients_only = api.only([SocketAddrUse::TcpConnect]);
/// assert!("example.com/8".parse::<Rule>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    host: Host,
    ports: RangeInclusive<u16>,
    uses: Uses,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Addresses(IpNet),
    /// In ASCII and lower case, without a dot at the end.
    Name(String),
    /// All names that end in a dot and this.
    Beneath(String),
}

/// What an address may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Uses {
    All,
    Only(Vec<SocketAddrUse>),
}

const ANY_PORT: RangeInclusive<u16> = 0..=u16::MAX;

impl Rule {
    /// The same for these uses of an address alone. For none: then names may be looked up, and no more.
    #[must_use = "it is the rule"]
    pub fn only(mut self, uses: impl IntoIterator<Item = SocketAddrUse>) -> Self {
        self.uses = Uses::Only(uses.into_iter().collect());
        self
    }

    /// The same with an address in place of whatever host it names.
    #[must_use = "it is the rule"]
    pub fn at(mut self, ip: IpAddr) -> Self {
        self.host = Host::Addresses(ip.to_canonical().into());
        self
    }

    /// The name that it is for, if that is a single one.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is for all names beneath one.
    pub fn is_pattern(&self) -> bool {
        matches!(self.host, Host::Beneath(_))
    }

    /// Whether an address is meant for this use, whatever its name. `None`: for what comes from there, of which only rules
    /// for all uses speak.
    pub(super) fn covers(&self, addr: SocketAddr, to: Option<SocketAddrUse>) -> bool {
        let host = match &self.host {
            Host::Any => true,
            Host::Addresses(net) => net.contains(&addr.ip().to_canonical()),
            Host::Name(_) | Host::Beneath(_) => false,
        };
        host && self.covers_port(addr.port(), to)
    }

    /// Whether a port of whatever host is meant for this use.
    pub(super) fn covers_port(&self, port: u16, to: Option<SocketAddrUse>) -> bool {
        let used = match &self.uses {
            Uses::All => true,
            Uses::Only(uses) => to.is_some_and(|to| uses.contains(&to)),
        };
        used && self.ports.contains(&port)
    }

    /// Whether a name, in its canonical form, is meant by name.
    pub(super) fn names(&self, name: &str) -> bool {
        match &self.host {
            Host::Any | Host::Addresses(_) => false,
            Host::Name(own) => own == name,
            Host::Beneath(own) => name.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.')),
        }
    }

    /// Whether every port is meant, for every use.
    pub(super) fn is_whole(&self) -> bool {
        self.ports == ANY_PORT && self.uses == Uses::All
    }

    /// Whether everything is meant, names too.
    pub(super) fn is_for_any_host(&self) -> bool {
        self.host == Host::Any
    }
}

/// One address, with every port.
impl From<IpAddr> for Rule {
    fn from(ip: IpAddr) -> Self {
        Self { host: Host::Addresses(ip.to_canonical().into()), ports: ANY_PORT, uses: Uses::All }
    }
}

/// The error says what is wrong, and how to write it.
impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, ports) = split(text)?;
        Ok(Self { host: host.parse()?, ports: ports.map_or(Ok(ANY_PORT), parse_ports)?, uses: Uses::All })
    }
}

/// The host, without brackets, and what stands behind the colon.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return Err("the bracket is not closed; the form is [::1]:80".into());
        };
        if !host.contains(':') {
            return Err(format!("`{host}` is no IPv6 address; only these stand in brackets"));
        }
        return match rest.strip_prefix(':') {
            Some(ports) => Ok((host, Some(ports))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(format!("`{rest}` behind the bracket is no port; the form is [::1]:80")),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        // An IPv6 address of its own; with a port behind it, nobody could tell which colon is meant.
        Some((_, rest)) if rest.contains(':') => Ok((text, None)),
        Some((host, ports)) => Ok((host, Some(ports))),
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Addresses(ip.to_canonical().into()));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Addresses(canonical(net)));
        }
        if text.contains('/') {
            return Err(format!("`{text}` is no range of addresses; write 10.0.0.0/8 or fd00::/8, for two"));
        }
        if text.contains(':') {
            return Err(format!("`{text}` is no IPv6 address; one with a port is written [::1]:80"));
        }
        if let Some(beneath) = text.strip_prefix("*.") {
            return parse_name(beneath).map(Self::Beneath).ok_or_else(|| no_host(text));
        }
        if text.contains('*') {
            return Err("`*` stands alone, for everything, or before a dot, for all names beneath one".into());
        }
        parse_name(text).map(Self::Name).ok_or_else(|| no_host(text))
    }
}

/// A range of IPv4 that is written as one of IPv6 is one of IPv4, as its addresses are.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let ipv4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    ipv4.and_then(|(ip, prefix)| Ipv4Net::new(ip, prefix).ok()).map_or(net, IpNet::V4)
}

fn no_host(text: &str) -> String {
    format!("`{text}` is neither an address nor the name of a host")
}

/// A name as it is compared with those that guests look up.
fn parse_name(text: &str) -> Option<String> {
    // What ends in a number is an address to some resolvers, however odd: 127.1, 0x7f.1.
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if last.is_empty() || last.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(plain) {
        return None;
    }
    let ascii = idna::domain_to_ascii(text).ok()?;
    Some(crate::net::canonical(&ascii).into_owned())
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|_| !text.starts_with('+'));
    let ports = match text.split_once('-') {
        None => port(text).map(|port| port..=port),
        Some((first, last)) => port(first).zip(port(last)).map(|(first, last)| first..=last),
    };
    ports
        .filter(|ports| !ports.is_empty())
        .ok_or_else(|| format!("`{text}` is no port; write 80, or 8000-8010 for a range"))
}
