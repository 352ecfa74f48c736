//! `wasi:sockets`: tokio's, to 127.0.0.1.

use super::bytes::{Sink, Source};
use super::{Cx, Floor, Slot, ended, kind, resource};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpStream, UdpSocket};
use wasi_host::p3::bindings::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
};
use wasmtime::component::{Accessor, Linker, Resource, StreamReader};
use wasmtime::{AsContextMut, Result};

type Tcp = Resource<kind::Tcp>;
type Udp = Resource<kind::Udp>;
type OfSocket<R> = Result<(Result<R, ErrorCode>,)>;

fn address(a: &IpSocketAddress) -> SocketAddr {
    match a {
        IpSocketAddress::Ipv4(a) => {
            let (p, q, r, s) = a.address;
            (Ipv4Addr::new(p, q, r, s), a.port).into()
        }
        IpSocketAddress::Ipv6(_) => panic!("not measured"),
    }
}

fn tcp(floor: &mut Floor, socket: &Tcp) -> Arc<TcpStream> {
    match floor.slot(socket) {
        Slot::Tcp(Some(tcp)) => tcp.clone(),
        _ => panic!("not connected"),
    }
}

fn udp(store: &Accessor<Floor>, socket: &Udp) -> Arc<UdpSocket> {
    store.with(|mut s| match s.get().slot(socket) {
        Slot::Udp(udp) => udp.clone(),
        _ => panic!("not a UDP socket"),
    })
}

async fn connect(store: &Accessor<Floor>, (socket, to): (Tcp, IpSocketAddress)) -> OfSocket<()> {
    let stream = TcpStream::connect(address(&to)).await?;
    stream.set_nodelay(true)?;
    store.with(|mut s| *s.get().slot(&socket) = Slot::Tcp(Some(Arc::new(stream))));
    Ok((Ok(()),))
}

pub(super) fn add(linker: &mut Linker<Floor>) -> Result<()> {
    let mut of = linker.instance("wasi:sockets/types@0.3.2")?;
    resource::<kind::Tcp>(&mut of, "tcp-socket")?;
    of.func_wrap("[static]tcp-socket.create", |mut cx: Cx<'_>, (_,): (IpAddressFamily,)| {
        Ok((Ok::<_, ErrorCode>(cx.data_mut().push::<kind::Tcp>(Slot::Tcp(None))),))
    })?;
    of.func_wrap_concurrent("[method]tcp-socket.connect", |store, args| Box::pin(connect(store, args)))?;
    of.func_wrap("[method]tcp-socket.send", |mut cx: Cx<'_>, (socket, data): (Tcp, StreamReader<u8>)| {
        let sink = Sink::Tcp(tcp(cx.data_mut(), &socket));
        data.pipe(cx.as_context_mut(), sink)?;
        Ok((ended::<ErrorCode>(&mut cx)?,))
    })?;
    of.func_wrap("[method]tcp-socket.receive", |mut cx: Cx<'_>, (socket,): (Tcp,)| {
        let source = Source::Tcp(tcp(cx.data_mut(), &socket));
        let stream = StreamReader::new(cx.as_context_mut(), source)?;
        Ok(((stream, ended::<ErrorCode>(&mut cx)?),))
    })?;
    resource::<kind::Udp>(&mut of, "udp-socket")?;
    of.func_wrap("[static]udp-socket.create", |mut cx: Cx<'_>, (_,): (IpAddressFamily,)| -> OfSocket<Udp> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        Ok((Ok(cx.data_mut().push(Slot::Udp(Arc::new(UdpSocket::from_std(socket)?)))),))
    })?;
    type Connecting = (Udp, IpSocketAddress);
    of.func_wrap("[method]udp-socket.connect", |mut cx: Cx<'_>, (socket, to): Connecting| -> OfSocket<()> {
        let Slot::Udp(udp) = cx.data_mut().slot(&socket) else { panic!("not a UDP socket") };
        Ok((Ok(rustix::net::connect(udp, &address(&to))?),))
    })?;
    type Sending = (Udp, Vec<u8>, Option<IpSocketAddress>);
    of.func_wrap_concurrent("[method]udp-socket.send", |store, (socket, data, _): Sending| {
        let udp = udp(store, &socket);
        Box::pin(async move {
            udp.send(&data).await?;
            Ok((Ok::<_, ErrorCode>(()),))
        })
    })?;
    of.func_wrap_concurrent("[method]udp-socket.receive", |store, (socket,): (Udp,)| {
        let udp = udp(store, &socket);
        Box::pin(async move {
            let mut buf = [0; 2048];
            let n = udp.recv(&mut buf).await?;
            let from = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 1, address: (127, 0, 0, 1) });
            Ok((Ok::<_, ErrorCode>((buf[..n].to_vec(), from)),))
        })
    })
}
