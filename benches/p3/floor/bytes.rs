//! Bytes, straight from and to the guest's memory.

use bytes::{Bytes, BytesMut};
use rustix::fd::OwnedFd;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;
use wasmtime::component::{Destination, Source as Given, StreamConsumer, StreamProducer, StreamResult};
use wasmtime::{Result, StoreContextMut};

type Polled = Poll<Result<StreamResult>>;

/// What is done at a socket, until it would block.
fn at_socket(
    mut op: impl FnMut() -> io::Result<usize>,
    mut ready: impl FnMut() -> Poll<io::Result<()>>,
) -> Poll<usize> {
    loop {
        match op() {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => ready!(ready()).expect("a socket"),
            // A connection that was reset has ended.
            done => return Poll::Ready(done.unwrap_or(0)),
        }
    }
}

/// Where a guest reads from.
pub(super) enum Source {
    /// From an offset on.
    File(Arc<OwnedFd>, u64),
    Memory(Bytes),
    Tcp(Arc<TcpStream>),
}

impl<D: 'static> StreamProducer<D> for Source {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        to: Destination<'a, u8, BytesMut>,
        finish: bool,
    ) -> Polled {
        let mut to = to.as_direct(store, 0);
        let buf = to.remaining();
        let n = match &mut *self {
            Self::File(file, at) => {
                let n = rustix::io::pread(file, buf, *at)?;
                *at += n as u64;
                n
            }
            Self::Memory(bytes) => {
                let some = bytes.split_to(buf.len().min(bytes.len()));
                buf[..some.len()].copy_from_slice(&some);
                some.len()
            }
            Self::Tcp(tcp) => match at_socket(|| tcp.try_read(buf), || tcp.poll_read_ready(cx)) {
                Poll::Ready(n) => n,
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
            },
        };
        to.mark_written(n);
        Poll::Ready(Ok(if n == 0 { StreamResult::Dropped } else { StreamResult::Completed }))
    }
}

/// Where a guest writes to.
pub(super) enum Sink {
    /// From an offset on.
    File(Arc<OwnedFd>, u64),
    Memory(Arc<Mutex<Vec<u8>>>),
    Tcp(Arc<TcpStream>),
}

impl<D: 'static> StreamConsumer<D> for Sink {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        from: Given<'_, u8>,
        finish: bool,
    ) -> Polled {
        let mut from = from.as_direct(store);
        let bytes = from.remaining();
        let n = match &mut *self {
            Self::File(file, at) => {
                let n = rustix::io::pwrite(file, bytes, *at)?;
                *at += n as u64;
                n
            }
            Self::Memory(all) => {
                all.lock().expect("no panic").extend_from_slice(bytes);
                bytes.len()
            }
            Self::Tcp(tcp) => match at_socket(|| tcp.try_write(bytes), || tcp.poll_write_ready(cx)) {
                Poll::Ready(n) => n,
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
            },
        };
        from.mark_read(n);
        Poll::Ready(Ok(if n == 0 { StreamResult::Dropped } else { StreamResult::Completed }))
    }
}
