//! `wasi:sockets`. What may be done in which state, and with which address, is said at the core's door.

mod bind;

use crate::mode::Mode;
use crate::sockets::checked;
use crate::view::{Both, WasiImpl, WasiView};
use std::net::SocketAddr;
use wasi_host_bindings::p2::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress};
use wasi_host_bindings::p2::sockets::{
    instance_network, ip_name_lookup, network, tcp_create_socket, udp_create_socket,
};
use wasi_host_bindings::{
    IoError, Network, Pollable, Socket, SocketError, SocketResult, TcpSocket, UdpSocket, failure, p2,
    subscribe,
};
use wasi_host_core::net::{
    Addresses, Checked, Checking, Datagram, Error, TcpInput, TcpOutput, UdpInput, UdpOutput,
};
use wasi_host_core::stream::{InputStream, OutputStream, StreamError};
use wasmtime::component::Resource;

impl<T: WasiView> network::Host for WasiImpl<T> {
    fn convert_error_code(&mut self, e: SocketError) -> wasmtime::Result<ErrorCode> {
        e.downcast()
    }

    fn network_error_code(&mut self, e: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(match failure(self.table().get(&e)?).map(Error::from) {
            // Nothing that has to do with a network.
            None | Some(Error::Other(_)) => None,
            Some(e) => Some(e.into()),
        })
    }
}

impl<T: WasiView> network::HostNetwork for WasiImpl<T> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table().delete(network)?;
        Ok(())
    }
}

impl<T: WasiView> instance_network::Host for WasiImpl<T> {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Network>> {
        Ok(self.table().push(Network::default())?)
    }
}

impl<T: WasiView> ip_name_lookup::Host for WasiImpl<T> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<Addresses>> {
        self.table().get(&network)?;
        let addresses = self.ctx().sockets().lookup(&name)?;
        Ok(self.table().push(addresses)?)
    }
}

impl<T: WasiView> ip_name_lookup::HostResolveAddressStream for WasiImpl<T> {
    fn resolve_next_address(&mut self, of: Resource<Addresses>) -> SocketResult<Option<IpAddress>> {
        Ok(self.table().get_mut(&of)?.next_address()?.map(IpAddress::from))
    }

    fn subscribe(&mut self, to: Resource<Addresses>) -> wasmtime::Result<Resource<Pollable>> {
        subscribe(self.table(), to)
    }

    fn drop(&mut self, addresses: Resource<Addresses>) -> wasmtime::Result<()> {
        self.table().delete(addresses)?;
        Ok(())
    }
}

impl<T: WasiView> tcp_create_socket::Host for WasiImpl<T> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let socket = self.ctx().sockets().tcp(family.into())?;
        Ok(self.table().push(Socket::new(socket))?)
    }
}

impl<T: WasiView> udp_create_socket::Host for WasiImpl<T> {
    fn create_udp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        let socket = self.ctx().sockets().udp(family.into())?;
        Ok(self.table().push(Socket::new(socket))?)
    }
}

/// Asks for an address, and does with it what it was asked for.
async fn with_address<M: Mode, S: 'static, R>(
    view: &mut impl WasiView,
    socket: &Resource<Socket<S>>,
    check: impl FnOnce(&S) -> Result<Checking, Error>,
    op: impl FnOnce(&mut Socket<S>, Checked) -> Result<R, Error>,
) -> SocketResult<R> {
    let checking = check(view.table().get_mut(socket)?.free(Error::ConcurrencyConflict)?)?;
    let checked = checked::<M>(&view.ctx().waiting, checking).await??;
    Ok(op(view.table().get_mut(socket)?, checked)?)
}

type Streams = (Resource<InputStream>, Resource<OutputStream>);

/// The streams of a connection. They do not depend on their socket: what was written is delivered without it.
fn push<M: Mode>(view: &mut impl WasiView, (input, output): (TcpInput, TcpOutput)) -> SocketResult<Streams> {
    let waiting = &view.ctx().waiting;
    waiting.delivery.begin::<M>(&waiting.waiter);
    let (input, output): (InputStream, OutputStream) = (Box::new(input), Box::new(output));
    Ok((view.table().push(input)?, view.table().push(output)?))
}

fn finish_connect<M: Mode>(view: &mut impl WasiView, socket: &Resource<TcpSocket>) -> SocketResult<Streams> {
    let streams = view.table().get_mut(socket)?.get_mut().finish_connect()?;
    push::<M>(view, streams)
}

fn accept<M: Mode>(
    view: &mut impl WasiView,
    socket: &Resource<TcpSocket>,
) -> SocketResult<(Resource<TcpSocket>, Resource<InputStream>, Resource<OutputStream>)> {
    let (socket, input, output) = view.table().get_mut(socket)?.free(Error::InvalidState)?.accept()?;
    let (input, output) = push::<M>(view, (input, output))?;
    Ok((view.table().push(Socket::new(socket))?, input, output))
}

/// Sends datagrams, one after the other.
async fn send<M: Mode>(
    view: &mut impl WasiView,
    to: &Resource<UdpOutput>,
    datagrams: impl ExactSizeIterator<Item = (Vec<u8>, Option<IpSocketAddress>)>,
) -> SocketResult<u64> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let mut batch = table.get_mut(to)?.send(datagrams.len()).map_err(misuse)?;
    for (data, to) in datagrams {
        let to = match batch.check(to.map(SocketAddr::from)) {
            Ok(checking) => checked::<M>(&ctx.waiting, checking).await?,
            Err(e) => Err(e),
        };
        if !batch.send(&data, to) {
            break;
        }
    }
    Ok(batch.finish()?)
}

/// A guest that broke the rules is stopped.
fn misuse(e: StreamError) -> SocketError {
    match e {
        StreamError::Trap(e) => SocketError::Trap(super::any(e)),
        e => SocketError::trap(e),
    }
}
