//! The operating system behind the traits of [`wasi_host_core`].
//!
//! * [`wait::Poller`] waits: one `ppoll` for synchronous hosts, an awaited future for asynchronous ones;
//! * [`fs`] is a directory of the host, and nothing above it;
//! * [`net`] holds TCP sockets, [`stdio`] the standard streams of this process;
//! * `pipe` makes streams of whatever tokio reads and writes, `runtime` says which of its runtimes serves whom;
//! * [`clock`] and [`random`] are what their names say.
//!
//! With the feature `async` it serves asynchronous hosts too, on tokio; without it there is no tokio at all.

pub mod clock;
pub mod errno;
pub mod fs;
mod kernel;
pub mod net;
#[cfg(feature = "async")]
pub mod pipe;
pub mod random;
#[cfg(feature = "async")]
pub mod runtime;
pub mod stdio;
#[cfg(feature = "async")]
mod timer;
pub mod wait;
