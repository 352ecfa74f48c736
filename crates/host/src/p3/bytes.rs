//! The one producer and the one consumer of bytes: between the guest's memory and a stream of the core.

use super::completion::{End, Teller, outcome};
use super::held::Awaited;
use super::pending;
use crate::waiting::Waiting;
use bytes::BytesMut;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasi_host_core::Errno;
use wasi_host_core::stream::{InputStream, OutputStream, StreamError};
use wasi_host_core::wait::Wait;
use wasmtime::component::{Destination, Source, StreamConsumer, StreamProducer, StreamResult};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// What is moved at once between two ends that are both the host's.
const STEP: usize = 64 << 10;

/// Reads a stream straight into the guest's memory. It holds nothing that was read: so a read that is taken back loses
/// nothing, and who reads slowly keeps the host's memory free.
pub(super) struct Producer {
    stream: Awaited<InputStream>,
    told: Option<Teller>,
}

impl Producer {
    pub(super) fn new(stream: InputStream, waiting: Arc<Waiting>, teller: Teller) -> Self {
        Self { stream: Awaited::new(stream, waiting), told: Some(teller) }
    }

    fn end(&mut self, e: StreamError) -> Poll<Result<StreamResult>> {
        drop(self.stream.take());
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
        if finish {
            self.stream.recall();
        }
        // A read of nothing asks whether one of something would wait. It reads nothing ahead.
        let asks = to.remaining(store.as_context_mut()) == Some(0);
        let mut to = to.as_direct(store, STEP);
        loop {
            let stream = match self.stream.poll(cx) {
                Poll::Ready(stream) => stream?,
                Poll::Pending => return pending(finish),
            };
            let Some((stream, waited)) = stream else { return Poll::Ready(Ok(StreamResult::Dropped)) };
            if asks && (waited || matches!(stream.wait(), Wait::Ready)) {
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            if !asks {
                match stream.read_into(to.remaining()) {
                    Ok(0) => {}
                    Ok(n) => {
                        to.mark_written(n);
                        return Poll::Ready(Ok(StreamResult::Completed));
                    }
                    Err(e) => return self.end(e),
                }
            }
            if finish {
                return pending(finish);
            }
            if waited {
                // It was worth asking, and yet there was nothing: others shall run before it is asked again.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.stream.wait();
        }
    }
}

/// Writes from the guest's memory straight to a stream, as much at a time as that takes.
pub(super) struct Consumer {
    stream: Awaited<OutputStream>,
    told: Option<Teller>,
}

impl Consumer {
    pub(super) fn new(stream: OutputStream, waiting: Arc<Waiting>, teller: Teller) -> Self {
        Self { stream: Awaited::new(stream, waiting), told: Some(teller) }
    }

    fn tell(&mut self, end: End) {
        if let Some(teller) = self.told.take() {
            let _ = teller.send(end);
        }
    }

    fn end(&mut self, e: StreamError) -> Poll<Result<StreamResult>> {
        drop(self.stream.take());
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
        if finish {
            self.stream.recall();
        }
        let mut from = from.as_direct(store);
        loop {
            let stream = match self.stream.poll(cx) {
                Poll::Ready(stream) => stream?,
                Poll::Pending => return pending(finish),
            };
            let Some((stream, waited)) = stream else { return Poll::Ready(Ok(StreamResult::Dropped)) };
            let bytes = from.remaining();
            // A write of nothing asks whether there is room.
            let written = if bytes.is_empty() { stream.check_write() } else { stream.write_some(bytes) };
            match written {
                Ok(0) => {}
                Ok(n) => {
                    if !bytes.is_empty() {
                        from.mark_read(n);
                    }
                    return Poll::Ready(Ok(StreamResult::Completed));
                }
                Err(e) => return self.end(e),
            }
            if finish {
                return pending(finish);
            }
            if waited {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.stream.wait();
        }
    }
}

/// The guest has dropped its end: what was accepted goes out, and only when it has does the future say so.
impl Drop for Consumer {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        let end = match stream.end().and_then(|()| stream.check_write()) {
            Ok(0) => End::Delivering(stream),
            Ok(_) | Err(StreamError::Closed) => End::Told(Ok(())),
            Err(e) => End::Told(outcome(e, Ok(())).unwrap_or(Err(Errno::Io))),
        };
        self.tell(end);
    }
}
