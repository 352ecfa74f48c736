//! What a guest is told when a socket refuses.

use crate::Errno;

/// Why the door, or a backend behind it, refuses: the names are those of WASI's `error-code`, so that the adapters have
/// nothing to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// Not allowed to this guest.
    AccessDenied,
    /// Not something that this network can do.
    NotSupported,
    /// An argument that is never right.
    InvalidArgument,
    /// The system has no memory left for it.
    OutOfMemory,
    /// It took too long.
    Timeout,
    /// Something else that takes time is in progress.
    ConcurrencyConflict,
    /// What is to be finished was not begun.
    NotInProgress,
    /// Not yet.
    WouldBlock,
    /// Not in this state.
    InvalidState,
    /// There are too many sockets already.
    NewSocketLimit,
    /// An address that is not this host's.
    AddressNotBindable,
    /// An address that is taken, or no port is left.
    AddressInUse,
    /// No way leads there.
    RemoteUnreachable,
    /// The other side refused.
    ConnectionRefused,
    /// The other side ended it by force.
    ConnectionReset,
    /// It was ended on the way.
    ConnectionAborted,
    /// More than a datagram can hold.
    DatagramTooLarge,
    /// There is no such name, or it has no addresses.
    NameUnresolvable,
    /// The names cannot be asked for at the moment.
    TemporaryResolverFailure,
    /// The names cannot be asked for.
    PermanentResolverFailure,
    /// What the operating system says, where WASI has no name for it.
    Other(Errno),
}

impl From<Errno> for Error {
    fn from(e: Errno) -> Self {
        match e {
            Errno::Access | Errno::Perm | Errno::NotCapable => Self::AccessDenied,
            Errno::NotSup
            | Errno::NoSys
            | Errno::AfNoSupport
            | Errno::ProtoNoSupport
            | Errno::NoProtoOpt
            | Errno::Prototype => Self::NotSupported,
            Errno::Inval | Errno::DestAddrReq | Errno::Fault => Self::InvalidArgument,
            Errno::NoMem | Errno::NoBufs => Self::OutOfMemory,
            Errno::TimedOut => Self::Timeout,
            Errno::Already => Self::ConcurrencyConflict,
            Errno::Again | Errno::InProgress => Self::WouldBlock,
            Errno::IsConn | Errno::NotConn => Self::InvalidState,
            Errno::MFile | Errno::NFile => Self::NewSocketLimit,
            Errno::AddrNotAvail => Self::AddressNotBindable,
            Errno::AddrInUse => Self::AddressInUse,
            Errno::HostUnreach | Errno::NetUnreach | Errno::NetDown => Self::RemoteUnreachable,
            Errno::ConnRefused => Self::ConnectionRefused,
            Errno::ConnReset | Errno::NetReset => Self::ConnectionReset,
            Errno::ConnAborted => Self::ConnectionAborted,
            Errno::MsgSize => Self::DatagramTooLarge,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AccessDenied => "access denied",
            Self::NotSupported => "not supported",
            Self::InvalidArgument => "invalid argument",
            Self::OutOfMemory => "out of memory",
            Self::Timeout => "timed out",
            Self::ConcurrencyConflict => "another operation is in progress",
            Self::NotInProgress => "not in progress",
            Self::WouldBlock => "would block",
            Self::InvalidState => "not in this state",
            Self::NewSocketLimit => "too many sockets",
            Self::AddressNotBindable => "address not bindable",
            Self::AddressInUse => "address in use",
            Self::RemoteUnreachable => "remote unreachable",
            Self::ConnectionRefused => "connection refused",
            Self::ConnectionReset => "connection reset",
            Self::ConnectionAborted => "connection aborted",
            Self::DatagramTooLarge => "datagram too large",
            Self::NameUnresolvable => "name unresolvable",
            Self::TemporaryResolverFailure => "temporary resolver failure",
            Self::PermanentResolverFailure => "permanent resolver failure",
            Self::Other(e) => e.message(),
        })
    }
}

impl std::error::Error for Error {}
