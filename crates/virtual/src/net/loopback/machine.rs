//! The hosts of a network, and how they reach each other.

use super::link::{self, Link, Uplink};
use super::ports::Ports;
use super::time::Time;
use super::{listener::Queue, mailbox::Mailbox};
use crate::net::canonical;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use wasi_host_core::net::Family;
use wasi_host_core::{Errno, Result};

/// What the hosts of a network share.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) time: Time,
    pub(super) link: RwLock<Link>,
    hosts: RwLock<HashMap<IpAddr, Weak<Machine>>>,
    /// In lower case, without the dot at the end.
    names: RwLock<HashMap<String, Vec<IpAddr>>>,
    made: AtomicU64,
}

/// A host.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) net: Arc<Net>,
    pub(super) addrs: Vec<IpAddr>,
    pub(super) tcp: Arc<Mutex<Ports<Arc<Queue>>>>,
    pub(super) udp: Arc<Mutex<Ports<Arc<Mailbox>>>>,
    uplink: Uplink,
}

impl Net {
    pub(super) fn new(time: Time) -> Arc<Self> {
        Arc::new(Self {
            time,
            link: RwLock::default(),
            hosts: RwLock::default(),
            names: RwLock::default(),
            made: AtomicU64::new(0),
        })
    }

    pub(super) fn add(self: &Arc<Self>, addrs: Vec<IpAddr>) -> Result<Arc<Machine>> {
        if !addrs.iter().all(is_of_one_host) {
            return Err(Errno::Inval);
        }
        let mut hosts = self.hosts.write();
        if addrs.iter().any(|ip| hosts.contains_key(ip)) {
            return Err(Errno::AddrInUse);
        }
        let machine = Arc::new(Machine {
            net: self.clone(),
            addrs,
            tcp: Arc::default(),
            udp: Arc::default(),
            uplink: Uplink::new(self.made.fetch_add(1, Ordering::Relaxed)),
        });
        hosts.extend(machine.addrs.iter().map(|ip| (*ip, Arc::downgrade(&machine))));
        Ok(machine)
    }

    pub(super) fn name(&self, name: &str, addrs: &[IpAddr]) {
        self.names.write().entry(canonical(name).into_owned()).or_default().extend(addrs);
    }

    pub(super) fn look_up(&self, name: &str) -> Vec<IpAddr> {
        let name = canonical(name);
        if name == "localhost" {
            return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        self.names.read().get(&*name).cloned().unwrap_or_default()
    }
}

/// An address that one host has and others can use.
fn is_of_one_host(ip: &IpAddr) -> bool {
    let many = match ip {
        IpAddr::V4(ip) => ip.is_broadcast(),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some(),
    };
    !many && !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast()
}

impl Machine {
    /// The host that has an address, as this one sees it.
    pub(super) fn find(self: &Arc<Self>, ip: IpAddr) -> Result<Arc<Self>> {
        if ip.is_loopback() || self.addrs.contains(&ip) {
            return Ok(self.clone());
        }
        self.net.hosts.read().get(&ip).and_then(Weak::upgrade).ok_or(Errno::HostUnreach)
    }

    /// Fails unless a socket can be bound to the address.
    pub(super) fn has(&self, addr: SocketAddr, family: Family) -> Result<()> {
        if Family::of(addr) != family {
            return Err(Errno::AfNoSupport);
        }
        let ip = addr.ip();
        let own = ip.is_unspecified() || ip.is_loopback() || self.addrs.contains(&ip);
        if own { Ok(()) } else { Err(Errno::AddrNotAvail) }
    }

    /// From where this host speaks to that address.
    pub(super) fn source(&self, to: IpAddr) -> Result<IpAddr> {
        if self.addrs.contains(&to) {
            return Ok(to);
        }
        match to {
            IpAddr::V4(ip) if ip.is_loopback() => Ok(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_loopback() => Ok(to),
            _ => self.addrs.iter().copied().find(|ip| ip.is_ipv4() == to.is_ipv4()).ok_or(Errno::NetUnreach),
        }
    }

    /// When a datagram of so many bytes arrives there, if it does; 0 is at once.
    pub(super) fn datagram(&self, to: IpAddr, len: usize) -> Option<u64> {
        match self.link(to) {
            None => Some(0),
            Some(link) => self.uplink.datagram(&link, self.net.time.now(), len),
        }
    }

    /// The same for a part of a connection, which is sent again if it gets lost.
    pub(super) fn segment(&self, to: IpAddr, len: usize) -> Option<u64> {
        match self.link(to) {
            None => Some(0),
            Some(link) => self.uplink.segment(&link, self.net.time.now(), len),
        }
    }

    /// How long anything is on its way there.
    pub(super) fn latency(&self, to: IpAddr) -> u64 {
        self.link(to).map_or(0, |link| link::nanoseconds(link.latency))
    }

    /// The link to there, if there is one that makes a difference.
    fn link(&self, to: IpAddr) -> Option<Link> {
        if to.is_loopback() {
            return None;
        }
        let link = *self.net.link.read();
        (link.latency, link.loss, link.bandwidth).ne(&Default::default()).then_some(link)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.net.hosts.write().retain(|ip, _| !self.addrs.contains(ip));
        self.net.names.write().retain(|_, addrs| {
            addrs.retain(|ip| !self.addrs.contains(ip));
            !addrs.is_empty()
        });
    }
}
