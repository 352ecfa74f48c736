//! Test suites that a backend runs against itself.
//!
//! What they expect of files is POSIX as Linux has it, and they were checked against the Linux kernel itself. Where
//! filesystems differ from one another each of the answers is allowed.

mod check;
pub mod clock;
pub mod fs;
pub mod net;
pub mod stream;
