//! What of the network a context may use.

use crate::ctx::WasiCtx;
use crate::wait::Waiter;
use std::sync::{Arc, OnceLock};
use wasi_host_core::limits::SharedLimits;
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
    /// The context's, known when that is built.
    pub(crate) waiter: Option<Arc<dyn Waiter>>,
    sockets: OnceLock<Sockets>,
}

impl Default for NetworkAccess {
    fn default() -> Self {
        let sockets = OnceLock::new();
        Self { network: None, check: None, tcp: true, udp: true, lookup: false, waiter: None, sockets }
    }
}

impl NetworkAccess {
    /// Where sockets and look-ups are made, within these limits.
    pub(crate) fn sockets(&self, limits: &SharedLimits) -> &Sockets {
        self.sockets.get_or_init(|| {
            let permissions = Permissions {
                check: self.check.clone().unwrap_or_default(),
                tcp: self.tcp,
                udp: self.udp,
                lookup: self.lookup,
            };
            let network = self.network.clone().unwrap_or_else(|| Arc::new(NativeNetwork));
            let waiter = self.waiter.clone().expect("a context is used when it is built");
            Sockets::new(network, permissions, &limits.get(), waiter)
        })
    }
}

impl WasiCtx {
    /// Where this guest's sockets and look-ups are made. What they have left is delivered from now on.
    pub(crate) fn sockets(&self) -> &Sockets {
        let sockets = self.shared.sockets();
        self.waiting.delivery.of(sockets.undelivered());
        sockets
    }
}
