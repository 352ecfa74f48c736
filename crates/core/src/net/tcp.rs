//! A TCP socket as a guest holds it.

use super::readiness::Source;
use super::{
    Checked, Checking, Error, Family, Listener, Outgoing, Readiness, Shutdown, SocketAddrUse, Sockets,
    TcpInput, TcpOption, TcpOptionName, TcpOutput, TcpSocket, address,
};
use crate::Errno;
use crate::fs::Interest;
use crate::slots::Slot;
use crate::stream::Subscribe;
use crate::wait::Wait;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many connections wait to be accepted, where the guest does not say.
const BACKLOG: u32 = 128;

/// A backend's socket with its state, which says what may be done with it: [`Error::InvalidState`] for the rest. A
/// method that fails because of its argument, or because the guest may not use an address, leaves the state as it is.
///
/// ```text
/// unbound ── bind ── bound ── listen ── listening
///    └───── connect ───┘
///              └── connecting ── finish_connect ── connected
/// ```
///
/// Where an attempt to listen or to connect fails, or the network is taken back, the socket is closed: no method but those that ask about the family
/// or for what to wait is of use any more.
pub struct Tcp {
    sockets: Sockets,
    family: Family,
    open: Arc<Open>,
    state: State,
    backlog: u32,
}

/// What the socket and its streams share: it closes when the last of them is gone.
pub(super) struct Open {
    pub(super) socket: Arc<dyn TcpSocket>,
    /// Nothing more is to be received.
    pub(super) deaf: AtomicBool,
    _slot: Slot,
}

impl Open {
    /// What has come in and was not read is lost; once more changes nothing.
    pub(super) fn end_receiving(&self) -> Result<(), Errno> {
        if self.deaf.swap(true, Ordering::Relaxed) { Ok(()) } else { self.socket.shutdown(Shutdown::Receive) }
    }
}

impl Source for Open {
    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.socket.wait(interest)
    }
}

#[derive(Debug)]
enum State {
    Unbound,
    Bound,
    Listening,
    Connecting(SocketAddr),
    Connected(SocketAddr, Arc<Outgoing>),
    Closed,
}

impl Tcp {
    pub(super) fn new(sockets: Sockets, family: Family, socket: Arc<dyn TcpSocket>, slot: Slot) -> Self {
        sockets.adopt(&socket);
        let open = Arc::new(Open { socket, deaf: AtomicBool::new(false), _slot: slot });
        Self { sockets, family, open, state: State::Unbound, backlog: BACKLOG }
    }

    /// The state in which it is now. Nothing is left of it once the network was taken back.
    fn state(&self) -> &State {
        if self.sockets.is_revoked() { &State::Closed } else { &self.state }
    }

    /// The family it was made for.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Asks whether the guest may bind to an address.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family or that is not unicast; [`Error::InvalidState`].
    pub fn check_bind(&self, addr: SocketAddr) -> Result<Checking, Error> {
        self.bindable()?;
        address::of_family(self.family, addr)?;
        address::unicast(addr)?;
        Ok(self.sockets.check(addr, SocketAddrUse::TcpBind))
    }

    fn bindable(&self) -> Result<(), Error> {
        match *self.state() {
            State::Unbound => Ok(()),
            _ => Err(Error::InvalidState),
        }
    }

    /// Gives it a local address. If that fails another may be tried.
    ///
    /// # Errors
    ///
    /// [`Error::AddressInUse`], [`Error::AddressNotBindable`], [`Error::InvalidState`].
    pub fn bind(&mut self, addr: Checked) -> Result<(), Error> {
        self.bindable()?;
        self.open.socket.bind(addr.for_use(SocketAddrUse::TcpBind)?)?;
        self.state = State::Bound;
        Ok(())
    }

    /// Asks whether the guest may connect to an address.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for one of the other family, that is not unicast, or without host or port;
    /// [`Error::ConcurrencyConflict`] while it connects; [`Error::InvalidState`].
    pub fn check_connect(&self, addr: SocketAddr) -> Result<Checking, Error> {
        self.connectable()?;
        address::of_family(self.family, addr)?;
        address::unicast(addr)?;
        address::remote(addr)?;
        Ok(self.sockets.check(addr, SocketAddrUse::TcpConnect))
    }

    fn connectable(&self) -> Result<(), Error> {
        match *self.state() {
            State::Unbound | State::Bound => Ok(()),
            State::Connecting(_) => Err(Error::ConcurrencyConflict),
            _ => Err(Error::InvalidState),
        }
    }

    /// Begins to connect: [`finish_connect`](Self::finish_connect) says how it went, and [`Subscribe`] when to
    /// ask.
    ///
    /// # Errors
    ///
    /// What is known at once: [`Error::RemoteUnreachable`], [`Error::AddressInUse`] where no port is left,
    /// [`Error::InvalidState`], ….
    pub fn connect(&mut self, addr: Checked) -> Result<(), Error> {
        self.connectable()?;
        let addr = addr.for_use(SocketAddrUse::TcpConnect)?;
        match self.try_connect(addr) {
            // That it is done already is told by asking, like every other end.
            Ok(()) | Err(Error::WouldBlock) => {
                self.state = State::Connecting(addr);
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    /// The streams of a connection that has come about.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; [`Error::NotInProgress`]; [`Error::ConnectionRefused`] and whatever else ends an
    /// attempt.
    pub fn finish_connect(&mut self) -> Result<(TcpInput, TcpOutput), Error> {
        let addr = match *self.state() {
            State::Connecting(addr) => addr,
            _ if self.sockets.is_revoked() => return Err(Error::InvalidState),
            _ => return Err(Error::NotInProgress),
        };
        self.try_connect(addr)?;
        Ok(self.connected(addr))
    }

    fn try_connect(&mut self, addr: SocketAddr) -> Result<(), Error> {
        match self.open.socket.connect(addr) {
            Ok(()) | Err(Errno::IsConn) => Ok(()),
            Err(Errno::Again | Errno::InProgress | Errno::Already) => Err(Error::WouldBlock),
            // A network may have rules of its own: that they refuse changes nothing, as with an address check.
            Err(Errno::Access) if !matches!(self.state, State::Connecting(_)) => Err(Error::AccessDenied),
            Err(e) => {
                self.state = State::Closed;
                // No port is left for the local end: systems do not agree on what to call it.
                Err(if e == Errno::AddrNotAvail { Error::AddressInUse } else { e.into() })
            }
        }
    }

    pub(super) fn connected(&mut self, peer: SocketAddr) -> (TcpInput, TcpOutput) {
        let outgoing = Outgoing::new(self.open.clone(), self.sockets.undelivered());
        self.state = State::Connected(peer, outgoing.clone());
        let input = TcpInput::new(self.open.clone(), self.sockets.clone());
        (input, TcpOutput::new(outgoing, self.sockets.clone()))
    }

    /// Asks whether the guest may bind to any address, which is to come before [`listen`](Self::listen) where it is not
    /// bound and that is to be done for it; `None` where it is.
    ///
    /// # Errors
    ///
    /// [`Error::ConcurrencyConflict`] while it connects; [`Error::InvalidState`].
    pub fn check_listen(&self) -> Result<Option<Checking>, Error> {
        let any = || self.sockets.check(address::any(self.family), SocketAddrUse::TcpBind);
        Ok((!self.listenable()?).then(any))
    }

    /// Whether nothing is missing for listening; without an address only that is.
    fn listenable(&self) -> Result<bool, Error> {
        match *self.state() {
            State::Unbound => Ok(false),
            State::Bound => Ok(true),
            State::Connecting(_) => Err(Error::ConcurrencyConflict),
            _ => Err(Error::InvalidState),
        }
    }

    /// Lets others connect. It has to be bound.
    ///
    /// # Errors
    ///
    /// [`Error::AddressInUse`]; [`Error::ConcurrencyConflict`] while it connects; [`Error::InvalidState`].
    pub fn listen(&mut self) -> Result<(), Error> {
        if !self.listenable()? {
            return Err(Error::InvalidState);
        }
        self.state = State::Closed;
        self.open.socket.listen(self.backlog)?;
        self.state = State::Listening;
        Ok(())
    }

    /// A connection that has come in, with its streams.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`]; [`Error::NewSocketLimit`], and then it waits in the queue; [`Error::InvalidState`].
    pub fn accept(&mut self) -> Result<(Self, TcpInput, TcpOutput), Error> {
        self.listener()?.accept()
    }

    /// The same for somebody else, who may outlive this.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] where it does not listen.
    pub fn listener(&self) -> Result<Listener, Error> {
        match *self.state() {
            State::Listening => Ok(Listener::new(self.sockets.clone(), self.family, self.open.clone())),
            _ => Err(Error::InvalidState),
        }
    }

    /// What [`Subscribe`] waits for, without a borrow.
    pub fn readiness(&self) -> Readiness {
        let source: Arc<dyn Source> = self.open.clone();
        Readiness::new(self.sockets.clone(), self.interest().map(|interest| (source, interest)))
    }

    fn interest(&self) -> Option<Interest> {
        match *self.state() {
            State::Listening => Some(Interest::Read),
            State::Connecting(_) => Some(Interest::Write),
            _ => None,
        }
    }

    /// The address that it is bound to, be it because it was connected.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`].
    pub fn local_address(&self) -> Result<SocketAddr, Error> {
        match *self.state() {
            State::Unbound | State::Closed => Err(Error::InvalidState),
            _ => Ok(self.open.socket.local_addr()?),
        }
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`].
    pub fn remote_address(&self) -> Result<SocketAddr, Error> {
        match *self.state() {
            State::Connected(peer, _) => Ok(peer),
            _ => Err(Error::InvalidState),
        }
    }

    /// Whether others may connect.
    pub fn is_listening(&self) -> bool {
        matches!(self.state(), State::Listening)
    }

    /// How many connections may wait to be accepted; the system bounds it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for 0; [`Error::InvalidState`] where it connects or is connected.
    pub fn set_backlog(&mut self, n: u64) -> Result<(), Error> {
        if n == 0 {
            return Err(Error::InvalidArgument);
        }
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        match *self.state() {
            State::Unbound | State::Bound => {}
            State::Listening => self.open.socket.listen(n)?,
            State::Connecting(_) | State::Connected(..) | State::Closed => return Err(Error::InvalidState),
        }
        self.backlog = n;
        Ok(())
    }

    /// Reads an option.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] once it is closed.
    pub fn get(&self, name: TcpOptionName) -> Result<TcpOption, Error> {
        self.not_closed()?;
        Ok(self.open.socket.get(name)?)
    }

    /// Sets an option. What is too large becomes the largest that the system has.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for a time, number or size of 0; [`Error::InvalidState`] once it is closed.
    pub fn set(&self, option: TcpOption) -> Result<(), Error> {
        let zero = match option {
            TcpOption::KeepAlive(_) => false,
            TcpOption::KeepAliveIdleTime(span) | TcpOption::KeepAliveInterval(span) => span.is_zero(),
            TcpOption::KeepAliveCount(n) => n == 0,
            TcpOption::HopLimit(n) => n == 0,
            TcpOption::ReceiveBufferSize(n) | TcpOption::SendBufferSize(n) => n == 0,
        };
        if zero {
            return Err(Error::InvalidArgument);
        }
        self.not_closed()?;
        Ok(self.open.socket.set(option)?)
    }

    fn not_closed(&self) -> Result<(), Error> {
        match *self.state() {
            State::Closed => Err(Error::InvalidState),
            _ => Ok(()),
        }
    }

    /// Ends one direction of a connection, or both; once more changes nothing. What was accepted from the guest goes
    /// first; what has come in and was not read is lost.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidState`] where it is not connected.
    pub fn shutdown(&mut self, how: Shutdown) -> Result<(), Error> {
        let State::Connected(_, outgoing) = self.state() else { return Err(Error::InvalidState) };
        let received = match how {
            Shutdown::Send => Ok(()),
            Shutdown::Receive | Shutdown::Both => self.open.end_receiving(),
        };
        let sent = match how {
            Shutdown::Receive => Ok(()),
            Shutdown::Send | Shutdown::Both => outgoing.end(),
        };
        match received.and(sent) {
            // The other side was faster.
            Err(Errno::NotConn) => Ok(()),
            done => Ok(done?),
        }
    }
}

/// For trying again what said [`Error::WouldBlock`].
#[async_trait::async_trait]
impl Subscribe for Tcp {
    async fn ready(&mut self) {
        self.sockets.ready(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        self.interest().map_or(Wait::Ready, |interest| self.open.socket.wait(interest))
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("state", &self.state).finish_non_exhaustive()
    }
}
