//! `wasi:sockets`: what a blocking socket does in a synchronous host, and one of tokio's in an asynchronous one. To 127.0.0.1.

use super::{Cx, Floor, Slot, kind, resource};
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use wasi_host::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasmtime::Result;
use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource, WasmList};

pub(super) enum Tcp {
    Blocks(std::net::TcpStream),
    Awaits(tokio::net::TcpStream),
}

impl Tcp {
    pub(super) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(s) => (&*s).read(buf),
            Self::Awaits(s) => s.try_read(buf),
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(s) => (&*s).write(bytes),
            Self::Awaits(s) => s.try_write(bytes),
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        match self {
            Self::Blocks(_) => true,
            Self::Awaits(s) => is_ready(s, PollFlags::OUT),
        }
    }

    pub(super) async fn readable(self: Arc<Self>) {
        if let Self::Awaits(s) = &*self {
            s.readable().await.expect("a socket");
        }
    }

    pub(super) async fn writable(self: Arc<Self>) {
        if let Self::Awaits(s) = &*self {
            s.writable().await.expect("a socket");
        }
    }
}

fn is_ready(fd: impl rustix::fd::AsFd, flags: PollFlags) -> bool {
    let zero = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut [PollFd::new(&fd, flags)], Some(&zero)).expect("a socket") > 0
}

pub(super) enum Udp {
    Blocks(std::net::UdpSocket),
    Awaits(tokio::net::UdpSocket),
}

impl Udp {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(s) => s.recv(buf),
            Self::Awaits(s) => s.try_recv(buf),
        }
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(s) => s.send(bytes),
            Self::Awaits(s) => s.try_send(bytes),
        }
    }

    pub(super) fn wait(&self) {
        if let Self::Blocks(s) = self {
            rustix::event::poll(&mut [PollFd::new(s, PollFlags::IN)], None).expect("a socket");
        }
    }

    pub(super) async fn readable(self: Arc<Self>) {
        if let Self::Awaits(s) = &*self {
            s.readable().await.expect("a socket");
        }
    }
}

fn address(a: &IpSocketAddress) -> SocketAddr {
    match a {
        IpSocketAddress::Ipv4(a) => {
            let (p, q, r, s) = a.address;
            (Ipv4Addr::new(p, q, r, s), a.port).into()
        }
        IpSocketAddress::Ipv6(_) => panic!("not measured"),
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Received {
    data: Bytes,
    #[component(name = "remote-address")]
    remote_address: IpSocketAddress,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Sent {
    data: WasmList<u8>,
    #[component(name = "remote-address")]
    _remote_address: Option<IpSocketAddress>,
}

type OfSocket<R> = Result<(Result<R, ErrorCode>,)>;
type Addressed<R> = (Resource<R>, Resource<kind::Network>, IpSocketAddress);
type Streams = (Resource<kind::In>, Resource<kind::Out>);
type Pair = (Resource<kind::Incoming>, Resource<kind::Outgoing>);

fn connected(floor: &mut Floor, tcp: Tcp) -> OfSocket<Streams> {
    let tcp = Arc::new(tcp);
    Ok((Ok((floor.push(Slot::TcpIn(tcp.clone())), floor.push(Slot::TcpOut(tcp)))),))
}

fn destination(floor: &mut Floor, tcp: &Resource<kind::Tcp>) -> SocketAddr {
    match floor.slot(tcp) {
        Slot::Tcp(Some(to)) => *to,
        _ => panic!("not connecting"),
    }
}

fn receive(mut cx: Cx<'_>, (from, most): (Resource<kind::Incoming>, u64)) -> OfSocket<Vec<Received>> {
    let Slot::Datagrams(udp) = cx.data_mut().slot(&from) else { panic!("not a socket") };
    let (mut buf, mut list) = ([0; 2048], Vec::new());
    while (list.len() as u64) < most {
        let Ok(n) = udp.recv(&mut buf) else { break };
        let from = Ipv4SocketAddress { port: 1, address: (127, 0, 0, 1) };
        let data = Bytes::copy_from_slice(&buf[..n]);
        list.push(Received { data, remote_address: IpSocketAddress::Ipv4(from) });
    }
    Ok((Ok(list),))
}

fn send(cx: Cx<'_>, (to, list): (Resource<kind::Outgoing>, Vec<Sent>)) -> OfSocket<u64> {
    let Slot::Datagrams(udp) = &cx.data().slots[to.rep() as usize] else { panic!("not a socket") };
    Ok((Ok(list.iter().take_while(|d| udp.send(d.data.as_le_slice(&cx)).is_ok()).count() as u64),))
}

pub(super) fn add(linker: &mut Linker<Floor>, asynchronous: bool) -> Result<()> {
    resource::<kind::Network>(&mut linker.instance("wasi:sockets/network@0.2.12")?, "network")?;
    let mut of = linker.instance("wasi:sockets/instance-network@0.2.12")?;
    of.func_wrap("instance-network", |mut cx: Cx<'_>, ()| {
        Ok((cx.data_mut().push::<kind::Network>(Slot::Network),))
    })?;
    tcp(linker, asynchronous)?;
    udp(linker, asynchronous)
}

fn tcp(linker: &mut Linker<Floor>, asynchronous: bool) -> Result<()> {
    let mut of = linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?;
    of.func_wrap("create-tcp-socket", |mut cx: Cx<'_>, (_,): (IpAddressFamily,)| {
        Ok((Ok::<_, ErrorCode>(cx.data_mut().push::<kind::Tcp>(Slot::Tcp(None))),))
    })?;
    let mut of = linker.instance("wasi:sockets/tcp@0.2.12")?;
    resource::<kind::Tcp>(&mut of, "tcp-socket")?;
    of.func_wrap(
        "[method]tcp-socket.start-connect",
        |mut cx: Cx<'_>, (tcp, _, to): Addressed<kind::Tcp>| {
            *cx.data_mut().slot(&tcp) = Slot::Tcp(Some(address(&to)));
            Ok((Ok::<_, ErrorCode>(()),))
        },
    )?;
    of.func_wrap("[method]tcp-socket.subscribe", |mut cx: Cx<'_>, (_,): (Resource<kind::Tcp>,)| {
        Ok((cx.data_mut().push::<kind::Pollable>(Slot::Clock(0)),))
    })?;
    let finish = "[method]tcp-socket.finish-connect";
    if asynchronous {
        of.func_wrap_async(finish, |mut cx: Cx<'_>, (tcp,): (Resource<kind::Tcp>,)| {
            Box::new(async move {
                let to = destination(cx.data_mut(), &tcp);
                let stream = tokio::net::TcpStream::connect(to).await?;
                stream.set_nodelay(true)?;
                connected(cx.data_mut(), Tcp::Awaits(stream))
            })
        })
    } else {
        of.func_wrap(finish, |mut cx: Cx<'_>, (tcp,): (Resource<kind::Tcp>,)| {
            let stream = std::net::TcpStream::connect(destination(cx.data_mut(), &tcp))?;
            stream.set_nodelay(true)?;
            connected(cx.data_mut(), Tcp::Blocks(stream))
        })
    }
}

fn udp(linker: &mut Linker<Floor>, asynchronous: bool) -> Result<()> {
    let mut of = linker.instance("wasi:sockets/udp-create-socket@0.2.12")?;
    of.func_wrap("create-udp-socket", |mut cx: Cx<'_>, (_,): (IpAddressFamily,)| {
        Ok((Ok::<_, ErrorCode>(cx.data_mut().push::<kind::Udp>(Slot::Udp)),))
    })?;
    let mut of = linker.instance("wasi:sockets/udp@0.2.12")?;
    resource::<kind::Udp>(&mut of, "udp-socket")?;
    resource::<kind::Incoming>(&mut of, "incoming-datagram-stream")?;
    resource::<kind::Outgoing>(&mut of, "outgoing-datagram-stream")?;
    of.func_wrap("[method]udp-socket.start-bind", |_: Cx<'_>, _: Addressed<kind::Udp>| {
        Ok((Ok::<_, ErrorCode>(()),))
    })?;
    of.func_wrap("[method]udp-socket.finish-bind", |_: Cx<'_>, (_,): (Resource<kind::Udp>,)| {
        Ok((Ok::<_, ErrorCode>(()),))
    })?;
    type Streaming = (Resource<kind::Udp>, Option<IpSocketAddress>);
    of.func_wrap("[method]udp-socket.stream", move |mut cx: Cx<'_>, (_, to): Streaming| -> OfSocket<Pair> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(address(&to.expect("an address")))?;
        socket.set_nonblocking(true)?;
        let udp = Arc::new(if asynchronous {
            Udp::Awaits(tokio::net::UdpSocket::from_std(socket)?)
        } else {
            Udp::Blocks(socket)
        });
        let floor = cx.data_mut();
        Ok((Ok((floor.push(Slot::Datagrams(udp.clone())), floor.push(Slot::Datagrams(udp)))),))
    })?;
    of.func_wrap("[method]incoming-datagram-stream.receive", receive)?;
    of.func_wrap(
        "[method]incoming-datagram-stream.subscribe",
        |mut cx: Cx<'_>, (from,): (Resource<kind::Incoming>,)| {
            Ok((cx.data_mut().push::<kind::Pollable>(Slot::Of(from.rep())),))
        },
    )?;
    of.func_wrap(
        "[method]outgoing-datagram-stream.subscribe",
        |mut cx: Cx<'_>, (to,): (Resource<kind::Outgoing>,)| {
            Ok((cx.data_mut().push::<kind::Pollable>(Slot::Of(to.rep())),))
        },
    )?;
    of.func_wrap(
        "[method]outgoing-datagram-stream.check-send",
        |_: Cx<'_>, (_,): (Resource<kind::Outgoing>,)| Ok((Ok::<_, ErrorCode>(64u64),)),
    )?;
    of.func_wrap("[method]outgoing-datagram-stream.send", send)
}
