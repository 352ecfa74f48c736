//! Where a guest's standard streams come from.

use crate::stream::{InputStream, OutputStream};

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
