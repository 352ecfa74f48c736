//! What WASI 0.3 calls them.

use super::TrappableError;
use super::codes::{from_errno, from_host_errors, from_io_errors, from_net_error};
use crate::p3::cli::types::ErrorCode as CliCode;
use crate::p3::filesystem::types::ErrorCode as FsCode;
use crate::p3::sockets::ip_name_lookup::ErrorCode as LookupCode;
use crate::p3::sockets::types::ErrorCode as SocketCode;
use wasi_host_core::{Errno, net};

/// The error of an operation on files.
///
/// [`TrappableError`] has an example.
pub type FsError = TrappableError<FsCode>;
/// The result of an operation on files.
///
/// [`TrappableError`] has an example.
pub type FsResult<T> = Result<T, FsError>;
/// The error of an operation on sockets.
///
/// [`TrappableError`] has an example.
pub type SocketError = TrappableError<SocketCode>;
/// The result of an operation on sockets.
///
/// [`TrappableError`] has an example.
pub type SocketResult<T> = Result<T, SocketError>;
/// The error of a look-up.
///
/// [`TrappableError`] has an example.
pub type LookupError = TrappableError<LookupCode>;
/// The result of a look-up.
///
/// [`TrappableError`] has an example.
pub type LookupResult<T> = Result<T, LookupError>;

from_host_errors!(FsError, SocketError);
from_io_errors!(FsCode, SocketCode);

fn other(e: Errno) -> Option<String> {
    Some(e.message().to_owned())
}

from_errno!(FsCode; Errno::Io => Self::Io, e => Self::Other(other(e)));

from_net_error!(SocketCode, SocketError;
    // What 0.2 tells of steps that are under way 0.3 tells of the state.
    Error::ConcurrencyConflict | Error::NotInProgress | Error::WouldBlock => Self::InvalidState,
    Error::NewSocketLimit => Self::OutOfMemory,
    Error::Other(Errno::Pipe) => Self::ConnectionBroken,
    Error::Other(e) => Self::Other(other(e)),
    _ => Self::Other(None)
);

impl From<net::Error> for LookupCode {
    fn from(e: net::Error) -> Self {
        match e {
            net::Error::AccessDenied => Self::AccessDenied,
            net::Error::InvalidArgument => Self::InvalidArgument,
            net::Error::NameUnresolvable => Self::NameUnresolvable,
            net::Error::TemporaryResolverFailure => Self::TemporaryResolverFailure,
            net::Error::PermanentResolverFailure => Self::PermanentResolverFailure,
            e => Self::Other(Some(e.to_string())),
        }
    }
}

impl From<net::Error> for LookupError {
    fn from(e: net::Error) -> Self {
        Self::Code(e.into())
    }
}

impl From<Errno> for CliCode {
    /// What is neither a broken pipe nor bad text is `io`.
    fn from(e: Errno) -> Self {
        match e {
            Errno::Pipe => Self::Pipe,
            Errno::IlSeq => Self::IllegalByteSequence,
            _ => Self::Io,
        }
    }
}
