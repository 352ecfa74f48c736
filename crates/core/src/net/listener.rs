//! The connections that come in.

use super::tcp::Open;
use super::{Error, Family, Sockets, Tcp, TcpInput, TcpOutput};
use crate::fs::Interest;
use crate::stream::Subscribe;
use crate::wait::Wait;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long to leave a system alone that has no more sockets, or no memory for them.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket that listens, for accepting alone. It keeps the socket open whatever becomes of the [`Tcp`] that it is from.
pub struct Listener {
    sockets: Sockets,
    family: Family,
    open: Arc<Open>,
    /// The system refused, which waiting for a connection would not change.
    refused: AtomicBool,
}

impl Listener {
    pub(super) fn new(sockets: Sockets, family: Family, open: Arc<Open>) -> Self {
        Self { sockets, family, open, refused: AtomicBool::new(false) }
    }

    /// Whether no more will come in, because the network was taken back.
    pub fn has_ended(&self) -> bool {
        self.sockets.is_revoked()
    }

    /// A connection that has come in, with its streams.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; [`Error::NewSocketLimit`], [`Error::OutOfMemory`], and then it waits in the queue;
    /// [`Error::AccessDenied`] once it [has ended](Self::has_ended).
    pub fn accept(&self) -> Result<(Tcp, TcpInput, TcpOutput), Error> {
        let slot = self.sockets.slot()?;
        let accepted = self.open.socket.accept().map_err(Error::from);
        let refused = accepted.as_ref().is_err_and(|e| *e != Error::WouldBlock);
        self.refused.store(refused, Ordering::Relaxed);
        let (socket, peer) = accepted?;
        let mut accepted = Tcp::new(self.sockets.clone(), self.family, socket, slot);
        let (input, output) = accepted.connected(peer);
        Ok((accepted, input, output))
    }
}

/// For trying again, whatever was said: where no socket is left it ends when one may be.
#[async_trait::async_trait]
impl Subscribe for Listener {
    async fn ready(&mut self) {
        self.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        match self.sockets.wait_for_slot() {
            _ if self.has_ended() => Wait::Ready,
            Wait::Ready if self.refused.load(Ordering::Relaxed) => Wait::For(PAUSE),
            Wait::Ready => self.open.socket.wait(Interest::Read),
            full => full,
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("family", &self.family).finish_non_exhaustive()
    }
}
