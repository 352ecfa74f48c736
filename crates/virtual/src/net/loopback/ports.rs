//! Who is at which port of a host.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use wasi_host_core::{Errno, Result};

/// What is given to who does not ask for one in particular (RFC 6335, 6).
const EPHEMERAL: RangeInclusive<u16> = 49_152..=u16::MAX;

/// The ports of one protocol. `T` is what a port leads to.
#[derive(Debug)]
pub(super) struct Ports<T> {
    taken: HashMap<u16, Vec<Taken<T>>>,
    next: u16,
    /// Tells those apart who share an address.
    count: u64,
}

#[derive(Debug)]
struct Taken<T> {
    ip: IpAddr,
    id: u64,
    /// Where this leads, if it leads anywhere yet.
    open: Option<T>,
}

impl<T> Taken<T> {
    /// The two families have nothing to do with each other.
    fn overlaps(&self, ip: IpAddr) -> bool {
        let one_is_all = self.ip.is_unspecified() || ip.is_unspecified();
        self.ip == ip || (one_is_all && self.ip.is_ipv4() == ip.is_ipv4())
    }
}

impl<T> Default for Ports<T> {
    fn default() -> Self {
        Self { taken: HashMap::new(), next: *EPHEMERAL.start(), count: 0 }
    }
}

impl<T: Clone> Ports<T> {
    /// What is at this address.
    pub(super) fn find(&self, addr: SocketAddr) -> Option<T> {
        let open = |t: &&Taken<T>| t.open.is_some() && t.overlaps(addr.ip());
        self.taken.get(&addr.port())?.iter().find(open)?.open.clone()
    }

    /// A port at which the address is free of what is open; for 0 one that nobody has.
    fn choose(&mut self, addr: SocketAddr) -> Result<u16> {
        if addr.port() != 0 {
            let free = self.is_free(addr.port(), |t| t.open.is_none() || !t.overlaps(addr.ip()));
            return if free { Ok(addr.port()) } else { Err(Errno::AddrInUse) };
        }
        for _ in EPHEMERAL {
            let port = self.next;
            self.next = if port == *EPHEMERAL.end() { *EPHEMERAL.start() } else { port + 1 };
            if self.is_free(port, |t| t.ip.is_ipv4() != addr.is_ipv4()) {
                return Ok(port);
            }
        }
        Err(Errno::AddrInUse)
    }

    fn is_free(&self, port: u16, leaves: impl Fn(&Taken<T>) -> bool) -> bool {
        self.taken.get(&port).is_none_or(|all| all.iter().all(leaves))
    }
}

/// A port that somebody has, until this is dropped.
#[derive(Debug)]
pub(super) struct Port<T> {
    ports: Arc<Mutex<Ports<T>>>,
    addr: SocketAddr,
    id: u64,
}

impl<T: Clone> Port<T> {
    /// Takes it; port 0 stands for any that is free. With `open` it leads there from the beginning.
    pub(super) fn take(ports: &Arc<Mutex<Ports<T>>>, addr: SocketAddr, open: Option<T>) -> Result<Self> {
        let mut all = ports.lock();
        let port = all.choose(addr)?;
        all.count += 1;
        let id = all.count;
        all.taken.entry(port).or_default().push(Taken { ip: addr.ip(), id, open });
        Ok(Self { ports: ports.clone(), addr: SocketAddr::new(addr.ip(), port), id })
    }

    /// Its address.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Has it lead somewhere, unless one that shares the address already does.
    pub(super) fn open(&self, to: T) -> Result<()> {
        let mut ports = self.ports.lock();
        let all = ports.taken.get_mut(&self.addr.port()).ok_or(Errno::Inval)?;
        if all.iter().any(|t| t.id != self.id && t.open.is_some() && t.overlaps(self.addr.ip())) {
            return Err(Errno::AddrInUse);
        }
        let own = all.iter_mut().find(|t| t.id == self.id).ok_or(Errno::Inval)?;
        own.open = Some(to);
        Ok(())
    }

    /// Has it lead nowhere any more.
    pub(super) fn close(&self) {
        if let Some(all) = self.ports.lock().taken.get_mut(&self.addr.port()) {
            all.iter_mut().filter(|t| t.id == self.id).for_each(|t| t.open = None);
        }
    }
}

impl<T> Drop for Port<T> {
    fn drop(&mut self) {
        let mut ports = self.ports.lock();
        let Some(all) = ports.taken.get_mut(&self.addr.port()) else { return };
        all.retain(|t| t.id != self.id);
        if all.is_empty() {
            ports.taken.remove(&self.addr.port());
        }
    }
}
