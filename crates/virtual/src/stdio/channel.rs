//! Output that goes to another thread or task.

use super::block;
use super::pipe::{Reader, Writer, pipe};
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// An output for a guest, and what receives it. Up to `bound` bytes are on the way: then the guest waits until some are
/// received, so somebody has to receive while it runs.
///
/// ```
/// use std::thread;
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_virtual::stdio::channel;
///
/// let (stdout, receiver) = channel(64 << 10);
/// let received = thread::spawn(move || receiver.map(|bytes| bytes.len()).sum::<usize>());
/// stdout.stream().write("hello".into()).unwrap();
/// drop(stdout);
/// assert_eq!(received.join().unwrap(), 5);
/// ```
pub fn channel(bound: usize) -> (ChannelOutput, Receiver) {
    let (writer, reader) = pipe(bound);
    (ChannelOutput { writer: Arc::new(writer), permit: 0, ended: false }, Receiver(reader))
}

/// A guest's end of a [`channel`]. All clones lead to the same receiver; to a guest, a receiver that was dropped is a closed
/// pipe.
#[derive(Debug)]
pub struct ChannelOutput {
    writer: Arc<Writer>,
    /// What is left of what it was last permitted, as one of several streams.
    permit: usize,
    ended: bool,
}

impl Clone for ChannelOutput {
    fn clone(&self) -> Self {
        Self { writer: self.writer.clone(), permit: 0, ended: false }
    }
}

#[async_trait::async_trait]
impl Subscribe for ChannelOutput {
    async fn ready(&mut self) {
        if !self.ended {
            self.writer.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        if self.ended { Wait::Ready } else { self.writer.wait() }
    }
}

impl HostOutputStream for ChannelOutput {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.open()?;
        self.permit = self.writer.room().map_err(told)?;
        Ok(self.permit)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        self.open()?;
        if src.len() > self.permit.max(self.writer.room().map_err(told)?) {
            return Err(StreamError::trap("more is written than check-write has permitted"));
        }
        self.permit = self.permit.saturating_sub(src.len());
        self.writer.put_all(src).map_err(told)
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        self.open()?;
        self.permit = 0;
        self.writer.put_some(src).map_err(told)
    }

    /// What is in the channel is out.
    fn flush(&mut self) -> StreamResult<()> {
        self.open()?;
        self.writer.room().map(drop).map_err(told)
    }

    fn end(&mut self) -> StreamResult<()> {
        self.ended = true;
        Ok(())
    }
}

impl ChannelOutput {
    fn open(&self) -> StreamResult<()> {
        if self.ended { Err(StreamError::Closed) } else { Ok(()) }
    }
}

fn told(e: Errno) -> StreamError {
    if e == Errno::Pipe { StreamError::Closed } else { e.into() }
}

impl StdoutStream for ChannelOutput {
    fn stream(&self) -> OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// The host's end of a [`channel`]. It ends when all clones and streams of the other end have been dropped, among them
/// the one that a guest's context keeps, and what they wrote has been received.
///
/// As an iterator and as a reader it blocks the thread, which must not be the guest's.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// # use wasi_host_core::stdio::StdoutStream;
/// # use wasi_host_virtual::stdio::channel;
/// # let (stdout, receiver) = channel(100);
/// # let guest = std::thread::spawn(move || stdout.stream().write("one\ntwo\n".into()));
/// let lines: Vec<String> = BufReader::new(receiver).lines().collect::<Result<_, _>>()?;
/// assert_eq!(lines, ["one", "two"]);
/// # guest.join().unwrap().unwrap();
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Receiver(Reader);

impl Receiver {
    /// All that has come, empty if that is nothing yet; `None` at the end.
    pub fn try_recv(&self) -> Option<Bytes> {
        self.0.take_all()
    }

    /// Waits until something has come, blocking the thread; `None` at the end.
    pub fn recv(&self) -> Option<Bytes> {
        block::on(self.recv_async())
    }

    /// Waits until something has come; `None` at the end. Dropped before that it has taken nothing.
    pub async fn recv_async(&self) -> Option<Bytes> {
        loop {
            let bytes = self.try_recv()?;
            if !bytes.is_empty() {
                return Some(bytes);
            }
            self.0.ready().await;
        }
    }
}

impl Iterator for Receiver {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.recv()
    }
}

impl io::Read for Receiver {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.take_into(buf) {
                Some(0) if !buf.is_empty() => block::on(self.0.ready()),
                n => return Ok(n.unwrap_or(0)),
            }
        }
    }
}
