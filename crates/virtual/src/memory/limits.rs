//! What a filesystem may hold.

/// What a filesystem may hold. A call that would exceed it fails with `NoSpc`, as on a full disk.
///
/// Bytes are about what is taken of the host's memory: content counts in pages of 4096 bytes, holes not at all;
/// each file, directory and link counts 256 bytes, each name 64 and its length, each symbolic link also what it
/// holds. The root is there whatever the limits and counts nothing.
///
/// A fork counts all that it holds, as the copy of a disk does, though it shares with its origin what neither
/// has changed: how much a guest can put into one does not depend on who else has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes.
    pub bytes: u64,
    /// How many files, directories and symbolic links.
    pub inodes: u64,
}

impl Default for Limits {
    /// A gibibyte, in as many files as fit.
    fn default() -> Self {
        Self { bytes: super::DEFAULT_LIMIT, inodes: u64::MAX }
    }
}

/// What is used of [`Limits`], counted as they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many bytes.
    pub bytes: u64,
    /// How many files, directories and symbolic links.
    pub inodes: u64,
}

impl Usage {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.inodes += other.inodes;
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.bytes -= other.bytes;
        self.inodes -= other.inodes;
    }
}
