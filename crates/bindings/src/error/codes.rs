//! Codes and errors as all versions have them: one text, because the generator makes types of its own for each.

/// What the guest did with a resource it does not have is a trap; errors of the system are what the guest gets.
macro_rules! from_host_errors {
    ($($error:ty),*) => { $(
        impl From<wasmtime::component::ResourceTableError> for $error {
            fn from(e: wasmtime::component::ResourceTableError) -> Self {
                Self::trap(e)
            }
        }
        impl From<wasi_host_core::Errno> for $error {
            fn from(e: wasi_host_core::Errno) -> Self {
                Self::Code(e.into())
            }
        }
        impl From<std::io::Error> for $error {
            fn from(e: std::io::Error) -> Self {
                Self::Code((&e).into())
            }
        }
    )* };
}
pub(super) use from_host_errors;

macro_rules! from_io_errors {
    ($($code:ty),*) => { $(
        impl From<&std::io::Error> for $code {
            fn from(e: &std::io::Error) -> Self {
                crate::error::errno(e).into()
            }
        }
        impl From<std::io::Error> for $code {
            fn from(e: std::io::Error) -> Self {
                Self::from(&e)
            }
        }
    )* };
}
pub(super) use from_io_errors;

/// The codes of files by their numbers. `no-such-device`, `insufficient-memory` and the like stand for several.
macro_rules! from_errno {
    ($code:ty; $($more:pat => $case:expr),*) => {
        impl From<wasi_host_core::Errno> for $code {
            fn from(e: wasi_host_core::Errno) -> Self {
                use wasi_host_core::Errno;
                match e {
                    Errno::Access => Self::Access,
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
                    $($more => $case,)*
                }
            }
        }
    };
}
pub(super) use from_errno;

/// The codes of sockets, which the core's door knows by the names that they have.
macro_rules! from_net_error {
    ($code:ty, $error:ty; $($more:pat => $case:expr),*) => {
        impl From<wasi_host_core::net::Error> for $code {
            fn from(e: wasi_host_core::net::Error) -> Self {
                use wasi_host_core::net::Error;
                match e {
                    Error::AccessDenied => Self::AccessDenied,
                    Error::NotSupported => Self::NotSupported,
                    Error::InvalidArgument => Self::InvalidArgument,
                    Error::OutOfMemory => Self::OutOfMemory,
                    Error::Timeout => Self::Timeout,
                    Error::InvalidState => Self::InvalidState,
                    Error::AddressNotBindable => Self::AddressNotBindable,
                    Error::AddressInUse => Self::AddressInUse,
                    Error::RemoteUnreachable => Self::RemoteUnreachable,
                    Error::ConnectionRefused => Self::ConnectionRefused,
                    Error::ConnectionReset => Self::ConnectionReset,
                    Error::ConnectionAborted => Self::ConnectionAborted,
                    Error::DatagramTooLarge => Self::DatagramTooLarge,
                    $($more => $case,)*
                }
            }
        }

        impl From<wasi_host_core::Errno> for $code {
            fn from(e: wasi_host_core::Errno) -> Self {
                wasi_host_core::net::Error::from(e).into()
            }
        }

        impl From<wasi_host_core::net::Error> for $error {
            fn from(e: wasi_host_core::net::Error) -> Self {
                Self::Code(e.into())
            }
        }
    };
}
pub(super) use from_net_error;
