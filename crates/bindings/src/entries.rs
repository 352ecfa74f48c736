//! A directory that is being listed.

use std::collections::VecDeque;
use std::sync::Arc;
use wasi_host_core::fs::{Blocking, Descriptor, DirEntry, Entries};
use wasi_host_core::grant::Grant;
use wasi_host_core::{Errno, Result};

/// How many names are fetched at a time: a listing that leaves the thread does so once for all of them.
const BATCH: usize = 1024;

/// A listing under way: names that were fetched, and those that are still to come. It is the resource behind 0.2's
/// `directory-entry-stream`, and what the stream of 0.3 gives is taken from it. `.` and `..` are left out.
pub struct DirectoryEntries {
    /// What granted the directory, which itself is not kept open.
    grant: Option<Arc<Grant>>,
    fetched: VecDeque<Result<DirEntry>>,
    rest: Option<Entries>,
    blocking: Blocking,
}

impl DirectoryEntries {
    /// A listing of `dir` from its beginning.
    ///
    /// # Errors
    ///
    /// Those of [`Descriptor::entries`].
    pub fn new(dir: &Descriptor) -> Result<Self> {
        let (grant, rest) = (Some(dir.grant().clone()), Some(dir.entries()?));
        Ok(Self { grant, fetched: VecDeque::new(), rest, blocking: dir.blocking() })
    }

    /// One that has ended.
    pub fn ended() -> Self {
        Self { grant: None, fetched: VecDeque::new(), rest: None, blocking: Blocking::Never }
    }

    /// Whether [`fetch`](Self::fetch) may have to wait for a disk.
    pub fn blocking(&self) -> Blocking {
        self.blocking
    }

    /// The next name that was fetched; none of them once what granted the directory was revoked.
    pub fn pop(&mut self) -> Option<Result<DirEntry>> {
        match &self.grant {
            Some(grant) if grant.is_revoked() => Some(Err(Errno::BadF)),
            _ => self.fetched.pop_front(),
        }
    }

    /// Whether a name is there without fetching.
    pub fn has_fetched(&self) -> bool {
        !self.fetched.is_empty()
    }

    /// Whether there is something to fetch.
    pub fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    /// Fetches some of what is to come.
    #[must_use]
    pub fn fetch(mut self) -> Self {
        let Some(rest) = &mut self.rest else { return self };
        while self.fetched.len() < BATCH {
            match rest.next() {
                Some(Ok(entry)) if entry.name == "." || entry.name == ".." => {}
                Some(entry) => self.fetched.push_back(entry),
                None => {
                    self.rest = None;
                    break;
                }
            }
        }
        self
    }
}

impl std::fmt::Debug for DirectoryEntries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectoryEntries").field("fetched", &self.fetched.len()).finish_non_exhaustive()
    }
}
