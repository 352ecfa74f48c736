//! The one error type below the adapters.

/// An error number. The discriminants are those of WASI 0.1 (`errno`), so that version needs no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Errno {
    /// `2big`: argument list too long.
    TooBig = 1,
    /// `acces`: permission denied.
    Access = 2,
    /// `addrinuse`: address in use.
    AddrInUse = 3,
    /// `addrnotavail`: address not available.
    AddrNotAvail = 4,
    /// `afnosupport`: address family not supported.
    AfNoSupport = 5,
    /// `again`: resource unavailable, or the operation would block.
    Again = 6,
    /// `already`: connection already in progress.
    Already = 7,
    /// `badf`: bad file descriptor.
    BadF = 8,
    /// `badmsg`: bad message.
    BadMsg = 9,
    /// `busy`: device or resource busy.
    Busy = 10,
    /// `canceled`: operation canceled.
    Canceled = 11,
    /// `child`: no child processes.
    Child = 12,
    /// `connaborted`: connection aborted.
    ConnAborted = 13,
    /// `connrefused`: connection refused.
    ConnRefused = 14,
    /// `connreset`: connection reset.
    ConnReset = 15,
    /// `deadlk`: resource deadlock would occur.
    Deadlock = 16,
    /// `destaddrreq`: destination address required.
    DestAddrReq = 17,
    /// `dom`: mathematics argument out of domain of function.
    Dom = 18,
    /// `dquot`: disk quota exceeded.
    DQuot = 19,
    /// `exist`: file exists.
    Exist = 20,
    /// `fault`: bad address.
    Fault = 21,
    /// `fbig`: file too large.
    FBig = 22,
    /// `hostunreach`: host is unreachable.
    HostUnreach = 23,
    /// `idrm`: identifier removed.
    IdRm = 24,
    /// `ilseq`: illegal byte sequence.
    IlSeq = 25,
    /// `inprogress`: operation in progress.
    InProgress = 26,
    /// `intr`: interrupted function.
    Intr = 27,
    /// `inval`: invalid argument.
    Inval = 28,
    /// `io`: input/output error.
    Io = 29,
    /// `isconn`: socket is connected.
    IsConn = 30,
    /// `isdir`: is a directory.
    IsDir = 31,
    /// `loop`: too many levels of symbolic links.
    Loop = 32,
    /// `mfile`: too many open file descriptors.
    MFile = 33,
    /// `mlink`: too many links.
    MLink = 34,
    /// `msgsize`: message too large.
    MsgSize = 35,
    /// `multihop`: multihop attempted.
    MultiHop = 36,
    /// `nametoolong`: file name too long.
    NameTooLong = 37,
    /// `netdown`: network is down.
    NetDown = 38,
    /// `netreset`: connection aborted by network.
    NetReset = 39,
    /// `netunreach`: network unreachable.
    NetUnreach = 40,
    /// `nfile`: too many files open in system.
    NFile = 41,
    /// `nobufs`: no buffer space available.
    NoBufs = 42,
    /// `nodev`: no such device.
    NoDev = 43,
    /// `noent`: no such file or directory.
    NoEnt = 44,
    /// `noexec`: executable file format error.
    NoExec = 45,
    /// `nolck`: no locks available.
    NoLck = 46,
    /// `nolink`: link has been severed.
    NoLink = 47,
    /// `nomem`: not enough memory.
    NoMem = 48,
    /// `nomsg`: no message of the desired type.
    NoMsg = 49,
    /// `noprotoopt`: protocol not available.
    NoProtoOpt = 50,
    /// `nospc`: no space left on device.
    NoSpc = 51,
    /// `nosys`: function not supported.
    NoSys = 52,
    /// `notconn`: socket is not connected.
    NotConn = 53,
    /// `notdir`: not a directory.
    NotDir = 54,
    /// `notempty`: directory not empty.
    NotEmpty = 55,
    /// `notrecoverable`: state not recoverable.
    NotRecoverable = 56,
    /// `notsock`: not a socket.
    NotSock = 57,
    /// `notsup`: operation not supported.
    NotSup = 58,
    /// `notty`: inappropriate I/O control operation.
    NoTty = 59,
    /// `nxio`: no such device or address.
    NxIo = 60,
    /// `overflow`: value too large for its type.
    Overflow = 61,
    /// `ownerdead`: previous owner died.
    OwnerDead = 62,
    /// `perm`: operation not permitted.
    Perm = 63,
    /// `pipe`: broken pipe.
    Pipe = 64,
    /// `proto`: protocol error.
    Proto = 65,
    /// `protonosupport`: protocol not supported.
    ProtoNoSupport = 66,
    /// `prototype`: protocol wrong type for socket.
    Prototype = 67,
    /// `range`: result too large.
    Range = 68,
    /// `rofs`: read-only file system.
    RoFs = 69,
    /// `spipe`: invalid seek.
    SPipe = 70,
    /// `srch`: no such process.
    SrCh = 71,
    /// `stale`: stale file handle.
    Stale = 72,
    /// `timedout`: connection timed out.
    TimedOut = 73,
    /// `txtbsy`: text file busy.
    TxtBsy = 74,
    /// `xdev`: cross-device link.
    XDev = 75,
    /// `notcapable`: outside of what the capability grants.
    NotCapable = 76,
}

/// The result of an operation on a capability.
pub type Result<T, E = Errno> = std::result::Result<T, E>;

impl Errno {
    /// The number that WASI 0.1 gives this error.
    #[inline]
    pub fn raw(self) -> u16 {
        self as u16
    }

    /// The error to which WASI 0.1 gives this number.
    pub fn from_raw(number: u16) -> Option<Self> {
        const ALL: &[Errno] = &[
            Errno::TooBig,
            Errno::Access,
            Errno::AddrInUse,
            Errno::AddrNotAvail,
            Errno::AfNoSupport,
            Errno::Again,
            Errno::Already,
            Errno::BadF,
            Errno::BadMsg,
            Errno::Busy,
            Errno::Canceled,
            Errno::Child,
            Errno::ConnAborted,
            Errno::ConnRefused,
            Errno::ConnReset,
            Errno::Deadlock,
            Errno::DestAddrReq,
            Errno::Dom,
            Errno::DQuot,
            Errno::Exist,
            Errno::Fault,
            Errno::FBig,
            Errno::HostUnreach,
            Errno::IdRm,
            Errno::IlSeq,
            Errno::InProgress,
            Errno::Intr,
            Errno::Inval,
            Errno::Io,
            Errno::IsConn,
            Errno::IsDir,
            Errno::Loop,
            Errno::MFile,
            Errno::MLink,
            Errno::MsgSize,
            Errno::MultiHop,
            Errno::NameTooLong,
            Errno::NetDown,
            Errno::NetReset,
            Errno::NetUnreach,
            Errno::NFile,
            Errno::NoBufs,
            Errno::NoDev,
            Errno::NoEnt,
            Errno::NoExec,
            Errno::NoLck,
            Errno::NoLink,
            Errno::NoMem,
            Errno::NoMsg,
            Errno::NoProtoOpt,
            Errno::NoSpc,
            Errno::NoSys,
            Errno::NotConn,
            Errno::NotDir,
            Errno::NotEmpty,
            Errno::NotRecoverable,
            Errno::NotSock,
            Errno::NotSup,
            Errno::NoTty,
            Errno::NxIo,
            Errno::Overflow,
            Errno::OwnerDead,
            Errno::Perm,
            Errno::Pipe,
            Errno::Proto,
            Errno::ProtoNoSupport,
            Errno::Prototype,
            Errno::Range,
            Errno::RoFs,
            Errno::SPipe,
            Errno::SrCh,
            Errno::Stale,
            Errno::TimedOut,
            Errno::TxtBsy,
            Errno::XDev,
            Errno::NotCapable,
        ];
        ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// What went wrong, in a few words.
    pub fn message(self) -> &'static str {
        match self {
            Self::TooBig => "argument list too long",
            Self::Access => "permission denied",
            Self::AddrInUse => "address in use",
            Self::AddrNotAvail => "address not available",
            Self::AfNoSupport => "address family not supported",
            Self::Again => "resource unavailable, or the operation would block",
            Self::Already => "connection already in progress",
            Self::BadF => "bad file descriptor",
            Self::BadMsg => "bad message",
            Self::Busy => "device or resource busy",
            Self::Canceled => "operation canceled",
            Self::Child => "no child processes",
            Self::ConnAborted => "connection aborted",
            Self::ConnRefused => "connection refused",
            Self::ConnReset => "connection reset",
            Self::Deadlock => "resource deadlock would occur",
            Self::DestAddrReq => "destination address required",
            Self::Dom => "mathematics argument out of domain of function",
            Self::DQuot => "disk quota exceeded",
            Self::Exist => "file exists",
            Self::Fault => "bad address",
            Self::FBig => "file too large",
            Self::HostUnreach => "host is unreachable",
            Self::IdRm => "identifier removed",
            Self::IlSeq => "illegal byte sequence",
            Self::InProgress => "operation in progress",
            Self::Intr => "interrupted function",
            Self::Inval => "invalid argument",
            Self::Io => "input/output error",
            Self::IsConn => "socket is connected",
            Self::IsDir => "is a directory",
            Self::Loop => "too many levels of symbolic links",
            Self::MFile => "too many open file descriptors",
            Self::MLink => "too many links",
            Self::MsgSize => "message too large",
            Self::MultiHop => "multihop attempted",
            Self::NameTooLong => "file name too long",
            Self::NetDown => "network is down",
            Self::NetReset => "connection aborted by network",
            Self::NetUnreach => "network unreachable",
            Self::NFile => "too many files open in system",
            Self::NoBufs => "no buffer space available",
            Self::NoDev => "no such device",
            Self::NoEnt => "no such file or directory",
            Self::NoExec => "executable file format error",
            Self::NoLck => "no locks available",
            Self::NoLink => "link has been severed",
            Self::NoMem => "not enough memory",
            Self::NoMsg => "no message of the desired type",
            Self::NoProtoOpt => "protocol not available",
            Self::NoSpc => "no space left on device",
            Self::NoSys => "function not supported",
            Self::NotConn => "socket is not connected",
            Self::NotDir => "not a directory",
            Self::NotEmpty => "directory not empty",
            Self::NotRecoverable => "state not recoverable",
            Self::NotSock => "not a socket",
            Self::NotSup => "operation not supported",
            Self::NoTty => "inappropriate I/O control operation",
            Self::NxIo => "no such device or address",
            Self::Overflow => "value too large for its type",
            Self::OwnerDead => "previous owner died",
            Self::Perm => "operation not permitted",
            Self::Pipe => "broken pipe",
            Self::Proto => "protocol error",
            Self::ProtoNoSupport => "protocol not supported",
            Self::Prototype => "protocol wrong type for socket",
            Self::Range => "result too large",
            Self::RoFs => "read-only file system",
            Self::SPipe => "invalid seek",
            Self::SrCh => "no such process",
            Self::Stale => "stale file handle",
            Self::TimedOut => "connection timed out",
            Self::TxtBsy => "text file busy",
            Self::XDev => "cross-device link",
            Self::NotCapable => "outside of what the capability grants",
        }
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_errors_are_the_same() {
        let known = (0..200).filter_map(|n| Some((n, Errno::from_raw(n)?)));
        let known: Vec<_> = known.inspect(|(n, e)| assert_eq!(e.raw(), *n)).collect();
        assert_eq!((known.len(), known.last()), (76, Some(&(76, Errno::NotCapable))));
    }
}
