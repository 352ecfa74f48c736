//! Capabilities that are not the operating system's.
//!
//! Filesystems:
//!
//! * [`memory`]: with all that POSIX has, limits on what it may hold, and forks that share what they can.
//! * `archive`: a tar or zip archive as a tree, read in place (feature `archive`).
//! * [`overlay`]: a tree to write to over trees to read.
//! * [`mount`]: several trees under one root.
//! * [`single_file`]: one file of a tree, and nothing else of it.
//!
//! What goes around any of them, and around one another:
//!
//! * [`read_only`]: nothing can be changed.
//! * [`quota`]: bounds on what it may hold.
//! * [`stable`]: it says the same of itself in every run.
//! * [`trace`]: every operation is told.
//! * [`faults`]: operations fail, fall short or take long, by rule.
//!
//! And [`copy`] brings a whole tree into another.
//!
//! The rest of a guest's world:
//!
//! * [`net`]: hosts that live in this process, rules on what may be reached, names, no network at all.
//! * [`time`]: clocks that are moved by hand, or by themselves when everybody waits.
//! * [`random`]: chance that is the same in every run.
//! * [`stdio`]: standard streams whose other end the embedder holds.
//! * `record`: all that a guest is given, written to a log and replayed from it (feature `record`).

#[cfg(feature = "archive")]
pub mod archive;
mod bufs;
pub mod call;
pub mod copy;
pub mod faults;
mod forward;
mod intercept;
pub mod memory;
pub mod mount;
pub mod net;
pub mod overlay;
pub mod quota;
pub mod random;
pub mod read_only;
#[cfg(feature = "record")]
pub mod record;
pub mod single_file;
pub mod stable;
pub mod stdio;
pub mod time;
pub mod trace;
