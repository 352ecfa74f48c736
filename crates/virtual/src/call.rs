//! Operations on files and directories as values: what [`trace`](crate::trace) tells, and what rules of
//! [`faults`](crate::faults) look at.

use wasi_host_core::fs::{Advice, Follow, Metadata, Open};
use wasi_host_core::time::SetTime;

/// One operation. Paths are as the guest wrote them, relative to the directory that the operation is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "named as the operations of `Dir` and `File` and their parameters")]
pub enum Call<'a> {
    // On directories.
    Open {
        path: &'a str,
        how: Open,
    },
    Stat {
        path: &'a str,
        follow: Follow,
    },
    ReadLink {
        path: &'a str,
    },
    CreateDir {
        path: &'a str,
    },
    Symlink {
        target: &'a str,
        path: &'a str,
    },
    /// `to` is the path by which the other directory was opened; empty also if that is of another tree.
    HardLink {
        path: &'a str,
        follow: Follow,
        to: &'a str,
        to_path: &'a str,
    },
    /// `to` as for `HardLink`.
    Rename {
        path: &'a str,
        to: &'a str,
        to_path: &'a str,
    },
    Unlink {
        path: &'a str,
    },
    RemoveDir {
        path: &'a str,
    },
    SetTimesAt {
        path: &'a str,
        follow: Follow,
        accessed: SetTime,
        modified: SetTime,
    },
    Entries,
    // On files. Lengths are in bytes, those of reads and writes over all buffers.
    ReadAt {
        offset: u64,
        len: u64,
    },
    WriteAt {
        offset: u64,
        len: u64,
    },
    Append {
        len: u64,
    },
    Read {
        len: u64,
    },
    Write {
        len: u64,
    },
    SetLen {
        len: u64,
    },
    Allocate {
        offset: u64,
        len: u64,
    },
    Advise {
        offset: u64,
        len: u64,
        advice: Advice,
    },
    SetTimes {
        accessed: SetTime,
        modified: SetTime,
    },
    // On either.
    Metadata,
    Sync {
        data_only: bool,
    },
}

/// What an operation gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// Nothing but success.
    Done,
    /// A file.
    File,
    /// A directory.
    Dir,
    /// So many bytes.
    Bytes(usize),
    /// What is known about a file.
    Metadata(&'a Metadata),
    /// What a link holds.
    Target(&'a str),
}

impl Call<'_> {
    /// The operation's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Stat { .. } => "stat",
            Self::ReadLink { .. } => "read_link",
            Self::CreateDir { .. } => "create_dir",
            Self::Symlink { .. } => "symlink",
            Self::HardLink { .. } => "hard_link",
            Self::Rename { .. } => "rename",
            Self::Unlink { .. } => "unlink",
            Self::RemoveDir { .. } => "remove_dir",
            Self::SetTimesAt { .. } => "set_times_at",
            Self::Entries => "entries",
            Self::ReadAt { .. } => "read_at",
            Self::WriteAt { .. } => "write_at",
            Self::Append { .. } => "append",
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::SetLen { .. } => "set_len",
            Self::Allocate { .. } => "allocate",
            Self::Advise { .. } => "advise",
            Self::SetTimes { .. } => "set_times",
            Self::Metadata => "metadata",
            Self::Sync { .. } => "sync",
        }
    }
}
