//! TCP sockets.

use super::link::{TRIES, patience};
use super::listener::Queue;
use super::machine::Machine;
use super::options::Options;
use super::pipe::{NEVER, Pipe};
use super::ports::Port;
use parking_lot::Mutex;
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Family, Shutdown, TcpOption, TcpOptionName, TcpSocket};
use wasi_host_core::wait::{Notify, Wait};
use wasi_host_core::{Errno, Result};

#[derive(Debug)]
pub(super) struct Tcp {
    machine: Arc<Machine>,
    family: Family,
    options: Mutex<Options>,
    state: Mutex<State>,
    listening: OnceLock<Arc<Queue>>,
    connection: OnceLock<Connection>,
    /// For who waits to be connected, which no pipe and no queue knows of.
    shut: Notify,
}

#[derive(Debug, Default)]
struct State {
    port: Option<Port<Arc<Queue>>>,
    attempt: Option<Attempt>,
}

/// To connect, which goes on. Nobody works at it but the guest, who asks how it goes.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    to: SocketAddr,
    /// How often nothing came back.
    tries: u32,
    /// When to try again, or to say how it ended.
    when: u64,
    end: Option<Result<()>>,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    local: SocketAddr,
    peer: SocketAddr,
    machine: Arc<Machine>,
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
    /// From when on both ends know of it.
    since: u64,
}

/// The other end of a connection on its way to who accepts it.
struct Call {
    queue: Arc<Queue>,
    when: u64,
    end: Connection,
}

impl Call {
    fn arrive(self) {
        self.queue.add(self.when, self.end);
    }
}

impl Connection {
    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.incoming.check()?;
        let sent = self.outgoing.send(bufs, |len| self.machine.segment(self.peer.ip(), len));
        if sent == Err(Errno::TimedOut) {
            self.fail(Errno::TimedOut);
            self.incoming.check()?;
        }
        sent
    }

    /// Whether it is none any more, be it that bytes are left to receive.
    fn is_over(&self) -> bool {
        let time = &self.machine.net.time;
        self.incoming.has_failed() || (self.incoming.is_over(time) && self.outgoing.is_over(time))
    }

    fn end(&self) {
        // If even that is lost each time the other end learns it when its own attempts fail.
        self.outgoing.end(self.machine.segment(self.peer.ip(), 0).unwrap_or(NEVER));
    }

    /// Neither direction is of use any more, and both ends learn why.
    fn fail(&self, why: Errno) {
        for pipe in [&self.incoming, &self.outgoing] {
            pipe.fail(why);
            pipe.end(0);
        }
    }

    /// Ends it by force.
    pub(super) fn reset(&self) {
        self.outgoing.fail(Errno::ConnReset);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.incoming.abandon() {
            self.reset();
        }
        self.end();
    }
}

impl Tcp {
    pub(super) fn new(machine: Arc<Machine>, family: Family) -> Self {
        Self {
            machine,
            family,
            options: Mutex::default(),
            state: Mutex::default(),
            listening: OnceLock::new(),
            connection: OnceLock::new(),
            shut: Notify::default(),
        }
    }

    /// The connection, once it is one.
    fn connected(&self) -> Option<&Connection> {
        self.connection.get().filter(|connection| self.machine.net.time.is(connection.since))
    }

    /// The connection, or why there is nothing to send or to receive.
    fn speaking(&self, unconnected: Errno) -> Result<&Connection> {
        match self.connected() {
            Some(connection) => Ok(connection),
            None if self.connection.get().is_some() || self.state.lock().attempt.is_some() => {
                Err(Errno::Again)
            }
            None => Err(unconnected),
        }
    }

    fn end(&self, how: Shutdown) -> Result<()> {
        if let Some(queue) = self.listening.get() {
            if how != Shutdown::Send {
                queue.close();
                self.state.lock().port.iter().for_each(Port::close);
            }
            return Ok(());
        }
        let connection = self.connection.get().filter(|c| !c.is_over()).ok_or(Errno::NotConn)?;
        if how != Shutdown::Receive {
            connection.end();
        }
        if how != Shutdown::Send || connection.incoming.is_deaf() {
            connection.incoming.deafen(connection.outgoing.has_end());
        }
        Ok(())
    }

    fn take_port(&self, state: &mut State, addr: SocketAddr) -> Result<()> {
        state.port = Some(Port::take(&self.machine.tcp, addr, None)?);
        Ok(())
    }

    /// Asks once: when the answer is here, and for whom the other end is if it is yes. `Ok(None)`: nobody answers.
    fn dial(&self, state: &mut State, to: SocketAddr) -> Result<Option<(u64, Option<Call>)>> {
        let target = self.machine.find(to.ip())?;
        let source = self.machine.source(to.ip())?;
        let mut local = match &state.port {
            Some(port) => port.addr(),
            None => {
                self.take_port(state, (source, 0).into()).map_err(|_| Errno::AddrNotAvail)?;
                return self.dial(state, to);
            }
        };
        if local.ip().is_unspecified() {
            local.set_ip(source);
        } else if local.ip().is_loopback() && !to.ip().is_loopback() {
            return Err(Errno::Inval);
        }
        let Some(there) = self.machine.datagram(to.ip(), 0) else { return Ok(None) };
        let found = target.tcp.lock().find(to);
        let Some(queue) = found else { return self.refused(to.ip()) };
        match queue.has_room() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(_) => return self.refused(to.ip()),
        }
        let since = there.saturating_add(target.latency(local.ip()));
        let [outgoing, incoming] =
            [queue.capacity, self.options.lock().receive].map(|capacity| Arc::new(Pipe::new(capacity)));
        let other = Connection {
            local: to,
            peer: local,
            machine: target,
            incoming: outgoing.clone(),
            outgoing: incoming.clone(),
            since: there,
        };
        let machine = self.machine.clone();
        let own = Connection { local, peer: to, machine, incoming, outgoing, since };
        let call = self.connection.set(own).is_ok().then_some(Call { queue, when: there, end: other });
        Ok(Some((since, call)))
    }

    /// The answer that nobody listens takes its time, too.
    fn refused(&self, to: IpAddr) -> Result<Option<(u64, Option<Call>)>> {
        match self.machine.latency(to) {
            0 => Err(Errno::ConnRefused),
            latency => {
                let answered = self.machine.net.time.now().saturating_add(latency.saturating_mul(2));
                Ok(Some((answered, None)))
            }
        }
    }
}

impl TcpSocket for Tcp {
    fn bind(&self, addr: SocketAddr) -> Result<()> {
        self.machine.has(addr, self.family)?;
        let mut state = self.state.lock();
        if state.port.is_some() || self.connection.get().is_some() {
            return Err(Errno::Inval);
        }
        self.take_port(&mut state, addr)
    }

    fn connect(&self, addr: SocketAddr) -> Result<()> {
        if Family::of(addr) != self.family {
            return Err(Errno::AfNoSupport);
        }
        if self.listening.get().is_some() {
            return Err(Errno::IsConn);
        }
        let mut state = self.state.lock();
        let time = &self.machine.net.time;
        let mut tries = 0;
        match state.attempt {
            None if self.connection.get().is_some() => return Err(Errno::IsConn),
            None => {}
            Some(attempt) if attempt.to != addr => return Err(Errno::Already),
            Some(attempt) if !time.is(attempt.when) => return Err(Errno::InProgress),
            Some(Attempt { end: Some(end), .. }) => {
                state.attempt = None;
                return end;
            }
            Some(attempt) => tries = attempt.tries,
        }
        state.attempt = None;
        if tries == TRIES {
            return Err(Errno::TimedOut);
        }
        let (when, end, call) = match self.dial(&mut state, addr)? {
            Some((when, None)) => (when, Some(Err(Errno::ConnRefused)), None),
            Some((when, call)) => (when, Some(Ok(())), call),
            None => (time.now().saturating_add(patience(tries)), None, None),
        };
        let is_done = when == 0 && call.is_some();
        if !is_done {
            state.attempt = Some(Attempt { to: addr, tries: tries + 1, when, end });
        }
        // Who accepts is woken by this, and may do anything.
        drop(state);
        call.into_iter().for_each(Call::arrive);
        if is_done { Ok(()) } else { Err(Errno::InProgress) }
    }

    fn listen(&self, backlog: u32) -> Result<()> {
        if let Some(queue) = self.listening.get() {
            return queue.set_backlog(backlog);
        }
        let mut state = self.state.lock();
        if self.connection.get().is_some() || state.attempt.is_some() {
            return Err(Errno::Inval);
        }
        if state.port.is_none() {
            self.take_port(&mut state, any(self.family))?;
        }
        let Some(port) = &state.port else { return Err(Errno::Inval) };
        let queue = Arc::new(Queue::new(backlog, self.options.lock().receive));
        port.open(queue.clone())?;
        self.listening.get_or_init(|| queue);
        Ok(())
    }

    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        let queue = self.listening.get().ok_or(Errno::Inval)?;
        let connection = queue.accept(&self.machine.net.time)?;
        let peer = connection.peer;
        let accepted = Self::new(self.machine.clone(), self.family);
        *accepted.options.lock() = *self.options.lock();
        // It is new.
        let _ = accepted.connection.set(connection);
        Ok((Arc::new(accepted), peer))
    }

    fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool) -> Result<usize> {
        self.speaking(Errno::NotConn)?.incoming.recv(bufs, peek, &self.machine.net.time)
    }

    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.speaking(Errno::Pipe)?.send(bufs)
    }

    fn shutdown(&self, how: Shutdown) -> Result<()> {
        let ended = self.end(how);
        self.shut.notify();
        ended
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection.local);
        }
        Ok(self.state.lock().port.as_ref().map_or_else(|| any(self.family), Port::addr))
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        let connection = self.connected().filter(|connection| !connection.is_over());
        connection.map(|connection| connection.peer).ok_or(Errno::NotConn)
    }

    fn get(&self, name: TcpOptionName) -> Result<TcpOption> {
        Ok(self.options.lock().get(name))
    }

    fn set(&self, option: TcpOption) -> Result<()> {
        let mut options = self.options.lock();
        options.set(option);
        if let Some(connection) = self.connection.get() {
            connection.incoming.set_capacity(options.receive);
        }
        Ok(())
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        let (time, shut) = (&self.machine.net.time, self.shut.watch());
        if let Some(queue) = self.listening.get() {
            return queue.wait(time);
        }
        if let Some(connection) = self.connection.get() {
            return match interest {
                _ if !time.is(connection.since) => time.wait_until(connection.since, shut),
                Interest::Read => connection.incoming.wait_to_read(time),
                Interest::Write => connection.outgoing.wait_to_write(),
            };
        }
        let attempt = self.state.lock().attempt;
        attempt.map_or(Wait::Ready, |attempt| time.wait_until(attempt.when, shut))
    }

    fn is_listening(&self) -> bool {
        self.listening.get().is_some_and(|queue| !queue.is_closed())
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        if let Some(queue) = self.listening.get() {
            queue.close();
        }
    }
}

/// Every address of a host, which is also what a socket without any has.
pub(super) fn any(family: Family) -> SocketAddr {
    let ip: IpAddr = match family {
        Family::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    (ip, 0).into()
}
