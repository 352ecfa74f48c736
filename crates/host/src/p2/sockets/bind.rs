//! The functions of `wasi:sockets/tcp` and `wasi:sockets/udp` as both outputs of the generator have them, each with types
//! of its own.

use super::*;
use crate::mode::{Awaits, Blocks, now};
use crate::p2::end;
use crate::sockets::{tcp_options, udp_options};
use wasi_host_bindings::Step;
use wasi_host_core::net::{Shutdown, TcpOption, TcpOptionName, UdpOption, UdpOptionName};

macro_rules! implement {
    ($kind:ident $M:ident [$($async:ident)?] $tcp:path, $udp:path) => { const _: () = {
        use $tcp as tcp;
        use $udp as udp;

        type Fd = Resource<TcpSocket>;
        type UdpFd = Resource<UdpSocket>;

        impl<T: WasiView> tcp::Host for WasiImpl<T> {}

        impl<T: WasiView> tcp::HostTcpSocket for WasiImpl<T> {
            $($async)? fn start_bind(&mut self, fd: Fd, network: Resource<Network>, to: IpSocketAddress) -> SocketResult<()> {
                self.table().get(&network)?;
                end!($kind with_address::<$M, _, _>(self, &fd, |s| s.check_bind(to.into()), |s, addr| {
                    s.begin(Step::Bind, |s| s.bind(addr))
                }))
            }

            fn finish_bind(&mut self, fd: Fd) -> SocketResult<()> {
                Ok(self.table().get_mut(&fd)?.finish(Step::Bind)?)
            }

            $($async)? fn start_connect(
                &mut self,
                fd: Fd,
                network: Resource<Network>,
                to: IpSocketAddress,
            ) -> SocketResult<()> {
                self.table().get(&network)?;
                end!($kind with_address::<$M, _, _>(self, &fd, |s| s.check_connect(to.into()), |s, addr| {
                    s.get_mut().connect(addr)
                }))
            }

            fn finish_connect(&mut self, fd: Fd) -> SocketResult<Streams> {
                finish_connect::<$M>(self, &fd)
            }

            fn start_listen(&mut self, fd: Fd) -> SocketResult<()> {
                Ok(self.table().get_mut(&fd)?.begin(Step::Listen, |s| s.listen())?)
            }

            fn finish_listen(&mut self, fd: Fd) -> SocketResult<()> {
                Ok(self.table().get_mut(&fd)?.finish(Step::Listen)?)
            }

            fn accept(&mut self, fd: Fd) -> SocketResult<(Fd, Resource<InputStream>, Resource<OutputStream>)> {
                accept::<$M>(self, &fd)
            }

            fn local_address(&mut self, fd: Fd) -> SocketResult<IpSocketAddress> {
                let socket = self.table().get(&fd)?;
                if socket.has_begun(Step::Bind) {
                    return Err(Error::InvalidState.into());
                }
                Ok(socket.get().local_address()?.into())
            }

            fn remote_address(&mut self, fd: Fd) -> SocketResult<IpSocketAddress> {
                Ok(self.table().get(&fd)?.get().remote_address()?.into())
            }

            fn is_listening(&mut self, fd: Fd) -> wasmtime::Result<bool> {
                let socket = self.table().get(&fd)?;
                Ok(socket.get().is_listening() && !socket.has_begun(Step::Listen))
            }

            fn address_family(&mut self, fd: Fd) -> wasmtime::Result<IpAddressFamily> {
                Ok(self.table().get(&fd)?.get().family().into())
            }

            fn set_listen_backlog_size(&mut self, fd: Fd, n: u64) -> SocketResult<()> {
                Ok(self.table().get_mut(&fd)?.get_mut().set_backlog(n)?)
            }

            tcp_options!(Fd, SocketResult, TcpSocket::get;
                keep_alive_enabled keep_alive_idle_time keep_alive_interval keep_alive_count
                hop_limit receive_buffer_size send_buffer_size);

            fn subscribe(&mut self, fd: Fd) -> wasmtime::Result<Resource<Pollable>> {
                subscribe(self.table(), fd)
            }

            fn shutdown(&mut self, fd: Fd, how: tcp::ShutdownType) -> SocketResult<()> {
                let how = match how {
                    tcp::ShutdownType::Receive => Shutdown::Receive,
                    tcp::ShutdownType::Send => Shutdown::Send,
                    tcp::ShutdownType::Both => Shutdown::Both,
                };
                Ok(self.table().get_mut(&fd)?.get_mut().shutdown(how)?)
            }

            fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
                self.table().delete(fd)?;
                Ok(())
            }
        }

        impl<T: WasiView> udp::Host for WasiImpl<T> {}

        impl<T: WasiView> udp::HostUdpSocket for WasiImpl<T> {
            $($async)? fn start_bind(
                &mut self,
                fd: UdpFd,
                network: Resource<Network>,
                to: IpSocketAddress,
            ) -> SocketResult<()> {
                self.table().get(&network)?;
                end!($kind with_address::<$M, _, _>(self, &fd, |s| s.check_bind(to.into()), |s, addr| {
                    s.begin(Step::Bind, |s| s.bind(addr))
                }))
            }

            fn finish_bind(&mut self, fd: UdpFd) -> SocketResult<()> {
                Ok(self.table().get_mut(&fd)?.finish(Step::Bind)?)
            }

            $($async)? fn stream(
                &mut self,
                fd: UdpFd,
                peer: Option<IpSocketAddress>,
            ) -> SocketResult<(Resource<UdpInput>, Resource<UdpOutput>)> {
                let (input, output) = match peer {
                    None => self.table().get_mut(&fd)?.free(Error::ConcurrencyConflict)?.stream(None)?,
                    Some(peer) => {
                        end!($kind with_address::<$M, _, _>(self, &fd, |s| s.check_stream(peer.into()), |s, addr| {
                            s.get_mut().stream(Some(addr))
                        }))?
                    }
                };
                Ok((self.table().push(input)?, self.table().push(output)?))
            }

            fn local_address(&mut self, fd: UdpFd) -> SocketResult<IpSocketAddress> {
                Ok(self.table().get_mut(&fd)?.free(Error::InvalidState)?.local_address()?.into())
            }

            fn remote_address(&mut self, fd: UdpFd) -> SocketResult<IpSocketAddress> {
                Ok(self.table().get(&fd)?.get().remote_address()?.into())
            }

            fn address_family(&mut self, fd: UdpFd) -> wasmtime::Result<IpAddressFamily> {
                Ok(self.table().get(&fd)?.get().family().into())
            }

            udp_options!(UdpFd, SocketResult, UdpSocket::get;
                unicast_hop_limit receive_buffer_size send_buffer_size);

            fn subscribe(&mut self, fd: UdpFd) -> wasmtime::Result<Resource<Pollable>> {
                subscribe(self.table(), fd)
            }

            fn drop(&mut self, fd: UdpFd) -> wasmtime::Result<()> {
                self.table().delete(fd)?;
                Ok(())
            }
        }

        impl<T: WasiView> udp::HostIncomingDatagramStream for WasiImpl<T> {
            fn receive(&mut self, from: Resource<UdpInput>, most: u64) -> SocketResult<Vec<udp::IncomingDatagram>> {
                let datagrams = self.table().get_mut(&from)?.receive(most)?;
                let incoming = |d: Datagram| udp::IncomingDatagram { data: d.data, remote_address: d.from.into() };
                Ok(datagrams.into_iter().map(incoming).collect())
            }

            fn subscribe(&mut self, to: Resource<UdpInput>) -> wasmtime::Result<Resource<Pollable>> {
                subscribe(self.table(), to)
            }

            fn drop(&mut self, stream: Resource<UdpInput>) -> wasmtime::Result<()> {
                self.table().delete(stream)?;
                Ok(())
            }
        }

        impl<T: WasiView> udp::HostOutgoingDatagramStream for WasiImpl<T> {
            fn check_send(&mut self, to: Resource<UdpOutput>) -> SocketResult<u64> {
                Ok(self.table().get_mut(&to)?.check_send()?)
            }

            $($async)? fn send(
                &mut self,
                to: Resource<UdpOutput>,
                datagrams: Vec<udp::OutgoingDatagram>,
            ) -> SocketResult<u64> {
                let datagrams = datagrams.into_iter().map(|d| (d.data, d.remote_address));
                end!($kind send::<$M>(self, &to, datagrams))
            }

            fn subscribe(&mut self, to: Resource<UdpOutput>) -> wasmtime::Result<Resource<Pollable>> {
                subscribe(self.table(), to)
            }

            fn drop(&mut self, stream: Resource<UdpOutput>) -> wasmtime::Result<()> {
                self.table().delete(stream)?;
                Ok(())
            }
        }
    }; };
}

implement!(blocking Blocks [] p2::sync::sockets::tcp, p2::sync::sockets::udp);
implement!(awaiting Awaits [async] p2::sockets::tcp, p2::sockets::udp);
