//! Standard streams on a tape.

use super::tape::{Sum, Tape, Taped};
use bytes::Bytes;
use std::sync::Arc;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{
    HostInputStream, HostOutputStream, InputStream, OutputStream, StreamError, StreamResult, Subscribe,
    within,
};
use wasi_host_core::wait::{BoxFuture, Wait, Waiter};

impl Tape {
    /// A source of standard input; `stdin` is not used in a replay.
    pub fn stdin(&self, stdin: Box<dyn StdinStream>) -> Box<dyn StdinStream> {
        Box::new(TapedStdin(self.taped_unless_replayed(stdin, "standard input")))
    }

    /// A target of standard output or error, called so. In a replay `target` still gets what the guest writes, but has no
    /// say in how much that is; `waiter` waits for it.
    pub fn stdout(
        &self,
        target: Box<dyn StdoutStream>,
        name: &str,
        waiter: &Arc<dyn Waiter>,
    ) -> Box<dyn StdoutStream> {
        let (inner, echo) = if self.replays() { (None, Some(target)) } else { (Some(target), None) };
        Box::new(TapedStdout { taped: self.taped(inner, name), echo, waiter: waiter.clone() })
    }
}

struct TapedStdin(Taped<Box<dyn StdinStream>>);

#[deny(clippy::missing_trait_methods)]
impl StdinStream for TapedStdin {
    fn stream(&self) -> InputStream {
        let mut stream = None;
        self.0.call(format_args!("stream"), |stdin| stream = Some(stdin.stream()));
        Box::new(TapedInput(self.0.tape.taped(stream, "a stream of standard input")))
    }

    fn isatty(&self) -> bool {
        self.0.call(format_args!("isatty"), |stdin| stdin.isatty())
    }
}

struct TapedInput(Taped<InputStream>);

#[async_trait::async_trait]
impl Subscribe for TapedInput {
    async fn ready(&mut self) {
        if let Some(stream) = &mut self.0.inner {
            stream.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        self.0.wait(format_args!("wait"), |stream| stream.wait())
    }
}

/// Those that wait are made of the others. No more is given than was asked for, whatever a log says.
#[async_trait::async_trait]
impl HostInputStream for TapedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.0.call_mut(format_args!("read {size} bytes"), |stream| stream.read(size))?;
        within(bytes.len(), size)?;
        Ok(bytes)
    }

    fn skip(&mut self, nelem: usize) -> StreamResult<usize> {
        let n = self.0.call_mut(format_args!("skip {nelem} bytes"), |stream| stream.skip(nelem))?;
        within(n, nelem)
    }

    async fn cancel(&mut self) {
        if let Some(stream) = &mut self.0.inner {
            stream.cancel().await;
        }
    }
}

struct TapedStdout {
    taped: Taped<Box<dyn StdoutStream>>,
    echo: Option<Box<dyn StdoutStream>>,
    waiter: Arc<dyn Waiter>,
}

#[deny(clippy::missing_trait_methods)]
impl StdoutStream for TapedStdout {
    fn stream(&self) -> OutputStream {
        let mut stream = None;
        self.taped.call(format_args!("stream"), |stdout| stream = Some(stdout.stream()));
        let echo =
            self.echo.as_ref().map(|target| Echo { stream: target.stream(), waiter: self.waiter.clone() });
        let taped = self.taped.tape.taped(stream, format_args!("a stream of {}", self.taped.thing.name()));
        Box::new(TapedOutput { taped, echo })
    }

    fn isatty(&self) -> bool {
        self.taped.call(format_args!("isatty"), |stdout| stdout.isatty())
    }
}

struct TapedOutput {
    taped: Taped<OutputStream>,
    echo: Option<Echo>,
}

impl TapedOutput {
    /// Hands on what the guest has written in a replay. A target that fails gets no more.
    fn echo(&mut self, done: bool, op: impl FnOnce(&mut Echo) -> StreamResult<()>) {
        if done && self.echo.as_mut().is_some_and(|echo| op(echo).is_err()) {
            self.echo = None;
        }
    }
}

#[async_trait::async_trait]
impl Subscribe for TapedOutput {
    async fn ready(&mut self) {
        if let Some(stream) = &mut self.taped.inner {
            stream.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        self.taped.wait(format_args!("wait"), |stream| stream.wait())
    }
}

/// Those that wait are made of the others.
#[async_trait::async_trait]
impl HostOutputStream for TapedOutput {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.taped.call_mut(format_args!("check_write"), |stream| stream.check_write())
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        let done = self.taped.call_mut(format_args!("flush"), |stream| stream.flush());
        self.echo(done.is_ok(), |echo| echo.stream.flush());
        done
    }

    fn end(&mut self) -> StreamResult<()> {
        let done = self.taped.call_mut(format_args!("end"), |stream| stream.end());
        self.echo(done.is_ok(), |echo| echo.stream.flush());
        done
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        let what = format_args!("write {}", Sum::of([src]));
        let done = self.taped.call_mut(what, |stream| stream.write_from(src));
        self.echo(done.is_ok(), |echo| echo.write(src));
        done
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let what = format_args!("write_some of {}", Sum::of([src]));
        let n = self.taped.call_mut(what, |stream| stream.write_some(src))?;
        let taken = src.get(..n).ok_or_else(|| StreamError::trap("more was taken than was written"))?;
        self.echo(true, |echo| echo.write(taken));
        Ok(n)
    }

    fn write_zeroes(&mut self, mut nelem: usize) -> StreamResult<()> {
        let done =
            self.taped.call_mut(format_args!("write_zeroes {nelem}"), |stream| stream.write_zeroes(nelem));
        self.echo(done.is_ok(), |echo| {
            while nelem > 0 {
                let some = nelem.min(ZEROES.len());
                echo.write(&ZEROES[..some])?;
                nelem -= some;
            }
            Ok(())
        });
        done
    }

    async fn cancel(&mut self) {
        if let Some(stream) = &mut self.taped.inner {
            stream.cancel().await;
        }
    }
}

static ZEROES: [u8; 4096] = [0; 4096];

/// Where the output of a replay goes.
struct Echo {
    stream: OutputStream,
    waiter: Arc<dyn Waiter>,
}

impl Echo {
    /// Writes all of it, however long that takes: there is nothing else that a replay waits for.
    fn write(&mut self, mut src: &[u8]) -> StreamResult<()> {
        while !src.is_empty() {
            match self.stream.write_some(src)? {
                0 => self.wait()?,
                n => src = src.get(n..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    fn wait(&mut self) -> StreamResult<()> {
        let mut ended = Vec::new();
        match self.stream.wait() {
            Wait::Future => {
                let mut ready: [(usize, BoxFuture<'_, ()>); 1] = [(0, self.stream.ready())];
                self.waiter.any(&[Wait::Future], &mut ready, &mut ended)?;
            }
            wait => self.waiter.any(&[wait], &mut [], &mut ended)?,
        }
        Ok(())
    }
}
