//! Loopback sockets, and waiting for them.

#![allow(dead_code)] // Each program uses a part of this.

use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// What an operation may also fail with while another one is in progress.
pub const BUSY: ErrorCode = ErrorCode::ConcurrencyConflict;

pub const FAMILIES: [IpAddressFamily; 2] = [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6];

pub fn v4(a: u8, b: u8, c: u8, d: u8, port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) })
}

pub fn v6(address: [u16; 8], port: u16) -> IpSocketAddress {
    let [a, b, c, d, e, f, g, h] = address;
    let address = (a, b, c, d, e, f, g, h);
    IpSocketAddress::Ipv6(Ipv6SocketAddress { port, address, flow_info: 0, scope_id: 0 })
}

pub fn loopback(family: IpAddressFamily, port: u16) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => v4(127, 0, 0, 1, port),
        IpAddressFamily::Ipv6 => v6([0, 0, 0, 0, 0, 0, 0, 1], port),
    }
}

/// `0.0.0.0` or `::`.
pub fn unspecified(family: IpAddressFamily, port: u16) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => v4(0, 0, 0, 0, port),
        IpAddressFamily::Ipv6 => v6([0; 8], port),
    }
}

pub fn other(family: IpAddressFamily) -> IpAddressFamily {
    match family {
        IpAddressFamily::Ipv4 => IpAddressFamily::Ipv6,
        IpAddressFamily::Ipv6 => IpAddressFamily::Ipv4,
    }
}

pub fn port(address: IpSocketAddress) -> u16 {
    match address {
        IpSocketAddress::Ipv4(address) => address.port,
        IpSocketAddress::Ipv6(address) => address.port,
    }
}

/// An address in a form that can be compared.
pub fn show(address: IpSocketAddress) -> String {
    format!("{address:?}")
}

/// Repeats a call for as long as it says that it would block.
pub fn wait<T>(pollable: Pollable, call: impl Fn() -> Result<T, ErrorCode>) -> Result<T, ErrorCode> {
    loop {
        match call() {
            Err(ErrorCode::WouldBlock) => pollable.block(),
            result => return result,
        }
    }
}

/// A socket with an address on loopback.
pub fn bound(family: IpAddressFamily, port: u16) -> Result<TcpSocket, ErrorCode> {
    let socket = create_tcp_socket(family)?;
    socket.start_bind(&instance_network(), loopback(family, port))?;
    wait(socket.subscribe(), || socket.finish_bind())?;
    Ok(socket)
}

pub fn listening(family: IpAddressFamily) -> Result<TcpSocket, ErrorCode> {
    let socket = bound(family, 0)?;
    socket.start_listen()?;
    wait(socket.subscribe(), || socket.finish_listen())?;
    Ok(socket)
}

/// One end of a connection. The streams stand first, so that they are dropped first.
pub struct End {
    pub input: InputStream,
    pub output: OutputStream,
    pub socket: TcpSocket,
}

pub fn connect(socket: TcpSocket, to: IpSocketAddress) -> Result<End, ErrorCode> {
    socket.start_connect(&instance_network(), to)?;
    let (input, output) = wait(socket.subscribe(), || socket.finish_connect())?;
    Ok(End { input, output, socket })
}

pub fn accept(listener: &TcpSocket) -> Result<End, ErrorCode> {
    let (socket, input, output) = wait(listener.subscribe(), || listener.accept())?;
    Ok(End { input, output, socket })
}

/// Who connected and who accepted.
pub fn connected(family: IpAddressFamily) -> Result<(End, End), ErrorCode> {
    let listener = listening(family)?;
    let client = connect(create_tcp_socket(family)?, listener.local_address()?)?;
    Ok((client, accept(&listener)?))
}

pub fn write_all(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    bytes.chunks(4096).try_for_each(|piece| stream.blocking_write_and_flush(piece))
}

/// Reads this many bytes, fewer only where the stream ends.
pub fn read_exactly(stream: &InputStream, len: usize) -> Result<Vec<u8>, StreamError> {
    let mut all = Vec::new();
    while all.len() < len {
        match stream.blocking_read((len - all.len()) as u64) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}
