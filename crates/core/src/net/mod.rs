//! Sockets as capabilities, and the door through which a guest reaches them.
//!
//! A backend implements [`Network`], [`TcpSocket`], [`UdpSocket`] and [`Lookup`]. No operation waits: `Again` says "not
//! yet", and `wait` says for what.
//!
//! A guest holds what [`Sockets`] hands out: [`Tcp`], [`Udp`], [`Addresses`], and what those give. There, for every backend and every
//! version of WASI, are the states of a socket, the addresses that it may use ([`AddrCheck`]), the limits, and the
//! promise that bytes which were accepted are delivered ([`Undelivered`]).

mod address;
mod association;
mod check;
mod datagrams;
mod error;
mod listener;
mod lookup;
mod outgoing;
mod readiness;
mod revocation;
mod sockets;
mod stream;
mod tcp;
mod udp;

pub use association::Datagram;
pub use check::{AddrCheck, Checked, Checking, SocketAddrUse};
pub use datagrams::{Batch, UdpInput, UdpOutput};
pub use error::Error;
pub use listener::Listener;
pub use lookup::Addresses;
pub use outgoing::{Drained, Outgoing, Undelivered};
pub use readiness::Readiness;
pub use sockets::{Permissions, Sockets};
pub use stream::{TcpInput, TcpOutput};
pub use tcp::Tcp;
pub use udp::Udp;

pub use crate::slots::Slot;

use crate::fs::Interest;
use crate::wait::Wait;
use crate::{Errno, Result};
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A network: where sockets are made and names looked up.
pub trait Network: Send + Sync {
    /// A TCP socket that is neither bound nor connected.
    fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>>;
    /// A UDP socket that is not bound.
    fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>>;
    /// Begins to look up a name, which is a syntactically valid one in ASCII and no literal address. `slot` is to be
    /// kept for as long as the look-up occupies anything of the host, and then dropped: it counts those that go on.
    fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error>;
}

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Version 4.
    Ipv4,
    /// Version 6, which here has nothing to do with version 4: no addresses of the one are mapped into the other.
    Ipv6,
}

impl Family {
    /// That of an address.
    pub fn of(addr: SocketAddr) -> Self {
        if addr.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

/// A TCP socket in any of its states.
pub trait TcpSocket: Send + Sync {
    /// Gives it a local address; port 0 stands for any that is free.
    fn bind(&self, addr: SocketAddr) -> Result<()>;
    /// Begins to connect, and asked again with the same address says how that goes: `Again` or `InProgress` until it
    /// is done, then `Ok`. A socket without a local address is given one.
    fn connect(&self, addr: SocketAddr) -> Result<()>;
    /// Lets others connect; asked again it changes the length of the queue.
    fn listen(&self, backlog: u32) -> Result<()>;
    /// A connection that has come in. It has the listener's options.
    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)>;
    /// Receives; 0 at the end. With `peek` the bytes stay to be received again.
    fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool) -> Result<usize>;
    /// Sends some of the bytes.
    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize>;
    /// Ends one direction, or both.
    fn shutdown(&self, how: Shutdown) -> Result<()>;
    /// The address that it is bound to.
    fn local_addr(&self) -> Result<SocketAddr>;
    /// The address that it is connected to.
    fn peer_addr(&self) -> Result<SocketAddr>;
    /// Reads an option.
    fn get(&self, name: TcpOptionName) -> Result<TcpOption>;
    /// Sets an option to a value other than 0; one that is too large becomes the largest.
    fn set(&self, option: TcpOption) -> Result<()>;
    /// What to wait for before trying again.
    fn wait(&self, interest: Interest) -> Wait<'_>;
    /// Whether it is listening.
    fn is_listening(&self) -> bool;
}

/// Which directions of a connection to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Receive no more.
    Receive,
    /// Send no more.
    Send,
    /// Both.
    Both,
}

/// An option of a TCP socket, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in wasi:sockets/tcp")]
pub enum TcpOptionName {
    KeepAlive,
    KeepAliveIdleTime,
    KeepAliveInterval,
    KeepAliveCount,
    HopLimit,
    ReceiveBufferSize,
    SendBufferSize,
}

/// An option of a TCP socket, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in wasi:sockets/tcp")]
pub enum TcpOption {
    KeepAlive(bool),
    KeepAliveIdleTime(Duration),
    KeepAliveInterval(Duration),
    KeepAliveCount(u32),
    HopLimit(u8),
    ReceiveBufferSize(u64),
    SendBufferSize(u64),
}

/// A UDP socket.
pub trait UdpSocket: Send + Sync {
    /// Gives it a local address; port 0 stands for any that is free.
    fn bind(&self, addr: SocketAddr) -> Result<()>;
    /// Names the only peer, in place of one that was named before, or takes that back. What others have sent before may
    /// still be received. A socket without a local address is given one for the peer, and loses it with the peer: who has
    /// not bound it receives nothing from others.
    fn connect(&self, addr: Option<SocketAddr>) -> Result<()>;
    /// Receives one datagram: its length, cut to the buffer's, and whence it came.
    fn recv(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)>;
    /// Sends one datagram, to the peer if `to` is `None`.
    fn send(&self, buf: &[u8], to: Option<SocketAddr>) -> Result<()>;
    /// The address that it is bound to.
    fn local_addr(&self) -> Result<SocketAddr>;
    /// What to wait for before trying again.
    fn wait(&self, interest: Interest) -> Wait<'_>;

    /// Ends it for good: nothing more is received, and who waits for it is woken. For those who take a socket back from a
    /// guest.
    ///
    /// # Errors
    ///
    /// `NotSup` where the backend has no way to.
    fn shutdown(&self) -> Result<()> {
        Err(Errno::NotSup)
    }

    /// Whether [`send`](Self::send) is worth a try after it has said `Again`. Who cannot tell says yes.
    fn is_writable(&self) -> bool {
        true
    }

    /// Reads an option.
    fn get(&self, _: UdpOptionName) -> Result<UdpOption> {
        Err(Errno::NotSup)
    }

    /// Sets an option to a value other than 0; one that is too large becomes the largest.
    fn set(&self, _: UdpOption) -> Result<()> {
        Err(Errno::NotSup)
    }
}

/// An option of a UDP socket, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in wasi:sockets/udp")]
pub enum UdpOptionName {
    UnicastHopLimit,
    ReceiveBufferSize,
    SendBufferSize,
}

/// An option of a UDP socket, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in wasi:sockets/udp")]
pub enum UdpOption {
    UnicastHopLimit(u8),
    ReceiveBufferSize(u64),
    SendBufferSize(u64),
}

/// A look-up that goes on.
pub trait Lookup: Send + Sync {
    /// The addresses, the best first; `Again` while they are not there yet. Not asked again after that.
    ///
    /// # Errors
    ///
    /// [`Error::NameUnresolvable`], [`Error::TemporaryResolverFailure`], [`Error::PermanentResolverFailure`].
    fn addresses(&mut self) -> Result<Vec<IpAddr>, Error>;
    /// What to wait for before asking again.
    fn wait(&self) -> Wait<'_>;
}
