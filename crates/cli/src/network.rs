//! `--allow-net HOST[:PORT]`: the addresses that a component may use.
//!
//! A rule that covers an address lets TCP and UDP sockets connect to it, datagrams be sent to it, and, where it is an
//! address of this machine, sockets be bound to it. Whatever the rules, an unused UDP socket may be bound to the
//! unspecified address and a port that the system chooses, because all must be that are about to send.

use anyhow::{Context, Result};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::str::FromStr;
use wasi_host::SocketAddrUse;

/// What one `--allow-net` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    host: Host,
    ports: RangeInclusive<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Addresses(IpNet),
    Name(String),
}

const ANY_PORT: RangeInclusive<u16> = 0..=u16::MAX;

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, ports) = split(text)?;
        Ok(Self { host: host.parse()?, ports: ports.map_or(Ok(ANY_PORT), parse_ports)? })
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
            return Ok(Self::Addresses(IpNet::from(ip.to_canonical())));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Addresses(net));
        }
        if text.contains('/') {
            return Err(format!("`{text}` is no range of addresses; write 10.0.0.0/8 or fd00::/8, for two"));
        }
        if text.contains(':') {
            return Err(format!("`{text}` is no IPv6 address; one with a port is written [::1]:80"));
        }
        if text.contains('*') {
            return Err("`*` stands alone, for every address; of a name, all must be said".into());
        }
        // What ends in a number is an address to the system's resolver, however odd: 127.1, 0x7f.1.
        let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if last.is_empty() || last.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(plain) {
            return Err(format!("`{text}` is neither an address nor the name of a host"));
        }
        Ok(Self::Name(text.to_owned()))
    }
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

/// The addresses that rules cover.
#[derive(Debug)]
pub(crate) struct Allowed(Vec<(IpNet, RangeInclusive<u16>)>);

impl Allowed {
    /// What `rules` cover. Names are looked up here, once.
    ///
    /// # Errors
    ///
    /// If a name stands for no address.
    pub(crate) fn new(rules: &[Rule]) -> Result<Self> {
        let mut covered = Vec::new();
        for Rule { host, ports } in rules {
            let nets = match host {
                Host::Any => vec![Ipv4Net::default().into(), Ipv6Net::default().into()],
                Host::Addresses(net) => vec![*net],
                Host::Name(name) => addresses(name)?,
            };
            covered.extend(nets.into_iter().map(|net| (net, ports.clone())));
        }
        Ok(Self(covered))
    }

    /// Whether `addr` may be used in this way.
    pub(crate) fn permits(&self, addr: SocketAddr, to: SocketAddrUse) -> bool {
        let ip = addr.ip().to_canonical();
        let about_to_send = to == SocketAddrUse::UdpBind && ip.is_unspecified() && addr.port() == 0;
        about_to_send || self.0.iter().any(|(net, ports)| net.contains(&ip) && ports.contains(&addr.port()))
    }
}

/// All that a name stands for.
fn addresses(name: &str) -> Result<Vec<IpNet>> {
    if name.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        return Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST).into(), IpAddr::from(Ipv6Addr::LOCALHOST).into()]);
    }
    let found = (name, 0).to_socket_addrs().with_context(|| {
        format!("--allow-net {name}: the name cannot be looked up; give an address, or try again later")
    })?;
    Ok(found.map(|addr| addr.ip().to_canonical().into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use SocketAddrUse::{TcpBind, TcpConnect, UdpBind, UdpConnect, UdpOutgoingDatagram};

    const USES: [SocketAddrUse; 5] = [TcpBind, TcpConnect, UdpBind, UdpConnect, UdpOutgoingDatagram];

    fn allowed(rules: &[&str]) -> Allowed {
        let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        Allowed::new(&rules).unwrap()
    }

    fn covers(rule: &str, addr: &str) -> bool {
        let allowed = allowed(&[rule]);
        let answers = USES.map(|to| allowed.permits(addr.parse().unwrap(), to));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{rule} {addr}: one rule for all uses");
        answers[0]
    }

    #[test]
    fn each_form_covers_what_it_says_and_nothing_beside() {
        for (rule, inside, outside) in [
            ("127.0.0.1", &["127.0.0.1:1", "127.0.0.1:65535"][..], &["127.0.0.2:1", "[::1]:1"][..]),
            ("127.0.0.1:80", &["127.0.0.1:80"], &["127.0.0.1:81", "127.0.0.2:80"]),
            ("127.0.0.1:0", &["127.0.0.1:0"], &["127.0.0.1:1"]),
            ("::1", &["[::1]:1"], &["[::2]:1", "127.0.0.1:1"]),
            ("[::1]", &["[::1]:1"], &["[::2]:1"]),
            ("[::1]:80", &["[::1]:80"], &["[::1]:81"]),
            ("::ffff:10.0.0.1", &["10.0.0.1:1", "[::ffff:10.0.0.1]:1"], &["10.0.0.2:1"]),
            ("10.0.0.0/8", &["10.0.0.1:1", "10.255.255.255:1"], &["11.0.0.0:1", "9.255.255.255:1"]),
            ("10.1.2.3/8", &["10.0.0.1:1"], &["11.0.0.0:1"]),
            ("10.0.0.0/8:53", &["10.9.9.9:53"], &["10.9.9.9:54"]),
            ("fd00::/8", &["[fdff::1]:1"], &["[fe80::1]:1"]),
            ("[fd00::/8]:443", &["[fd00::1]:443"], &["[fd00::1]:80", "[fe80::1]:443"]),
            (
                "127.0.0.1:8000-8010",
                &["127.0.0.1:8000", "127.0.0.1:8010"],
                &["127.0.0.1:7999", "127.0.0.1:8011"],
            ),
            ("localhost:80", &["127.0.0.1:80", "[::1]:80"], &["127.0.0.2:80", "127.0.0.1:81"]),
            ("LOCALHOST.", &["127.0.0.1:80"], &["127.0.0.2:80"]),
            ("*", &["203.0.113.1:1", "[2001:db8::1]:1", "0.0.0.0:1"], &[]),
            ("*:443", &["203.0.113.1:443", "[2001:db8::1]:443"], &["203.0.113.1:80"]),
            ("0.0.0.0/0", &["203.0.113.1:1"], &["[2001:db8::1]:1"]),
            ("0.0.0.0:8080", &["0.0.0.0:8080"], &["127.0.0.1:8080", "0.0.0.0:8081"]),
        ] {
            for addr in inside {
                assert!(covers(rule, addr), "{rule} covers {addr}");
            }
            for addr in outside {
                assert!(!covers(rule, addr), "{rule} does not cover {addr}");
            }
        }
    }

    #[test]
    fn rules_add_up() {
        let allowed = allowed(&["127.0.0.1:80", "[::1]:443"]);
        assert!(allowed.permits("127.0.0.1:80".parse().unwrap(), TcpConnect));
        assert!(allowed.permits("[::1]:443".parse().unwrap(), TcpConnect));
        assert!(!allowed.permits("127.0.0.1:443".parse().unwrap(), TcpConnect));
    }

    #[test]
    fn a_client_can_bind_before_it_sends_datagrams() {
        let allowed = allowed(&["127.0.0.1:53"]);
        for any in ["0.0.0.0:0", "[::]:0"] {
            for to in USES {
                assert_eq!(allowed.permits(any.parse().unwrap(), to), to == UdpBind, "{any} {to:?}");
            }
        }
        assert!(!allowed.permits("0.0.0.0:53".parse().unwrap(), UdpBind));
    }

    #[test]
    fn what_is_no_rule() {
        for (text, words) in [
            ("", "neither an address nor the name"),
            (":80", "neither an address nor the name"),
            ("a b", "neither an address nor the name"),
            ("http://example.com", "`//example.com` is no port"),
            ("256.0.0.1", "neither an address nor the name"),
            ("127.1", "neither an address nor the name"),
            ("0x7f.1", "neither an address nor the name"),
            ("2130706433", "neither an address nor the name"),
            ("example.0x1", "neither an address nor the name"),
            ("10.0.0.0/33", "no range of addresses"),
            ("10.0.0.0/", "no range of addresses"),
            ("example.com/8", "no range of addresses"),
            ("::1:80:x", "[::1]:80"),
            ("[::1", "not closed"),
            ("[::1]80", "behind the bracket"),
            ("[127.0.0.1]:80", "only these stand in brackets"),
            ("*.example.com", "stands alone"),
            ("127.0.0.1:", "no port"),
            ("127.0.0.1:http", "no port"),
            ("127.0.0.1:65536", "no port"),
            ("127.0.0.1:+1", "no port"),
            ("127.0.0.1:2-1", "no port"),
            ("127.0.0.1:1-", "no port"),
            ("127.0.0.1:1-2-3", "no port"),
        ] {
            let error = text.parse::<Rule>().expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_taken_as_they_are() {
        for name in ["example.com", "example.com.", "a_b-c.example", "münchen.example", "db"] {
            let rule: Rule = format!("{name}:5432").parse().unwrap();
            assert_eq!(rule, Rule { host: Host::Name(name.into()), ports: 5432..=5432 });
        }
    }

    #[test]
    fn a_name_that_stands_for_nothing() {
        // Too long for any name server to be asked for it.
        let name = "a".repeat(64);
        let rule: Rule = name.parse().unwrap();
        let error = format!("{:#}", Allowed::new(&[rule]).unwrap_err());
        assert!(error.starts_with(&format!("--allow-net {name}: the name cannot be looked up")), "{error}");
    }
}
