//! Loopback sockets, and what goes through them.

#![allow(dead_code)] // Each program uses a part of this.

use crate::io::Done;
use wasip3::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, TcpSocket,
};
use wasip3::wit_bindgen::{StreamReader, StreamWriter};
use wasip3::wit_stream;

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

/// Addresses of many, of everybody, and of the other family in disguise.
pub fn not_unicast(family: IpAddressFamily, port: u16) -> Vec<IpSocketAddress> {
    match family {
        IpAddressFamily::Ipv4 => vec![v4(224, 0, 0, 1, port), v4(255, 255, 255, 255, port)],
        IpAddressFamily::Ipv6 => vec![v6([0xff02, 0, 0, 0, 0, 0, 0, 1], port), mapped(port)],
    }
}

/// An IPv4 address written as one of IPv6.
pub fn mapped(port: u16) -> IpSocketAddress {
    v6([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], port)
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

/// A socket with an address on loopback.
pub fn bound(family: IpAddressFamily, port: u16) -> Result<TcpSocket, ErrorCode> {
    let socket = TcpSocket::create(family)?;
    socket.bind(loopback(family, port))?;
    Ok(socket)
}

/// A socket that listens, and the connections that come to it.
pub struct Listener {
    pub connections: StreamReader<TcpSocket>,
    pub socket: TcpSocket,
}

impl Listener {
    pub fn new(family: IpAddressFamily) -> Result<Self, ErrorCode> {
        let socket = bound(family, 0)?;
        Ok(Self { connections: socket.listen()?, socket })
    }

    pub fn address(&self) -> IpSocketAddress {
        self.socket.get_local_address().expect("a socket that listens has an address")
    }

    pub async fn accept(&mut self) -> TcpSocket {
        self.connections.next().await.expect("connections come without end")
    }
}

/// One end of a connection.
pub struct End {
    pub input: StreamReader<u8>,
    pub received: Done<ErrorCode>,
    pub output: StreamWriter<u8>,
    pub sent: Done<ErrorCode>,
    pub socket: TcpSocket,
}

impl End {
    pub fn new(socket: TcpSocket) -> Self {
        let (output, reader) = wit_stream::new();
        let sent = socket.send(reader);
        let (input, received) = socket.receive();
        Self { input, received, output, sent, socket }
    }

    /// Writes all of it, if the other end lets it.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        self.output.write_all(bytes.to_vec()).await.is_empty()
    }
}

/// A connection's two sockets: of who connected, and of who accepted.
pub async fn sockets(family: IpAddressFamily) -> Result<(TcpSocket, TcpSocket), ErrorCode> {
    let (client, mut listener) = (TcpSocket::create(family)?, Listener::new(family)?);
    client.connect(listener.address()).await?;
    Ok((client, listener.accept().await))
}

/// A connection's two ends.
pub async fn connected(family: IpAddressFamily) -> Result<(End, End), ErrorCode> {
    let (client, server) = sockets(family).await?;
    Ok((End::new(client), End::new(server)))
}
