//! A guest that calls one host function after the other, in a synchronous or an asynchronous store. Loopback only.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part of this"
)]

#[path = "../support/view.rs"]
mod view;

use std::net::SocketAddr;
use std::time::Duration;
pub use view::State;
use wasi_host::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasi_host::bindings::sockets::{
    instance_network, ip_name_lookup, tcp, tcp_create_socket, udp, udp_create_socket,
};
use wasi_host::bindings::sync;
use wasi_host::net::{Addresses, UdpInput, UdpOutput};
use wasi_host::{
    InputStream, Network, OutputStream, Pollable, ResourceTable, SocketResult, StreamError, StreamResult,
    WasiCtx, WasiCtxBuilder, WasiImpl, WasiView,
};
use wasmtime::component::Resource;

pub const V4: &str = "127.0.0.1:0";
pub const V6: &str = "[::1]:0";

pub type Tcp = Resource<tcp::TcpSocket>;
pub type Udp = Resource<udp::UdpSocket>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sync,
    Async,
}

pub const KINDS: [Kind; 2] = [Kind::Sync, Kind::Async];

pub struct Guest {
    pub state: State,
    pub network: Resource<Network>,
    pub runtime: Option<tokio::runtime::Runtime>,
}

pub struct Connection {
    pub socket: Tcp,
    pub input: Resource<InputStream>,
    pub output: Resource<OutputStream>,
}

pub fn b<T: 'static>(r: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(r.rep())
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn family(addr: SocketAddr) -> IpAddressFamily {
    if addr.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 }
}

/// Loopback addresses of those families that this machine has: some have no IPv6 at all.
pub fn loopbacks() -> Vec<&'static str> {
    [V4, V6].into_iter().filter(|here| std::net::TcpListener::bind(here).is_ok()).collect()
}

pub fn code<T>(result: SocketResult<T>) -> Result<T, ErrorCode> {
    result.map_err(|e| e.downcast().expect("an error code"))
}

pub fn open() -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_network();
    builder
}

/// A function that both outputs have, whichever it is in.
macro_rules! call {
    ($guest:expr, $module:ident :: $tr:ident :: $f:ident ( $($arg:expr),* )) => {{
        let guest: &mut Guest = $guest;
        let mut view = WasiImpl(&mut guest.state);
        match &guest.runtime {
            None => sync::sockets::$module::$tr::$f(&mut view, $($arg),*),
            Some(runtime) => {
                let _entered = runtime.enter();
                $module::$tr::$f(&mut view, $($arg),*)
            }
        }
    }};
}
pub(crate) use call;

/// The same of one that is asynchronous in one of them.
macro_rules! wait {
    ($guest:expr, $($module:ident)::+ => $tr:ident :: $f:ident ( $($arg:expr),* )) => {{
        let guest: &mut Guest = $guest;
        let mut view = WasiImpl(&mut guest.state);
        match &guest.runtime {
            None => sync::$($module)::+::$tr::$f(&mut view, $($arg),*),
            Some(runtime) => {
                runtime.block_on(wasi_host::bindings::$($module)::+::$tr::$f(&mut view, $($arg),*))
            }
        }
    }};
}
pub(crate) use wait;

impl Guest {
    pub fn new(kind: Kind, ctx: &mut WasiCtxBuilder) -> Self {
        let runtime = (kind == Kind::Async).then(|| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
        });
        let mut state = State { table: ResourceTable::new(), ctx: ctx.build() };
        let network = instance_network::Host::instance_network(&mut WasiImpl(&mut state)).unwrap();
        Self { state, network, runtime }
    }

    pub fn tcp(&mut self, family: IpAddressFamily) -> Tcp {
        let mut view = WasiImpl(&mut self.state);
        code(tcp_create_socket::Host::create_tcp_socket(&mut view, family)).unwrap()
    }

    pub fn start_bind(&mut self, s: &Tcp, to: SocketAddr) -> Result<(), ErrorCode> {
        let network = b(&self.network);
        code(wait!(self, sockets::tcp => HostTcpSocket::start_bind(b(s), network, to.into())))
    }

    pub fn finish_bind(&mut self, s: &Tcp) -> Result<(), ErrorCode> {
        code(call!(self, tcp::HostTcpSocket::finish_bind(b(s))))
    }

    pub fn bind(&mut self, s: &Tcp, to: SocketAddr) -> Result<(), ErrorCode> {
        self.start_bind(s, to)?;
        self.finish_bind(s)
    }

    pub fn start_connect(&mut self, s: &Tcp, to: SocketAddr) -> Result<(), ErrorCode> {
        let network = b(&self.network);
        code(wait!(self, sockets::tcp => HostTcpSocket::start_connect(b(s), network, to.into())))
    }

    /// Waits by the socket's pollable while it would block.
    pub fn finish_connect(
        &mut self,
        s: &Tcp,
    ) -> Result<(Resource<InputStream>, Resource<OutputStream>), ErrorCode> {
        loop {
            match code(call!(self, tcp::HostTcpSocket::finish_connect(b(s)))) {
                Err(ErrorCode::WouldBlock) => self.block_tcp(s),
                done => return done,
            }
        }
    }

    pub fn connect(&mut self, to: SocketAddr) -> Result<Connection, ErrorCode> {
        let socket = self.tcp(family(to));
        self.start_connect(&socket, to)?;
        let (input, output) = self.finish_connect(&socket)?;
        Ok(Connection { socket, input, output })
    }

    pub fn start_listen(&mut self, s: &Tcp) -> Result<(), ErrorCode> {
        code(call!(self, tcp::HostTcpSocket::start_listen(b(s))))
    }

    pub fn finish_listen(&mut self, s: &Tcp) -> Result<(), ErrorCode> {
        code(call!(self, tcp::HostTcpSocket::finish_listen(b(s))))
    }

    pub fn listener(&mut self, at: &str) -> (Tcp, SocketAddr) {
        let socket = self.tcp(family(addr(at)));
        self.bind(&socket, addr(at)).unwrap();
        self.start_listen(&socket).unwrap();
        self.finish_listen(&socket).unwrap();
        let at = self.local_address(&socket).unwrap();
        (socket, at)
    }

    pub fn try_accept(&mut self, s: &Tcp) -> Result<Connection, ErrorCode> {
        let accepted = code(call!(self, tcp::HostTcpSocket::accept(b(s))));
        accepted.map(|(socket, input, output)| Connection { socket, input, output })
    }

    pub fn accept(&mut self, s: &Tcp) -> Connection {
        loop {
            match self.try_accept(s) {
                Err(ErrorCode::WouldBlock) => self.block_tcp(s),
                done => return done.unwrap(),
            }
        }
    }

    pub fn local_address(&mut self, s: &Tcp) -> Result<SocketAddr, ErrorCode> {
        code(call!(self, tcp::HostTcpSocket::local_address(b(s)))).map(SocketAddr::from)
    }

    pub fn remote_address(&mut self, s: &Tcp) -> Result<SocketAddr, ErrorCode> {
        code(call!(self, tcp::HostTcpSocket::remote_address(b(s)))).map(SocketAddr::from)
    }

    pub fn is_listening(&mut self, s: &Tcp) -> bool {
        call!(self, tcp::HostTcpSocket::is_listening(b(s))).unwrap()
    }

    pub fn drop_tcp(&mut self, s: Tcp) {
        call!(self, tcp::HostTcpSocket::drop(s)).unwrap();
    }

    fn block_tcp(&mut self, s: &Tcp) {
        let pollable = call!(self, tcp::HostTcpSocket::subscribe(b(s))).unwrap();
        self.block(pollable);
    }

    /// Waits, but not for ever.
    pub fn block(&mut self, pollable: Resource<Pollable>) {
        let mut view = WasiImpl(&mut self.state);
        let minute = Duration::from_secs(60).as_nanos() as u64;
        use wasi_host::bindings::clocks::monotonic_clock::Host as _;
        let timer = view.subscribe_duration(minute).unwrap();
        let list = vec![b(&pollable), b(&timer)];
        assert_eq!(wait!(self, io::poll => Host::poll(list)).unwrap(), [0], "nothing happened for a minute");
        for pollable in [pollable, timer] {
            wait_drop(self, pollable);
        }
    }

    pub fn is_ready(&mut self, pollable: &Resource<Pollable>) -> bool {
        wait!(self, io::poll => HostPollable::ready(b(pollable))).unwrap()
    }

    pub fn udp(&mut self, family: IpAddressFamily) -> Udp {
        let mut view = WasiImpl(&mut self.state);
        code(udp_create_socket::Host::create_udp_socket(&mut view, family)).unwrap()
    }

    pub fn start_bind_udp(&mut self, s: &Udp, to: SocketAddr) -> Result<(), ErrorCode> {
        let network = b(&self.network);
        code(wait!(self, sockets::udp => HostUdpSocket::start_bind(b(s), network, to.into())))
    }

    pub fn finish_bind_udp(&mut self, s: &Udp) -> Result<(), ErrorCode> {
        code(call!(self, udp::HostUdpSocket::finish_bind(b(s))))
    }

    pub fn bound_udp(&mut self, at: &str) -> (Udp, SocketAddr) {
        let socket = self.udp(family(addr(at)));
        self.start_bind_udp(&socket, addr(at)).unwrap();
        self.finish_bind_udp(&socket).unwrap();
        let at = code(call!(self, udp::HostUdpSocket::local_address(b(&socket)))).unwrap().into();
        (socket, at)
    }

    pub fn stream(
        &mut self,
        s: &Udp,
        peer: Option<SocketAddr>,
    ) -> Result<(Resource<UdpInput>, Resource<UdpOutput>), ErrorCode> {
        code(wait!(self, sockets::udp => HostUdpSocket::stream(b(s), peer.map(Into::into))))
    }

    pub fn check_send(&mut self, to: &Resource<UdpOutput>) -> Result<u64, ErrorCode> {
        code(call!(self, udp::HostOutgoingDatagramStream::check_send(b(to))))
    }

    pub fn try_send(
        &mut self,
        to: &Resource<UdpOutput>,
        datagrams: &[(&[u8], Option<SocketAddr>)],
    ) -> SocketResult<u64> {
        macro_rules! datagrams {
            ($udp:path) => {{
                use $udp as udp;
                let outgoing = |(data, to): &(&[u8], Option<SocketAddr>)| udp::OutgoingDatagram {
                    data: data.to_vec(),
                    remote_address: to.map(Into::into),
                };
                datagrams.iter().map(outgoing).collect()
            }};
        }
        let mut view = WasiImpl(&mut self.state);
        match &self.runtime {
            None => sync::sockets::udp::HostOutgoingDatagramStream::send(
                &mut view,
                b(to),
                datagrams!(wasi_host::bindings::sync::sockets::udp),
            ),
            Some(runtime) => runtime.block_on(udp::HostOutgoingDatagramStream::send(
                &mut view,
                b(to),
                datagrams!(wasi_host::bindings::sockets::udp),
            )),
        }
    }

    pub fn send(
        &mut self,
        to: &Resource<UdpOutput>,
        datagrams: &[(&[u8], Option<SocketAddr>)],
    ) -> Result<u64, ErrorCode> {
        assert!(self.check_send(to)? >= datagrams.len() as u64);
        code(self.try_send(to, datagrams))
    }

    pub fn try_receive(
        &mut self,
        from: &Resource<UdpInput>,
        most: u64,
    ) -> Result<Vec<(Vec<u8>, SocketAddr)>, ErrorCode> {
        let mut view = WasiImpl(&mut self.state);
        match &self.runtime {
            None => code(sync::sockets::udp::HostIncomingDatagramStream::receive(&mut view, b(from), most))
                .map(|list| list.into_iter().map(|d| (d.data, d.remote_address.into())).collect()),
            Some(_) => code(udp::HostIncomingDatagramStream::receive(&mut view, b(from), most))
                .map(|list| list.into_iter().map(|d| (d.data, d.remote_address.into())).collect()),
        }
    }

    /// As many as there are, waiting by the stream's pollable for the first.
    pub fn receive(&mut self, from: &Resource<UdpInput>) -> Result<Vec<(Vec<u8>, SocketAddr)>, ErrorCode> {
        loop {
            let some = self.try_receive(from, 64)?;
            if !some.is_empty() {
                return Ok(some);
            }
            let pollable = call!(self, udp::HostIncomingDatagramStream::subscribe(b(from))).unwrap();
            self.block(pollable);
        }
    }

    pub fn look_up(&mut self, name: &str) -> Result<Resource<Addresses>, ErrorCode> {
        let network = b(&self.network);
        let mut view = WasiImpl(&mut self.state);
        code(ip_name_lookup::Host::resolve_addresses(&mut view, network, name.to_owned()))
    }

    /// All the addresses of a name.
    pub fn addresses(&mut self, name: &str) -> Result<Vec<std::net::IpAddr>, ErrorCode> {
        use ip_name_lookup::HostResolveAddressStream as H;
        use wasi_host::bindings::sockets::network::IpAddress;
        let stream = self.look_up(name)?;
        let mut all = Vec::new();
        loop {
            match code(H::resolve_next_address(&mut WasiImpl(&mut self.state), b(&stream))) {
                Ok(Some(IpAddress::Ipv4(ip))) => all.push(<[u8; 4]>::from(ip).into()),
                Ok(Some(IpAddress::Ipv6(ip))) => all.push(<[u16; 8]>::from(ip).into()),
                Err(ErrorCode::WouldBlock) => {
                    let pollable = H::subscribe(&mut WasiImpl(&mut self.state), b(&stream)).unwrap();
                    self.block(pollable);
                }
                end => {
                    H::drop(&mut WasiImpl(&mut self.state), stream).unwrap();
                    return end.map(|_| all);
                }
            }
        }
    }

    pub fn read(&mut self, from: &Resource<InputStream>, most: u64) -> StreamResult<Vec<u8>> {
        wait!(self, io::streams => HostInputStream::blocking_read(b(from), most))
    }

    pub fn read_to_end(&mut self, from: &Resource<InputStream>) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            match self.read(from, 1 << 20) {
                Ok(bytes) => all.extend(bytes),
                Err(StreamError::Closed) => return all,
                Err(e) => panic!("{e}"),
            }
        }
    }

    /// Writes as guests do: what `check-write` permits, and a wait where that is nothing.
    pub fn write(&mut self, to: &Resource<OutputStream>, mut bytes: &[u8]) -> StreamResult<()> {
        while !bytes.is_empty() {
            let stream = self.state.table.get_mut(to).unwrap();
            let permit = stream.check_write()?.min(bytes.len());
            if permit == 0 {
                let pollable = wasi_host::subscribe(&mut self.state.table, b(to)).unwrap();
                self.block(pollable);
                continue;
            }
            stream.write_from(&bytes[..permit])?;
            bytes = &bytes[permit..];
        }
        Ok(())
    }

    pub fn drop_streams(&mut self, input: Resource<InputStream>, output: Resource<OutputStream>) {
        wait!(self, io::streams => HostInputStream::drop(input)).unwrap();
        wait!(self, io::streams => HostOutputStream::drop(output)).unwrap();
    }

    pub fn drop_connection(&mut self, c: Connection) {
        self.drop_streams(c.input, c.output);
        self.drop_tcp(c.socket);
    }
}

pub fn wait_drop(guest: &mut Guest, pollable: Resource<Pollable>) {
    Pollable::delete(&mut guest.state.table, pollable).unwrap();
}

/// Bytes of which each place is recognised.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}
