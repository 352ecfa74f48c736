//! Writing where others write too.

use super::source::Source;
use crate::errno::from_os;
use crate::kernel::PIPE_BUF;
use crate::wait;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// What a file is given at a time.
const CHUNK: usize = 1 << 20;

/// How long a stream that is dropped goes on with bytes that it had accepted, if nobody takes them: in seconds. The
/// next ones have none until somebody does.
const PATIENCE: i64 = 5;

/// What all streams of one descriptor keep at most, in bytes.
const KEPT: usize = 1 << 20;

struct Output {
    source: Source,
    may_block: bool,
    /// Accepted, but then the descriptor was full: another stream had come first.
    rest: Vec<u8>,
    /// No more is to come: whether there is room for it does not matter.
    ended: bool,
}

pub(super) fn stream(source: Source) -> OutputStream {
    Box::new(Output { may_block: source.may_block(), source, rest: Vec::new(), ended: false })
}

impl Output {
    /// What one write may bring.
    fn most(&self) -> usize {
        if self.may_block { PIPE_BUF } else { CHUNK }
    }

    /// How much of `src` could be written without blocking.
    fn try_write(&self, src: &[u8]) -> StreamResult<usize> {
        let mut done = 0;
        while done < src.len() {
            let mut turn = self.source.turn();
            let next = if self.may_block {
                if !self.source.ready(PollFlags::OUT) {
                    break;
                }
                &src[done..src.len().min(done + PIPE_BUF)]
            } else {
                &src[done..]
            };
            match rustix::io::retry_on_intr(|| rustix::io::write(&self.source, next)) {
                Ok(0) => return Err(wasi_host_core::Errno::Io.into()),
                Ok(n) => {
                    turn.stalled = false;
                    done += n;
                }
                Err(Errno::AGAIN) => break,
                // What was written is told; the next call meets the failure again.
                Err(_) if done > 0 => break,
                Err(Errno::PIPE) => return Err(StreamError::Closed),
                Err(e) => return Err(from_os(e).into()),
            }
        }
        Ok(done)
    }

    fn drain(&mut self) -> StreamResult<()> {
        if !self.rest.is_empty() {
            // Once it has failed there is nobody to bring the rest to.
            let rest = std::mem::take(&mut self.rest);
            self.source.turn().kept -= rest.len();
            let done = self.try_write(&rest)?;
            self.keep(&rest[done..])?;
        }
        Ok(())
    }

    /// Keeps what came out of turn, unless many streams have done so already.
    fn keep(&mut self, bytes: &[u8]) -> StreamResult<()> {
        let kept = &mut self.source.turn().kept;
        if *kept + bytes.len() > KEPT {
            return Err(wasi_host_core::Errno::NoBufs.into());
        }
        *kept += bytes.len();
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Subscribe for Output {
    async fn ready(&mut self) {
        wait::one(self.wait()).await;
    }

    fn wait(&self) -> Wait<'_> {
        if self.may_block { Wait::Writable(self.source.as_fd()) } else { Wait::Ready }
    }
}

impl HostOutputStream for Output {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.drain()?;
        let full =
            self.may_block && !(self.rest.is_empty() && (self.ended || self.source.ready(PollFlags::OUT)));
        Ok(if full { 0 } else { self.most() })
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        if src.len() > self.most() {
            return Err(StreamError::trap("more is written than check-write permits"));
        }
        self.drain()?;
        if self.rest.len() + src.len() > self.most() {
            return Err(StreamError::trap("written to a stream that permits nothing"));
        }
        let done = if self.rest.is_empty() { self.try_write(src)? } else { 0 };
        self.keep(&src[done..])
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        self.drain()?;
        if self.rest.is_empty() { self.try_write(src) } else { Ok(0) }
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.drain()
    }

    fn end(&mut self) -> StreamResult<()> {
        self.ended = true;
        self.drain()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let patience = Timespec { tv_sec: PATIENCE, tv_nsec: 0 };
        while !self.rest.is_empty() && self.drain().is_ok() {
            if self.rest.is_empty() || self.source.turn().stalled {
                break;
            }
            let mut set = [PollFd::new(&self.source, PollFlags::OUT)];
            if poll(&mut set, Some(&patience)) == Ok(0) {
                self.source.turn().stalled = true;
            }
        }
        self.source.turn().kept -= self.rest.len();
    }
}
