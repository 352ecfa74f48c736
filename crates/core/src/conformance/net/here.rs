//! A place in a network, and the few words that the cases are written in.

use super::Subject;
use crate::conformance::check::{fails, holds, ok};
use crate::fs::Interest;
use crate::net::{Family, TcpSocket, UdpSocket};
use crate::wait::{Wait, Waiter};
use crate::{Errno, Result};
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network, seen from one of its addresses.
pub struct Here {
    pub(super) subject: Subject,
    ip: IpAddr,
}

/// Both ends of a connection, and what it was made by.
pub(super) struct Pair {
    pub(super) client: Arc<dyn TcpSocket>,
    pub(super) server: Arc<dyn TcpSocket>,
    pub(super) listener: Arc<dyn TcpSocket>,
}

impl Here {
    /// `subject` at one of its addresses.
    pub fn new(subject: Subject, ip: IpAddr) -> Self {
        Self { subject, ip }
    }

    /// This address with a port.
    pub(super) fn at(&self, port: u16) -> SocketAddr {
        (self.ip, port).into()
    }

    /// Every address of this host at once.
    pub(super) fn anywhere(&self) -> SocketAddr {
        match self.ip {
            IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        }
    }

    /// An address of the same family that is nobody's: it is for documentation alone (RFC 5737, RFC 3849).
    pub(super) fn elsewhere(&self) -> SocketAddr {
        match self.ip {
            IpAddr::V4(_) => (Ipv4Addr::new(203, 0, 113, 1), 0).into(),
            IpAddr::V6(_) => (Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1), 0).into(),
        }
    }

    /// An address of the other family.
    pub(super) fn foreign(&self) -> SocketAddr {
        match self.ip {
            IpAddr::V4(_) => (Ipv6Addr::LOCALHOST, 0).into(),
            IpAddr::V6(_) => (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    #[track_caller]
    pub(super) fn tcp(&self) -> Arc<dyn TcpSocket> {
        ok("a TCP socket", self.subject.network.tcp(Family::of(self.at(0))))
    }

    #[track_caller]
    pub(super) fn udp(&self) -> Arc<dyn UdpSocket> {
        ok("a UDP socket", self.subject.network.udp(Family::of(self.at(0))))
    }

    /// A UDP socket bound to this address.
    #[track_caller]
    pub(super) fn bound_udp(&self) -> (Arc<dyn UdpSocket>, SocketAddr) {
        let socket = self.udp();
        ok("bind", socket.bind(self.at(0)));
        let addr = ok("local_addr", socket.local_addr());
        (socket, addr)
    }

    /// A socket bound to this address.
    #[track_caller]
    pub(super) fn bound(&self) -> (Arc<dyn TcpSocket>, SocketAddr) {
        let socket = self.tcp();
        ok("bind", socket.bind(self.at(0)));
        let addr = ok("local_addr", socket.local_addr());
        (socket, addr)
    }

    /// A socket that listens at this address.
    #[track_caller]
    pub(super) fn listener(&self) -> (Arc<dyn TcpSocket>, SocketAddr) {
        let (socket, addr) = self.bound();
        ok("listen", socket.listen(128));
        (socket, addr)
    }

    /// What comes of connecting there.
    pub(super) fn try_connect(&self, socket: &dyn TcpSocket, to: SocketAddr) -> Result<()> {
        self.until_done(|| socket.connect(to), || socket.wait(Interest::Write))
    }

    /// A socket that is connected to there.
    #[track_caller]
    pub(super) fn connect(&self, to: SocketAddr) -> Arc<dyn TcpSocket> {
        let socket = self.tcp();
        ok("connect", self.try_connect(&*socket, to));
        socket
    }

    /// The next connection that comes in, with whence it comes.
    #[track_caller]
    pub(super) fn accept(&self, listener: &dyn TcpSocket) -> (Arc<dyn TcpSocket>, SocketAddr) {
        ok("accept", self.until_done(|| listener.accept(), || listener.wait(Interest::Read)))
    }

    /// Both ends of a new connection.
    #[track_caller]
    pub(super) fn pair(&self) -> Pair {
        let (listener, addr) = self.listener();
        let client = self.connect(addr);
        let (server, _) = self.accept(&*listener);
        Pair { client, server, listener }
    }

    /// Sends all of it.
    #[track_caller]
    pub(super) fn send(&self, socket: &dyn TcpSocket, bytes: &[u8]) {
        let mut sent = 0;
        while sent < bytes.len() {
            let rest = [IoSlice::new(&bytes[sent..])];
            let n = ok("send", self.until_done(|| socket.send(&rest), || socket.wait(Interest::Write)));
            holds("send took nothing", n > 0);
            sent += n;
        }
    }

    /// Receives once, up to `most` bytes; nothing is the end.
    pub(super) fn try_recv(&self, socket: &dyn TcpSocket, most: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0xEE; most];
        let n = self.until_done(
            || socket.recv(&mut [IoSliceMut::new(&mut bytes)], false),
            || socket.wait(Interest::Read),
        )?;
        bytes.truncate(n);
        Ok(bytes)
    }

    /// Receives just so many bytes.
    #[track_caller]
    pub(super) fn recv(&self, socket: &dyn TcpSocket, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let more = ok("recv", self.try_recv(socket, len - bytes.len()));
            holds("the end came too early", !more.is_empty());
            bytes.extend(more);
        }
        bytes
    }

    /// The next datagram, cut to so many bytes.
    #[track_caller]
    pub(super) fn datagram(&self, socket: &dyn UdpSocket, most: usize) -> (Vec<u8>, SocketAddr) {
        let mut bytes = vec![0xEE; most];
        let (n, from) =
            ok("recv", self.until_done(|| socket.recv(&mut bytes), || socket.wait(Interest::Read)));
        bytes.truncate(n);
        (bytes, from)
    }

    /// Tries until something other than "not yet" is said, waiting in between for what is said to wait for.
    fn until_done<'a, T>(
        &self,
        mut attempt: impl FnMut() -> Result<T>,
        wait: impl Fn() -> Wait<'a>,
    ) -> Result<T> {
        loop {
            match attempt() {
                Err(Errno::Again | Errno::InProgress | Errno::Already) => self.wait(wait()),
                done => return done,
            }
        }
    }

    /// Waits for one thing, but not for ever.
    #[track_caller]
    pub(super) fn wait(&self, wait: Wait<'_>) {
        let ended = self.ended(&[wait, Wait::For(PATIENCE)]);
        holds("what was waited for did not come within a minute", ended.contains(&0));
    }

    /// Lets a little time pass.
    pub(super) fn pause(&self) {
        self.ended(&[Wait::For(Duration::from_millis(1))]);
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_ready(&self, wait: Wait<'_>) -> bool {
        self.ended(&[wait, Wait::Ready]).contains(&0)
    }

    fn ended(&self, waits: &[Wait<'_>]) -> Vec<usize> {
        let mut ended = Vec::new();
        let waiter: &dyn Waiter = &*self.subject.waiter;
        ok("the waiter", waiter.any(waits, &mut [], &mut ended));
        holds("the waiter returned for nothing", !ended.is_empty());
        ended.into_iter().map(|event| event.index).collect()
    }
}

/// Panics unless nothing is there to be received yet.
#[track_caller]
pub(super) fn nothing_yet(socket: &dyn TcpSocket) {
    fails("recv of nothing", recv_now(socket, 16), &[Errno::Again]);
}

/// What is there to be received without waiting.
pub(super) fn recv_now(socket: &dyn TcpSocket, most: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0xEE; most];
    let n = socket.recv(&mut [IoSliceMut::new(&mut bytes)], false)?;
    bytes.truncate(n);
    Ok(bytes)
}

/// Sends what goes without waiting.
pub(super) fn send_now(socket: &dyn TcpSocket, bytes: &[u8]) -> Result<usize> {
    socket.send(&[IoSlice::new(bytes)])
}

/// Bytes of which no stretch looks like another.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}
