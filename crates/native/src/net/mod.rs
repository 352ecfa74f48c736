//! The network of the operating system. So far: TCP sockets.

mod options;
mod tcp;

pub use tcp::{listener, socket, stream};
