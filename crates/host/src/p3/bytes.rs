//! The one producer and the one consumer of bytes: between the guest's memory and a stream of the core.

use super::completion::{End, Teller, after_its_end, outcome};
use super::held::{Awaited, Step};
use crate::mode::Pause;
use crate::waiting::Waiting;
use bytes::BytesMut;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasi_host_core::Errno;
use wasi_host_core::slots::Slot;
use wasi_host_core::stream::{InputStream, OutputStream, StreamError, within};
use wasi_host_core::wait::Wait;
use wasmtime::component::{Destination, Source, StreamConsumer, StreamProducer, StreamResult};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// What is moved at once at most: the guest may lend any amount of its memory.
const MOST: usize = 1 << 20;

/// What is moved at once between two ends that are both the host's, …
const STEP: usize = 64 << 10;

/// … so many times in turn.
const TURN: usize = 16;

/// Reads a stream straight into the guest's memory. It holds nothing that was read: so a read that is taken back loses
/// nothing, and who reads slowly keeps the host's memory free.
pub(super) struct Producer {
    stream: Awaited<InputStream>,
    told: Option<Teller>,
    /// Steps since others had their turn.
    steps: usize,
    slot: Option<Slot>,
}

impl Producer {
    pub(super) fn new(stream: InputStream, waiting: Arc<Waiting>, teller: Teller) -> Self {
        Self { stream: Awaited::new(stream, waiting), told: Some(teller), steps: 0, slot: None }
    }

    /// The same, which counts for as long as it is there.
    pub(super) fn holding(self, slot: Slot) -> Self {
        Self { slot: Some(slot), ..self }
    }

    /// Where both ends are the host's, nobody but the streams says when to stop: others shall run in between.
    fn take_turns(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Pause>> {
        self.stream.interrupted()?;
        self.steps = (self.steps + 1) % TURN;
        if self.steps == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn end(&mut self, e: StreamError) -> Poll<Result<StreamResult>> {
        drop((self.stream.take(), self.slot.take()));
        let ended = outcome(e, Ok(()))?;
        if let Some(teller) = self.told.take() {
            let _ = teller.send(End::Told(ended));
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl<D: 'static> StreamProducer<D> for Producer {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        to: Destination<'a, u8, BytesMut>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let room = to.remaining(store.as_context_mut());
        if room.is_none() && !finish {
            ready!(self.take_turns(cx))?;
        }
        // A read of nothing asks whether one of something would wait. It reads nothing ahead.
        let asks = room == Some(0);
        let mut to = to.as_direct(store, STEP);
        let step = self.stream.step(cx, finish, |stream, waited| {
            if asks {
                return (waited || matches!(stream.wait(), Wait::Ready)).then_some(Ok(0));
            }
            let room = to.remaining();
            let len = room.len().min(MOST);
            match stream.read_into(&mut room[..len]) {
                Ok(0) => None,
                read => Some(read.and_then(|n| within(n, len))),
            }
        });
        match ready!(step) {
            Ok(Step::Done(Ok(0))) => Poll::Ready(Ok(StreamResult::Completed)),
            Ok(Step::Done(Ok(n))) => {
                to.mark_written(n);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Ok(Step::Done(Err(e))) => self.end(e),
            Ok(Step::Cancelled) => Poll::Ready(Ok(StreamResult::Cancelled)),
            Ok(Step::Ended) => Poll::Ready(Ok(StreamResult::Dropped)),
            Err(Pause::Errno(e)) => self.end(e.into()),
            Err(stop) => Poll::Ready(Err(stop.into())),
        }
    }
}

/// Writes from the guest's memory straight to a stream, as much at a time as that takes.
pub(super) struct Consumer {
    stream: Awaited<OutputStream>,
    told: Option<Teller>,
    slot: Option<Slot>,
}

impl Consumer {
    pub(super) fn new(stream: OutputStream, waiting: Arc<Waiting>, teller: Teller) -> Self {
        Self { stream: Awaited::new(stream, waiting), told: Some(teller), slot: None }
    }

    /// The same, which counts until all that it took is out.
    pub(super) fn holding(mut self, slot: Slot) -> Self {
        self.slot = Some(slot);
        self
    }

    fn tell(&mut self, end: End) {
        if let Some(teller) = self.told.take() {
            let _ = teller.send(end);
        }
    }

    fn end(&mut self, e: StreamError) -> Poll<Result<StreamResult>> {
        drop((self.stream.take(), self.slot.take()));
        self.tell(End::Told(outcome(e, Err(Errno::Pipe))?));
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl<D: 'static> StreamConsumer<D> for Consumer {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        from: Source<'_, u8>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let mut from = from.as_direct(store);
        let step = self.stream.step(cx, finish, |stream, _| {
            let bytes = from.remaining();
            // A write of nothing asks whether there is room.
            let written = match bytes.len().min(MOST) {
                0 => stream.check_write(),
                len => stream.write_some(&bytes[..len]),
            };
            match written {
                Ok(0) => None,
                Ok(n) => Some(Ok(n.min(bytes.len()))),
                Err(e) => Some(Err(e)),
            }
        });
        match ready!(step) {
            Ok(Step::Done(Ok(n))) => {
                from.mark_read(n);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Ok(Step::Done(Err(e))) => self.end(e),
            Ok(Step::Cancelled) => Poll::Ready(Ok(StreamResult::Cancelled)),
            Ok(Step::Ended) => Poll::Ready(Ok(StreamResult::Dropped)),
            Err(Pause::Errno(e)) => self.end(e.into()),
            Err(stop) => Poll::Ready(Err(stop.into())),
        }
    }
}

/// The guest has dropped its end: what was accepted goes out, and only when it has does the future say so.
impl Drop for Consumer {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        let end = match stream.end().and_then(|()| stream.check_write()) {
            Ok(0) => End::Delivering(stream, self.slot.take()),
            Ok(_) => End::Told(Ok(())),
            Err(e) => End::Told(after_its_end(e)),
        };
        self.tell(end);
    }
}
