//! The addresses of a socket's two ends.

use crate::errno::from_os;
use rustix::fd::AsFd;
use rustix::net::SocketAddrAny;
use std::net::SocketAddr;
use wasi_host_core::{Errno, Result};

pub(super) fn address(addr: SocketAddrAny) -> Result<SocketAddr> {
    SocketAddr::try_from(addr).map_err(from_os)
}

pub(super) fn local(fd: impl AsFd) -> Result<SocketAddr> {
    address(rustix::net::getsockname(fd).map_err(from_os)?)
}

pub(super) fn peer(fd: impl AsFd) -> Result<SocketAddr> {
    address(rustix::net::getpeername(fd).map_err(from_os)?.ok_or(Errno::NotConn)?)
}
