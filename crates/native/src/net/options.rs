//! Options of sockets, with the bounds that the kernel sets.

use super::Family;
use crate::errno::from_os;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::net::sockopt;
use std::time::Duration;
use wasi_host_core::Result;
use wasi_host_core::net::{TcpOption, TcpOptionName};

/// The longest keep-alive times and the most probes that Linux takes, in seconds and by number.
const MAX_SECONDS: u64 = 32_767;
const MAX_PROBES: u32 = 127;

pub(super) fn get(fd: BorrowedFd<'_>, family: Family, name: TcpOptionName) -> Result<TcpOption> {
    Ok(match name {
        TcpOptionName::KeepAlive => TcpOption::KeepAlive(sockopt::socket_keepalive(fd).map_err(from_os)?),
        TcpOptionName::KeepAliveIdleTime => {
            TcpOption::KeepAliveIdleTime(sockopt::tcp_keepidle(fd).map_err(from_os)?)
        }
        TcpOptionName::KeepAliveInterval => {
            TcpOption::KeepAliveInterval(sockopt::tcp_keepintvl(fd).map_err(from_os)?)
        }
        TcpOptionName::KeepAliveCount => {
            TcpOption::KeepAliveCount(sockopt::tcp_keepcnt(fd).map_err(from_os)?)
        }
        TcpOptionName::HopLimit => TcpOption::HopLimit(hops(fd, family)?),
        TcpOptionName::ReceiveBufferSize => TcpOption::ReceiveBufferSize(receive_buffer(fd)?),
        TcpOptionName::SendBufferSize => TcpOption::SendBufferSize(send_buffer(fd)?),
    })
}

/// Values that are too large become the largest, spans become whole seconds.
pub(super) fn set(fd: BorrowedFd<'_>, family: Family, option: TcpOption) -> Result<()> {
    match option {
        TcpOption::KeepAlive(on) => sockopt::set_socket_keepalive(fd, on).map_err(from_os),
        TcpOption::KeepAliveIdleTime(span) => sockopt::set_tcp_keepidle(fd, seconds(span)).map_err(from_os),
        TcpOption::KeepAliveInterval(span) => sockopt::set_tcp_keepintvl(fd, seconds(span)).map_err(from_os),
        TcpOption::KeepAliveCount(n) => sockopt::set_tcp_keepcnt(fd, n.min(MAX_PROBES)).map_err(from_os),
        TcpOption::HopLimit(n) => set_hops(fd, family, n),
        TcpOption::ReceiveBufferSize(n) => set_receive_buffer(fd, n),
        TcpOption::SendBufferSize(n) => set_send_buffer(fd, n),
    }
}

pub(super) fn hops(fd: impl AsFd, family: Family) -> Result<u8> {
    match family {
        Family::Ipv4 => sockopt::ip_ttl(fd).map(|n| u8::try_from(n).unwrap_or(u8::MAX)),
        Family::Ipv6 => sockopt::ipv6_unicast_hops(fd),
    }
    .map_err(from_os)
}

pub(super) fn set_hops(fd: impl AsFd, family: Family, n: u8) -> Result<()> {
    match family {
        Family::Ipv4 => sockopt::set_ip_ttl(fd, n.into()),
        Family::Ipv6 => sockopt::set_ipv6_unicast_hops(fd, Some(n)),
    }
    .map_err(from_os)
}

// Linux doubles what is set, for its own bookkeeping.

pub(super) fn receive_buffer(fd: impl AsFd) -> Result<u64> {
    Ok(sockopt::socket_recv_buffer_size(fd).map_err(from_os)? as u64 / 2)
}

pub(super) fn send_buffer(fd: impl AsFd) -> Result<u64> {
    Ok(sockopt::socket_send_buffer_size(fd).map_err(from_os)? as u64 / 2)
}

pub(super) fn set_receive_buffer(fd: impl AsFd, n: u64) -> Result<()> {
    sockopt::set_socket_recv_buffer_size(fd, bytes(n)).map_err(from_os)
}

pub(super) fn set_send_buffer(fd: impl AsFd, n: u64) -> Result<()> {
    sockopt::set_socket_send_buffer_size(fd, bytes(n)).map_err(from_os)
}

fn seconds(span: Duration) -> Duration {
    let up = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    Duration::from_secs(up.min(MAX_SECONDS))
}

fn bytes(n: u64) -> usize {
    n.min(i32::MAX as u64) as usize
}
