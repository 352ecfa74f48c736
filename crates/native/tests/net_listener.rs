//! Listening without a word about where, and what is left of a socket when only a part of it is held.

mod sockets;

use sockets::*;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{AddrCheck, Error, Family, Listener, Permissions, SocketAddrUse, Sockets, Tcp};
use wasi_host_core::stream::Subscribe;

fn next(listener: &Listener) -> Result<Connection, Error> {
    loop {
        match listener.accept() {
            Err(Error::WouldBlock) => pause(listener.wait()),
            done => return done.map(|(socket, input, output)| Connection { socket, input, output }),
        }
    }
}

/// Both ends of one connection.
fn next_pair(sockets: &Sockets, listener: &Listener, port: u16) -> (Connection, Connection) {
    let client = connect(sockets, ([127, 0, 0, 1], port).into());
    (client, next(listener).unwrap())
}

#[test]
fn a_listener_keeps_the_socket_open() {
    let sockets = sockets();
    let socket = listener(&sockets);
    let here = socket.local_address().unwrap();
    let (one, two) = (socket.listener().unwrap(), socket.listener().unwrap());
    drop(socket);
    assert!(!is_ready(one.wait()));
    assert_eq!(one.accept().err(), Some(Error::WouldBlock));
    let (mut client, accepted) = next_pair(&sockets, &one, here.port());
    assert_eq!(accepted.socket.remote_address(), client.socket.local_address());
    drop(one);
    next_pair(&sockets, &two, here.port());
    drop(two);
    // Those that were accepted are independent of it.
    let Connection { mut output, .. } = accepted;
    write(&mut output, b"still");
    assert_eq!(read(&mut client.input).unwrap(), b"still");
}

#[test]
fn a_listener_counts_what_it_accepts() {
    let mut limits = Limits::default();
    limits.sockets = 2;
    let sockets = sockets_with(everything(), &limits);
    let socket = listener(&sockets);
    let listener = socket.listener().unwrap();
    let _peers = [(); 2].map(|()| TcpStream::connect(socket.local_address().unwrap()).unwrap());
    drop(socket);
    let first = next(&listener).unwrap();
    assert_eq!(next(&listener).err(), Some(Error::NewSocketLimit));
    assert!(!is_ready(listener.wait()), "though there is a connection");
    assert_eq!(sockets.tcp(Family::Ipv4).err(), Some(Error::NewSocketLimit), "a listener is a socket too");
    let held = std::thread::spawn(move || drop(first));
    pause(listener.wait());
    held.join().unwrap();
    // The connection has waited.
    next(&listener).unwrap();
    drop(listener);
    let _both = [(); 2].map(|()| sockets.tcp(Family::Ipv4).unwrap());
}

/// What an adapter does that listens for a guest which has not bound.
fn listen(socket: &mut Tcp) -> Result<Listener, Error> {
    if let Some(checking) = socket.check_listen()? {
        socket.bind(known(Ok(checking))?)?;
    }
    socket.listen()?;
    socket.listener()
}

#[test]
fn a_socket_without_an_address_is_bound_to_listen() {
    let families = [(Family::Ipv4, "0.0.0.0:0", "127.0.0.1"), (Family::Ipv6, "[::]:0", "::1")];
    for (family, any, here) in families {
        if family == Family::Ipv6 && !has_ipv6() {
            continue;
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let check = AddrCheck::when(move |addr, to| {
            log.lock().unwrap().push((addr, to));
            true
        });
        let sockets = sockets_with(Permissions { check, ..everything() }, &Limits::default());
        let mut socket = sockets.tcp(family).unwrap();
        assert_eq!(socket.listen(), Err(Error::InvalidState), "not of its own accord");
        assert!(asked.lock().unwrap().is_empty());
        let listener = listen(&mut socket).unwrap();
        assert_eq!(*asked.lock().unwrap(), [(addr(any), SocketAddrUse::TcpBind)]);
        let at = socket.local_address().unwrap();
        assert_eq!(at.ip(), addr(any).ip());
        let _client = TcpStream::connect((here, at.port())).unwrap();
        assert_eq!(next(&listener).unwrap().socket.family(), family);
    }
}

#[test]
fn a_socket_that_is_bound_listens_there_without_another_question() {
    let check = AddrCheck::when(|addr, _| addr.ip().is_loopback());
    let sockets = sockets_with(Permissions { check, ..everything() }, &Limits::default());
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    assert_eq!(listen(&mut socket).err(), Some(Error::AccessDenied), "anywhere is not loopback");
    bind(&mut socket, HERE).unwrap();
    let listener = listen(&mut socket).unwrap();
    next_pair(&sockets, &listener, socket.local_address().unwrap().port());
    assert_eq!(socket.check_listen().err(), Some(Error::InvalidState), "once");
    let accepted = connect(&sockets, socket.local_address().unwrap()).socket;
    assert_eq!(accepted.check_listen().err(), Some(Error::InvalidState));
    assert_eq!(accepted.listener().err(), Some(Error::InvalidState));
}

#[test]
fn a_socket_is_waited_for_without_a_borrow() {
    let sockets = sockets();
    let mut listener = listener(&sockets);
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    assert!(is_ready(socket.readiness().wait()), "for nothing");
    start_connect(&mut socket, listener.local_address().unwrap()).unwrap();
    assert_eq!(socket.check_listen().err(), Some(Error::ConcurrencyConflict));
    let connected = socket.readiness();
    // In a thread of its own, while the socket is used here.
    let waiting = std::thread::spawn(move || pause(connected.wait()));
    waiting.join().unwrap();
    assert!(socket.finish_connect().is_ok());

    let come = listener.readiness();
    pause(come.wait());
    listener.accept().unwrap();
    assert!(!is_ready(come.wait()));
    let here = listener.local_address().unwrap();
    drop(listener);
    let _later = TcpStream::connect(here).unwrap();
    pause(come.wait());
}

#[cfg(feature = "async")]
#[tokio::test]
async fn parts_of_a_socket_are_awaited() {
    let sockets = sockets();
    let socket = listener(&sockets);
    let (mut listener, there) = (socket.listener().unwrap(), socket.local_address().unwrap());
    drop(socket);
    let server = tokio::spawn(async move {
        listener.ready().await;
        listener.accept().unwrap()
    });
    let mut client = sockets.tcp(Family::Ipv4).unwrap();
    start_connect(&mut client, there).unwrap();
    let mut connected = client.readiness();
    connected.ready().await;
    client.finish_connect().unwrap();
    assert_eq!(server.await.unwrap().0.remote_address(), client.local_address());
}
