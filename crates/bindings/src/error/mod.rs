//! Errors that a guest sees, or that stop it; and what each version of WASI calls the numbers of the core.

mod codes;
mod p2;
#[cfg(feature = "p3")]
pub(crate) mod p3;

pub use p2::{FsError, FsResult, SocketError, SocketResult};

use std::io::{self, ErrorKind};
use wasi_host_core::Errno;

/// An error code that the guest gets, or a trap that stops it. The first allocates nothing.
///
/// ```
/// use wasi_host_bindings::{FsError, p2::filesystem::types::ErrorCode};
/// let refused = FsError::from(ErrorCode::NotPermitted);
/// assert_eq!(refused.downcast_ref(), Some(&ErrorCode::NotPermitted));
/// assert!(FsError::trap(std::fmt::Error).downcast().is_err());
/// ```
#[derive(Debug)]
pub enum TrappableError<T> {
    /// The guest gets this.
    Code(T),
    /// The guest is stopped.
    Trap(wasmtime::Error),
}

impl<T> TrappableError<T> {
    /// An error that stops the guest.
    pub fn trap(error: impl Into<anyhow::Error>) -> Self {
        Self::Trap(wasmtime::Error::from_anyhow(error.into()))
    }

    /// What the guest gets.
    ///
    /// # Errors
    ///
    /// The trap.
    pub fn downcast(self) -> wasmtime::Result<T> {
        match self {
            Self::Code(code) => Ok(code),
            Self::Trap(trap) => Err(trap),
        }
    }

    /// What the guest gets, if it is not a trap.
    pub fn downcast_ref(&self) -> Option<&T> {
        match self {
            Self::Code(code) => Some(code),
            Self::Trap(_) => None,
        }
    }
}

impl<T> From<T> for TrappableError<T> {
    fn from(code: T) -> Self {
        Self::Code(code)
    }
}

impl<T: std::fmt::Display> std::fmt::Display for TrappableError<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => code.fmt(f),
            Self::Trap(trap) => trap.fmt(f),
        }
    }
}

impl<T: std::fmt::Debug + std::fmt::Display> std::error::Error for TrappableError<T> {}

/// What an error of the standard library stands for; embedders' own code has no other.
fn errno(e: &io::Error) -> Errno {
    if let Some(errno) = e.get_ref().and_then(|inner| inner.downcast_ref::<Errno>()) {
        return *errno;
    }
    match e.kind() {
        ErrorKind::AddrInUse => Errno::AddrInUse,
        ErrorKind::AddrNotAvailable => Errno::AddrNotAvail,
        ErrorKind::AlreadyExists => Errno::Exist,
        ErrorKind::BrokenPipe => Errno::Pipe,
        ErrorKind::ConnectionAborted => Errno::ConnAborted,
        ErrorKind::ConnectionRefused => Errno::ConnRefused,
        ErrorKind::ConnectionReset => Errno::ConnReset,
        ErrorKind::CrossesDevices => Errno::XDev,
        ErrorKind::Deadlock => Errno::Deadlock,
        ErrorKind::DirectoryNotEmpty => Errno::NotEmpty,
        ErrorKind::ExecutableFileBusy => Errno::TxtBsy,
        ErrorKind::FileTooLarge => Errno::FBig,
        ErrorKind::HostUnreachable => Errno::HostUnreach,
        ErrorKind::Interrupted => Errno::Intr,
        ErrorKind::InvalidInput => Errno::Inval,
        ErrorKind::IsADirectory => Errno::IsDir,
        ErrorKind::NetworkDown => Errno::NetDown,
        ErrorKind::NetworkUnreachable => Errno::NetUnreach,
        ErrorKind::NotADirectory => Errno::NotDir,
        ErrorKind::NotConnected => Errno::NotConn,
        ErrorKind::NotFound => Errno::NoEnt,
        ErrorKind::NotSeekable => Errno::SPipe,
        ErrorKind::OutOfMemory => Errno::NoMem,
        ErrorKind::PermissionDenied => Errno::Access,
        ErrorKind::QuotaExceeded => Errno::DQuot,
        ErrorKind::ReadOnlyFilesystem => Errno::RoFs,
        ErrorKind::ResourceBusy => Errno::Busy,
        ErrorKind::StaleNetworkFileHandle => Errno::Stale,
        ErrorKind::StorageFull => Errno::NoSpc,
        ErrorKind::TimedOut => Errno::TimedOut,
        ErrorKind::TooManyLinks => Errno::MLink,
        ErrorKind::Unsupported => Errno::NotSup,
        ErrorKind::WouldBlock => Errno::Again,
        _ => Errno::Io,
    }
}

/// The number of a failure that a stream told of, if it has one.
pub fn failure(e: &anyhow::Error) -> Option<Errno> {
    e.downcast_ref::<Errno>().copied().or_else(|| e.downcast_ref::<io::Error>().map(errno))
}
