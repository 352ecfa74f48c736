//! Reading what others read too.

use super::Stdin;
use super::source::{Source, Std};
use crate::errno::from_os;
use crate::wait;
use bytes::Bytes;
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::io::Errno;
use wasi_host_core::stdio::StdinStream;
use wasi_host_core::stream::{HostInputStream, InputStream, Scratch, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// The most that one `read` allocates for.
const CHUNK: usize = 64 << 10;

struct Input {
    source: Source,
    may_block: bool,
}

pub(super) fn stream(source: Source) -> InputStream {
    Box::new(Input { may_block: source.may_block(), source })
}

#[async_trait::async_trait]
impl Subscribe for Input {
    async fn ready(&mut self) {
        wait::one(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        if self.may_block { Wait::Readable(self.source.as_fd()) } else { Wait::Ready }
    }
}

/// The handle is a stream by itself, for whoever passes it on as one.
#[async_trait::async_trait]
impl Subscribe for Stdin {
    async fn ready(&mut self) {
        wait::one(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        if Source::Std(Std::In).may_block() { Wait::Readable(rustix::stdio::stdin()) } else { Wait::Ready }
    }
}

impl HostInputStream for Stdin {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.stream().read(size)
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        self.stream().read_into(dst)
    }
}

impl HostInputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.may_block && !self.source.ready(PollFlags::IN) {
            return Ok(Bytes::new());
        }
        self.read_with(size, &mut Scratch::default())
    }

    fn read_with(&mut self, size: usize, scratch: &mut Scratch) -> StreamResult<Bytes> {
        scratch.fill(size.min(CHUNK), |buf| self.read_into(buf))
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        if dst.is_empty() {
            return Ok(0);
        }
        let _turn = self.source.turn();
        if self.may_block && !self.source.ready(PollFlags::IN) {
            return Ok(0);
        }
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.source, &mut *dst)) {
            Ok(0) => Err(StreamError::Closed),
            Ok(n) => Ok(n),
            Err(Errno::AGAIN) => Ok(0),
            Err(e) => Err(from_os(e).into()),
        }
    }
}
