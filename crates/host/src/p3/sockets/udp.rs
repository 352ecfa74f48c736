//! `udp-socket` of `wasi:sockets/types`.

use crate::mode::{Awaits, yield_now};
use crate::sockets::{checked, udp_options};
use crate::view::{HasWasi, WasiImpl, WasiView};
use crate::waiting::Waiting;
use std::net::SocketAddr;
use std::sync::Arc;
use types::{IpAddressFamily, IpSocketAddress};
use wasi_host_bindings::p3::SocketResult;
use wasi_host_bindings::p3::sockets::types;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Checked, Checking, Error, Udp, UdpOption, UdpOptionName};
use wasi_host_core::slots::Slot;
use wasmtime::component::{Accessor, Resource};

type Fd = Resource<Udp>;

/// Asks for an address, and does with it what it was asked for.
async fn with_address<R>(
    view: &mut impl WasiView,
    fd: &Fd,
    checking: Checking,
    op: impl FnOnce(&mut Udp, Checked) -> Result<R, Error>,
) -> SocketResult<R> {
    let addr = checked::<Awaits>(&view.ctx().waiting(), checking).await??;
    Ok(op(view.table().get_mut(fd)?, addr)?)
}

impl<T: WasiView> types::HostUdpSocket for WasiImpl<T> {
    fn create(&mut self, family: IpAddressFamily) -> SocketResult<Fd> {
        let socket = self.ctx().sockets().udp(family.into())?;
        Ok(self.table().push(socket)?)
    }

    async fn bind(&mut self, fd: Fd, to: IpSocketAddress) -> SocketResult<()> {
        let checking = self.table().get(&fd)?.check_bind(to.into())?;
        with_address(self, &fd, checking, |s, addr| s.bind(addr)).await
    }

    async fn connect(&mut self, fd: Fd, to: IpSocketAddress) -> SocketResult<()> {
        let checking = self.table().get(&fd)?.check_connect(to.into())?;
        with_address(self, &fd, checking, |s, addr| s.connect(addr)).await
    }

    fn disconnect(&mut self, fd: Fd) -> SocketResult<()> {
        Ok(self.table().get_mut(&fd)?.disconnect()?)
    }

    fn get_local_address(&mut self, fd: Fd) -> SocketResult<IpSocketAddress> {
        Ok(self.table().get(&fd)?.local_address()?.into())
    }

    fn get_remote_address(&mut self, fd: Fd) -> SocketResult<IpSocketAddress> {
        Ok(self.table().get(&fd)?.remote_address()?.into())
    }

    fn get_address_family(&mut self, fd: Fd) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table().get(&fd)?.family().into())
    }

    udp_options!(Fd, SocketResult, std::convert::identity;
        get_unicast_hop_limit get_receive_buffer_size get_send_buffer_size);

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.table().delete(fd)?;
        Ok(())
    }
}

/// Tries it until it is other than "not yet", waiting in between without the store.
async fn until_done<U, T: WasiView + 'static, R>(
    store: &Accessor<U, HasWasi<T>>,
    fd: &Fd,
    waiting: &Waiting,
    interest: Interest,
    mut op: impl FnMut(&Udp) -> Result<R, Error>,
) -> SocketResult<R> {
    let mut woken = false;
    loop {
        let tried = store.with(|mut store| {
            let mut view = store.get();
            let socket = view.table().get(fd)?;
            SocketResult::Ok(match op(socket) {
                Err(Error::WouldBlock) => Err(socket.readiness(interest)),
                done => Ok(done?),
            })
        })?;
        match tried {
            Ok(done) => return Ok(done),
            Err(mut readiness) => {
                if std::mem::replace(&mut woken, true) {
                    // What others than its peer send makes a socket ready, as often as they like.
                    yield_now().await;
                }
                waiting.pause_for_stream::<Awaits, _>(&mut readiness).await?;
            }
        }
    }
}

/// Asks something of a socket, and how its context waits. A call counts for as long as it is under way: a guest may begin
/// many at once, and each may hold a datagram and wait with a descriptor of its own.
fn begin<U, T: WasiView + 'static, R>(
    store: &Accessor<U, HasWasi<T>>,
    fd: &Fd,
    op: impl FnOnce(&Udp) -> Result<R, Error>,
) -> SocketResult<(R, Arc<Waiting>, Slot)> {
    store.with(|mut store| {
        let mut view = store.get();
        let asked = op(view.table().get(fd)?)?;
        Ok((asked, view.ctx().waiting(), view.ctx().slot()?))
    })
}

impl<U: 'static, T: WasiView + 'static> types::HostUdpSocketWithStore<U> for HasWasi<T> {
    async fn send(
        store: &Accessor<U, Self>,
        fd: Fd,
        data: Vec<u8>,
        to: Option<IpSocketAddress>,
    ) -> SocketResult<()> {
        let to = to.map(SocketAddr::from);
        let ((checking, any), waiting, _slot) =
            begin(store, &fd, |s| Ok((s.check_send(data.len(), to)?, s.check_implicit_bind())))?;
        let to = checked::<Awaits>(&waiting, checking).await??;
        if let Some(any) = any {
            let any = checked::<Awaits>(&waiting, any).await??;
            store.with(|mut store| match store.get().table().get_mut(&fd)?.bind(any) {
                // Somebody else was faster.
                Err(Error::InvalidState) => Ok(()),
                bound => SocketResult::Ok(bound?),
            })?;
        }
        until_done(store, &fd, &waiting, Interest::Write, |s| s.send(&data, &to)).await
    }

    async fn receive(store: &Accessor<U, Self>, fd: Fd) -> SocketResult<(Vec<u8>, IpSocketAddress)> {
        let ((), waiting, _slot) = begin(store, &fd, |_| Ok(()))?;
        let datagram = until_done(store, &fd, &waiting, Interest::Read, Udp::receive).await?;
        Ok((datagram.data, datagram.from.into()))
    }
}
