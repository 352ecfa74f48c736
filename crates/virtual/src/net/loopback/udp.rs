//! UDP sockets.

use super::machine::Machine;
use super::mailbox::Mailbox;
use super::options::Options;
use super::ports::Port;
use super::tcp::any;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, UdpOption, UdpOptionName, UdpSocket};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

/// The longest payload, in bytes: what is left of a packet's 65,535 behind the headers.
const LONGEST_IPV4: usize = 65_507;
const LONGEST_IPV6: usize = 65_527;

#[derive(Debug)]
pub(super) struct Udp {
    machine: Arc<Machine>,
    family: Family,
    options: Mutex<Options>,
    state: Mutex<State>,
    mailbox: Arc<Mailbox>,
}

#[derive(Debug, Default)]
struct State {
    port: Option<Port<Arc<Mailbox>>>,
    /// With the own address that is for it.
    peer: Option<(SocketAddr, SocketAddr)>,
    /// The port is for the peer alone, and goes with it.
    for_peer: bool,
}

impl Udp {
    pub(super) fn new(machine: Arc<Machine>, family: Family) -> Self {
        let options = Options::default();
        Self {
            machine,
            family,
            mailbox: Arc::new(Mailbox::new(options.receive)),
            options: options.into(),
            state: Mutex::default(),
        }
    }

    fn take_port(&self, addr: SocketAddr) -> Result<Port<Arc<Mailbox>>> {
        Port::take(&self.machine.udp, addr, Some(self.mailbox.clone()))
    }

    /// From where this socket speaks to somebody.
    fn source(&self, port: SocketAddr, to: SocketAddr) -> Result<SocketAddr> {
        if port.ip().is_loopback() && !to.ip().is_loopback() {
            return Err(Errno::Inval);
        }
        let certain = !port.ip().is_unspecified();
        Ok(if certain { port } else { (self.machine.source(to.ip())?, port.port()).into() })
    }
}

impl UdpSocket for Udp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        self.machine.has(addr, self.family)?;
        let mut state = self.state.lock();
        if state.port.is_some() {
            return Err(Errno::Inval);
        }
        state.port = Some(self.take_port(addr)?);
        Ok(())
    }

    fn connect(&self, addr: Option<SocketAddr>) -> Result<()> {
        let mut state = self.state.lock();
        state.peer = None;
        if state.for_peer {
            (state.port, state.for_peer) = (None, false);
        }
        self.mailbox.set_peer(None);
        let Some(addr) = addr else { return Ok(()) };
        if Family::of(addr) != self.family {
            return Err(Errno::AfNoSupport);
        }
        let local = match &state.port {
            Some(port) => self.source(port.addr(), addr)?,
            None => {
                let source = self.machine.source(addr.ip())?;
                let port = self.take_port((source, 0).into()).map_err(|_| Errno::AddrNotAvail)?;
                let local = port.addr();
                (state.port, state.for_peer) = (Some(port), true);
                local
            }
        };
        state.peer = Some((addr, local));
        self.mailbox.set_peer(Some(addr));
        Ok(())
    }

    fn recv(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)> {
        self.mailbox.recv(buf, &self.machine.net.time)
    }

    fn send(&self, buf: &[u8], to: Option<SocketAddr>) -> Result<()> {
        let longest = if self.family == Family::Ipv4 { LONGEST_IPV4 } else { LONGEST_IPV6 };
        if buf.len() > longest {
            return Err(Errno::MsgSize);
        }
        self.mailbox.check()?;
        let mut state = self.state.lock();
        let peer = state.peer;
        let to = to.or(peer.map(|(peer, _)| peer)).ok_or(Errno::DestAddrReq)?;
        if Family::of(to) != self.family {
            return Err(Errno::AfNoSupport);
        }
        if to.port() == 0 {
            return Err(Errno::Inval);
        }
        if state.port.is_none() {
            state.port = Some(self.take_port(any(self.family)).map_err(|_| Errno::Again)?);
        }
        let Some(port) = state.port.as_ref().map(Port::addr) else { return Err(Errno::Inval) };
        drop(state);
        let from = match peer {
            Some((peer, local)) if peer == to => local,
            _ => self.source(port, to)?,
        };
        let target = self.machine.find(to.ip())?;
        let Some(when) = self.machine.datagram(to.ip(), buf.len()) else { return Ok(()) };
        let found = target.udp.lock().find(to);
        match found {
            Some(mailbox) => mailbox.deliver(from, when, buf),
            // A host says so, and who speaks to it alone is told.
            None if peer.is_some_and(|(peer, _)| peer == to) => self.mailbox.fail(Errno::ConnRefused),
            None => {}
        }
        Ok(())
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        let state = self.state.lock();
        Ok(match (&state.peer, &state.port) {
            (Some((_, local)), _) => *local,
            (None, Some(port)) => port.addr(),
            (None, None) => any(self.family),
        })
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        match interest {
            Interest::Read => self.mailbox.wait(&self.machine.net.time),
            // What there is no room for is dropped.
            Interest::Write => Wait::Ready,
        }
    }

    fn shutdown(&self) -> Result<()> {
        self.mailbox.close();
        Ok(())
    }

    fn get(&self, name: UdpOptionName) -> Result<UdpOption> {
        Ok(self.options.lock().get_udp(name))
    }

    fn set(&self, option: UdpOption) -> Result<()> {
        let mut options = self.options.lock();
        options.set_udp(option);
        self.mailbox.set_capacity(options.receive);
        Ok(())
    }
}
