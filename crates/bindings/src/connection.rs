//! A TCP socket as WASI 0.3 has it.

use std::fmt;
use wasi_host_core::net::{Tcp, TcpInput, TcpOutput};

/// The resource behind `wasi:sockets/types`' `tcp-socket` of 0.3: a socket, and the two directions of its connection
/// until the guest asks for each.
pub struct Connection {
    /// The socket.
    pub socket: Tcp,
    /// What comes in, until `receive` hands it out.
    pub input: Option<TcpInput>,
    /// What goes out, until `send` takes it.
    pub output: Option<TcpOutput>,
}

impl Connection {
    /// A socket that is not connected.
    pub fn new(socket: Tcp) -> Self {
        Self { socket, input: None, output: None }
    }

    /// One that is, with its two directions.
    pub fn connected((socket, input, output): (Tcp, TcpInput, TcpOutput)) -> Self {
        Self { socket, input: Some(input), output: Some(output) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}
