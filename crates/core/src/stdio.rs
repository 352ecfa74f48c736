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
pub trait StdinStream: Send {
    /// A stream over this input; all streams of one source share its bytes.
    fn stream(&self) -> InputStream;
    /// Whether it is a terminal.
    fn isatty(&self) -> bool;
}

/// A target of standard output or standard error.
pub trait StdoutStream: Send {
    /// A stream into this output.
    fn stream(&self) -> OutputStream;
    /// Whether it is a terminal.
    fn isatty(&self) -> bool;
}
