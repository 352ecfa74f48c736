//! Standard streams whose other end the embedder holds.
//!
//! * [`Captured`] keeps what a guest writes.
//! * [`Callback`] calls a function with it, as it comes or line by line.
//! * [`channel`] brings it to another thread or task, which the guest waits for if it is slow.
//! * [`feed`] brings a guest its input, as the host has it.
//! * [`Limited`] and [`Prefixed`] change what goes to any other output; [`Tee`] gives it to two.
//!
//! Each serves every version of WASI, and takes no more memory than it was given a bound for, whatever the guest does.
//! Waiting for them takes neither a runtime nor a descriptor.
//!
//! ```
//! use wasi_host_core::stdio::StdoutStream;
//! use wasi_host_virtual::stdio::{Captured, Full, Limited, Prefixed};
//!
//! let log = Captured::new(1 << 20, Full::Truncate);
//! let stdout = Limited::new(Prefixed::new(log.clone(), "[guest 3] "), 6, Full::Truncate);
//! let stderr = Prefixed::new(log.clone(), "[guest 3, err] ");
//!
//! stdout.stream().write("one\ntwo\nthree\n".into()).unwrap();
//! stderr.stream().write(" three is lost\n".into()).unwrap();
//! assert_eq!(log.contents(), "[guest 3] one\n[guest 3] tw[guest 3, err]  three is lost\n");
//! assert_eq!(stdout.lost(), 8);
//! ```

mod block;
mod callback;
mod captured;
mod channel;
mod feed;
mod limited;
mod lines;
mod pipe;
mod prefixed;
mod room;
mod tee;

pub use callback::Callback;
pub use captured::Captured;
pub use channel::{ChannelOutput, Receiver, channel};
pub use feed::{ChannelInput, Feeder, feed};
pub use limited::Limited;
pub use prefixed::Prefixed;
pub use room::Full;
pub use tee::Tee;

/// What an output that keeps nothing for itself, or has its own bound, permits at a time: in bytes.
const PERMIT: usize = 1 << 20;
