//! WASI's interfaces as Rust traits, generated from their WIT, and the types that they name.
//!
//! A crate of its own because it takes long to compile and seldom changes. What implements the traits is in `wasi-host`.

mod addresses;
#[cfg(feature = "p3")]
mod connection;
mod entries;
mod error;
pub mod p2;
#[cfg(feature = "p3")]
pub mod p3;
mod pollable;
mod sockets;
mod terminal;

#[cfg(feature = "p3")]
pub use connection::Connection;
pub use entries::DirectoryEntries;
pub use error::{FsError, FsResult, SocketError, SocketResult, TrappableError, failure};
pub use pollable::{Awaited, ClosureFuture, MakeFuture, Pollable, PollableFuture, Source, subscribe};
pub use sockets::{Network, Socket, Step, TcpSocket, UdpSocket};
pub use terminal::{TerminalInput, TerminalOutput};

/// A failure that a guest may look into: the resource behind `wasi:io/error`.
pub type IoError = anyhow::Error;
