//! Capabilities that live in memory.
