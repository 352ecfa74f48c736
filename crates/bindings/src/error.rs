//! Errors that a guest sees, or that stop it; and what WASI 0.2 calls the numbers of the core.

use crate::p2::filesystem::types::ErrorCode as FsCode;
use crate::p2::sockets::network::ErrorCode as SocketCode;
use std::io::{self, ErrorKind};
use wasi_host_core::{Errno, net};
use wasmtime::component::ResourceTableError;

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

/// What the guest did with a resource it does not have is a trap; errors of the system are what the guest gets.
macro_rules! from_host_errors {
    ($($error:ty),*) => { $(
        impl From<ResourceTableError> for $error {
            fn from(e: ResourceTableError) -> Self {
                Self::trap(e)
            }
        }
        impl From<Errno> for $error {
            fn from(e: Errno) -> Self {
                Self::Code(e.into())
            }
        }
        impl From<io::Error> for $error {
            fn from(e: io::Error) -> Self {
                Self::Code((&e).into())
            }
        }
    )* };
}
from_host_errors!(FsError, SocketError);

macro_rules! from_io_errors {
    ($($code:ty),*) => { $(
        impl From<&io::Error> for $code {
            fn from(e: &io::Error) -> Self {
                errno(e).into()
            }
        }
        impl From<io::Error> for $code {
            fn from(e: io::Error) -> Self {
                Self::from(&e)
            }
        }
    )* };
}
from_io_errors!(FsCode, SocketCode);

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

impl From<Errno> for FsCode {
    /// `no-such-device`, `io` and the like stand for several numbers; what 0.2 has no code for is `io`.
    fn from(e: Errno) -> Self {
        match e {
            Errno::Access => Self::Access,
            Errno::Again => Self::WouldBlock,
            Errno::Already => Self::Already,
            Errno::BadF => Self::BadDescriptor,
            Errno::Busy => Self::Busy,
            Errno::DQuot => Self::Quota,
            Errno::Deadlock => Self::Deadlock,
            Errno::Exist => Self::Exist,
            Errno::FBig => Self::FileTooLarge,
            Errno::IlSeq => Self::IllegalByteSequence,
            Errno::InProgress => Self::InProgress,
            Errno::Intr => Self::Interrupted,
            Errno::Inval => Self::Invalid,
            Errno::IsDir => Self::IsDirectory,
            Errno::Loop => Self::Loop,
            Errno::MFile | Errno::NFile | Errno::NoMem | Errno::NoBufs => Self::InsufficientMemory,
            Errno::MLink => Self::TooManyLinks,
            Errno::MsgSize => Self::MessageSize,
            Errno::NameTooLong => Self::NameTooLong,
            Errno::NoDev => Self::NoDevice,
            Errno::NoEnt => Self::NoEntry,
            Errno::NoLck => Self::NoLock,
            Errno::NoSpc => Self::InsufficientSpace,
            Errno::NoTty => Self::NoTty,
            Errno::NotCapable | Errno::Perm => Self::NotPermitted,
            Errno::NotDir => Self::NotDirectory,
            Errno::NotEmpty => Self::NotEmpty,
            Errno::NotRecoverable => Self::NotRecoverable,
            Errno::NotSup | Errno::NoSys => Self::Unsupported,
            Errno::NxIo => Self::NoSuchDevice,
            Errno::Overflow => Self::Overflow,
            Errno::Pipe => Self::Pipe,
            Errno::RoFs => Self::ReadOnly,
            Errno::SPipe => Self::InvalidSeek,
            Errno::TxtBsy => Self::TextFileBusy,
            Errno::XDev => Self::CrossDevice,
            _ => Self::Io,
        }
    }
}

impl From<Errno> for SocketCode {
    fn from(e: Errno) -> Self {
        net::Error::from(e).into()
    }
}

impl From<net::Error> for SocketCode {
    /// What 0.2 has no code for is `unknown`.
    fn from(e: net::Error) -> Self {
        match e {
            net::Error::AccessDenied => Self::AccessDenied,
            net::Error::NotSupported => Self::NotSupported,
            net::Error::InvalidArgument => Self::InvalidArgument,
            net::Error::OutOfMemory => Self::OutOfMemory,
            net::Error::Timeout => Self::Timeout,
            net::Error::ConcurrencyConflict => Self::ConcurrencyConflict,
            net::Error::NotInProgress => Self::NotInProgress,
            net::Error::WouldBlock => Self::WouldBlock,
            net::Error::InvalidState => Self::InvalidState,
            net::Error::NewSocketLimit => Self::NewSocketLimit,
            net::Error::AddressNotBindable => Self::AddressNotBindable,
            net::Error::AddressInUse => Self::AddressInUse,
            net::Error::RemoteUnreachable => Self::RemoteUnreachable,
            net::Error::ConnectionRefused => Self::ConnectionRefused,
            net::Error::ConnectionReset => Self::ConnectionReset,
            net::Error::ConnectionAborted => Self::ConnectionAborted,
            net::Error::DatagramTooLarge => Self::DatagramTooLarge,
            net::Error::NameUnresolvable => Self::NameUnresolvable,
            net::Error::TemporaryResolverFailure => Self::TemporaryResolverFailure,
            net::Error::PermanentResolverFailure => Self::PermanentResolverFailure,
            _ => Self::Unknown,
        }
    }
}

impl From<net::Error> for SocketError {
    fn from(e: net::Error) -> Self {
        Self::Code(e.into())
    }
}

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

/// The number of a failure that a stream told of, if it has one.
pub fn failure(e: &anyhow::Error) -> Option<Errno> {
    e.downcast_ref::<Errno>().copied().or_else(|| e.downcast_ref::<io::Error>().map(errno))
}
