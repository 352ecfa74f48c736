//! What a WASI capability is.
//!
//! This crate knows no engine, no async runtime and makes no system call. It holds
//!
//! * the traits that a backend implements: [`fs::Dir`], [`fs::File`], [`net::Network`], [`net::TcpSocket`],
//!   [`clock::HostMonotonicClock`], [`stream::HostInputStream`], …: operations that never wait;
//! * the door through which a guest reaches them, [`fs::Descriptor`], where permissions and limits are applied
//!   once, for every backend and every version of WASI;
//! * waiting as a value, [`wait::Wait`], and the capability that turns a list of them into one pause,
//!   [`wait::Waiter`];
//! * with the feature `conformance`, the test suite that a backend runs against itself.

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod errno;
pub mod fs;
pub mod grant;
pub mod limits;
pub mod net;
pub mod pipe;
pub mod random;
mod read_ahead;
pub mod slots;
pub mod stdio;
pub mod stream;
pub mod time;
pub mod wait;

pub use errno::{Errno, Result};
