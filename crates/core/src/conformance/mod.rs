//! Test suites that a backend runs against itself.
