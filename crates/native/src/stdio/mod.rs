//! The standard streams of this process, and files in their place.
//!
//! The descriptors are the user's, so none of their flags is changed: what may block is asked first. `O_NONBLOCK`
//! belongs to the open file, which the user's shell shares; it would see it long after we have gone.

mod input;
mod output;
mod source;

use source::{Source, Std};
use std::fs::File;
use std::sync::Arc;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{InputStream, OutputStream};

/// Standard input of this process. All its streams share the bytes: each goes to whoever reads it first, no stream
/// makes another one block, and none takes more than it was asked for.
///
/// [`stdin`] has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stdin;

/// Standard output of this process, not buffered.
///
/// [`stdout`] has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stdout;

/// Standard error of this process.
///
/// [`stderr`] has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stderr;

/// Standard input of this process.
///
/// ```
/// use wasi_host_core::stdio::StdinStream;
/// use wasi_host_native::stdio::stdin;
/// let interactive = stdin().isatty();
/// # let _ = interactive;
/// ```
pub fn stdin() -> Stdin {
    Stdin
}

/// Standard output of this process.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_native::stdio::stdout;
/// let colours = stdout().isatty() && std::env::var_os("NO_COLOR").is_none();
/// # let _ = colours;
/// ```
pub fn stdout() -> Stdout {
    Stdout
}

/// Standard error of this process.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_native::stdio::stderr;
/// stderr().stream().write("a warning\n".into()).unwrap();
/// ```
pub fn stderr() -> Stderr {
    Stderr
}

impl StdinStream for Stdin {
    fn stream(&self) -> InputStream {
        input::stream(Source::Std(Std::In))
    }

    fn isatty(&self) -> bool {
        Source::Std(Std::In).is_terminal()
    }
}

impl StdoutStream for Stdout {
    fn stream(&self) -> OutputStream {
        output::stream(Source::Std(Std::Out))
    }

    fn isatty(&self) -> bool {
        Source::Std(Std::Out).is_terminal()
    }
}

impl StdoutStream for Stderr {
    fn stream(&self) -> OutputStream {
        output::stream(Source::Std(Std::Err))
    }

    fn isatty(&self) -> bool {
        Source::Std(Std::Err).is_terminal()
    }
}

/// An open file as a guest's standard input: read from where the file stands, by all its streams together.
///
/// ```
/// use wasi_host_core::stdio::StdinStream;
/// use wasi_host_native::stdio::InputFile;
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("names.txt");
/// # std::fs::write(&path, "Ada\n")?;
/// let stdin = InputFile::new(std::fs::File::open(path)?);
/// assert_eq!(stdin.stream().read(100).unwrap(), "Ada\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InputFile(Source);

impl InputFile {
    /// What `file` holds from its position on. Anything that can be opened will do, a FIFO too.
    pub fn new(file: File) -> Self {
        Self(Source::file(Arc::new(file)))
    }
}

impl StdinStream for InputFile {
    fn stream(&self) -> InputStream {
        input::stream(self.0.clone())
    }

    fn isatty(&self) -> bool {
        self.0.is_terminal()
    }
}

/// An open file as a guest's standard output or standard error: written where the file stands.
///
/// ```
/// use wasi_host_core::stdio::StdoutStream;
/// use wasi_host_native::stdio::OutputFile;
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("guest.log");
/// let stdout = OutputFile::new(std::fs::File::create(&path)?);
/// stdout.stream().write("hello\n".into()).unwrap();
/// assert_eq!(std::fs::read(&path)?, b"hello\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OutputFile(Source);

impl OutputFile {
    /// Output to `file`. Anything that can be opened will do, a FIFO too. Not buffered.
    pub fn new(file: File) -> Self {
        Self(Source::file(Arc::new(file)))
    }
}

impl StdoutStream for OutputFile {
    fn stream(&self) -> OutputStream {
        output::stream(self.0.clone())
    }

    fn isatty(&self) -> bool {
        self.0.is_terminal()
    }
}
