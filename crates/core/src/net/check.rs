//! Which addresses a guest may use, and the proof that one was asked for.

use super::Error;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a guest wants an address for.
///
/// [`AddrCheck`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketAddrUse {
    /// To bind a TCP socket to it.
    TcpBind,
    /// To connect a TCP socket to it.
    TcpConnect,
    /// To bind a UDP socket to it.
    UdpBind,
    /// To make it the only peer of a UDP socket.
    UdpConnect,
    /// To send a datagram there.
    UdpOutgoingDatagram,
}

type Answer = Pin<Box<dyn Future<Output = bool> + Send + Sync>>;
type Know = dyn Fn(SocketAddr, SocketAddrUse) -> bool + Send + Sync;
type Ask = dyn Fn(SocketAddr, SocketAddrUse) -> Answer + Send + Sync;

/// The embedder's word on each address that a guest is about to use. The default denies all.
///
/// ```
/// use wasi_host_core::net::{AddrCheck, SocketAddrUse};
/// let check = AddrCheck::new(|addr, to| {
///     Box::pin(async move { addr.ip().is_loopback() && to == SocketAddrUse::TcpConnect })
/// });
/// ```
#[derive(Clone, Default)]
pub struct AddrCheck(Rule);

#[derive(Clone, Default)]
enum Rule {
    #[default]
    Deny,
    Allow,
    Know(Arc<Know>),
    Ask(Arc<Ask>),
}

impl AddrCheck {
    /// Whatever `ask` answers, asked anew at each use.
    pub fn new(ask: impl Fn(SocketAddr, SocketAddrUse) -> Answer + Send + Sync + 'static) -> Self {
        Self(Rule::Ask(Arc::new(ask)))
    }

    /// Whatever `know` says at once: then nobody waits, and a synchronous host needs no runtime for it.
    ///
    /// ```
    /// use wasi_host_core::net::AddrCheck;
    /// let check = AddrCheck::when(|addr, _| addr.ip().is_loopback());
    /// ```
    pub fn when(know: impl Fn(SocketAddr, SocketAddrUse) -> bool + Send + Sync + 'static) -> Self {
        Self(Rule::Know(Arc::new(know)))
    }

    /// Every address, for every use.
    pub fn allow_all() -> Self {
        Self(Rule::Allow)
    }

    /// No address.
    pub fn deny_all() -> Self {
        Self(Rule::Deny)
    }

    /// Whether it says at once what it says.
    pub fn knows(&self) -> bool {
        !matches!(self.0, Rule::Ask(_))
    }

    /// Asks for an address.
    pub fn check(&self, addr: SocketAddr, to: SocketAddrUse) -> Checking {
        let state = match &self.0 {
            Rule::Deny => State::Known(false),
            Rule::Allow => State::Known(true),
            Rule::Know(know) => State::Known(know(addr, to)),
            Rule::Ask(ask) => State::Asked(ask(addr, to)),
        };
        Checking { addr, to, state }
    }
}

impl fmt::Debug for AddrCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Rule::Deny => "AddrCheck(deny all)",
            Rule::Allow => "AddrCheck(allow all)",
            Rule::Know(_) | Rule::Ask(_) => "AddrCheck(ask)",
        })
    }
}

/// The check of one address, as a future: [`Error::AccessDenied`] or the proof that it may be used.
#[must_use = "an address is used with what this gives"]
pub struct Checking {
    addr: SocketAddr,
    to: SocketAddrUse,
    state: State,
}

enum State {
    Known(bool),
    Asked(Answer),
}

impl Checking {
    /// The answer where nobody has to be asked, so that there is nothing to wait for.
    pub fn known(&self) -> Option<Result<Checked, Error>> {
        match self.state {
            State::Known(allowed) => Some(self.answer(allowed)),
            State::Asked(_) => None,
        }
    }

    fn answer(&self, allowed: bool) -> Result<Checked, Error> {
        let checked = Checked { addr: self.addr, to: self.to };
        if allowed { Ok(checked) } else { Err(Error::AccessDenied) }
    }
}

impl Future for Checking {
    type Output = Result<Checked, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let allowed = match &mut self.state {
            State::Known(allowed) => *allowed,
            State::Asked(answer) => std::task::ready!(answer.as_mut().poll(cx)),
        };
        Poll::Ready(self.answer(allowed))
    }
}

impl fmt::Debug for Checking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checking").field("addr", &self.addr).field("to", &self.to).finish_non_exhaustive()
    }
}

/// An address that was checked for one use and is good for that use, once. Only a check makes it.
#[derive(Debug)]
pub struct Checked {
    addr: SocketAddr,
    to: SocketAddrUse,
}

impl Checked {
    /// The address, if it was checked for this.
    pub(super) fn for_use(&self, to: SocketAddrUse) -> Result<SocketAddr, Error> {
        if self.to == to { Ok(self.addr) } else { Err(Error::AccessDenied) }
    }
}
