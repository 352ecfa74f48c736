//! What may be set of a socket. Only the size of what may wait to be received has an effect.

use std::time::Duration;
use wasi_host_core::net::{TcpOption, TcpOptionName, UdpOption, UdpOptionName};

/// The bounds of a buffer, in bytes.
const SMALLEST: u64 = 2 << 10;
const LARGEST: u64 = 1 << 20;
const DEFAULT: usize = 64 << 10;

/// Those of Linux, in seconds and by number.
const LONGEST: Duration = Duration::from_secs(32_767);
const MOST_PROBES: u32 = 127;

/// Those of TCP; UDP has some of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) receive: usize,
    send: usize,
    keep_alive: bool,
    idle: Duration,
    interval: Duration,
    probes: u32,
    hops: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            receive: DEFAULT,
            send: DEFAULT,
            keep_alive: false,
            idle: Duration::from_secs(7200),
            interval: Duration::from_secs(75),
            probes: 9,
            hops: 64,
        }
    }
}

impl Options {
    pub(super) fn get(&self, name: TcpOptionName) -> TcpOption {
        match name {
            TcpOptionName::KeepAlive => TcpOption::KeepAlive(self.keep_alive),
            TcpOptionName::KeepAliveIdleTime => TcpOption::KeepAliveIdleTime(self.idle),
            TcpOptionName::KeepAliveInterval => TcpOption::KeepAliveInterval(self.interval),
            TcpOptionName::KeepAliveCount => TcpOption::KeepAliveCount(self.probes),
            TcpOptionName::HopLimit => TcpOption::HopLimit(self.hops),
            TcpOptionName::ReceiveBufferSize => TcpOption::ReceiveBufferSize(self.receive as u64),
            TcpOptionName::SendBufferSize => TcpOption::SendBufferSize(self.send as u64),
        }
    }

    pub(super) fn set(&mut self, option: TcpOption) {
        match option {
            TcpOption::KeepAlive(on) => self.keep_alive = on,
            TcpOption::KeepAliveIdleTime(span) => self.idle = seconds(span),
            TcpOption::KeepAliveInterval(span) => self.interval = seconds(span),
            TcpOption::KeepAliveCount(n) => self.probes = n.min(MOST_PROBES),
            TcpOption::HopLimit(n) => self.hops = n,
            TcpOption::ReceiveBufferSize(n) => self.receive = bytes(n),
            TcpOption::SendBufferSize(n) => self.send = bytes(n),
        }
    }

    pub(super) fn get_udp(&self, name: UdpOptionName) -> UdpOption {
        match name {
            UdpOptionName::UnicastHopLimit => UdpOption::UnicastHopLimit(self.hops),
            UdpOptionName::ReceiveBufferSize => UdpOption::ReceiveBufferSize(self.receive as u64),
            UdpOptionName::SendBufferSize => UdpOption::SendBufferSize(self.send as u64),
        }
    }

    pub(super) fn set_udp(&mut self, option: UdpOption) {
        match option {
            UdpOption::UnicastHopLimit(n) => self.hops = n,
            UdpOption::ReceiveBufferSize(n) => self.receive = bytes(n),
            UdpOption::SendBufferSize(n) => self.send = bytes(n),
        }
    }
}

/// Whole seconds, as systems have them.
fn seconds(span: Duration) -> Duration {
    let up = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    Duration::from_secs(up).min(LONGEST)
}

fn bytes(n: u64) -> usize {
    n.clamp(SMALLEST, LARGEST) as usize
}
