//! Capabilities that live in memory.
//!
//! * [`memory`]: a filesystem, with all that POSIX has and a limit on what it may hold.

pub mod memory;
