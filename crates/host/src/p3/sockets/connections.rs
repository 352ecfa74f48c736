//! The connections that come in, as a stream.

use crate::mode::{Awaits, Pause};
use crate::p3::held::{Awaited, Step};
use crate::view::{WasiImpl, WasiView};
use crate::waiting::Waiting;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasi_host_bindings::Connection;
use wasi_host_core::net::Listener;
use wasi_host_core::stream::Subscribe;
use wasi_host_core::wait::Wait;
use wasmtime::component::{Destination, Resource, StreamProducer, StreamResult, VecBuffer};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// So many are accepted at a time.
const MANY: usize = 64;

/// Accepts as many as the guest has room for, and none before it asks.
pub(super) struct Connections<U: 'static, T: 'static> {
    listener: Awaited<Listener>,
    view: fn(&mut U) -> WasiImpl<&mut T>,
}

impl<U, T> Connections<U, T> {
    pub(super) fn new(
        listener: Listener,
        waiting: Arc<Waiting>,
        view: fn(&mut U) -> WasiImpl<&mut T>,
    ) -> Self {
        Self { listener: Awaited::new(listener, waiting), view }
    }
}

impl<U: 'static, T: WasiView + 'static> StreamProducer<U> for Connections<U, T> {
    type Item = Resource<Connection>;
    type Buffer = VecBuffer<Resource<Connection>>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, U>,
        mut to: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let this = &mut *self;
        // What is accepted and not taken would stay in the table: never more than there is room for.
        let room = to.remaining(store.as_context_mut()).map_or(1, |n| n.min(MANY));
        let mut view = (this.view)(store.data_mut());
        let step = this.listener.step(cx, finish, |listener, waited| {
            // A read of nothing asks whether a connection is there.
            if room == 0 {
                return (waited || matches!(listener.wait(), Wait::Ready)).then_some(Ok(Some(Vec::new())));
            }
            if listener.has_ended() {
                return Some(Ok(None));
            }
            let mut accepted = Vec::new();
            while accepted.len() < room
                // Whatever befell a connection that was about to come in, there will be others.
                && let Ok(connection) = listener.accept()
            {
                match view.table().push(Connection::connected(connection)) {
                    Ok(connection) => accepted.push(connection),
                    Err(e) => return Some(Err(e)),
                }
            }
            (!accepted.is_empty()).then_some(Ok(Some(accepted)))
        });
        match ready!(step) {
            Ok(Step::Done(accepted)) => {
                let Some(accepted) = accepted? else { return Poll::Ready(Ok(StreamResult::Dropped)) };
                if !accepted.is_empty() {
                    let waiting = view.ctx().waiting();
                    waiting.delivery.begin::<Awaits>(&waiting.waiter);
                    to.set_buffer(accepted.into());
                }
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Ok(Step::Cancelled) => Poll::Ready(Ok(StreamResult::Cancelled)),
            // Nor is there anything to be accepted where the host cannot wait for it.
            Ok(Step::Ended) | Err(Pause::Errno(_)) => Poll::Ready(Ok(StreamResult::Dropped)),
            Err(stop) => Poll::Ready(Err(stop.into())),
        }
    }
}
