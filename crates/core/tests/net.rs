//! What the door makes of answers that a kernel gives rarely.

mod net {
    mod revoked;
}

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use wasi_host_core::fs::Interest;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{
    AddrCheck, Addresses, Checked, Checking, Error, Family, Lookup, Network, Permissions, Shutdown, Slot,
    Sockets, Tcp, TcpInput, TcpOption, TcpOptionName, TcpOutput, TcpSocket, UdpOption, UdpOptionName,
    UdpSocket,
};
use wasi_host_core::stream::{HostOutputStream, StreamError, Subscribe};
use wasi_host_core::wait::{BoxFuture, Event, Wait, Waiter};
use wasi_host_core::{Errno, Result};

const THERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7);

/// Says what it was told to say, and has nothing that a backend need not have.
#[derive(Default)]
struct Told {
    answers: Mutex<VecDeque<Result<()>>>,
    found: Mutex<VecDeque<Result<Vec<IpAddr>, Error>>>,
    full: AtomicBool,
    shut: Mutex<Vec<Shutdown>>,
}

impl Told {
    fn next(&self) -> Result<()> {
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}

#[derive(Clone, Default)]
struct Fake(Arc<Told>);

impl Network for Fake {
    fn tcp(&self, _: Family) -> Result<Arc<dyn TcpSocket>> {
        self.0.next().map(|()| Arc::new(self.clone()) as _)
    }

    fn udp(&self, _: Family) -> Result<Arc<dyn UdpSocket>> {
        self.0.next().map(|()| Arc::new(self.clone()) as _)
    }

    fn lookup(&self, _: &str, _: Slot) -> Result<Box<dyn Lookup>, Error> {
        Ok(Box::new(self.clone()))
    }
}

impl TcpSocket for Fake {
    fn bind(&self, _: SocketAddr) -> Result<()> {
        self.0.next()
    }
    fn connect(&self, _: SocketAddr) -> Result<()> {
        self.0.next()
    }
    fn listen(&self, _: u32) -> Result<()> {
        self.0.next()
    }
    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        self.0.next().map(|()| (Arc::new(self.clone()) as _, THERE))
    }
    fn recv(&self, _: &mut [IoSliceMut<'_>], _: bool) -> Result<usize> {
        Err(Errno::Again)
    }
    fn send(&self, _: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::Again)
    }
    fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.0.shut.lock().unwrap().push(how);
        self.0.next()
    }
    fn local_addr(&self) -> Result<SocketAddr> {
        Ok(THERE)
    }
    fn peer_addr(&self) -> Result<SocketAddr> {
        Ok(THERE)
    }
    fn get(&self, _: TcpOptionName) -> Result<TcpOption> {
        Err(Errno::NotSup)
    }
    fn set(&self, _: TcpOption) -> Result<()> {
        Err(Errno::NotSup)
    }
    fn wait(&self, _: Interest) -> Wait<'_> {
        Wait::Forever
    }
    fn is_listening(&self) -> bool {
        false
    }
}

impl UdpSocket for Fake {
    fn bind(&self, _: SocketAddr) -> Result<()> {
        self.0.next()
    }
    fn connect(&self, _: Option<SocketAddr>) -> Result<()> {
        self.0.next()
    }
    fn recv(&self, _: &mut [u8]) -> Result<(usize, SocketAddr)> {
        self.0.next().map(|()| (0, THERE))
    }
    fn send(&self, _: &[u8], _: Option<SocketAddr>) -> Result<()> {
        if self.0.full.load(Ordering::Relaxed) { Err(Errno::Again) } else { self.0.next() }
    }
    fn local_addr(&self) -> Result<SocketAddr> {
        Ok(THERE)
    }
    fn wait(&self, _: Interest) -> Wait<'_> {
        Wait::Forever
    }
    fn is_writable(&self) -> bool {
        !self.0.full.load(Ordering::Relaxed)
    }
}

impl Lookup for Fake {
    fn addresses(&mut self) -> Result<Vec<IpAddr>, Error> {
        self.0.found.lock().unwrap().pop_front().unwrap_or(Err(Error::WouldBlock))
    }
    fn wait(&self) -> Wait<'_> {
        Wait::Forever
    }
}

struct Never;

impl Waiter for Never {
    fn any(&self, _: &[Wait<'_>], _: &mut [(usize, BoxFuture<'_, ()>)], _: &mut Vec<Event>) -> Result<()> {
        panic!("nothing here waits")
    }
}

fn fake(answers: &[Result<()>]) -> (Sockets, Arc<Told>) {
    let fake = Fake::default();
    fake.0.answers.lock().unwrap().extend(answers);
    let told = fake.0.clone();
    let permissions = Permissions { check: AddrCheck::allow_all(), tcp: true, udp: true, lookup: true };
    (Sockets::new(Arc::new(fake), permissions, &Limits::default(), Arc::new(Never)), told)
}

fn known(checking: Result<Checking, Error>) -> Result<Checked, Error> {
    checking?.known().expect("nobody is asked")
}

#[test]
fn the_systems_limits_are_the_guests() {
    for (errno, error) in [
        (Errno::MFile, Error::NewSocketLimit),
        (Errno::NFile, Error::NewSocketLimit),
        (Errno::AfNoSupport, Error::NotSupported),
        (Errno::NoMem, Error::OutOfMemory),
        (Errno::Proto, Error::Other(Errno::Proto)),
    ] {
        assert_eq!(fake(&[Err(errno)]).0.tcp(Family::Ipv4).err(), Some(error));
        assert_eq!(fake(&[Err(errno)]).0.udp(Family::Ipv4).err(), Some(error));
    }
}

#[test]
fn a_socket_that_could_not_be_made_does_not_count() {
    let mut limits = Limits::default();
    limits.sockets = 1;
    let network = Fake::default();
    network.0.answers.lock().unwrap().extend([Err(Errno::MFile), Err(Errno::MFile)]);
    let sockets = Sockets::new(Arc::new(network), Permissions::default(), &limits, Arc::new(Never));
    assert!(sockets.tcp(Family::Ipv4).is_err());
    assert!(sockets.udp(Family::Ipv4).is_err());
    sockets.tcp(Family::Ipv4).unwrap();
}

#[test]
fn a_connection_that_is_there_at_once_is_finished_all_the_same() {
    let (sockets, _) = fake(&[Ok(()), Ok(()), Err(Errno::IsConn)]);
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    socket.connect(known(socket.check_connect(THERE)).unwrap()).unwrap();
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    socket.finish_connect().unwrap();
    assert_eq!(socket.remote_address(), Ok(THERE));
}

fn connected(sockets: &Sockets) -> (Tcp, TcpInput, TcpOutput) {
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    socket.connect(known(socket.check_connect(THERE)).unwrap()).unwrap();
    let (input, output) = socket.finish_connect().unwrap();
    (socket, input, output)
}

#[test]
fn a_listener_leaves_a_system_alone_that_has_no_sockets_left() {
    let (sockets, told) = fake(&[]);
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    socket.listen().unwrap();
    let listener = socket.listener().unwrap();
    for (errno, error) in [(Errno::MFile, Error::NewSocketLimit), (Errno::NoMem, Error::OutOfMemory)] {
        told.answers.lock().unwrap().extend([Err(errno), Err(Errno::Again)]);
        assert_eq!(listener.accept().err(), Some(error));
        assert!(matches!(listener.wait(), Wait::For(_)));
        assert_eq!(listener.accept().err(), Some(Error::WouldBlock));
        assert!(matches!(listener.wait(), Wait::Forever), "the backend's word");
    }
}

#[test]
fn a_datagram_that_finds_no_room_is_tried_again() {
    let (sockets, told) = fake(&[]);
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    let to = known(socket.check_send(1, Some(THERE))).unwrap();
    told.full.store(true, Ordering::Relaxed);
    assert_eq!(socket.send(b"x", &to), Err(Error::WouldBlock));
    assert!(matches!(socket.readiness(Interest::Write).wait(), Wait::Forever), "the backend's word");
    told.full.store(false, Ordering::Relaxed);
    assert_eq!(socket.send(b"x", &to), Ok(()));
}

#[test]
fn an_endless_flood_of_others_datagrams_is_given_up_for_the_time_being() {
    let (sockets, told) = fake(&[]);
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    let peer = SocketAddr::new(THERE.ip(), 8);
    socket.connect(known(socket.check_connect(peer)).unwrap()).unwrap();
    // All that ever comes is from another, without an end.
    assert_eq!(socket.receive(), Err(Error::WouldBlock));
    socket.disconnect().unwrap();
    assert_eq!(socket.receive().unwrap().from, THERE);
    told.answers.lock().unwrap().push_back(Err(Errno::HostUnreach));
    assert_eq!(socket.receive(), Err(Error::RemoteUnreachable));
}

#[test]
fn a_direction_ends_with_its_stream_if_told_to_and_once_only() {
    let (sockets, told) = fake(&[]);
    let (mut socket, input, mut output) = connected(&sockets);
    drop(input.end_on_drop());
    assert_eq!(*told.shut.lock().unwrap(), [Shutdown::Receive]);
    output.end().unwrap();
    output.end().unwrap();
    socket.shutdown(Shutdown::Both).unwrap();
    assert_eq!(*told.shut.lock().unwrap(), [Shutdown::Receive, Shutdown::Send]);
    drop((output, socket));
    let (mut socket, input, output) = connected(&sockets);
    socket.shutdown(Shutdown::Receive).unwrap();
    drop((socket, output, input.end_on_drop()));
    drop(connected(&sockets));
    assert_eq!(told.shut.lock().unwrap().len(), 3);
}

#[test]
fn a_connection_that_cannot_be_ended_any_more_has_failed() {
    let (sockets, told) = fake(&[]);
    let (_socket, _input, mut output) = connected(&sockets);
    told.answers.lock().unwrap().push_back(Err(Errno::NotConn));
    output.end().unwrap();
    assert!(matches!(output.check_write(), Err(StreamError::LastOperationFailed(_))));
    assert!(matches!(output.check_write(), Err(StreamError::Closed)));
}

#[test]
fn what_fails_at_once_closes_the_socket_too() {
    for (errno, error) in [
        (Errno::NetUnreach, Error::RemoteUnreachable),
        // No port was left for the local end.
        (Errno::AddrNotAvail, Error::AddressInUse),
    ] {
        let (sockets, _) = fake(&[Ok(()), Err(errno)]);
        let mut socket = sockets.tcp(Family::Ipv4).unwrap();
        assert_eq!(socket.connect(known(socket.check_connect(THERE)).unwrap()), Err(error));
        assert_eq!(socket.finish_connect().err(), Some(Error::NotInProgress));
        assert_eq!(socket.set_backlog(1), Err(Error::InvalidState));
    }
    let (sockets, _) = fake(&[Ok(()), Ok(()), Err(Errno::AddrInUse)]);
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    assert_eq!(socket.listen(), Err(Error::AddressInUse));
    assert_eq!(socket.listen(), Err(Error::InvalidState));
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
}

#[test]
fn a_backend_without_options_does_not_support_them() {
    let (sockets, _) = fake(&[]);
    let socket = sockets.udp(Family::Ipv4).unwrap();
    assert_eq!(socket.get(UdpOptionName::SendBufferSize), Err(Error::NotSupported));
    assert_eq!(socket.set(UdpOption::SendBufferSize(1)), Err(Error::NotSupported));
    assert_eq!(socket.set(UdpOption::SendBufferSize(0)), Err(Error::InvalidArgument));
}

#[test]
fn check_send_is_0_while_there_is_no_room_and_send_is_no_error() {
    let (sockets, told) = fake(&[]);
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    let (_, mut output) = socket.stream(None).unwrap();
    let mut send_two = |told: &Told, full_after_one: bool| {
        let permit = output.check_send().unwrap();
        if permit == 0 {
            assert!(matches!(output.wait(), Wait::Forever), "it waits for the backend's word");
            return None;
        }
        assert!(matches!(output.wait(), Wait::Ready));
        let mut batch = output.send(2).unwrap();
        let mut go_on = true;
        for i in 0..2 {
            go_on = go_on && batch.send(b"x", known(batch.check(Some(THERE))));
            told.full.store(full_after_one && i == 0 || told.full.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        Some(batch.finish())
    };
    assert_eq!(send_two(&told, false), Some(Ok(2)));
    assert_eq!(send_two(&told, true), Some(Ok(1)));
    assert_eq!(send_two(&told, false), None);
    told.full.store(false, Ordering::Relaxed);
    assert_eq!(send_two(&told, false), Some(Ok(2)));
    // Full before anything was sent.
    told.full.store(true, Ordering::Relaxed);
    assert_eq!(send_two(&told, false), Some(Ok(0)));
}

#[test]
fn after_a_stream_that_failed_the_socket_has_no_peer() {
    let (sockets, _) = fake(&[Ok(()), Ok(()), Ok(()), Err(Errno::NetUnreach)]);
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    let (mut input, _) = socket.stream(Some(known(socket.check_stream(THERE)).unwrap())).unwrap();
    assert_eq!(socket.remote_address(), Ok(THERE));
    let again = known(socket.check_stream(THERE)).unwrap();
    assert_eq!(socket.stream(Some(again)).err(), Some(Error::RemoteUnreachable));
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    assert_eq!(input.receive(1), Err(Error::InvalidState));
}

#[test]
fn an_error_between_datagrams_is_told_after_those_before_it() {
    let (sockets, told) = fake(&[]);
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    let (mut input, _) = socket.stream(None).unwrap();
    told.answers.lock().unwrap().extend([Ok(()), Err(Errno::HostUnreach), Ok(()), Err(Errno::Again)]);
    assert_eq!(input.receive(9).unwrap().len(), 1);
    assert!(matches!(input.wait(), Wait::Ready));
    assert_eq!(input.receive(9), Err(Error::RemoteUnreachable));
    assert_eq!(input.receive(9).unwrap().len(), 1);
    assert!(matches!(input.wait(), Wait::Forever));
}

fn all(addresses: &mut Addresses) -> Result<Vec<String>, Error> {
    std::iter::from_fn(|| addresses.next_address().transpose())
        .map(|ip| ip.map(|ip| ip.to_string()))
        .collect()
}

#[test]
fn addresses_come_once_each_in_the_resolvers_order_and_never_mapped() {
    let (sockets, told) = fake(&[]);
    let ips = ["192.0.2.2", "::ffff:192.0.2.1", "2001:db8::1", "192.0.2.1", "192.0.2.2"];
    let mut addresses = sockets.lookup("a.example").unwrap();
    assert_eq!(addresses.next_address(), Err(Error::WouldBlock));
    assert!(matches!(addresses.wait(), Wait::Forever));
    told.found.lock().unwrap().push_back(Ok(ips.map(|ip| ip.parse().unwrap()).to_vec()));
    assert_eq!(all(&mut addresses).unwrap(), ["192.0.2.2", "192.0.2.1", "2001:db8::1"]);
}

#[test]
fn a_look_up_fails_in_the_same_way_each_time() {
    let failures =
        [Error::NameUnresolvable, Error::TemporaryResolverFailure, Error::PermanentResolverFailure];
    for (answer, error) in
        failures.map(|e| (Err(e), e)).into_iter().chain([(Ok(vec![]), Error::NameUnresolvable)])
    {
        let (sockets, told) = fake(&[]);
        told.found.lock().unwrap().push_back(answer);
        let mut addresses = sockets.lookup("a.example").unwrap();
        assert_eq!(addresses.next_address(), Err(error));
        assert_eq!(addresses.next_address(), Err(error));
        assert!(matches!(addresses.wait(), Wait::Ready));
    }
}
