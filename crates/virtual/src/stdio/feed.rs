//! Input that the host brings as it has it.

use super::block;
use super::pipe::{Reader, Writer, pipe};
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::stdio::StdinStream;
use wasi_host_core::stream::{HostInputStream, InputStream, Scratch, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// An input for a guest, and what feeds it. A guest that reads waits until it is fed; up to `bound` bytes that it has not
/// read are kept for it.
///
/// ```
/// use std::io::Write;
/// use std::thread;
/// use wasi_host_core::stdio::StdinStream;
/// use wasi_host_virtual::stdio::feed;
///
/// let (stdin, mut feeder) = feed(4096);
/// writeln!(feeder, "{}", 6 * 7)?;
/// assert_eq!(stdin.stream().read(100).unwrap(), "42\n");
/// assert_eq!(stdin.stream().read(100).unwrap(), "", "nothing yet");
/// feeder.close();
/// assert!(stdin.stream().read(100).is_err());
/// # Ok::<_, std::io::Error>(())
/// ```
pub fn feed(bound: usize) -> (ChannelInput, Feeder) {
    let (writer, reader) = pipe(bound);
    (ChannelInput(Arc::new(reader)), Feeder(writer))
}

/// A guest's input that a [`Feeder`] brings. All clones share its bytes: each goes to whoever takes it first.
///
/// [`feed`] has an example.
#[derive(Clone, Debug)]
pub struct ChannelInput(Arc<Reader>);

#[async_trait::async_trait]
impl Subscribe for ChannelInput {
    async fn ready(&mut self) {
        self.0.ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.0.wait()
    }
}

impl HostInputStream for ChannelInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.read_with(size, &mut Scratch::default())
    }

    fn read_with(&mut self, size: usize, scratch: &mut Scratch) -> StreamResult<Bytes> {
        let held = self.0.held().ok_or(StreamError::Closed)?;
        scratch.fill(size.min(held), |buf| self.read_into(buf))
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        self.0.take_into(dst).ok_or(StreamError::Closed)
    }
}

impl StdinStream for ChannelInput {
    fn stream(&self) -> InputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// The host's end of a guest's input. The guest reads to the end of what was written when this is dropped.
///
/// As a writer it blocks the thread, which must not be the guest's, while there is no room. What is written when all
/// clones and streams of the other end are gone is an error, `EPIPE`; the context of a guest keeps one.
///
/// [`feed`] has an example.
#[derive(Debug)]
pub struct Feeder(Writer);

impl Feeder {
    /// Writes what there is room for; how much that was.
    ///
    /// # Errors
    ///
    /// `Pipe` if nobody can read it.
    pub fn try_write(&self, src: &[u8]) -> Result<usize> {
        self.0.put_some(src)
    }

    /// Writes all of `src`, waiting for room as often as needed. Dropped before that it has written a part.
    ///
    /// # Errors
    ///
    /// `Pipe` if nobody can read it.
    pub async fn write_all_async(&self, mut src: &[u8]) -> Result<()> {
        while !src.is_empty() {
            match self.try_write(src)? {
                0 => self.0.ready().await,
                n => src = &src[n..],
            }
        }
        Ok(())
    }

    /// No more is to come. As good as dropping it.
    pub fn close(self) {}
}

impl io::Write for Feeder {
    fn write(&mut self, src: &[u8]) -> io::Result<usize> {
        loop {
            match self.try_write(src) {
                Ok(0) if !src.is_empty() => block::on(self.0.ready()),
                written => return written.map_err(|_| io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
