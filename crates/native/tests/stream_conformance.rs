//! Streams over what the operating system and tokio have do what their guests rely on.

mod sockets;

use rustix::pipe::{PipeFlags, pipe_with};
use sockets::{Connection, HERE, connect, sockets};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use wasi_host_core::Result;
use wasi_host_core::conformance::stream::{Input, Output, input, output};
use wasi_host_core::net::{Sockets, Undelivered};
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::wait::{BoxFuture, Event, Wait, Waiter};
use wasi_host_native::stdio::{InputFile, OutputFile};
use wasi_host_native::wait::Poller;

/// What a reader gives now, without waiting.
fn now(mut from: impl Read) -> Vec<u8> {
    let mut got = Vec::new();
    let mut buf = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buf) {
        got.extend_from_slice(&buf[..n]);
    }
    got
}

/// A pipe; what is not the guest's end of it does not wait.
fn pipe() -> (File, File) {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    (read.into(), write.into())
}

#[test]
fn pipes() {
    let waiter = Poller::default();
    output(&waiter, || {
        let (read, write) = pipe();
        rustix::io::ioctl_fionbio(&read, true).unwrap();
        Output::new(OutputFile::new(write).stream(), move || now(&read)).hangs_up()
    });
    input(&waiter, |bytes| {
        let (read, mut write) = pipe();
        write.write_all(bytes).unwrap();
        Input::fed(InputFile::new(read).stream(), move |bytes| {
            // Nobody may be reading any more.
            let _ = write.write_all(bytes);
        })
    });
}

#[test]
fn files() {
    let waiter = Poller::default();
    output(&waiter, || {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = file.reopen().unwrap();
        Output::new(OutputFile::new(write).stream(), move || now(file.as_file()))
    });
    input(&waiter, |bytes| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Input::whole(InputFile::new(file.reopen().unwrap()).stream())
    });
}

/// Waits, and delivers meanwhile what a connection has not taken at once, as whoever hosts a guest does.
struct Delivering(Poller, Undelivered);

impl Waiter for Delivering {
    fn any(
        &self,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<()> {
        let before = ended.len();
        loop {
            let pending = self.1.pending();
            let all: Vec<_> = waits.iter().copied().chain(pending.iter().map(|o| o.wait())).collect();
            self.0.any(&all, futures, ended)?;
            for event in ended.iter().filter(|event| event.index >= waits.len()) {
                pending[event.index - waits.len()].drain();
            }
            ended.retain(|event| event.index < waits.len());
            if ended.len() > before {
                return Ok(());
            }
        }
    }
}

fn connection(sockets: &Sockets) -> (Connection, TcpStream) {
    let listener = TcpListener::bind(HERE).unwrap();
    let ours = connect(sockets, listener.local_addr().unwrap());
    (ours, listener.accept().unwrap().0)
}

#[test]
fn connections() {
    let sockets = sockets();
    let waiter = Delivering(Poller::default(), sockets.undelivered().clone());
    output(&waiter, || {
        let (ours, theirs) = connection(&sockets);
        theirs.set_nonblocking(true).unwrap();
        Output::new(Box::new(ours.output), move || now(&theirs)).hangs_up()
    });
    input(&waiter, |bytes| {
        let (ours, mut theirs) = connection(&sockets);
        theirs.write_all(bytes).unwrap();
        Input::fed(Box::new(ours.input), move |bytes| {
            // Nobody may be reading any more.
            let _ = theirs.write_all(bytes);
        })
    });
}

#[cfg(feature = "async")]
mod tokio_streams {
    use super::*;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
    use wasi_host_native::pipe::{AsyncReadStream, AsyncStdinStream, AsyncStdoutStream, AsyncWriteStream};
    use wasi_host_native::runtime::in_tokio;

    /// What is read from a duplex now. Nobody is woken by it.
    fn now(from: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
        use std::task::{Context, Poll, Waker};
        let mut got = Vec::new();
        loop {
            let mut future = Box::pin(from.read_buf(&mut got));
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(1..)) => {}
                _ => break,
            }
        }
        got
    }

    fn fed<W: AsyncWrite + Send + Unpin + 'static>(
        bytes: &[u8],
        mut to: W,
    ) -> impl FnMut(&[u8]) + Send + use<W> {
        let mut feed = move |bytes: &[u8]| {
            // Nobody may be reading any more.
            let _ = in_tokio(to.write_all(bytes));
        };
        feed(bytes);
        feed
    }

    #[test]
    fn outputs() {
        let waiter = Poller::default();
        for budget in [100, 5000] {
            output(&waiter, || {
                let (ours, mut theirs) = duplex(4096);
                let stream = AsyncWriteStream::new(budget, ours);
                Output::new(Box::new(stream), move || now(&mut theirs)).hangs_up()
            });
            output(&waiter, || {
                let (ours, mut theirs) = duplex(4096);
                let stdout = AsyncStdoutStream::new(AsyncWriteStream::new(budget, ours));
                Output::new(stdout.stream(), move || now(&mut theirs)).hangs_up()
            });
        }
    }

    #[test]
    fn inputs() {
        let waiter = Poller::default();
        input(&waiter, |bytes| {
            let (ours, theirs) = duplex(5000);
            Input::fed(Box::new(AsyncReadStream::new(ours)), fed(bytes, theirs))
        });
        input(&waiter, |bytes| {
            let (ours, theirs) = duplex(5000);
            let stdin = AsyncStdinStream::new(AsyncReadStream::new(ours));
            Input::fed(stdin.stream(), fed(bytes, theirs))
        });
    }
}
