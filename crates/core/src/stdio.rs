//! Where a guest's standard streams come from.

use crate::stream::{InputStream, OutputStream};

/// Whether something is a terminal.
///
/// ```
/// # use wasi_host_core::{pipe::ClosedInputStream, stdio::{IsATTY, StdinStream}};
/// let terminal = if ClosedInputStream.isatty() { IsATTY::Yes } else { IsATTY::No };
/// assert_eq!(terminal, IsATTY::No);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsATTY {
    /// It is one.
    Yes,
    /// It is not.
    No,
}

/// A source of standard input. Asked for a stream each time that a guest takes its handle.
///
/// ```
/// use wasi_host_core::pipe::MemoryInputPipe;
/// use wasi_host_core::stdio::StdinStream;
/// use wasi_host_core::stream::InputStream;
///
/// /// Text that the guest takes for typed.
/// struct Typed(MemoryInputPipe);
///
/// impl StdinStream for Typed {
///     fn stream(&self) -> InputStream {
///         Box::new(self.0.clone())
///     }
///     fn isatty(&self) -> bool {
///         true
///     }
/// }
///
/// let stdin = Typed(MemoryInputPipe::new("hello"));
/// assert_eq!(stdin.stream().read(2).unwrap(), "he");
/// assert_eq!(stdin.stream().read(100).unwrap(), "llo");
/// ```
pub trait StdinStream: Send {
    /// A stream over this input; all streams of one source share its bytes.
    fn stream(&self) -> InputStream;
    /// Whether it is a terminal.
    fn isatty(&self) -> bool;
}

/// A target of standard output or standard error.
///
/// ```
/// use wasi_host_core::pipe::MemoryOutputPipe;
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_core::stream::OutputStream;
///
/// /// A screen of a few kilobytes.
/// struct Screen(MemoryOutputPipe);
///
/// impl StdoutStream for Screen {
///     fn stream(&self) -> OutputStream {
///         Box::new(self.0.clone())
///     }
///     fn isatty(&self) -> bool {
///         true
///     }
/// }
///
/// let screen = Screen(MemoryOutputPipe::new(4096));
/// screen.stream().write("hello".into()).unwrap();
/// assert_eq!(screen.0.contents(), "hello");
/// ```
pub trait StdoutStream: Send {
    /// A stream into this output.
    fn stream(&self) -> OutputStream;
    /// Whether it is a terminal.
    fn isatty(&self) -> bool;
}
