//! `tcp-socket` of `wasi:sockets/types`.

use super::connections::Connections;
use crate::mode::Awaits;
use crate::p3::bytes::{Consumer, Producer};
use crate::p3::completion;
use crate::sockets::{checked, tcp_options};
use crate::view::{HasWasi, WasiImpl, WasiView};
use std::net::SocketAddr;
use types::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasi_host_bindings::Connection;
use wasi_host_bindings::p3::SocketResult;
use wasi_host_bindings::p3::sockets::types;
use wasi_host_core::net::{Error, Tcp, TcpOption, TcpOptionName};
use wasi_host_core::stream::ReadAhead;
use wasmtime::component::{Access, Accessor, Resource, StreamReader};

type Fd = Resource<Connection>;
type Ended = completion::Ended<ErrorCode>;

/// A socket in this state has no such stream.
const NO_STREAM: ErrorCode = ErrorCode::InvalidState;

fn tcp(connection: &Connection) -> &Tcp {
    &connection.socket
}

impl<T: WasiView> types::HostTcpSocket for WasiImpl<T> {
    fn create(&mut self, family: IpAddressFamily) -> SocketResult<Fd> {
        let socket = self.ctx().sockets().tcp(family.into())?;
        Ok(self.table().push(Connection::new(socket))?)
    }

    async fn bind(&mut self, fd: Fd, to: IpSocketAddress) -> SocketResult<()> {
        let checking = self.table().get(&fd)?.socket.check_bind(to.into())?;
        let addr = checked::<Awaits>(&self.ctx().waiting(), checking).await??;
        Ok(self.table().get_mut(&fd)?.socket.bind(addr)?)
    }

    fn get_local_address(&mut self, fd: Fd) -> SocketResult<IpSocketAddress> {
        Ok(self.table().get(&fd)?.socket.local_address()?.into())
    }

    fn get_remote_address(&mut self, fd: Fd) -> SocketResult<IpSocketAddress> {
        Ok(self.table().get(&fd)?.socket.remote_address()?.into())
    }

    fn get_is_listening(&mut self, fd: Fd) -> wasmtime::Result<bool> {
        Ok(self.table().get(&fd)?.socket.is_listening())
    }

    fn get_address_family(&mut self, fd: Fd) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table().get(&fd)?.socket.family().into())
    }

    fn set_listen_backlog_size(&mut self, fd: Fd, n: u64) -> SocketResult<()> {
        Ok(self.table().get_mut(&fd)?.socket.set_backlog(n)?)
    }

    tcp_options!(Fd, SocketResult, tcp;
        get_keep_alive_enabled get_keep_alive_idle_time get_keep_alive_interval get_keep_alive_count
        get_hop_limit get_receive_buffer_size get_send_buffer_size);

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.table().delete(fd)?;
        Ok(())
    }
}

impl<U: Send + 'static, T: WasiView + 'static> types::HostTcpSocketWithStore<U> for HasWasi<T> {
    async fn connect(store: &Accessor<U, Self>, fd: Fd, to: IpSocketAddress) -> SocketResult<()> {
        let (checking, waiting) = store.with(|mut store| {
            let mut view = store.get();
            let checking = view.table().get(&fd)?.socket.check_connect(SocketAddr::from(to))?;
            SocketResult::Ok((checking, view.ctx().waiting()))
        })?;
        let addr = checked::<Awaits>(&waiting, checking).await??;
        store.with(|mut store| SocketResult::Ok(store.get().table().get_mut(&fd)?.socket.connect(addr)?))?;
        loop {
            let mut readiness = {
                let connected = store.with(|mut store| {
                    let mut view = store.get();
                    let connection = view.table().get_mut(&fd)?;
                    match connection.socket.finish_connect() {
                        Ok((input, output)) => {
                            (connection.input, connection.output) = (Some(input), Some(output));
                            waiting.delivery.begin::<Awaits>(&waiting.waiter);
                            Ok(None)
                        }
                        Err(Error::WouldBlock) => Ok(Some(connection.socket.readiness())),
                        Err(e) => SocketResult::Err(e.into()),
                    }
                })?;
                match connected {
                    None => return Ok(()),
                    Some(readiness) => readiness,
                }
            };
            waiting.pause_for_stream::<Awaits, _>(&mut readiness).await?;
        }
    }

    async fn listen(mut store: Access<'_, U, Self>, fd: Fd) -> SocketResult<StreamReader<Fd>> {
        let (checking, waiting) = {
            let mut view = store.get();
            (view.table().get(&fd)?.socket.check_listen()?, view.ctx().waiting())
        };
        let any = match checking {
            Some(checking) => Some(checked::<Awaits>(&waiting, checking).await??),
            None => None,
        };
        let view = store.getter();
        let listener = {
            let mut view = store.get();
            let socket = &mut view.table().get_mut(&fd)?.socket;
            if let Some(any) = any {
                socket.bind(any)?;
            }
            socket.listen()?;
            socket.listener()?
        };
        let connections = Connections::new(listener, waiting, view);
        StreamReader::new(&mut store, connections).map_err(super::SocketError::Trap)
    }

    fn send(mut store: Access<'_, U, Self>, fd: Fd, data: StreamReader<u8>) -> wasmtime::Result<Ended> {
        let (output, waiting) = {
            let mut view = store.get();
            (view.table().get_mut(&fd)?.output.take(), view.ctx().waiting())
        };
        let Some(output) = output else {
            return completion::no_sink(store, data, NO_STREAM);
        };
        let (teller, ended) = completion::future(&mut store, &waiting)?;
        data.pipe(&mut store, Consumer::new(Box::new(output), waiting, teller))?;
        Ok(ended)
    }

    fn receive(mut store: Access<'_, U, Self>, fd: Fd) -> wasmtime::Result<(StreamReader<u8>, Ended)> {
        let (input, waiting) = {
            let mut view = store.get();
            (view.table().get_mut(&fd)?.input.take(), view.ctx().waiting())
        };
        let Some(input) = input else {
            return completion::no_source(store, NO_STREAM);
        };
        let (teller, ended) = completion::future(&mut store, &waiting)?;
        // Nobody else receives from it.
        let stream = ReadAhead::new(Box::new(input.end_on_drop()));
        Ok((StreamReader::new(&mut store, Producer::new(Box::new(stream), waiting, teller))?, ended))
    }
}
