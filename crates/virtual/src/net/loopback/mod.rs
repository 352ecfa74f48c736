//! A network without an operating system.

mod link;
mod listener;
mod machine;
mod mailbox;
mod options;
mod pipe;
mod ports;
mod tcp;
mod time;
mod udp;

pub use link::Link;

use super::found;
use crate::time::VirtualTime;
use machine::{Machine, Net};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use wasi_host_core::Result;
use wasi_host_core::net::{Error, Family, Lookup, Network, Slot, TcpSocket, UdpSocket};

/// A network of its own: hosts that reach each other, and nothing else, by addresses and names of their own. Clones are
/// the same network.
///
/// It has no thread and no socket of the operating system. Whatever guests do its memory is bounded: a connection that was
/// not accepted yet counts among 128 of its listener, a connection holds what its two ends may have waiting
/// (64 KiB each, by option up to 1 MiB), a UDP socket likewise, and what does not fit is not taken, or dropped.
///
/// It does as Linux does, but for this:
///
/// * Nothing is privileged, and there is neither broadcast nor multicast.
/// * An address that no host has is `HostUnreach` at once, also to who sends a datagram.
/// * While a listener's queue is full those who connect go on trying, and after some seconds they fail with `TimedOut`.
/// * That a peer has closed by force, or is not there, is known at once, whatever the latency.
/// * Of the options of a socket only the size of what it may receive has an effect.
#[derive(Clone, Debug)]
pub struct Loopback(Arc<Net>);

impl Loopback {
    /// A network without hosts.
    pub fn new() -> Self {
        Self(Net::new(time::Time::Real(Instant::now())))
    }

    /// The same in another time, which its latencies are then of.
    ///
    /// ```
    /// use wasi_host_virtual::{net::Loopback, time::VirtualTime};
    /// let time = VirtualTime::new();
    /// let net = Loopback::in_time(time.clone());
    /// ```
    pub fn in_time(time: VirtualTime) -> Self {
        Self(Net::new(time::Time::Virtual(time)))
    }

    /// What lies between its hosts, for all that is sent from now on.
    ///
    /// [`Link`] has an example.
    pub fn set_link(&self, link: Link) {
        *self.0.link.write() = link;
    }

    /// A new host with these addresses, which may be none: it has 127.0.0.1 and ::1 for itself. Its addresses and names
    /// are free again when it and all of its sockets are gone.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if another host has one of them; `Inval` for one that cannot be a host's: an unspecified one, of
    /// loopback, multicast or broadcast, or of IPv4 in the guise of IPv6.
    pub fn host(&self, addrs: impl IntoIterator<Item = IpAddr>) -> Result<Host> {
        self.0.add(addrs.into_iter().collect()).map(Host)
    }
}

impl Default for Loopback {
    fn default() -> Self {
        Self::new()
    }
}

/// A host of a [`Loopback`]: the network as a guest on it sees it. Clones are the same host.
///
/// [`net`](super) has an example.
#[derive(Clone, Debug)]
pub struct Host(Arc<Machine>);

impl Host {
    /// Has a name stand for this host's addresses; in ASCII, as guests look it up. Hosts may share one.
    #[must_use = "it is the host"]
    pub fn named(self, name: &str) -> Self {
        self.0.net.name(name, &self.0.addrs);
        self
    }
}

impl Network for Host {
    fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>> {
        Ok(Arc::new(tcp::Tcp::new(self.0.clone(), family)))
    }

    fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>> {
        Ok(Arc::new(udp::Udp::new(self.0.clone(), family)))
    }

    fn lookup(&self, name: &str, _: Slot) -> Result<Box<dyn Lookup>, Error> {
        Ok(found::found(Ok(self.0.net.look_up(name))))
    }
}
