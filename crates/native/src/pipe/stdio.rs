//! Standard streams over whatever tokio reads and writes.

use super::read::Reader;
use super::write::Writer;
use super::{AsyncReadStream, AsyncWriteStream};
use bytes::Bytes;
use std::sync::Arc;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{
    HostInputStream, HostOutputStream, InputStream, OutputStream, StreamResult, Subscribe,
};
use wasi_host_core::wait::Wait;

/// Standard input from anything that tokio reads. All streams share its bytes: each goes to whoever takes it first.
///
/// ```
/// use wasi_host_core::stdio::StdinStream;
/// use wasi_host_native::pipe::{AsyncReadStream, AsyncStdinStream};
/// # use wasi_host_native::runtime::in_tokio;
/// let stdin = AsyncStdinStream::new(AsyncReadStream::new(&b"hello"[..]));
/// let mut stream = stdin.stream();
/// # in_tokio(async {
/// assert_eq!(stream.blocking_read(100).await.unwrap(), "hello");
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct AsyncStdinStream(Arc<AsyncReadStream>);

impl AsyncStdinStream {
    /// Standard input that is read from `stream`.
    pub fn new(stream: AsyncReadStream) -> Self {
        Self(Arc::new(stream))
    }

    fn reader(&self) -> &Reader {
        &self.0.reader
    }
}

impl StdinStream for AsyncStdinStream {
    fn stream(&self) -> InputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// Each is one of several: to cancel it does not end the task that all depend on.
#[async_trait::async_trait]
impl Subscribe for AsyncStdinStream {
    async fn ready(&mut self) {
        self.reader().ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.reader().wait()
    }
}

impl HostInputStream for AsyncStdinStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.reader().read(size)
    }
}

/// Standard output or standard error into anything that tokio writes. All streams write to the same place.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_native::pipe::{AsyncStdoutStream, AsyncWriteStream};
/// # use wasi_host_native::runtime::in_tokio;
/// # let sink = tokio::io::sink();
/// let stdout = AsyncStdoutStream::new(AsyncWriteStream::new(4096, sink));
/// let mut stream = stdout.stream();
/// # in_tokio(async {
/// stream.blocking_write_and_flush("hello".into()).await.unwrap();
/// # });
/// ```
#[derive(Debug)]
pub struct AsyncStdoutStream {
    stream: Arc<AsyncWriteStream>,
    /// What is left of what it was last permitted, as one of several streams.
    permit: usize,
}

impl AsyncStdoutStream {
    /// Standard output that is written to `stream`.
    pub fn new(stream: AsyncWriteStream) -> Self {
        Self { stream: Arc::new(stream), permit: 0 }
    }

    fn writer(&self) -> &Writer {
        &self.stream.writer
    }
}

impl Clone for AsyncStdoutStream {
    fn clone(&self) -> Self {
        Self { stream: self.stream.clone(), permit: 0 }
    }
}

impl StdoutStream for AsyncStdoutStream {
    fn stream(&self) -> OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

/// What one stream may write though others have used up the budget since it was permitted. All of them together are
/// bounded too.
const SHARE: usize = 4096;

#[async_trait::async_trait]
impl Subscribe for AsyncStdoutStream {
    async fn ready(&mut self) {
        self.writer().ready().await;
    }

    fn wait(&self) -> Wait<'_> {
        self.writer().wait()
    }
}

impl HostOutputStream for AsyncStdoutStream {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.permit = self.writer().check_write()?.min(SHARE);
        Ok(self.permit)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        self.writer().write(src, self.permit)?;
        self.permit = self.permit.saturating_sub(src.len());
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.writer().flush()
    }
}
