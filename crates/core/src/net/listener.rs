//! The connections that come in.

use super::tcp::Open;
use super::{Error, Family, Sockets, Tcp, TcpInput, TcpOutput};
use crate::fs::Interest;
use crate::stream::Subscribe;
use crate::wait::Wait;
use std::fmt;
use std::sync::Arc;

/// A socket that listens, for accepting alone. It keeps the socket open whatever becomes of the [`Tcp`] that it is from.
pub struct Listener {
    sockets: Sockets,
    family: Family,
    open: Arc<Open>,
}

impl Listener {
    pub(super) fn new(sockets: Sockets, family: Family, open: Arc<Open>) -> Self {
        Self { sockets, family, open }
    }

    /// A connection that has come in, with its streams.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; [`Error::NewSocketLimit`], and then it waits in the queue.
    pub fn accept(&self) -> Result<(Tcp, TcpInput, TcpOutput), Error> {
        let slot = self.sockets.slot()?;
        let (socket, peer) = self.open.socket.accept()?;
        let mut accepted = Tcp::new(self.sockets.clone(), self.family, socket, slot);
        let (input, output) = accepted.connected(peer);
        Ok((accepted, input, output))
    }
}

/// For trying again what said [`Error::WouldBlock`].
#[async_trait::async_trait]
impl Subscribe for Listener {
    async fn ready(&mut self) {
        self.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        self.open.socket.wait(Interest::Read)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("family", &self.family).finish_non_exhaustive()
    }
}
