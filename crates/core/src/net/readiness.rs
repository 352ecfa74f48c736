//! Waiting for a socket that somebody else holds.

use super::Sockets;
use crate::fs::Interest;
use crate::stream::Subscribe;
use crate::wait::Wait;
use std::fmt;
use std::sync::Arc;

/// What a socket waited for when this was made, without a borrow of the socket. It keeps the socket open.
pub struct Readiness {
    sockets: Sockets,
    /// `None` where there is nothing to wait for.
    on: Option<(Arc<dyn Source>, Interest)>,
}

/// What a guest's sockets share with their streams.
pub(super) trait Source: Send + Sync {
    fn wait(&self, interest: Interest) -> Wait<'_>;
}

impl Readiness {
    pub(super) fn new(sockets: Sockets, on: Option<(Arc<dyn Source>, Interest)>) -> Self {
        Self { sockets, on }
    }
}

#[async_trait::async_trait]
impl Subscribe for Readiness {
    async fn ready(&mut self) {
        self.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        match &self.on {
            Some((source, interest)) if !self.sockets.is_revoked() => source.wait(*interest),
            _ => Wait::Ready,
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("on", &self.on.as_ref().map(|(_, interest)| interest)).finish()
    }
}
