//! Test suites that a backend runs against itself.
//!
//! What they expect is POSIX as Linux has it, and they were checked against the Linux kernel itself. Where
//! filesystems differ from one another each of the answers is allowed.

pub mod clock;
pub mod fs;
