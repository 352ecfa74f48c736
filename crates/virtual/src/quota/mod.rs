//! A bound on what a tree may hold.
//!
//! What counts is the length of every regular file and of what every symbolic link holds, and the number of files,
//! directories and links. A hole counts as if it were filled: so filling it never fails. A file that has lost its last name
//! counts until nobody has it open, and one with several names counts once.
//!
//! A write that fits in part is short, as on a disk; the next one fails.
//!
//! ```
//! use wasi_host_core::{Errno, fs::{Node, Open}};
//! use wasi_host_virtual::{memory::MemoryFs, quota::{Allowance, Quota}};
//!
//! let quota = Quota::new(MemoryFs::new().root(), Allowance { bytes: 10, ..Allowance::default() })?;
//! let root = quota.root();
//! let create = Open { write: true, create: true, ..Open::default() };
//! let Node::File(file) = root.open("file", create)? else { unreachable!() };
//! assert_eq!(file.set_len(8), Ok(()));
//! assert_eq!(file.append(&[std::io::IoSlice::new(b"text")]), Ok(2));
//! assert_eq!(file.append(&[std::io::IoSlice::new(b"xt")]), Err(Errno::NoSpc));
//! assert_eq!(quota.used().bytes, 10);
//! # Ok::<(), Errno>(())
//! ```

mod account;
mod dir;
mod file;
mod scan;

use account::Account;
use dir::QuotaDir;
use std::sync::Arc;
use wasi_host_core::fs::Dir;
use wasi_host_core::{Errno, Result};

/// How much a tree may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes in all files and links together.
    pub bytes: u64,
    /// Files, directories and links, without the root.
    pub inodes: u64,
    /// Bytes in any one file; `FBig` beyond.
    pub file_size: u64,
    /// What is said where the bytes or inodes are used up.
    pub full: Full,
}

/// What a guest is told where nothing more fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Full {
    /// That the disk is full: `NoSpc`.
    #[default]
    Disk,
    /// That it has used up its share of it: `DQuot`.
    Share,
}

impl Default for Allowance {
    /// Without bounds.
    fn default() -> Self {
        Self { bytes: u64::MAX, inodes: u64::MAX, file_size: u64::MAX, full: Full::Disk }
    }
}

/// How much a tree holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in all files and links together.
    pub bytes: u64,
    /// Files, directories and links, without the root.
    pub inodes: u64,
}

/// A tree that may hold so much and no more; clones are the same one.
///
/// It keeps account of what is done through it: while it lives nobody else may change the tree.
#[derive(Clone)]
pub struct Quota {
    root: QuotaDir,
    account: Arc<Account>,
}

impl Quota {
    /// `dir` and all that is below it. What is there already counts, even if it is more than is allowed; it is
    /// looked through once, without following links.
    ///
    /// # Errors
    ///
    /// Those of looking through it.
    pub fn new(dir: Arc<dyn Dir>, allowance: Allowance) -> Result<Self> {
        let used = scan::usage(dir.clone())?;
        let account = Arc::new(Account::new(allowance, used));
        Ok(Self { root: QuotaDir::new(account.clone(), dir), account })
    }

    /// Its top directory.
    pub fn root(&self) -> Arc<dyn Dir> {
        Arc::new(self.root.clone())
    }

    /// How much it holds.
    pub fn used(&self) -> Usage {
        self.account.used()
    }

    /// Allows more or less from now on. What it holds already stays.
    pub fn set(&self, allowance: Allowance) {
        self.account.set(allowance);
    }
}

impl Full {
    fn error(self) -> Errno {
        match self {
            Self::Disk => Errno::NoSpc,
            Self::Share => Errno::DQuot,
        }
    }
}

impl std::fmt::Debug for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quota").field("used", &self.used()).finish_non_exhaustive()
    }
}
