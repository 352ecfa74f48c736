//! What may be reached of a network.

mod book;
mod lookup;
mod member;
mod pins;
mod rule;
mod tcp;
mod udp;

pub use rule::Rule;

use super::found::found;
use book::{Book, Lookups, Verdict};
use member::Member;
use parking_lot::{Mutex, RwLock};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use wasi_host_core::Result;
use wasi_host_core::net::{Error, Family, Lookup, Network, Slot, SocketAddrUse, TcpSocket, UdpSocket};

/// A network of which that may be reached which rules allow, and nothing else. Clones are the same.
///
/// What a rule allows is allowed unless another denies it, in whatever order they were given: **deny wins**. What is not
/// allowed is `Access`. Rules may be added and revoked while guests run. Each change is applied to what is open, too: a
/// socket that is bound or connected to what is not allowed any more, or that was accepted by such a one or from who is
/// denied, is `BadF` from then on, and who waits for it is woken. An operation under way on another thread may still be carried out.
///
/// Whatever the rules, an unused UDP socket may be bound to the unspecified address and a port that the system chooses,
/// because all must be that are about to send.
///
/// # What comes in
///
/// Who may be bound to an address hears there from everybody whom no rule denies: what is allowed says nothing of peers. A
/// rule that denies the peer's address and port for all uses ([`Rule::only`] says nothing of what comes in) has its
/// connections dropped, before or after they were accepted, and its datagrams as well. Connections are dropped when
/// they would be accepted, so that such a peer may see itself connected for a moment.
///
/// # Names
///
/// A rule with a name allows to look it up, and to use the addresses that it stands for, with the rule's ports. These are
/// **pinned** by the first look-up through this network: it is they that may be used, and later look-ups
/// are told the same, so that whoever rules over a name cannot have it stand for something else when its address is
/// used. What others look up pins nothing. [`forget`](Self::forget) lets a name be looked up anew. Of the names below one
/// (`*.example.com`) 1024 can be pinned, with 32 addresses each; more are a `TemporaryResolverFailure`.
///
/// Who rules over an allowed name may have it stand for anything from the beginning. Deny what no name may lead to:
/// [`INTERNAL`](Self::INTERNAL) lists the addresses that mean this host or its surroundings.
///
/// A rule with addresses says nothing of names. One for everything (`*`) allows to look up every name; denied with all
/// ports and for all uses a name cannot be looked up. Who knows its addresses from elsewhere is stopped only where these
/// are not allowed.
///
/// ```
/// use wasi_host_core::Errno;
/// use wasi_host_core::net::{Family, Network};
/// use wasi_host_virtual::net::{Loopback, Rules};
///
/// let net = Loopback::new();
/// let (db, guest) = (net.host(["10.0.0.5".parse()?])?, net.host(["10.0.0.6".parse()?])?);
/// let listener = db.tcp(Family::Ipv4)?;
/// listener.bind("10.0.0.5:5432".parse()?)?;
/// listener.listen(16)?;
///
/// let rules = Rules::new(guest);
/// let (socket, addr) = (rules.tcp(Family::Ipv4)?, "10.0.0.5:5432".parse()?);
/// assert_eq!(socket.connect(addr), Err(Errno::Access));
///
/// let servers = rules.allow("10.0.0.0/8:5432".parse()?);
/// socket.connect(addr)?;
/// rules.revoke(servers);
/// assert_eq!(socket.peer_addr(), Err(Errno::BadF));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Rules(Arc<Shared>);

/// One of the rules of a [`Rules`], to revoke it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(u64);

/// So many of a peer that is denied are dropped at a time: a flood of them shall not hold a call.
const DROPPED: usize = 64;

/// What the network and its sockets share.
struct Shared {
    network: Arc<dyn Network>,
    book: RwLock<Book>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    sockets: Vec<Weak<Member>>,
    /// When there are so many those that are gone are looked for.
    most: usize,
}

impl Rules {
    /// The addresses that mean this host, its surroundings, or nothing: unspecified and of loopback, private (RFC 1918,
    /// 4193), shared (RFC 6598), link-local, where clouds keep their secrets, multicast and reserved; of IPv6 also those
    /// that are translated to IPv4 (RFC 6052, 3056, 4380).
    pub const INTERNAL: [&str; 18] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/127",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fc00::/7",
        "fe80::/9",
        "ff00::/8",
    ];

    /// `network`, of which nothing is allowed yet.
    pub fn new(network: impl Network + 'static) -> Self {
        Self(Arc::new(Shared {
            network: Arc::new(network),
            book: RwLock::default(),
            members: Mutex::default(),
        }))
    }

    /// Allows what `rule` means, for as long as it is not revoked.
    pub fn allow(&self, rule: Rule) -> RuleId {
        self.0.book.write().add(Verdict::Allow, rule)
    }

    /// Denies what `rule` means, whatever else allows it, for as long as it is not revoked.
    pub fn deny(&self, rule: Rule) -> RuleId {
        let id = self.0.book.write().add(Verdict::Deny, rule);
        self.0.judge();
        id
    }

    /// Takes a rule back. Says whether it was there.
    pub fn revoke(&self, rule: RuleId) -> bool {
        let known = self.0.book.write().remove(rule);
        self.0.judge();
        known
    }

    /// Forgets what a name stood for, and ends the connections that were allowed by that. Says whether it was known.
    pub fn forget(&self, name: &str) -> bool {
        let known = self.0.book.write().pins.remove(&super::canonical(name));
        self.0.judge();
        known
    }

    /// Whether an address may be used in this way, as things stand.
    pub fn permits(&self, addr: SocketAddr, to: SocketAddrUse) -> bool {
        self.0.permits(addr, to)
    }
}

impl Shared {
    fn permits(&self, addr: SocketAddr, to: SocketAddrUse) -> bool {
        self.book.read().permits(addr, to)
    }

    fn hears(&self, from: SocketAddr) -> bool {
        self.book.read().hears(from)
    }

    fn enlist(&self, member: &Arc<Member>) {
        let mut members = self.members.lock();
        if members.sockets.len() >= members.most {
            members.sockets.retain(|member| member.strong_count() > 0);
            members.most = 2 * members.sockets.len().max(16);
        }
        members.sockets.push(Arc::downgrade(member));
    }

    /// Looks at all sockets again.
    fn judge(&self) {
        let members: Vec<_> = self.members.lock().sockets.iter().filter_map(Weak::upgrade).collect();
        members.iter().for_each(|member| member.judge());
    }

    /// What a name stands for from now on, given what it was found to.
    fn pin(&self, name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Error> {
        let mut book = self.book.write();
        match book.lookups(name) {
            Lookups::Denied => return Err(Error::AccessDenied),
            Lookups::Free => return Ok(found),
            Lookups::Pinned => {}
        }
        if let Some(pinned) = book.pins.get(name) {
            return Ok(pinned.to_vec());
        }
        if found.is_empty() {
            return Err(Error::NameUnresolvable);
        }
        if !book.has_room(name) {
            return Err(Error::TemporaryResolverFailure);
        }
        let pinned = book.pins.add(name, found).to_vec();
        drop(book);
        // Now it is known what is denied by this name.
        self.judge();
        Ok(pinned)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Network for Rules {
    fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>> {
        Ok(Arc::new(tcp::Tcp::new(&self.0, self.0.network.tcp(family)?, family)))
    }

    fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>> {
        Ok(Arc::new(udp::Udp::new(&self.0, self.0.network.udp(family)?)))
    }

    fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
        let canonical = super::canonical(name);
        {
            let book = self.0.book.read();
            match book.lookups(&canonical) {
                Lookups::Denied => return Err(Error::AccessDenied),
                Lookups::Free => {}
                Lookups::Pinned => match book.pins.get(&canonical) {
                    Some(pinned) => return Ok(found(Ok(pinned.to_vec()))),
                    None if !book.has_room(&canonical) => return Err(Error::TemporaryResolverFailure),
                    None => {}
                },
            }
        }
        // Without the lock: a network may be code of the embedder's that changes these rules.
        let inner = self.0.network.lookup(name, slot)?;
        let name = canonical.into_owned();
        Ok(Box::new(lookup::Pinning { rules: self.0.clone(), inner, name }))
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("book", &*self.0.book.read()).finish_non_exhaustive()
    }
}
