//! How the answers of capabilities stand in a log.

use super::codec::{Codec, Failure, fields, infallible, listed};
use super::log::{Damaged, Reader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use wasi_host_core::Errno;
use wasi_host_core::clock::ZoneDisplay;
use wasi_host_core::fs::{DirEntry, FileType, Metadata};
use wasi_host_core::net::{Error, TcpOption, UdpOption};
use wasi_host_core::stream::{StreamError, errno};
use wasi_host_core::time::Timestamp;
use wasi_host_core::wait::{Event, Wait};

impl Codec for Errno {
    fn put(&self, to: &mut Vec<u8>) {
        self.raw().put(to);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Self::from_raw(u16::get(from)?).ok_or(Damaged)
    }
}

impl Failure for Errno {
    fn astray() -> Self {
        Self::Io
    }
}

/// The numbers below are those of errors that have a name; what else the system says comes after.
const OTHER: u8 = 100;

macro_rules! named {
    ($($error:ident)*) => {
        /// In the order of their numbers.
        const NAMED: &[Error] = &[$(Error::$error),*];
    };
}

named! {
    AccessDenied NotSupported InvalidArgument OutOfMemory Timeout ConcurrencyConflict NotInProgress WouldBlock
    InvalidState NewSocketLimit AddressNotBindable AddressInUse RemoteUnreachable ConnectionRefused ConnectionReset
    ConnectionAborted DatagramTooLarge NameUnresolvable TemporaryResolverFailure PermanentResolverFailure
}

impl Codec for Error {
    fn put(&self, to: &mut Vec<u8>) {
        match (NAMED.iter().position(|known| known == self), self) {
            (Some(place), _) => place.put(to),
            (None, Self::Other(e)) => (OTHER, *e).put(to),
            (None, _) => (OTHER, Errno::Io).put(to),
        }
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        match u8::get(from)? {
            OTHER => Ok(Self::Other(Errno::get(from)?)),
            place => NAMED.get(usize::from(place)).copied().ok_or(Damaged),
        }
    }
}

impl Failure for Error {
    fn astray() -> Self {
        Self::Other(Errno::Io)
    }
}

/// An embedder's own error stands as its message.
impl Codec for StreamError {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Self::Closed => 0_u8.put(to),
            Self::LastOperationFailed(e) if e.is::<Errno>() => (1_u8, errno(e)).put(to),
            Self::LastOperationFailed(e) => (2_u8, format!("{e:?}")).put(to),
            Self::Trap(e) => (3_u8, format!("{e:?}")).put(to),
        }
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Ok(match u8::get(from)? {
            0 => Self::Closed,
            1 => Errno::get(from)?.into(),
            2 => Self::LastOperationFailed(anyhow::Error::msg(String::get(from)?)),
            3 => Self::Trap(anyhow::Error::msg(String::get(from)?)),
            _ => return Err(Damaged),
        })
    }
}

impl Failure for StreamError {
    fn astray() -> Self {
        Self::trap("the program does other than what was recorded")
    }
}

listed!(FileType: Unknown BlockDevice CharacterDevice Directory Fifo RegularFile Socket SymbolicLink);
fields!(Metadata: file_type dev ino nlink size accessed modified changed);
fields!(DirEntry: name file_type ino);
fields!(Event: index hangup);
fields!(ZoneDisplay: utc_offset name daylight_saving);

infallible! { ZoneDisplay = ZoneDisplay::default() }

impl Codec for Timestamp {
    fn put(&self, to: &mut Vec<u8>) {
        (self.seconds(), self.subsec_nanos()).put(to);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        let (seconds, nanoseconds) = Codec::get(from)?;
        Self::new(seconds, nanoseconds).ok_or(Damaged)
    }
}

impl Codec for IpAddr {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Self::V4(ip) => (false, ip.to_bits()).put(to),
            Self::V6(ip) => (true, ip.to_bits()).put(to),
        }
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Ok(match bool::get(from)? {
            false => Ipv4Addr::from_bits(u32::get(from)?).into(),
            true => Ipv6Addr::from_bits(u128::get(from)?).into(),
        })
    }
}

impl Codec for SocketAddr {
    fn put(&self, to: &mut Vec<u8>) {
        (self.ip(), self.port()).put(to);
        if let Self::V6(addr) = self {
            (addr.flowinfo(), addr.scope_id()).put(to);
        }
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Ok(match Codec::get(from)? {
            (IpAddr::V4(ip), port) => SocketAddrV4::new(ip, port).into(),
            (IpAddr::V6(ip), port) => {
                let (flow, scope) = Codec::get(from)?;
                SocketAddrV6::new(ip, port, flow, scope).into()
            }
        })
    }
}

/// An option stands as its number and its value.
macro_rules! options {
    ($type:ident: $($number:literal $option:ident)*) => {
        impl Codec for $type {
            fn put(&self, to: &mut Vec<u8>) {
                match self {
                    $( Self::$option(value) => ($number as u8, *value).put(to), )*
                }
            }

            fn get(from: &mut Reader) -> Result<Self, Damaged> {
                match u8::get(from)? {
                    $( $number => Ok(Self::$option(Codec::get(from)?)), )*
                    _ => Err(Damaged),
                }
            }
        }
    };
}

options!(TcpOption: 0 KeepAlive 1 KeepAliveIdleTime 2 KeepAliveInterval 3 KeepAliveCount 4 HopLimit
    5 ReceiveBufferSize 6 SendBufferSize);
options!(UdpOption: 0 UnicastHopLimit 1 ReceiveBufferSize 2 SendBufferSize);

/// What kind of thing is waited for, which hosts look at. The thing itself is of no use in a replay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ready,
    Until,
    For,
    Readable,
    Writable,
    Notify,
    Clock,
    Forever,
    Future,
}

listed!(Kind: Ready Until For Readable Writable Notify Clock Forever Future);
infallible! { Kind = Kind::Ready }

impl Kind {
    pub(super) fn of(wait: &Wait<'_>) -> Self {
        match wait {
            Wait::Ready => Self::Ready,
            Wait::Until(_) => Self::Until,
            Wait::For(_) => Self::For,
            Wait::Readable(_) => Self::Readable,
            Wait::Writable(_) => Self::Writable,
            // By when, it is no business of the guest's.
            Wait::Notify(_) | Wait::NotifyBy(..) => Self::Notify,
            Wait::Clock(..) => Self::Clock,
            Wait::Forever => Self::Forever,
            Wait::Future => Self::Future,
        }
    }
}
