//! The functions of `wasi:sockets/tcp` and `wasi:sockets/udp` as both outputs of the generator have them, each with types
//! of its own.

use super::*;
use crate::mode::{Awaits, Blocks, now};
use crate::p2::end;
use crate::sockets::{nanoseconds, option};
use std::time::Duration;
use wasi_host_bindings::Step;
use wasi_host_core::net::{Shutdown, TcpOption, TcpOptionName, UdpOption, UdpOptionName};

fn set(view: &mut impl WasiView, fd: &Resource<TcpSocket>, option: TcpOption) -> SocketResult<()> {
    Ok(view.table().get(fd)?.get().set(option)?)
}

fn set_udp(view: &mut impl WasiView, fd: &Resource<UdpSocket>, option: UdpOption) -> SocketResult<()> {
    Ok(view.table().get(fd)?.get().set(option)?)
}

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

            fn keep_alive_enabled(&mut self, fd: Fd) -> SocketResult<bool> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::KeepAlive, TcpOption::KeepAlive)
            }

            fn set_keep_alive_enabled(&mut self, fd: Fd, on: bool) -> SocketResult<()> {
                set(self, &fd, TcpOption::KeepAlive(on))
            }

            fn keep_alive_idle_time(&mut self, fd: Fd) -> SocketResult<u64> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::KeepAliveIdleTime, TcpOption::KeepAliveIdleTime).map(nanoseconds)
            }

            fn set_keep_alive_idle_time(&mut self, fd: Fd, span: u64) -> SocketResult<()> {
                set(self, &fd, TcpOption::KeepAliveIdleTime(Duration::from_nanos(span)))
            }

            fn keep_alive_interval(&mut self, fd: Fd) -> SocketResult<u64> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::KeepAliveInterval, TcpOption::KeepAliveInterval).map(nanoseconds)
            }

            fn set_keep_alive_interval(&mut self, fd: Fd, span: u64) -> SocketResult<()> {
                set(self, &fd, TcpOption::KeepAliveInterval(Duration::from_nanos(span)))
            }

            fn keep_alive_count(&mut self, fd: Fd) -> SocketResult<u32> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::KeepAliveCount, TcpOption::KeepAliveCount)
            }

            fn set_keep_alive_count(&mut self, fd: Fd, n: u32) -> SocketResult<()> {
                set(self, &fd, TcpOption::KeepAliveCount(n))
            }

            fn hop_limit(&mut self, fd: Fd) -> SocketResult<u8> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::HopLimit, TcpOption::HopLimit)
            }

            fn set_hop_limit(&mut self, fd: Fd, n: u8) -> SocketResult<()> {
                set(self, &fd, TcpOption::HopLimit(n))
            }

            fn receive_buffer_size(&mut self, fd: Fd) -> SocketResult<u64> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::ReceiveBufferSize, TcpOption::ReceiveBufferSize)
            }

            fn set_receive_buffer_size(&mut self, fd: Fd, n: u64) -> SocketResult<()> {
                set(self, &fd, TcpOption::ReceiveBufferSize(n))
            }

            fn send_buffer_size(&mut self, fd: Fd) -> SocketResult<u64> {
                option!(self.table().get(&fd)?.get(), TcpOptionName::SendBufferSize, TcpOption::SendBufferSize)
            }

            fn set_send_buffer_size(&mut self, fd: Fd, n: u64) -> SocketResult<()> {
                set(self, &fd, TcpOption::SendBufferSize(n))
            }

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

            fn unicast_hop_limit(&mut self, fd: UdpFd) -> SocketResult<u8> {
                option!(self.table().get(&fd)?.get(), UdpOptionName::UnicastHopLimit, UdpOption::UnicastHopLimit)
            }

            fn set_unicast_hop_limit(&mut self, fd: UdpFd, n: u8) -> SocketResult<()> {
                set_udp(self, &fd, UdpOption::UnicastHopLimit(n))
            }

            fn receive_buffer_size(&mut self, fd: UdpFd) -> SocketResult<u64> {
                option!(self.table().get(&fd)?.get(), UdpOptionName::ReceiveBufferSize, UdpOption::ReceiveBufferSize)
            }

            fn set_receive_buffer_size(&mut self, fd: UdpFd, n: u64) -> SocketResult<()> {
                set_udp(self, &fd, UdpOption::ReceiveBufferSize(n))
            }

            fn send_buffer_size(&mut self, fd: UdpFd) -> SocketResult<u64> {
                option!(self.table().get(&fd)?.get(), UdpOptionName::SendBufferSize, UdpOption::SendBufferSize)
            }

            fn set_send_buffer_size(&mut self, fd: UdpFd, n: u64) -> SocketResult<()> {
                set_udp(self, &fd, UdpOption::SendBufferSize(n))
            }

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
