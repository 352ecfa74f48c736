//! `--allow-net` and `--deny-net`: the addresses that a component may use.
//!
//! A rule that covers an address lets TCP and UDP sockets connect to it, datagrams be sent to it, and, where it is an
//! address of this machine, sockets be bound to it. Who is denied is not heard either. Whatever the rules, an unused UDP
//! socket may be bound to the unspecified address and a port that the system chooses, because all must be that are about
//! to send.

use anyhow::{Context, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use wasi_host_native::net::NativeNetwork;
use wasi_host_virtual::net::{Rule, Rules};

/// The system's network with what `allowed` covers and `denied` does not. Names are looked up here, once.
///
/// # Errors
///
/// If a name stands for no address.
pub(crate) fn under_rules(allowed: &[Rule], denied: &[Rule]) -> Result<Rules> {
    let rules = Rules::new(NativeNetwork);
    // Whether names may be looked up is for another option to say.
    rules.allow(everything().only([]));
    for rule in covered("--allow-net", allowed)? {
        rules.allow(rule);
    }
    for rule in covered("--deny-net", denied)? {
        rules.deny(rule);
    }
    Ok(rules)
}

/// Every address and every name.
pub(crate) fn everything() -> Rule {
    "*".parse().expect("it stands alone")
}

/// The rules with addresses in place of each name.
fn covered(option: &str, rules: &[Rule]) -> Result<Vec<Rule>> {
    let mut covered = Vec::new();
    for rule in rules {
        match rule.name() {
            Some(name) => covered.extend(addresses(option, name)?.into_iter().map(|ip| rule.clone().at(ip))),
            None => covered.push(rule.clone()),
        }
    }
    Ok(covered)
}

/// All that a name stands for.
fn addresses(option: &str, name: &str) -> Result<Vec<IpAddr>> {
    if name == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let found = (name, 0).to_socket_addrs().with_context(|| {
        format!("{option} {name}: the name cannot be looked up; give an address, or try again later")
    })?;
    Ok(found.map(|addr| addr.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasi_host::SocketAddrUse::TcpConnect;

    fn rules(texts: &[&str]) -> Vec<Rule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn names_stand_for_their_addresses_of_now() {
        for name in ["localhost:80", "LOCALHOST.:80"] {
            let rules = under_rules(&rules(&[name, "10.0.0.0/8"]), &rules(&["10.1.0.0/16"])).unwrap();
            for (addr, expected) in [
                ("127.0.0.1:80", true),
                ("[::1]:80", true),
                ("127.0.0.2:80", false),
                ("127.0.0.1:81", false),
                ("10.0.0.1:1", true),
                ("10.1.0.1:1", false),
                ("203.0.113.1:1", false),
            ] {
                assert_eq!(rules.permits(addr.parse().unwrap(), TcpConnect), expected, "{name} {addr}");
            }
        }
    }

    #[test]
    fn a_name_that_stands_for_nothing() {
        // Too long for any name server to be asked for it.
        let name = "a".repeat(64);
        for (allowed, denied, option) in
            [(&[&*name][..], &[][..], "--allow-net"), (&[], &[&*name], "--deny-net")]
        {
            let error = format!("{:#}", under_rules(&rules(allowed), &rules(denied)).unwrap_err());
            assert!(error.starts_with(&format!("{option} {name}: the name cannot be looked up")), "{error}");
        }
    }
}
