//! Networks on a tape.

use super::fs::{gather, read, sum, taken};
use super::tape::{Sum, Tape, Taped};
use parking_lot::Mutex;
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{
    AddrCheck, Error, Family, Lookup, Network, Shutdown, Slot, TcpOption, TcpOptionName, TcpSocket,
    UdpOption, UdpOptionName, UdpSocket,
};
use wasi_host_core::slots::Slots;
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

type TapedTcp = Taped<Arc<dyn TcpSocket>>;
type TapedUdp = Taped<Arc<dyn UdpSocket>>;

struct TapedNetwork {
    taped: Taped<Arc<dyn Network>>,
    /// Of the network's own look-ups. Those of the guest end with what it holds of them: when the network is through with
    /// one is no business of the guest's.
    looking: Slots,
}

/// More look-ups than most guests may have going on.
const LOOKUPS: usize = 1024;

impl Tape {
    /// A network; `network` is not used in a replay.
    pub fn network(&self, network: Arc<dyn Network>) -> Arc<dyn Network> {
        let taped = self.taped_unless_replayed(network, "the network");
        Arc::new(TapedNetwork { taped, looking: Slots::new(LOOKUPS) })
    }

    /// A socket that was given to the guest; there is none in a replay.
    pub fn listener(&self, socket: Option<Arc<dyn TcpSocket>>) -> Arc<dyn TcpSocket> {
        Arc::new(self.taped(socket, "a listener"))
    }

    /// What answers for addresses as `check` does. In a replay `check` is not asked, but has to be of the same kind: one
    /// that knows, or one that asks.
    pub fn check(&self, check: AddrCheck) -> AddrCheck {
        let knows = check.knows();
        let taped = Arc::new(Mutex::new(self.taped_unless_replayed(check, "the check of addresses")));
        if knows {
            return AddrCheck::when(move |addr, to| {
                let what = format_args!("{to:?} {addr}");
                taped.lock().call(what, |check| matches!(check.check(addr, to).known(), Some(Ok(_))))
            });
        }
        AddrCheck::new(move |addr, to| {
            let taped = taped.lock();
            let asking = taped.inner.as_ref().map(|check| check.check(addr, to));
            taped.call(format_args!("{to:?} {addr}"), |_| ());
            let answer = Awaited { number: taped.tape.state().entries, tape: taped.tape.clone() };
            Box::pin(async move {
                match asking {
                    Some(asking) => answer.give(asking.await.is_ok()),
                    None => answer.given(),
                }
            })
        })
    }
}

/// What somebody who had to be asked says of an address: known when the wait for it ends.
struct Awaited {
    tape: Tape,
    number: u64,
}

impl Awaited {
    fn give(&self, allowed: bool) -> bool {
        self.tape.state().allowed.insert(self.number, allowed);
        allowed
    }

    fn given(&self) -> bool {
        self.tape.state().allowed.remove(&self.number).unwrap_or(false)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if self.tape.replays() {
            self.tape.state().allowed.remove(&self.number);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Network for TapedNetwork {
    fn tcp(&self, family: Family) -> Result<Arc<dyn TcpSocket>> {
        let mut socket = None;
        self.taped.call(format_args!("tcp {family:?}"), |network| {
            socket = Some(network.tcp(family)?);
            Ok::<_, Errno>(())
        })?;
        Ok(Arc::new(self.taped.tape.taped(socket, "a TCP socket")))
    }

    fn udp(&self, family: Family) -> Result<Arc<dyn UdpSocket>> {
        let mut socket = None;
        self.taped.call(format_args!("udp {family:?}"), |network| {
            socket = Some(network.udp(family)?);
            Ok::<_, Errno>(())
        })?;
        Ok(Arc::new(self.taped.tape.taped(socket, "a UDP socket")))
    }

    fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
        let mut lookup = None;
        self.taped.call(format_args!("lookup {name:?}"), |network| {
            let own = self.looking.take().ok_or(Error::TemporaryResolverFailure)?;
            lookup = Some(network.lookup(name, own)?);
            Ok::<_, Error>(())
        })?;
        let taped = self.taped.tape.taped(lookup, format_args!("the look-up of {name:?}"));
        Ok(Box::new(TapedLookup { taped, _slot: slot }))
    }
}

struct TapedLookup {
    taped: Taped<Box<dyn Lookup>>,
    _slot: Slot,
}

#[deny(clippy::missing_trait_methods)]
impl Lookup for TapedLookup {
    fn addresses(&mut self) -> Result<Vec<IpAddr>, Error> {
        self.taped.call_mut(format_args!("addresses"), |lookup| lookup.addresses())
    }

    fn wait(&self) -> Wait<'_> {
        self.taped.wait(format_args!("wait"), |lookup| lookup.wait())
    }
}

#[deny(clippy::missing_trait_methods)]
impl TcpSocket for TapedTcp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        self.call(format_args!("bind {addr}"), |socket| socket.bind(addr))
    }

    fn connect(&self, addr: SocketAddr) -> Result<()> {
        self.call(format_args!("connect {addr}"), |socket| socket.connect(addr))
    }

    fn listen(&self, backlog: u32) -> Result<()> {
        self.call(format_args!("listen {backlog}"), |socket| socket.listen(backlog))
    }

    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        let mut accepted = None;
        let peer = self.call(format_args!("accept"), |socket| {
            let (socket, peer) = socket.accept()?;
            accepted = Some(socket);
            Ok::<_, Errno>(peer)
        })?;
        Ok((Arc::new(self.tape.taped(accepted, format_args!("a connection from {peer}"))), peer))
    }

    fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool) -> Result<usize> {
        let what = format_args!("recv {} bytes, peek {peek}", crate::bufs::total_mut(bufs));
        read(bufs, |bufs| self.call(what, |socket| gather(bufs, |bufs| socket.recv(bufs, peek))))
    }

    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        taken(self.call(format_args!("send {}", sum(bufs)), |socket| socket.send(bufs)), bufs)
    }

    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.call(format_args!("shutdown {how:?}"), |socket| socket.shutdown(how))
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.call(format_args!("local_addr"), |socket| socket.local_addr())
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        self.call(format_args!("peer_addr"), |socket| socket.peer_addr())
    }

    fn get(&self, name: TcpOptionName) -> Result<TcpOption> {
        self.call(format_args!("get {name:?}"), |socket| socket.get(name))
    }

    fn set(&self, option: TcpOption) -> Result<()> {
        self.call(format_args!("set {option:?}"), |socket| socket.set(option))
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.wait(format_args!("wait to {interest:?}"), |socket| socket.wait(interest))
    }

    fn is_listening(&self) -> bool {
        self.call(format_args!("is_listening"), |socket| socket.is_listening())
    }
}

#[deny(clippy::missing_trait_methods)]
impl UdpSocket for TapedUdp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        self.call(format_args!("bind {addr}"), |socket| socket.bind(addr))
    }

    fn connect(&self, addr: Option<SocketAddr>) -> Result<()> {
        self.call(format_args!("connect {addr:?}"), |socket| socket.connect(addr))
    }

    fn recv(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let mut from = None;
        let what = format_args!("recv {} bytes", buf.len());
        let n = read(&mut [IoSliceMut::new(buf)], |bufs| {
            let (bytes, addr) = self.call(what, |socket| {
                let mut addr = None;
                let bytes = gather(bufs, |bufs| {
                    let (n, from) = socket.recv(&mut bufs[0])?;
                    addr = Some(from);
                    Ok::<_, Errno>(n)
                })?;
                Ok((bytes, addr.ok_or(Errno::Io)?))
            })?;
            from = Some(addr);
            Ok(bytes)
        })?;
        Ok((n, from.ok_or(Errno::Io)?))
    }

    fn send(&self, buf: &[u8], to: Option<SocketAddr>) -> Result<()> {
        self.call(format_args!("send {} to {to:?}", Sum::of([buf])), |socket| socket.send(buf, to))
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.call(format_args!("local_addr"), |socket| socket.local_addr())
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.wait(format_args!("wait to {interest:?}"), |socket| socket.wait(interest))
    }

    /// No call of the guest's: it is taken back from outside.
    fn shutdown(&self) -> Result<()> {
        self.inner.as_ref().map_or(Ok(()), |socket| socket.shutdown())
    }

    fn is_writable(&self) -> bool {
        self.call(format_args!("is_writable"), |socket| socket.is_writable())
    }

    fn get(&self, name: UdpOptionName) -> Result<UdpOption> {
        self.call(format_args!("get {name:?}"), |socket| socket.get(name))
    }

    fn set(&self, option: UdpOption) -> Result<()> {
        self.call(format_args!("set {option:?}"), |socket| socket.set(option))
    }
}
