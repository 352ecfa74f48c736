//! Sockets as capabilities. No operation waits: `Again` says "not yet", and `wait` says for what.

use crate::Result;
use crate::fs::Interest;
use crate::wait::Wait;
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
    /// Begins to look up a name.
    fn lookup(&self, name: &str) -> Result<Box<dyn Lookup>>;
}

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Version 4.
    Ipv4,
    /// Version 6.
    Ipv6,
}

/// A TCP socket in any of its states.
pub trait TcpSocket: Send + Sync {
    /// Gives it a local address.
    fn bind(&self, addr: SocketAddr) -> Result<()>;
    /// Begins to connect; `Again` or `InProgress` until it is done, then `Ok`.
    fn connect(&self, addr: SocketAddr) -> Result<()>;
    /// Lets others connect.
    fn listen(&self, backlog: u32) -> Result<()>;
    /// A connection that has come in.
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
    /// Sets an option.
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
    /// Gives it a local address.
    fn bind(&self, addr: SocketAddr) -> Result<()>;
    /// Names the only peer, or takes that back.
    fn connect(&self, addr: Option<SocketAddr>) -> Result<()>;
    /// Receives one datagram: its length, cut to the buffer's, and whence it came.
    fn recv(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)>;
    /// Sends one datagram, to the peer if `to` is `None`.
    fn send(&self, buf: &[u8], to: Option<SocketAddr>) -> Result<()>;
    /// The address that it is bound to.
    fn local_addr(&self) -> Result<SocketAddr>;
    /// The address that it is connected to.
    fn peer_addr(&self) -> Result<SocketAddr>;
    /// What to wait for before trying again.
    fn wait(&self, interest: Interest) -> Wait<'_>;
}

/// A look-up that goes on.
pub trait Lookup: Send {
    /// The addresses; `Again` while they are not there yet.
    fn addresses(&mut self) -> Result<Vec<IpAddr>>;
    /// What to wait for before asking again.
    fn wait(&self) -> Wait<'_>;
}
