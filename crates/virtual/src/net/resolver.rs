//! Names looked up elsewhere than the network does.

use super::found;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::net::{Error, Family, Lookup, Network, Slot, TcpSocket, UdpSocket};

type Resolve = dyn Fn(&str) -> Result<Vec<IpAddr>, Error> + Send + Sync;

/// A network with other names than its own. Its sockets stay what they are.
///
/// ```
/// use wasi_host_virtual::net::{Denied, Resolver};
///
/// let table = Resolver::table(Denied, [("db.internal", vec!["10.0.0.5".parse()?])]);
/// let code = Resolver::new(Denied, |name| match name {
///     "db.internal" => Ok(vec!["10.0.0.5".parse().unwrap()]),
///     _ => Err(wasi_host_core::net::Error::NameUnresolvable),
/// });
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone)]
pub struct Resolver {
    inner: Arc<dyn Network>,
    resolve: Arc<Resolve>,
    fall_through: bool,
}

impl Resolver {
    /// `network`, of whose names `resolve` says what they stand for: they come in ASCII and lower case, without a dot at
    /// the end. It is called on the guest's thread, which it keeps for as long as it takes.
    pub fn new(
        network: impl Network + 'static,
        resolve: impl Fn(&str) -> Result<Vec<IpAddr>, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { inner: Arc::new(network), resolve: Arc::new(resolve), fall_through: false }
    }

    /// `network` with just these names.
    pub fn table<N: Into<String>>(
        network: impl Network + 'static,
        names: impl IntoIterator<Item = (N, Vec<IpAddr>)>,
    ) -> Self {
        let canonical = |name: String| super::canonical(&name).into_owned();
        let names: HashMap<_, _> =
            names.into_iter().map(|(name, addrs)| (canonical(name.into()), addrs)).collect();
        Self::new(network, move |name| names.get(name).cloned().ok_or(Error::NameUnresolvable))
    }

    /// Asks the network itself for the names that stand for nothing here.
    #[must_use = "it is the network"]
    pub fn fall_through(mut self) -> Self {
        self.fall_through = true;
        self
    }
}

#[deny(clippy::missing_trait_methods)]
impl Network for Resolver {
    fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>> {
        self.inner.tcp(family)
    }

    fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>> {
        self.inner.udp(family)
    }

    fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
        match (self.resolve)(&super::canonical(name)) {
            Err(Error::NameUnresolvable) if self.fall_through => self.inner.lookup(name, slot),
            known => Ok(found::found(known)),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("fall_through", &self.fall_through).finish_non_exhaustive()
    }
}
