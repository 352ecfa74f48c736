//! Sockets behind the door, as a guest has them, on loopback.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{
    AddrCheck, Checked, Checking, Error, Family, Permissions, Sockets, Tcp, TcpInput, TcpOutput,
};
use wasi_host_core::stream::{HostInputStream, HostOutputStream, StreamError, Subscribe};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::net::NativeNetwork;
use wasi_host_native::wait::Poller;

pub const HERE: &str = "127.0.0.1:0";

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn everything() -> Permissions {
    Permissions { check: AddrCheck::allow_all(), tcp: true, udp: true, lookup: true }
}

pub fn sockets_with(permissions: Permissions, limits: &Limits) -> Sockets {
    Sockets::new(Arc::new(NativeNetwork), permissions, limits, Arc::new(Poller::default()))
}

pub fn sockets() -> Sockets {
    sockets_with(everything(), &Limits::default())
}

/// Some machines have no IPv6 at all.
pub fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

/// What a check says that asks nobody.
pub fn known(checking: Result<Checking, Error>) -> Result<Checked, Error> {
    checking?.known().expect("nobody is asked")
}

/// Waits for one thing, but not for ever.
pub fn pause(wait: Wait<'_>) {
    let waits = [wait, Wait::For(Duration::from_secs(60))];
    let mut ended = Vec::new();
    Poller::default().any(&waits, &mut [], &mut ended).unwrap();
    assert_eq!(ended[0].index, 0, "nothing happened for a minute");
}

pub fn is_ready(wait: Wait<'_>) -> bool {
    let mut ended = Vec::new();
    Poller::default().any(&[wait, Wait::Ready], &mut [], &mut ended).unwrap();
    ended[0].index == 0
}

pub fn bind(socket: &mut Tcp, to: &str) -> Result<(), Error> {
    let checked = known(socket.check_bind(addr(to)))?;
    socket.bind(checked)
}

pub fn start_connect(socket: &mut Tcp, to: SocketAddr) -> Result<(), Error> {
    let checked = known(socket.check_connect(to))?;
    socket.connect(checked)
}

pub fn finish_connect(socket: &mut Tcp) -> Result<(TcpInput, TcpOutput), Error> {
    loop {
        match socket.finish_connect() {
            Err(Error::WouldBlock) => pause(socket.wait()),
            done => return done,
        }
    }
}

pub fn accept(listener: &mut Tcp) -> Result<Connection, Error> {
    loop {
        match listener.accept() {
            Err(Error::WouldBlock) => pause(listener.wait()),
            done => return done.map(|(socket, input, output)| Connection { socket, input, output }),
        }
    }
}

pub fn listener(sockets: &Sockets) -> Tcp {
    let mut listener = sockets.tcp(Family::Ipv4).unwrap();
    bind(&mut listener, HERE).unwrap();
    listener.listen().unwrap();
    listener
}

pub struct Connection {
    pub socket: Tcp,
    pub input: TcpInput,
    pub output: TcpOutput,
}

pub fn connect(sockets: &Sockets, to: SocketAddr) -> Connection {
    let mut socket = sockets.tcp(Family::of(to)).unwrap();
    start_connect(&mut socket, to).unwrap();
    let (input, output) = finish_connect(&mut socket).unwrap();
    Connection { socket, input, output }
}

/// Both ends of one connection.
pub fn pair(sockets: &Sockets) -> (Connection, Connection) {
    let mut listener = listener(sockets);
    let client = connect(sockets, listener.local_address().unwrap());
    (client, accept(&mut listener).unwrap())
}

/// Writes without a look at whether all of it has gone.
pub fn write(output: &mut TcpOutput, bytes: &[u8]) {
    assert!(output.check_write().unwrap() >= bytes.len());
    output.write_from(bytes).unwrap();
}

/// What comes next; `None` is the end.
pub fn read(input: &mut TcpInput) -> Option<Vec<u8>> {
    loop {
        match input.read(1 << 20) {
            Ok(bytes) if bytes.is_empty() => pause(wasi_host_core::stream::Subscribe::wait(input)),
            Ok(bytes) => return Some(bytes.to_vec()),
            Err(StreamError::Closed) => return None,
            Err(e) => panic!("{e}"),
        }
    }
}
