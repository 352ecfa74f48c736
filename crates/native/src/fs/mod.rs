//! Directories and files of the operating system.
//!
//! A [`NativeDir`] is an open directory. What is asked of it by path is resolved beneath it and nowhere else, in the
//! kernel where that can be had (`openat2`), component by component where not.

mod dir;
mod file;
mod filesystem;
mod metadata;
mod readdir;
mod resolve;
mod walk;

pub use dir::NativeDir;
pub use file::{NativeFile, largest_file};
