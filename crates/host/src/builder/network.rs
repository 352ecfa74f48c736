//! What of a network a context is given.

use super::WasiCtxBuilder;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::net::{AddrCheck, Network, SocketAddrUse, TcpSocket};
use wasi_host_native::net::NativeNetwork;
use wasmtime::Result;
use wasmtime::error::Context as _;

impl WasiCtxBuilder {
    /// Gives a socket that listens already. WASI 0.1 guests find it among their descriptors, behind the
    /// directories, and the number of listeners in the variable `LISTEN_FDS`.
    ///
    /// # Errors
    ///
    /// If the socket cannot be made non-blocking.
    ///
    /// # Example
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.preopened_listener(listener)?;
    /// # Ok::<(), wasmtime::Error>(())
    /// ```
    pub fn preopened_listener(&mut self, listener: std::net::TcpListener) -> Result<&mut Self> {
        let listener = wasi_host_native::net::listener(listener).context("failed to set up a listener")?;
        Ok(self.preopened_socket(listener))
    }

    /// Gives any socket that listens already.
    ///
    /// [`preopened_listener`](Self::preopened_listener) has an example.
    pub fn preopened_socket(&mut self, listener: Arc<dyn TcpSocket>) -> &mut Self {
        self.ctx.listeners.push(listener);
        self
    }

    /// Gives the network of the operating system with all of its addresses. Names are a thing of their own:
    /// [`allow_ip_name_lookup`](Self::allow_ip_name_lookup).
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let ctx = WasiCtxBuilder::new().inherit_network().allow_ip_name_lookup(true).build();
    /// # drop(ctx);
    /// ```
    pub fn inherit_network(&mut self) -> &mut Self {
        self.ctx.shared_mut().network.check = Some(AddrCheck::allow_all());
        self.network(NativeNetwork)
    }

    /// Gives those addresses of the network that `check` allows. It is asked at each use of one, and the guest waits
    /// until it has answered.
    ///
    /// ```
    /// # use wasi_host::{SocketAddrUse, WasiCtxBuilder};
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.socket_addr_check(|addr, to| {
    ///     Box::pin(async move { to == SocketAddrUse::TcpConnect && addr.ip().is_loopback() })
    /// });
    /// ```
    pub fn socket_addr_check<F>(&mut self, check: F) -> &mut Self
    where
        F: Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>>
            + Send
            + Sync
            + 'static,
    {
        self.ctx.shared_mut().network.check = Some(AddrCheck::new(check));
        self
    }

    /// The same for a check that answers at once. Nobody waits for it, and a synchronous host needs no runtime, which it
    /// does to wait for a future.
    ///
    /// ```
    /// let mut builder = wasi_host::WasiCtxBuilder::new();
    /// builder.socket_addr_rule(|addr, _| addr.ip().is_loopback());
    /// ```
    pub fn socket_addr_rule(
        &mut self,
        rule: impl Fn(SocketAddr, SocketAddrUse) -> bool + Send + Sync + 'static,
    ) -> &mut Self {
        self.ctx.shared_mut().network.check = Some(AddrCheck::when(rule));
        self
    }

    /// Gives a network other than the operating system's, with those addresses that a
    /// [`socket_addr_check`](Self::socket_addr_check) allows, which is all of them where there is none.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use wasi_host::net::{Error, Family, Lookup, Network, Slot, TcpSocket, UdpSocket};
    /// use wasi_host::{Errno, WasiCtxBuilder};
    ///
    /// /// Another network without its IPv6.
    /// struct Ipv4Only<N>(N);
    ///
    /// impl<N: Network> Network for Ipv4Only<N> {
    ///     fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>, Errno> {
    ///         if family == Family::Ipv4 { self.0.tcp(family) } else { Err(Errno::AfNoSupport) }
    ///     }
    ///     fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>, Errno> {
    ///         if family == Family::Ipv4 { self.0.udp(family) } else { Err(Errno::AfNoSupport) }
    ///     }
    ///     fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
    ///         self.0.lookup(name, slot)
    ///     }
    /// }
    ///
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.network(Ipv4Only(wasi_host_native::net::NativeNetwork));
    /// ```
    pub fn network(&mut self, network: impl Network + 'static) -> &mut Self {
        self.ctx.shared_mut().network.check.get_or_insert_with(AddrCheck::allow_all);
        self.ctx.shared_mut().network.network = Some(Arc::new(network));
        self
    }

    /// Whether the guest may ask what addresses a name has. Not by default, whatever network it was given.
    ///
    /// [`inherit_network`](Self::inherit_network) has an example.
    pub fn allow_ip_name_lookup(&mut self, allow: bool) -> &mut Self {
        self.ctx.shared_mut().network.lookup = allow;
        self
    }

    /// Whether the guest may use TCP, with the addresses that it was given: by default it may, and has none.
    ///
    /// [`allow_udp`](Self::allow_udp) has an example.
    pub fn allow_tcp(&mut self, allow: bool) -> &mut Self {
        self.ctx.shared_mut().network.tcp = allow;
        self
    }

    /// Whether the guest may use UDP, with the addresses that it was given: by default it may, and has none.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let only_tcp = WasiCtxBuilder::new().inherit_network().allow_udp(false).build();
    /// # drop(only_tcp);
    /// ```
    pub fn allow_udp(&mut self, allow: bool) -> &mut Self {
        self.ctx.shared_mut().network.udp = allow;
        self
    }

    /// How long what the guest has sent may still take to be delivered when its context ends. Default: 5 seconds.
    ///
    /// It is for peers that read slowly: what the operating system takes at once, and that is most, takes no time. For
    /// so long the dropping of a [`WasiCtx`](crate::WasiCtx) waits, on the calling thread; where the guest was called asynchronously, a
    /// task does, and only if its runtime shuts down does that wait too.
    ///
    /// ```
    /// # use {std::time::Duration, wasi_host::WasiCtxBuilder};
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.inherit_network().delivery_deadline(Duration::from_millis(200));
    /// ```
    pub fn delivery_deadline(&mut self, deadline: Duration) -> &mut Self {
        self.ctx.waiting_mut().delivery.deadline = deadline;
        self
    }
}
