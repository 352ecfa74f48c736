//! The few words that the tests of networks are written in.
#![allow(dead_code, reason = "not every test needs each")]

use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Error, Family, Network, TcpSocket, UdpSocket};
use wasi_host_core::slots::Slots;
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_core::{Errno, Result};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::{Host, Loopback};

pub(crate) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn host(net: &Loopback, at: &str) -> Host {
    net.host([ip(at)]).unwrap()
}

/// Waits for one thing, but not for ever.
pub(crate) fn pause(wait: Wait<'_>) {
    let mut ended = Vec::new();
    Poller::default().any(&[wait, Wait::For(Duration::from_secs(60))], &mut [], &mut ended).unwrap();
    assert_eq!(ended[0].index, 0, "nothing happened for a minute");
}

pub(crate) fn is_ready(wait: Wait<'_>) -> bool {
    let mut ended = Vec::new();
    Poller::default().any(&[wait, Wait::Ready], &mut [], &mut ended).unwrap();
    ended[0].index == 0
}

pub(crate) fn listener(network: &dyn Network, at: &str) -> Arc<dyn TcpSocket> {
    let socket = network.tcp(Family::of(addr(at))).unwrap();
    socket.bind(addr(at)).unwrap();
    socket.listen(128).unwrap();
    socket
}

pub(crate) fn try_connect(socket: &dyn TcpSocket, to: SocketAddr) -> Result<()> {
    loop {
        match socket.connect(to) {
            Err(Errno::InProgress | Errno::Again) => pause(socket.wait(Interest::Write)),
            done => return done,
        }
    }
}

pub(crate) fn connect(network: &dyn Network, to: SocketAddr) -> Result<Arc<dyn TcpSocket>> {
    let socket = network.tcp(Family::of(to))?;
    try_connect(&*socket, to)?;
    Ok(socket)
}

pub(crate) fn accept(listener: &dyn TcpSocket) -> Result<Arc<dyn TcpSocket>> {
    loop {
        match listener.accept() {
            Err(Errno::Again) => pause(listener.wait(Interest::Read)),
            done => return done.map(|(socket, _)| socket),
        }
    }
}

pub(crate) fn send(socket: &dyn TcpSocket, bytes: &[u8]) -> Result<usize> {
    socket.send(&[IoSlice::new(bytes)])
}

/// What is there now.
pub(crate) fn recv(socket: &dyn TcpSocket, most: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let n = socket.recv(&mut [IoSliceMut::new(&mut bytes)], false)?;
    bytes.truncate(n);
    Ok(bytes)
}

pub(crate) fn udp(network: &dyn Network, at: &str) -> Arc<dyn UdpSocket> {
    let socket = network.udp(Family::of(addr(at))).unwrap();
    socket.bind(addr(at)).unwrap();
    socket
}

/// The datagram that is there now.
pub(crate) fn datagram(socket: &dyn UdpSocket) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 70_000];
    let (n, _) = socket.recv(&mut bytes)?;
    bytes.truncate(n);
    Ok(bytes)
}

/// A look-up to its end.
pub(crate) fn look_up(network: &dyn Network, name: &str) -> std::result::Result<Vec<IpAddr>, Error> {
    let mut lookup = network.lookup(name, Slots::new(1).take().unwrap())?;
    loop {
        match lookup.addresses() {
            Err(Error::WouldBlock) => pause(lookup.wait()),
            done => return done,
        }
    }
}
