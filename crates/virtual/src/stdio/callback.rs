//! Output that a function is called with.

use super::PERMIT;
use super::lines::Lines;
use bytes::Bytes;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamResult, Subscribe};
use wasi_host_core::wait::Wait;

/// Calls a function with what a guest writes, on the guest's thread and before its write returns. All clones, and all
/// streams, call the same function, one at a time; it must not write to them itself.
///
/// ```
/// use std::sync::mpsc;
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_virtual::stdio::Callback;
///
/// let (sender, lines) = mpsc::channel();
/// let stdout = Callback::lines(1024, move |line| sender.send(String::from_utf8_lossy(line).into_owned()).unwrap());
/// stdout.stream().write("one\ntw".into()).unwrap();
/// stdout.stream().write("o\nthree".into()).unwrap();
/// drop(stdout);
/// assert_eq!(lines.iter().collect::<Vec<_>>(), ["one", "two", "three"]);
/// ```
#[derive(Clone)]
pub struct Callback(Arc<Mutex<Function>>);

type Function = dyn FnMut(&[u8]) + Send;

impl Callback {
    /// Calls `f` with the bytes of each write.
    pub fn new(f: impl FnMut(&[u8]) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(f)))
    }

    /// Calls `f` with each line, without its `\n`; with the last, if nothing ends it, when the last clone and stream are
    /// dropped. A line that is longer than `longest` bytes comes in pieces of that length.
    pub fn lines(longest: usize, f: impl FnMut(&[u8]) + Send + 'static) -> Self {
        let mut lines = Lines::new(longest, f);
        Self::new(move |bytes| lines.write(bytes))
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Subscribe for Callback {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl HostOutputStream for Callback {
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_from(&bytes)
    }

    fn write_from(&mut self, src: &[u8]) -> StreamResult<()> {
        if !src.is_empty() {
            (self.0.lock())(src);
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}

impl StdoutStream for Callback {
    fn stream(&self) -> OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}
