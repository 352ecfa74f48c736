//! Datagrams, many at a time.

use super::association::Association;
use super::{Checked, Checking, Datagram, Error};
use crate::Errno;
use crate::fs::Interest;
use crate::stream::{StreamError, Subscribe};
use crate::wait::Wait;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

/// So many datagrams at a time, in both directions, …
const MANY: usize = 64;

/// … and when so many bytes have come in, no more.
const ENOUGH: usize = 256 << 10;

/// So many in turn that others have sent are dropped at a time.
pub(super) const FOREIGN: usize = 256;

/// One of the pair of streams that [`Udp::stream`](super::Udp::stream) gave last; those from before are out of use, and all are
/// once the network was taken back.
struct Side {
    association: Association,
    number: u64,
}

impl Side {
    fn new(association: Association) -> Self {
        let number = association.end.number.load(Ordering::Relaxed);
        Self { association, number }
    }

    fn valid(&self) -> Result<(), Error> {
        if self.is_valid() { Ok(()) } else { Err(Error::InvalidState) }
    }

    fn is_valid(&self) -> bool {
        let end = &self.association.end;
        !self.association.sockets.is_revoked() && end.number.load(Ordering::Relaxed) == self.number
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.association.end.socket.wait(interest)
    }
}

/// Datagrams that come in. Dropping it does not close anything.
pub struct UdpInput {
    side: Side,
    /// Found when others had been received already: for the next call.
    failed: Option<Error>,
}

impl UdpInput {
    pub(super) fn new(association: Association) -> Self {
        Self { side: Side::new(association), failed: None }
    }

    /// Up to `most` datagrams, none if there are none yet. From a single peer, if there is one: what others have sent
    /// before it was named is dropped. However many are asked for, the bytes are bounded.
    ///
    /// # Errors
    ///
    /// [`Error::RemoteUnreachable`], [`Error::ConnectionRefused`]; [`Error::InvalidState`] once other streams were made.
    pub fn receive(&mut self, most: u64) -> Result<Vec<Datagram>, Error> {
        self.side.valid()?;
        let most = usize::try_from(most).map_or(MANY, |n| n.min(MANY));
        let (mut datagrams, mut bytes, mut patience) = (Vec::new(), 0, FOREIGN);
        while datagrams.len() < most && bytes < ENOUGH {
            if let Some(e) = self.failed.take() {
                return Err(e);
            }
            match self.side.association.receive(&mut patience) {
                Ok(datagram) => {
                    bytes += datagram.data.len();
                    datagrams.push(datagram);
                }
                Err(Errno::Again) => break,
                Err(e) if datagrams.is_empty() => return Err(e.into()),
                Err(e) => {
                    self.failed = Some(e.into());
                    break;
                }
            }
        }
        Ok(datagrams)
    }
}

#[async_trait::async_trait]
impl Subscribe for UdpInput {
    async fn ready(&mut self) {
        self.side.association.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        if self.failed.is_some() || !self.side.is_valid() {
            return Wait::Ready;
        }
        self.side.wait(Interest::Read)
    }
}

/// Datagrams that go out. Dropping it does not close anything.
pub struct UdpOutput {
    side: Side,
    permit: usize,
    /// There was no room for the last one.
    full: bool,
}

impl UdpOutput {
    pub(super) fn new(association: Association) -> Self {
        Self { side: Side::new(association), permit: 0, full: false }
    }

    /// How many datagrams may be sent next; none if there is no room.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] once other streams were made.
    pub fn check_send(&mut self) -> Result<u64, Error> {
        self.permit = 0;
        self.side.valid()?;
        self.full = self.full && !self.side.association.end.socket.is_writable();
        if !self.full {
            self.permit = MANY;
        }
        Ok(self.permit as u64)
    }

    /// Begins to send `n` datagrams, one after the other.
    ///
    /// # Errors
    ///
    /// A trap for more than [`check_send`](Self::check_send) permitted.
    pub fn send(&mut self, n: usize) -> Result<Batch<'_>, StreamError> {
        let Some(rest) = self.permit.checked_sub(n) else {
            return Err(StreamError::trap("send of more datagrams than check-send permitted"));
        };
        self.permit = rest;
        Ok(Batch { output: self, left: n, sent: 0, failed: None })
    }
}

#[async_trait::async_trait]
impl Subscribe for UdpOutput {
    async fn ready(&mut self) {
        self.side.association.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        if self.full && self.side.is_valid() { self.side.wait(Interest::Write) } else { Wait::Ready }
    }
}

/// Datagrams that are sent in turn until one cannot be.
///
/// ```
/// # use wasi_host_core::{net::{Checking, Error, UdpOutput}, stream::StreamError};
/// # use std::net::SocketAddr;
/// async fn send(
///     output: &mut UdpOutput,
///     datagrams: &[(Vec<u8>, Option<SocketAddr>)],
/// ) -> Result<Result<u64, Error>, StreamError> {
///     let mut batch = output.send(datagrams.len())?;
///     for (data, to) in datagrams {
///         let checking = match batch.check(*to) {
///             Ok(checking) => checking.await,
///             Err(e) => Err(e),
///         };
///         if !batch.send(data, checking) {
///             break;
///         }
///     }
///     Ok(batch.finish())
/// }
/// ```
pub struct Batch<'a> {
    output: &'a mut UdpOutput,
    left: usize,
    sent: u64,
    failed: Option<Error>,
}

impl Batch<'_> {
    /// Asks whether the guest may send to an address: the peer if it is `None`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family, without host or port, or other than the only peer; and
    /// for none where there is no peer.
    pub fn check(&self, to: Option<SocketAddr>) -> Result<Checking, Error> {
        self.output.side.association.check(to)
    }

    /// Sends the next one, and says whether to go on.
    pub fn send(&mut self, data: &[u8], to: Result<Checked, Error>) -> bool {
        match self.try_send(data, to) {
            Ok(()) => self.sent += 1,
            Err(e) => self.failed = Some(e),
        }
        self.failed.is_none()
    }

    fn try_send(&mut self, data: &[u8], to: Result<Checked, Error>) -> Result<(), Error> {
        self.output.side.valid()?;
        let to = to?;
        let Some(left) = self.left.checked_sub(1) else { return Err(Error::WouldBlock) };
        self.left = left;
        let sent = self.output.side.association.send(data, &to);
        self.output.full |= sent == Err(Error::WouldBlock);
        sent
    }

    /// How many have been sent.
    ///
    /// # Errors
    ///
    /// Why the first could not be, unless that is for want of room.
    pub fn finish(self) -> Result<u64, Error> {
        match self.failed {
            Some(e) if self.sent == 0 && e != Error::WouldBlock => Err(e),
            _ => Ok(self.sent),
        }
    }
}
