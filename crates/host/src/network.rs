//! What of the network a context may use.

use crate::ctx::WasiCtx;
use std::sync::Arc;
use wasi_host_core::net::{AddrCheck, Network, Permissions, Sockets};
use wasi_host_native::net::NativeNetwork;

/// Nothing is made of it before the guest asks for something: many contexts live for a single call.
pub(crate) struct NetworkAccess {
    /// The operating system's, if it is not named.
    pub(crate) network: Option<Arc<dyn Network>>,
    /// None is allowed unless somebody said something.
    pub(crate) check: Option<AddrCheck>,
    pub(crate) tcp: bool,
    pub(crate) udp: bool,
    pub(crate) lookup: bool,
    sockets: Option<Sockets>,
}

impl Default for NetworkAccess {
    fn default() -> Self {
        Self { network: None, check: None, tcp: true, udp: true, lookup: false, sockets: None }
    }
}

impl WasiCtx {
    /// Where this guest's sockets and look-ups are made.
    pub(crate) fn sockets(&mut self) -> &Sockets {
        let Self { network: access, limits, waiting, .. } = self;
        access.sockets.get_or_insert_with(|| {
            let permissions = Permissions {
                check: access.check.take().unwrap_or_default(),
                tcp: access.tcp,
                udp: access.udp,
                lookup: access.lookup,
            };
            let network = access.network.take().unwrap_or_else(|| Arc::new(NativeNetwork));
            let sockets = Sockets::new(network, permissions, limits, waiting.waiter.clone());
            waiting.delivery.of(sockets.undelivered().clone());
            sockets
        })
    }
}
