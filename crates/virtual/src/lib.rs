//! Capabilities that are not the operating system's.
//!
//! * [`memory`]: a filesystem, with all that POSIX has, limits on what it may hold, and forks that share what they can.
//! * [`mount`]: several trees under one root.
//! * `archive`: a tar or zip archive as a tree, read in place (feature `archive`).
//! * [`net`]: networks: hosts that live in this process, rules on what may be reached, names, none at all.
//! * [`overlay`]: a tree to write to over trees to read.
//! * [`quota`]: any tree, with a bound on what it may hold.
//! * [`read_only`]: any tree, to read alone.
//! * [`stable`]: any tree, which says the same of itself in every run.
//! * [`random`]: chance that is the same in every run.
//! * [`time`]: clocks that are moved by hand, or by themselves when everybody waits.
//! * [`stdio`]: standard streams whose other end the embedder holds.
//! * [`single_file`]: one file of a tree, and nothing else of it.
//! * [`trace`]: any tree, every operation on which is told.
//! * `record`: all that a guest is given written to a log, and replayed from it (feature `record`).
//! * [`copy`]: a whole tree into another.
//! * [`faults`]: any tree, operations on which fail, fall short or take long, by rule.

#[cfg(feature = "archive")]
pub mod archive;
mod bufs;
pub mod call;
pub mod copy;
pub mod faults;
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
