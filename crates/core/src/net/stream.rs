//! A connection as a pair of streams.

use super::tcp::Open;
use super::{Drained, Outgoing, Sockets};
use crate::Errno;
use crate::fs::Interest;
use crate::stream::{HostInputStream, HostOutputStream, Scratch, StreamError, StreamResult, Subscribe};
use crate::wait::Wait;
use bytes::Bytes;
use std::io::IoSliceMut;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What one `write` may bring, and so what may be left to deliver of one connection, in bytes.
const PERMIT: usize = 64 << 10;

/// What one `read` brings at most, in bytes: so much is made ready for it.
const CHUNK: usize = 64 << 10;

/// What comes in. Dropping it does not close anything, unless it is [told to](Self::end_on_drop).
pub struct TcpInput {
    open: Arc<Open>,
    sockets: Sockets,
    ended: bool,
    end_on_drop: bool,
}

/// What goes out. Dropping it does not close anything, and what it accepted is still delivered.
pub struct TcpOutput {
    outgoing: Arc<Outgoing>,
    sockets: Sockets,
    permit: usize,
    /// `write_some` found no room.
    full: bool,
    /// No more is to come.
    ended: bool,
}

impl TcpInput {
    pub(super) fn new(open: Arc<Open>, sockets: Sockets) -> Self {
        Self { open, sockets, ended: false, end_on_drop: false }
    }

    /// Has the receiving direction end with the stream, as [`Tcp::shutdown`](super::Tcp::shutdown) ends it.
    #[must_use]
    pub fn end_on_drop(mut self) -> Self {
        self.end_on_drop = true;
        self
    }

    fn has_ended(&self) -> bool {
        self.ended || self.open.deaf.load(Ordering::Relaxed)
    }

    /// Fails once the network was taken back.
    fn not_revoked(&mut self) -> StreamResult<()> {
        self.granted().map_err(|e| {
            self.ended = true;
            e.into()
        })
    }
}

impl Drop for TcpInput {
    fn drop(&mut self) {
        if self.end_on_drop {
            // It has ended by itself, or does now.
            let _ = self.open.end_receiving();
        }
    }
}

#[async_trait::async_trait]
impl Subscribe for TcpInput {
    async fn ready(&mut self) {
        self.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        if self.has_ended() || self.sockets.is_revoked() {
            Wait::Ready
        } else {
            self.open.socket.wait(Interest::Read)
        }
    }
}

impl HostInputStream for TcpInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.read_with(size, &mut Scratch::default())
    }

    fn read_with(&mut self, size: usize, scratch: &mut Scratch) -> StreamResult<Bytes> {
        scratch.fill(size.min(CHUNK), |buf| self.read_into(buf))
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        if self.has_ended() {
            return Err(StreamError::Closed);
        }
        self.not_revoked()?;
        if dst.is_empty() {
            return Ok(0);
        }
        match self.open.socket.recv(&mut [IoSliceMut::new(dst)], false) {
            Ok(0) => {
                self.ended = true;
                Err(StreamError::Closed)
            }
            Ok(n) => Ok(n),
            Err(Errno::Again) => Ok(0),
            Err(e) => {
                self.ended = true;
                Err(e.into())
            }
        }
    }

    fn granted(&self) -> Result<(), Errno> {
        if self.sockets.is_revoked() { Err(Errno::ConnAborted) } else { Ok(()) }
    }
}

impl TcpOutput {
    pub(super) fn new(outgoing: Arc<Outgoing>, sockets: Sockets) -> Self {
        Self { outgoing, sockets, permit: 0, full: false, ended: false }
    }

    /// Fails once the network was taken back: what was not sent yet never is.
    fn not_revoked(&self) -> StreamResult<()> {
        if self.sockets.is_revoked() { self.outgoing.abort() } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl Subscribe for TcpOutput {
    async fn ready(&mut self) {
        if self.full {
            return self.sockets.ready(self.outgoing.writable()).await;
        }
        // Whoever awaits a stream alone has nobody else who delivers.
        while !self.sockets.is_revoked() && self.outgoing.drain() == Drained::More {
            self.sockets.ready(self.outgoing.wait()).await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        match () {
            () if self.sockets.is_revoked() => Wait::Ready,
            () if self.full => self.outgoing.writable(),
            () => self.outgoing.clear(),
        }
    }
}

impl HostOutputStream for TcpOutput {
    /// Says so many without asking the system, as long as nothing is left from before.
    fn check_write(&mut self) -> StreamResult<usize> {
        self.full = false;
        self.permit = 0;
        self.not_revoked()?;
        if self.outgoing.is_clear(self.ended)? {
            self.permit = PERMIT;
        }
        Ok(self.permit)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        let Some(rest) = self.permit.checked_sub(src.len()) else {
            return Err(StreamError::trap("write of more than check-write permitted"));
        };
        self.permit = rest;
        self.not_revoked()?;
        self.outgoing.send(src)
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        self.permit = 0;
        self.not_revoked()?;
        let n = self.outgoing.send_some(src)?;
        self.full = n == 0 && !src.is_empty();
        Ok(n)
    }

    /// What can be sent is on its way already.
    fn flush(&mut self) -> StreamResult<()> {
        self.not_revoked()?;
        if !self.outgoing.is_clear(self.ended)? {
            self.permit = 0;
        }
        Ok(())
    }

    /// Sends a FIN, after what is left.
    fn end(&mut self) -> StreamResult<()> {
        (self.permit, self.full, self.ended) = (0, false, true);
        self.outgoing.end_of_stream();
        Ok(())
    }
}
