//! Options of TCP sockets, with the bounds that the kernel sets.

use crate::errno::from_os;
use rustix::fd::BorrowedFd;
use rustix::net::sockopt;
use std::time::Duration;
use wasi_host_core::net::{Family, TcpOption, TcpOptionName};
use wasi_host_core::{Errno, Result};

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
        TcpOptionName::HopLimit => TcpOption::HopLimit(match family {
            Family::Ipv4 => u8::try_from(sockopt::ip_ttl(fd).map_err(from_os)?).unwrap_or(u8::MAX),
            Family::Ipv6 => sockopt::ipv6_unicast_hops(fd).map_err(from_os)?,
        }),
        // Linux doubles what is set, for its own bookkeeping.
        TcpOptionName::ReceiveBufferSize => {
            TcpOption::ReceiveBufferSize(sockopt::socket_recv_buffer_size(fd).map_err(from_os)? as u64 / 2)
        }
        TcpOptionName::SendBufferSize => {
            TcpOption::SendBufferSize(sockopt::socket_send_buffer_size(fd).map_err(from_os)? as u64 / 2)
        }
    })
}

/// Values that are too large become the largest, spans become whole seconds; 0 is `Inval`.
pub(super) fn set(fd: BorrowedFd<'_>, family: Family, option: TcpOption) -> Result<()> {
    match option {
        TcpOption::KeepAlive(on) => sockopt::set_socket_keepalive(fd, on),
        TcpOption::KeepAliveIdleTime(span) => sockopt::set_tcp_keepidle(fd, seconds(span)?),
        TcpOption::KeepAliveInterval(span) => sockopt::set_tcp_keepintvl(fd, seconds(span)?),
        TcpOption::KeepAliveCount(0) | TcpOption::HopLimit(0) => return Err(Errno::Inval),
        TcpOption::KeepAliveCount(n) => sockopt::set_tcp_keepcnt(fd, n.min(MAX_PROBES)),
        TcpOption::HopLimit(n) => match family {
            Family::Ipv4 => sockopt::set_ip_ttl(fd, n.into()),
            Family::Ipv6 => sockopt::set_ipv6_unicast_hops(fd, Some(n)),
        },
        TcpOption::ReceiveBufferSize(n) => sockopt::set_socket_recv_buffer_size(fd, bytes(n)?),
        TcpOption::SendBufferSize(n) => sockopt::set_socket_send_buffer_size(fd, bytes(n)?),
    }
    .map_err(from_os)
}

fn seconds(span: Duration) -> Result<Duration> {
    if span.is_zero() {
        return Err(Errno::Inval);
    }
    let up = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    Ok(Duration::from_secs(up.min(MAX_SECONDS)))
}

fn bytes(n: u64) -> Result<usize> {
    match usize::try_from(n.min(i32::MAX as u64)) {
        Ok(0) | Err(_) => Err(Errno::Inval),
        Ok(n) => Ok(n),
    }
}
