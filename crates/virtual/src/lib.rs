//! Capabilities that live in memory.
//!
//! * [`memory`]: a filesystem, with all that POSIX has, limits on what it may hold, and forks that share what they can.

pub mod memory;
