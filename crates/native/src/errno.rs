//! The operating system's error numbers and core's.

use std::io;
use wasi_host_core::Errno;

type Os = rustix::io::Errno;

/// One table for both directions. What stands first for one of core's numbers is what that one becomes again.
macro_rules! table {
    ($($os:ident = $core:ident,)*) => {
        /// What core calls an error of the operating system; `Io` where it has no name for it.
        #[cold]
        #[allow(unreachable_patterns, reason = "some numbers have two names on some systems")]
        pub fn from_os(error: Os) -> Errno {
            match error {
                $(Os::$os => Errno::$core,)*
                _ => Errno::Io,
            }
        }

        /// What the operating system calls an error of core's. Its own `NotCapable` is `EPERM` there.
        #[allow(unreachable_patterns, reason = "some names stand for several numbers")]
        pub fn to_os(error: Errno) -> Os {
            match error {
                $(Errno::$core => Os::$os,)*
                Errno::NotCapable => Os::PERM,
                _ => Os::IO,
            }
        }
    };
}

table! {
    NOENT = NoEnt,
    AGAIN = Again,
    WOULDBLOCK = Again,
    EXIST = Exist,
    NOTDIR = NotDir,
    ISDIR = IsDir,
    INVAL = Inval,
    ACCESS = Access,
    PERM = Perm,
    LOOP = Loop,
    NOTEMPTY = NotEmpty,
    BADF = BadF,
    SPIPE = SPipe,
    PIPE = Pipe,
    INTR = Intr,
    IO = Io,
    TOOBIG = TooBig,
    ADDRINUSE = AddrInUse,
    ADDRNOTAVAIL = AddrNotAvail,
    AFNOSUPPORT = AfNoSupport,
    PFNOSUPPORT = AfNoSupport,
    ALREADY = Already,
    BADMSG = BadMsg,
    BUSY = Busy,
    CANCELED = Canceled,
    CHILD = Child,
    CONNABORTED = ConnAborted,
    CONNREFUSED = ConnRefused,
    CONNRESET = ConnReset,
    DEADLK = Deadlock,
    DESTADDRREQ = DestAddrReq,
    DOM = Dom,
    DQUOT = DQuot,
    FAULT = Fault,
    FBIG = FBig,
    HOSTUNREACH = HostUnreach,
    HOSTDOWN = HostUnreach,
    NONET = HostUnreach,
    IDRM = IdRm,
    ILSEQ = IlSeq,
    INPROGRESS = InProgress,
    ISCONN = IsConn,
    MFILE = MFile,
    MLINK = MLink,
    MSGSIZE = MsgSize,
    MULTIHOP = MultiHop,
    NAMETOOLONG = NameTooLong,
    NETDOWN = NetDown,
    NETRESET = NetReset,
    NETUNREACH = NetUnreach,
    NFILE = NFile,
    NOBUFS = NoBufs,
    NODEV = NoDev,
    NOEXEC = NoExec,
    NOLCK = NoLck,
    NOLINK = NoLink,
    NOMEM = NoMem,
    NOMSG = NoMsg,
    NOPROTOOPT = NoProtoOpt,
    NOSPC = NoSpc,
    NOSYS = NoSys,
    NOTCONN = NotConn,
    NOTRECOVERABLE = NotRecoverable,
    NOTSOCK = NotSock,
    NOTSUP = NotSup,
    OPNOTSUPP = NotSup,
    NOTTY = NoTty,
    NXIO = NxIo,
    OVERFLOW = Overflow,
    OWNERDEAD = OwnerDead,
    PROTO = Proto,
    PROTONOSUPPORT = ProtoNoSupport,
    SOCKTNOSUPPORT = ProtoNoSupport,
    PROTOTYPE = Prototype,
    RANGE = Range,
    ROFS = RoFs,
    SRCH = SrCh,
    STALE = Stale,
    TIMEDOUT = TimedOut,
    TXTBSY = TxtBsy,
    // Of two filesystems. Where the kernel says so of a path that leads outside, the resolver knows.
    XDEV = XDev,
}

/// What core calls an error of the standard library: by its number if it has one, else by its kind.
pub fn from_io(error: &io::Error) -> Errno {
    if let Some(os) = Os::from_io_error(error) {
        return from_os(os);
    }
    match error.kind() {
        io::ErrorKind::NotFound => Errno::NoEnt,
        io::ErrorKind::PermissionDenied => Errno::Access,
        io::ErrorKind::ConnectionRefused => Errno::ConnRefused,
        io::ErrorKind::ConnectionReset => Errno::ConnReset,
        io::ErrorKind::ConnectionAborted => Errno::ConnAborted,
        io::ErrorKind::NotConnected => Errno::NotConn,
        io::ErrorKind::AddrInUse => Errno::AddrInUse,
        io::ErrorKind::AddrNotAvailable => Errno::AddrNotAvail,
        io::ErrorKind::BrokenPipe => Errno::Pipe,
        io::ErrorKind::AlreadyExists => Errno::Exist,
        io::ErrorKind::WouldBlock => Errno::Again,
        io::ErrorKind::InvalidInput => Errno::Inval,
        io::ErrorKind::InvalidData => Errno::IlSeq,
        io::ErrorKind::TimedOut => Errno::TimedOut,
        io::ErrorKind::Interrupted => Errno::Intr,
        io::ErrorKind::Unsupported => Errno::NotSup,
        io::ErrorKind::OutOfMemory => Errno::NoMem,
        _ => Errno::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_kernel_keeps_its_name_both_ways() {
        let mut named = 0;
        for raw in 1..134 {
            let os = Os::from_raw_os_error(raw);
            let core = from_os(os);
            if core == Errno::Io {
                assert_eq!(to_os(core), Os::IO);
                continue;
            }
            named += 1;
            // The way back may lead to a sibling; from there it stays.
            assert_eq!(from_os(to_os(core)), core, "{os:?}");
        }
        // Core has 76 names; `Io` and `NotCapable` are not counted, synonyms are.
        assert!(named >= 74, "{named}");
    }

    #[test]
    fn what_has_no_name_is_io() {
        assert_eq!(from_os(Os::from_raw_os_error(4000)), Errno::Io);
        assert_eq!(to_os(Errno::NotCapable), Os::PERM);
    }

    #[test]
    fn the_standard_library_is_understood_with_and_without_a_number() {
        assert_eq!(from_io(&io::Error::from_raw_os_error(Os::XDEV.raw_os_error())), Errno::XDev);
        assert_eq!(from_io(&io::Error::new(io::ErrorKind::NotFound, "no number")), Errno::NoEnt);
    }
}
