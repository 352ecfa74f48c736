//! What WASI 0.2 calls them.

use super::TrappableError;
use super::codes::{from_errno, from_host_errors, from_io_errors, from_net_error};
use crate::p2::filesystem::types::ErrorCode as FsCode;
use crate::p2::sockets::network::ErrorCode as SocketCode;

/// The error of an operation on files.
///
/// [`TrappableError`] has an example.
pub type FsError = TrappableError<FsCode>;
/// The result of an operation on files.
///
/// ```
/// use wasi_host_bindings::{FsResult, p2::filesystem::types::ErrorCode};
/// fn half(size: u64) -> FsResult<u64> {
///     if size % 2 == 0 { Ok(size / 2) } else { Err(ErrorCode::Invalid.into()) }
/// }
/// # assert!(half(3).is_err());
/// ```
pub type FsResult<T> = Result<T, FsError>;
/// The error of an operation on sockets.
///
/// [`TrappableError`] has an example: what [`FsError`] is to files, this is to sockets.
pub type SocketError = TrappableError<SocketCode>;
/// The result of an operation on sockets.
///
/// ```
/// use wasi_host_bindings::{SocketResult, p2::sockets::network::ErrorCode};
/// fn port(number: u32) -> SocketResult<u16> {
///     u16::try_from(number).map_err(|_| ErrorCode::InvalidArgument.into())
/// }
/// # assert!(port(1 << 16).is_err());
/// ```
pub type SocketResult<T> = Result<T, SocketError>;

from_host_errors!(FsError, SocketError);
from_io_errors!(FsCode, SocketCode);

// What 0.2 has no code for is `io`.
from_errno!(FsCode; Errno::Again => Self::WouldBlock, _ => Self::Io);

// What 0.2 has no code for is `unknown`.
from_net_error!(SocketCode, SocketError;
    Error::ConcurrencyConflict => Self::ConcurrencyConflict,
    Error::NotInProgress => Self::NotInProgress,
    Error::WouldBlock => Self::WouldBlock,
    Error::NewSocketLimit => Self::NewSocketLimit,
    Error::NameUnresolvable => Self::NameUnresolvable,
    Error::TemporaryResolverFailure => Self::TemporaryResolverFailure,
    Error::PermanentResolverFailure => Self::PermanentResolverFailure,
    _ => Self::Unknown
);

/// Two enumerations, because each of the two outputs of the generator has its own.
macro_rules! same_code {
    ($($case:ident)*) => {
        impl From<FsCode> for crate::p2::sync::filesystem::types::ErrorCode {
            fn from(e: FsCode) -> Self {
                match e { $(FsCode::$case => Self::$case,)* }
            }
        }
    };
}
same_code! {
    Access WouldBlock Already BadDescriptor Busy Deadlock Quota Exist FileTooLarge IllegalByteSequence InProgress
    Interrupted Invalid Io IsDirectory Loop TooManyLinks MessageSize NameTooLong NoDevice NoEntry NoLock
    InsufficientMemory InsufficientSpace NotDirectory NotEmpty NotRecoverable Unsupported NoTty NoSuchDevice
    Overflow NotPermitted Pipe ReadOnly InvalidSeek TextFileBusy CrossDevice
}
