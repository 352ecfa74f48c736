//! Byte streams: what a guest reads from and writes to in order.

pub use crate::read_ahead::ReadAhead;

use crate::wait::Wait;
use crate::{Errno, Result};
use bytes::{Bytes, BytesMut};

/// Something that a guest can wait for.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use wasi_host_core::stream::Subscribe;
/// use wasi_host_core::wait::{Notify, Wait};
///
/// /// Closed until the host opens it, once and for all.
/// #[derive(Clone, Default)]
/// struct Gate(Arc<(AtomicBool, Notify)>);
///
/// impl Gate {
///     fn open(&self) {
///         self.0.0.store(true, Ordering::Release);
///         self.0.1.notify();
///     }
/// }
///
/// #[async_trait::async_trait]
/// impl Subscribe for Gate {
///     async fn ready(&mut self) {
///         // The watch is taken first: what changes after it is seen.
///         let opened = self.0.1.watch();
///         if !self.0.0.load(Ordering::Acquire) {
///             opened.wait().await;
///         }
///     }
///
///     // Optional.
///     fn wait(&self) -> Wait<'_> {
///         let opened = self.0.1.watch();
///         if self.0.0.load(Ordering::Acquire) { Wait::Ready } else { Wait::Notify(opened) }
///     }
/// }
///
/// let gate = Gate::default();
/// assert!(matches!(gate.wait(), Wait::Notify(_)));
/// gate.open();
/// assert!(matches!(gate.wait(), Wait::Ready));
/// ```
#[async_trait::async_trait]
pub trait Subscribe: Send + 'static {
    /// Ends when it is worth trying again. It may be dropped before and asked for anew: what it waits for must not
    /// begin again with it.
    async fn ready(&mut self);

    /// The same as a value, for those who can say it: then no future is made and no runtime entered, nor does a stream
    /// of this kind find one when it is cancelled.
    fn wait(&self) -> Wait<'_> {
        Wait::Future
    }
}

/// Why a stream gave or took nothing.
///
/// ```
/// use wasi_host_core::Errno;
/// use wasi_host_core::stream::StreamError;
/// let failed = StreamError::from(Errno::NoSpc);
/// assert!(matches!(failed, StreamError::LastOperationFailed(e) if e.downcast_ref() == Some(&Errno::NoSpc)));
/// ```
#[derive(Debug)]
pub enum StreamError {
    /// It has ended.
    Closed,
    /// It has failed, and the guest is told so.
    LastOperationFailed(anyhow::Error),
    /// The guest broke the rules of the interface: it is stopped.
    Trap(anyhow::Error),
}

/// The result of an operation on a stream.
///
/// [`HostInputStream`] has an example.
pub type StreamResult<T> = std::result::Result<T, StreamError>;

impl StreamError {
    /// A trap that says `message`.
    pub fn trap(message: &str) -> Self {
        Self::Trap(anyhow::Error::msg(message.to_owned()))
    }
}

impl std::fmt::Display for StreamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::LastOperationFailed(e) => write!(f, "last operation failed: {e}"),
            Self::Trap(e) => write!(f, "trap: {e}"),
        }
    }
}

impl std::error::Error for StreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::LastOperationFailed(e) | Self::Trap(e) => e.source(),
        }
    }
}

impl From<Errno> for StreamError {
    fn from(e: Errno) -> Self {
        Self::LastOperationFailed(e.into())
    }
}

/// A stream that a guest reads.
///
/// `read` never waits: with nothing there yet it gives no bytes, and [`Subscribe`] says when to come again.
///
/// ```
/// use bytes::Bytes;
/// use wasi_host_core::pipe::MemoryInputPipe;
/// use wasi_host_core::stdio::StdinStream;
/// use wasi_host_core::stream::{HostInputStream, InputStream, StreamResult, Subscribe};
///
/// /// What another stream gives, in capitals.
/// struct Shouted(InputStream);
///
/// #[async_trait::async_trait]
/// impl Subscribe for Shouted {
///     async fn ready(&mut self) {
///         self.0.ready().await;
///     }
/// }
///
/// impl HostInputStream for Shouted {
///     fn read(&mut self, size: usize) -> StreamResult<Bytes> {
///         Ok(self.0.read(size)?.to_ascii_uppercase().into())
///     }
/// }
///
/// let mut stream = Shouted(MemoryInputPipe::new("hello").stream());
/// assert_eq!(stream.read(100).unwrap(), "HELLO");
/// ```
///
/// [`StdinStream`](crate::stdio::StdinStream) shows how it comes to a guest.
#[async_trait::async_trait]
pub trait HostInputStream: Subscribe {
    /// Up to `size` bytes; none if there are none yet, [`StreamError::Closed`] at the end.
    fn read(&mut self, size: usize) -> StreamResult<Bytes>;

    /// Reads straight into the guest's memory. A stream that has its bytes elsewhere leaves this as it is.
    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        let bytes = self.read(dst.len())?;
        let n = within(bytes.len(), dst.len())?;
        dst[..n].copy_from_slice(&bytes);
        Ok(n)
    }

    /// `read`, with a buffer at hand for those that have to copy. A stream that has its bytes already leaves this
    /// as it is.
    fn read_with(&mut self, size: usize, _scratch: &mut Scratch) -> StreamResult<Bytes> {
        self.read(size)
    }

    /// `read`, waiting until there is something.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        loop {
            let bytes = self.read(size)?;
            if size == 0 || !bytes.is_empty() {
                return Ok(bytes);
            }
            self.ready().await;
        }
    }

    /// Reads and forgets up to `nelem` bytes.
    fn skip(&mut self, nelem: usize) -> StreamResult<usize> {
        Ok(self.read(nelem)?.len())
    }

    /// Fails if the right to what it gives was taken back, and so to what somebody has read ahead from it.
    fn granted(&self) -> Result<(), Errno> {
        Ok(())
    }

    /// `skip`, waiting until there is something.
    async fn blocking_skip(&mut self, nelem: usize) -> StreamResult<usize> {
        Ok(self.blocking_read(nelem).await?.len())
    }

    /// Stops what goes on in the background, before the stream is dropped.
    async fn cancel(&mut self) {}
}

/// A stream that a guest writes.
///
/// Writing never waits: [`check_write`](Self::check_write) says how many bytes will be taken, and a write of no
/// more than that takes them all.
///
/// ```
/// use bytes::Bytes;
/// use wasi_host_core::stream::{HostOutputStream, StreamResult, Subscribe};
///
/// /// Calls a function with each line. Of long lines it keeps the beginning: a guest decides how long they are.
/// struct Lines<F> {
///     line: Vec<u8>,
///     each: F,
/// }
///
/// #[async_trait::async_trait]
/// impl<F: Send + 'static> Subscribe for Lines<F> {
///     async fn ready(&mut self) {}
/// }
///
/// impl<F: FnMut(&str) + Send + 'static> HostOutputStream for Lines<F> {
///     fn check_write(&mut self) -> StreamResult<usize> {
///         Ok(4096)
///     }
///
///     fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
///         for byte in bytes {
///             if byte == b'\n' {
///                 (self.each)(&String::from_utf8_lossy(&self.line));
///                 self.line.clear();
///             } else if self.line.len() < 1024 {
///                 self.line.push(byte);
///             }
///         }
///         Ok(())
///     }
///
///     fn flush(&mut self) -> StreamResult<()> {
///         Ok(())
///     }
/// }
///
/// let (lines, log) = std::sync::mpsc::channel();
/// let mut stream = Lines { line: Vec::new(), each: move |line: &str| lines.send(line.to_owned()).unwrap() };
/// stream.write("one\ntwo\nthr".into()).unwrap();
/// assert_eq!(log.try_iter().collect::<Vec<_>>(), ["one", "two"]);
/// ```
///
/// [`StdoutStream`](crate::stdio::StdoutStream) shows how it comes to a guest.
#[async_trait::async_trait]
pub trait HostOutputStream: Subscribe {
    /// How many bytes the next `write` may bring; 0 if none yet.
    fn check_write(&mut self) -> StreamResult<usize>;

    /// Takes all of `bytes`, of which there are no more than `check_write` allowed.
    fn write(&mut self, bytes: Bytes) -> StreamResult<()>;

    /// Begins to bring out what was written; `check_write` is 0 until that is done.
    fn flush(&mut self) -> StreamResult<()>;

    /// No more is to come: what was written goes first. `check_write` is 0 until it has; then a permit, or
    /// [`StreamError::Closed`], means that it is done.
    fn end(&mut self) -> StreamResult<()> {
        self.flush()
    }

    /// Writes straight from the guest's memory, under the same permit as [`write`](Self::write).
    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        self.write(Bytes::copy_from_slice(src))
    }

    /// Writes as much of `src` as is permitted now, straight from the guest's memory; how much that was, 0 being
    /// "nothing yet".
    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let n = self.check_write()?.min(src.len());
        self.write_from(&src[..n])?;
        Ok(n)
    }

    /// Waits for a permit, writes, flushes, and waits until that is done.
    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let permit = self.write_ready().await?.min(bytes.len());
            self.write(bytes.split_to(permit))?;
        }
        flushed(self).await
    }

    /// Writes `nelem` zero bytes, under the same permit as [`write`](Self::write). This provided one writes 64 KiB at a
    /// time: a stream that permits more at once takes several writes under one permit.
    fn write_zeroes(&mut self, mut nelem: usize) -> StreamResult<()> {
        static ZEROES: [u8; 64 << 10] = [0; 64 << 10];
        while nelem > 0 {
            let n = nelem.min(ZEROES.len());
            self.write(Bytes::from_static(&ZEROES[..n]))?;
            nelem -= n;
        }
        Ok(())
    }

    /// `blocking_write_and_flush` of `nelem` zero bytes.
    async fn blocking_write_zeroes_and_flush(&mut self, mut nelem: usize) -> StreamResult<()> {
        while nelem > 0 {
            let permit = self.write_ready().await?.min(nelem);
            self.write_zeroes(permit)?;
            nelem -= permit;
        }
        flushed(self).await
    }

    /// Waits until `check_write` allows something.
    async fn write_ready(&mut self) -> StreamResult<usize> {
        loop {
            match self.check_write()? {
                0 => self.ready().await,
                n => return Ok(n),
            }
        }
    }

    /// Stops what goes on in the background, before the stream is dropped.
    async fn cancel(&mut self) {}
}

/// Flushes, and waits until that is done. A stream that is closed by then has still taken everything.
async fn flushed<S: HostOutputStream + ?Sized>(stream: &mut S) -> StreamResult<()> {
    stream.flush()?;
    match stream.write_ready().await {
        Ok(_) | Err(StreamError::Closed) => Ok(()),
        Err(e) => Err(e),
    }
}

#[async_trait::async_trait]
impl<S: ?Sized + Subscribe> Subscribe for Box<S> {
    async fn ready(&mut self) {
        (**self).ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        (**self).wait()
    }
}

/// A readable stream of any kind.
///
/// ```
/// use wasi_host_core::pipe::MemoryInputPipe;
/// use wasi_host_core::stream::InputStream;
/// let stream: InputStream = Box::new(MemoryInputPipe::new("hello"));
/// # drop(stream);
/// ```
pub type InputStream = Box<dyn HostInputStream>;

/// A writable stream of any kind.
///
/// ```
/// use wasi_host_core::pipe::SinkOutputStream;
/// use wasi_host_core::stream::OutputStream;
/// let stream: OutputStream = Box::new(SinkOutputStream);
/// # drop(stream);
/// ```
pub type OutputStream = Box<dyn HostOutputStream>;

/// A buffer to read into that stays initialised: what it gives out comes home when nobody else has it any more, so
/// that a read costs neither zeroing nor, as a rule, an allocation.
///
/// ```
/// use wasi_host_core::{Errno, stream::Scratch};
/// let mut scratch = Scratch::default();
/// let bytes = scratch.fill(4096, |buf| {
///     buf[..5].copy_from_slice(b"hello");
///     Ok::<_, Errno>(5)
/// });
/// assert_eq!(bytes.unwrap(), "hello");
/// ```
#[derive(Default)]
pub struct Scratch(Bytes);

impl std::fmt::Debug for Scratch {
    /// Without what the guest read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("kept", &self.0.len()).finish()
    }
}

impl Scratch {
    /// The most that is kept from one read to the next, in bytes.
    const KEPT: usize = 1 << 20;

    /// Has `f` write to a buffer of `len` bytes, whatever these hold, and say how many it wrote: those are given out.
    ///
    /// What is given out keeps all of its buffer alive. Whoever collects small pieces copies them.
    ///
    /// # Errors
    ///
    /// Those of `f`.
    pub fn fill<E>(&mut self, len: usize, f: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Bytes, E> {
        if len == 0 {
            return f(&mut []).map(|_| Bytes::new());
        }
        let mut buffer = match std::mem::take(&mut self.0).try_into_mut() {
            Ok(own) if own.len() >= len => own,
            _ => Self::allocate(len),
        };
        let filled = f(&mut buffer[..len]);
        let whole = buffer.freeze();
        let bytes = filled.map(|n| whole.slice(..n.min(len)));
        if whole.len() <= Self::KEPT {
            self.0 = whole;
        }
        bytes
    }

    fn allocate(len: usize) -> BytesMut {
        // Reads that grow little by little do not each need a new one.
        let size = if len <= Self::KEPT { len.next_power_of_two() } else { len };
        let mut buffer = BytesMut::zeroed(size);
        // Splitting gives it the count of its users that it keeps from now on; freezing would make one each time.
        drop(buffer.split_off(size));
        buffer
    }
}

/// Moves up to `len` bytes from `src` to `dst`, no more than `dst` permits and than is moved in one step; how many
/// that were, 0 being "nothing yet" on either side.
///
/// # Errors
///
/// Those of both streams. Nothing is read that `dst` has not permitted, so what is lost is at most what `dst` took
/// and failed to bring out.
pub fn splice(
    src: &mut dyn HostInputStream,
    dst: &mut dyn HostOutputStream,
    len: usize,
    scratch: &mut Scratch,
) -> StreamResult<usize> {
    const STEP: usize = 1 << 20;
    let size = dst.check_write()?.min(len).min(STEP);
    if size == 0 {
        return Ok(0);
    }
    let bytes = src.read_with(size, scratch)?;
    within(bytes.len(), size)?;
    if !bytes.is_empty() {
        // Lent, not given: a queue of small pieces would keep the whole of each one's buffer.
        dst.write_from(&bytes)?;
    }
    Ok(bytes.len())
}

/// How many bytes a stream gave, of so many that it was asked for; a trap if it gave more.
///
/// ```
/// use wasi_host_core::stream::{StreamError, within};
/// assert_eq!(within(3, 8).unwrap(), 3);
/// assert!(matches!(within(9, 8), Err(StreamError::Trap(_))));
/// ```
///
/// # Errors
///
/// The trap.
#[inline]
pub fn within(given: usize, asked: usize) -> StreamResult<usize> {
    if given <= asked {
        Ok(given)
    } else {
        Err(StreamError::trap("the stream gave more bytes than it was asked for"))
    }
}

/// The error number that stands nearest to a stream's failure, for the versions of WASI that know only numbers.
pub fn errno(e: &anyhow::Error) -> Errno {
    e.downcast_ref::<Errno>().copied().unwrap_or(Errno::Io)
}

/// What an input stream gave, as a `read(2)` sees it: `Ok(None)` is "nothing yet".
///
/// # Errors
///
/// The stream's failure as a number; a trap comes back whole.
pub fn read_into(stream: &mut dyn HostInputStream, dst: &mut [u8]) -> StreamResult<Option<usize>> {
    match stream.read_into(dst) {
        Ok(0) if !dst.is_empty() => Ok(None),
        Ok(n) => Ok(Some(n)),
        Err(StreamError::Closed) => Ok(Some(0)),
        Err(e) => Err(e),
    }
}

impl StreamError {
    /// Splits what the guest is told from what stops it.
    ///
    /// # Errors
    ///
    /// The trap.
    pub fn number(self) -> Result<Errno, anyhow::Error> {
        match self {
            Self::Closed => Ok(Errno::Pipe),
            Self::LastOperationFailed(e) => Ok(errno(&e)),
            Self::Trap(e) => Err(e),
        }
    }
}
