//! Sockets as far as 0.2 and 0.3 have them alike.

use crate::mode::{Mode, Pause};
use crate::waiting::Waiting;
use std::time::Duration;
use wasi_host_core::net::{Checked, Checking, Error};

/// The value of a socket's option. A backend that answers with that of another knows it not.
macro_rules! option {
    ($socket:expr, $names:ident::$name:ident, $options:ident::$same:ident) => {
        match $socket.get($names::$name)? {
            $options::$same(value) => Ok(value),
            _ => Err(wasi_host_core::net::Error::NotSupported.into()),
        }
    };
}
pub(crate) use option;

/// The options of a TCP socket, as functions of one output of the generator: only their getters are called differently.
/// `$tcp` finds the socket in a table.
macro_rules! tcp_options {
    ($Fd:ty, $Result:ident, $tcp:expr; $enabled:ident $idle:ident $interval:ident $count:ident $hops:ident $receive:ident $send:ident) => {
        fn $enabled(&mut self, fd: $Fd) -> $Result<bool> {
            crate::sockets::option!(
                $tcp(self.table().get(&fd)?),
                TcpOptionName::KeepAlive,
                TcpOption::KeepAlive
            )
        }

        fn set_keep_alive_enabled(&mut self, fd: $Fd, on: bool) -> $Result<()> {
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::KeepAlive(on))?)
        }

        fn $idle(&mut self, fd: $Fd) -> $Result<u64> {
            let socket = $tcp(self.table().get(&fd)?);
            crate::sockets::option!(socket, TcpOptionName::KeepAliveIdleTime, TcpOption::KeepAliveIdleTime)
                .map(crate::sockets::nanoseconds)
        }

        fn set_keep_alive_idle_time(&mut self, fd: $Fd, span: u64) -> $Result<()> {
            let span = std::time::Duration::from_nanos(span);
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::KeepAliveIdleTime(span))?)
        }

        fn $interval(&mut self, fd: $Fd) -> $Result<u64> {
            let socket = $tcp(self.table().get(&fd)?);
            crate::sockets::option!(socket, TcpOptionName::KeepAliveInterval, TcpOption::KeepAliveInterval)
                .map(crate::sockets::nanoseconds)
        }

        fn set_keep_alive_interval(&mut self, fd: $Fd, span: u64) -> $Result<()> {
            let span = std::time::Duration::from_nanos(span);
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::KeepAliveInterval(span))?)
        }

        fn $count(&mut self, fd: $Fd) -> $Result<u32> {
            let socket = $tcp(self.table().get(&fd)?);
            crate::sockets::option!(socket, TcpOptionName::KeepAliveCount, TcpOption::KeepAliveCount)
        }

        fn set_keep_alive_count(&mut self, fd: $Fd, n: u32) -> $Result<()> {
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::KeepAliveCount(n))?)
        }

        fn $hops(&mut self, fd: $Fd) -> $Result<u8> {
            crate::sockets::option!(
                $tcp(self.table().get(&fd)?),
                TcpOptionName::HopLimit,
                TcpOption::HopLimit
            )
        }

        fn set_hop_limit(&mut self, fd: $Fd, n: u8) -> $Result<()> {
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::HopLimit(n))?)
        }

        fn $receive(&mut self, fd: $Fd) -> $Result<u64> {
            let socket = $tcp(self.table().get(&fd)?);
            crate::sockets::option!(socket, TcpOptionName::ReceiveBufferSize, TcpOption::ReceiveBufferSize)
        }

        fn set_receive_buffer_size(&mut self, fd: $Fd, n: u64) -> $Result<()> {
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::ReceiveBufferSize(n))?)
        }

        fn $send(&mut self, fd: $Fd) -> $Result<u64> {
            let socket = $tcp(self.table().get(&fd)?);
            crate::sockets::option!(socket, TcpOptionName::SendBufferSize, TcpOption::SendBufferSize)
        }

        fn set_send_buffer_size(&mut self, fd: $Fd, n: u64) -> $Result<()> {
            Ok($tcp(self.table().get(&fd)?).set(TcpOption::SendBufferSize(n))?)
        }
    };
}
pub(crate) use tcp_options;

/// The options of a UDP socket, in the same way.
macro_rules! udp_options {
    ($Fd:ty, $Result:ident, $udp:expr; $hops:ident $receive:ident $send:ident) => {
        fn $hops(&mut self, fd: $Fd) -> $Result<u8> {
            let socket = $udp(self.table().get(&fd)?);
            crate::sockets::option!(socket, UdpOptionName::UnicastHopLimit, UdpOption::UnicastHopLimit)
        }

        fn set_unicast_hop_limit(&mut self, fd: $Fd, n: u8) -> $Result<()> {
            Ok($udp(self.table().get(&fd)?).set(UdpOption::UnicastHopLimit(n))?)
        }

        fn $receive(&mut self, fd: $Fd) -> $Result<u64> {
            let socket = $udp(self.table().get(&fd)?);
            crate::sockets::option!(socket, UdpOptionName::ReceiveBufferSize, UdpOption::ReceiveBufferSize)
        }

        fn set_receive_buffer_size(&mut self, fd: $Fd, n: u64) -> $Result<()> {
            Ok($udp(self.table().get(&fd)?).set(UdpOption::ReceiveBufferSize(n))?)
        }

        fn $send(&mut self, fd: $Fd) -> $Result<u64> {
            let socket = $udp(self.table().get(&fd)?);
            crate::sockets::option!(socket, UdpOptionName::SendBufferSize, UdpOption::SendBufferSize)
        }

        fn set_send_buffer_size(&mut self, fd: $Fd, n: u64) -> $Result<()> {
            Ok($udp(self.table().get(&fd)?).set(UdpOption::SendBufferSize(n))?)
        }
    };
}
pub(crate) use udp_options;

/// A span as options have it, as far as the number goes.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Waits for the embedder's word on an address, if somebody has to be asked.
pub(crate) async fn checked<M: Mode>(
    waiting: &Waiting,
    checking: Checking,
) -> Result<Result<Checked, Error>, Pause> {
    match checking.known() {
        Some(known) => Ok(known),
        None => waiting.output::<M, _>(checking).await,
    }
}
