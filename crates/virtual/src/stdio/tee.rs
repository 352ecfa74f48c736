//! Output that goes two ways.

use bytes::Bytes;
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// Two other outputs, each of which gets all that a guest writes. The guest waits for the slower one, and its output
/// fails when either does.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_virtual::stdio::{Captured, Full, Tee};
///
/// let (shown, kept) = (Captured::new(1 << 20, Full::Fail), Captured::new(1 << 20, Full::Fail));
/// let stdout = Tee::new(shown.clone(), kept.clone());
/// stdout.stream().write("hello".into()).unwrap();
/// assert_eq!((shown.contents(), kept.contents()), ("hello".into(), "hello".into()));
/// ```
#[derive(Clone, Debug)]
pub struct Tee<A, B>(A, B);

impl<A, B> Tee<A, B> {
    /// Output to both.
    pub fn new(first: A, second: B) -> Self {
        Self(first, second)
    }
}

impl<A: StdoutStream, B: StdoutStream> StdoutStream for Tee<A, B> {
    fn stream(&self) -> OutputStream {
        Box::new(Stream { both: [self.0.stream(), self.1.stream()], slower: 0, ended: false })
    }

    fn isatty(&self) -> bool {
        self.0.isatty() && self.1.isatty()
    }
}

struct Stream {
    both: [OutputStream; 2],
    /// Which of them permitted nothing when they were last asked.
    slower: usize,
    ended: bool,
}

#[async_trait::async_trait]
impl Subscribe for Stream {
    async fn ready(&mut self) {
        self.both[self.slower].ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.both[self.slower].wait()
    }
}

#[async_trait::async_trait]
impl HostOutputStream for Stream {
    fn check_write(&mut self) -> StreamResult<usize> {
        let mut least = None;
        for (place, stream) in self.both.iter_mut().enumerate() {
            match stream.check_write() {
                Ok(0) => {
                    self.slower = place;
                    return Ok(0);
                }
                Ok(n) => least = Some(least.unwrap_or(n).min(n)),
                // That is how one says that it is done; the other may not be.
                Err(StreamError::Closed) if self.ended => {}
                Err(e) => return Err(e),
            }
        }
        least.ok_or(StreamError::Closed)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.both.iter_mut().try_for_each(|stream| stream.write(bytes.clone()))
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        self.both.iter_mut().try_for_each(|stream| stream.write_from(src))
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.both.iter_mut().try_for_each(|stream| stream.flush())
    }

    fn end(&mut self) -> StreamResult<()> {
        self.ended = true;
        // Each, whatever becomes of the other.
        let [first, second] = self.both.each_mut().map(|stream| stream.end());
        first.and(second)
    }

    async fn cancel(&mut self) {
        for stream in &mut self.both {
            stream.cancel().await;
        }
    }
}
