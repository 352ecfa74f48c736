//! What is used, and by which of the files that are open.

use super::{Allowance, Usage};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use wasi_host_core::fs::{FileType, Metadata};
use wasi_host_core::{Errno, Result};

/// The account of one tree.
pub(super) struct Account {
    books: Mutex<Books>,
    /// Held to write by whoever makes, moves or removes names, and to read by whoever opens one.
    pub(super) names: RwLock<()>,
}

struct Books {
    allowance: Allowance,
    used: Usage,
    open: HashMap<Id, Weak<Inode>>,
}

/// A device, and a number there.
type Id = (u64, u64);

/// A regular file that is open.
pub(super) struct Inode {
    account: Arc<Account>,
    id: Id,
    /// How long it is: what was charged for it. Held to write by whoever makes it longer or shorter, and to read by
    /// whoever writes within it, so that nobody makes it shorter then.
    pub(super) size: RwLock<u64>,
    /// Has a name, so that it stays when it is closed.
    named: AtomicBool,
}

impl Account {
    pub(super) fn new(allowance: Allowance, used: Usage) -> Self {
        let books = Mutex::new(Books { allowance, used, open: HashMap::new() });
        Self { books, names: RwLock::new(()) }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn used(&self) -> Usage {
        self.books().used
    }

    pub(super) fn set(&self, allowance: Allowance) {
        self.books().allowance = allowance;
    }

    /// Charges a file for growing from `size` to `end`, or to at least `enough` if there is no room for all, and
    /// says how long it may become.
    pub(super) fn grow(&self, size: u64, enough: u64, end: u64) -> Result<u64> {
        let books = &mut *self.books();
        // off_t is signed everywhere.
        let end = end.min(books.allowance.file_size).min(i64::MAX as u64);
        if end < enough {
            return Err(Errno::FBig);
        }
        let end = end.min(size.saturating_add(books.allowance.bytes.saturating_sub(books.used.bytes)));
        if end < enough {
            return Err(books.allowance.full.error());
        }
        books.used.bytes += end.saturating_sub(size);
        Ok(end)
    }

    /// Charges for something new that holds `bytes`.
    pub(super) fn make(&self, bytes: u64) -> Result<()> {
        let books = &mut *self.books();
        let fits = |used: u64, more: u64, most: u64| used.checked_add(more).is_some_and(|used| used <= most);
        if fits(books.used.inodes, 1, books.allowance.inodes)
            && fits(books.used.bytes, bytes, books.allowance.bytes)
        {
            books.used.inodes += 1;
            books.used.bytes += bytes;
            return Ok(());
        }
        Err(books.allowance.full.error())
    }

    /// Gives back what was charged.
    pub(super) fn refund(&self, inodes: u64, bytes: u64) {
        let used = &mut self.books().used;
        used.inodes = used.inodes.saturating_sub(inodes);
        used.bytes = used.bytes.saturating_sub(bytes);
    }

    /// The regular file that this is about, which is open or about to be. Its `size` is asked for while nobody can
    /// change that: whoever had it open may have done so until then.
    pub(super) fn open(
        self: &Arc<Self>,
        m: &Metadata,
        size: impl FnOnce() -> Result<Metadata>,
    ) -> Result<Arc<Inode>> {
        let id = (m.dev, m.ino);
        let new = Inode { account: self.clone(), id, size: RwLock::default(), named: AtomicBool::new(true) };
        let new = Arc::new(new);
        let mut known = new.size.write().unwrap_or_else(PoisonError::into_inner);
        let open = {
            let mut books = self.books();
            let open = books.open.get(&id).and_then(Weak::upgrade);
            if open.is_none() {
                books.open.insert(id, Arc::downgrade(&new));
            }
            open
        };
        if let Some(open) = open {
            return Ok(open);
        }
        *known = size()?.size;
        drop(known);
        Ok(new)
    }

    /// Takes account of the loss of a name. If nothing else holds what it stood for, that is gone.
    pub(super) fn lost(&self, named: Named) {
        let Named { metadata: m, inode } = named;
        match (m.file_type, inode) {
            (FileType::Directory, _) => self.refund(1, 0),
            _ if m.nlink > 1 => {}
            (_, Some(inode)) => {
                // From now on the number may become another file's.
                self.books().open.remove(&inode.id);
                inode.named.store(false, Relaxed);
            }
            (FileType::SymbolicLink, None) => self.refund(1, m.size),
            (_, None) => self.refund(1, 0),
        }
    }
}

/// What a name stands for that is about to be lost.
pub(super) struct Named {
    pub(super) metadata: Metadata,
    /// A regular file is held: whoever has it open may write to it and close it meanwhile.
    inode: Option<Arc<Inode>>,
}

impl Named {
    pub(super) fn new(account: &Arc<Account>, look: impl Fn() -> Result<Metadata>) -> Result<Self> {
        let metadata = look()?;
        let inode = match metadata.file_type {
            FileType::RegularFile => Some(account.open(&metadata, look)?),
            _ => None,
        };
        Ok(Self { metadata, inode })
    }
}

impl Inode {
    pub(super) fn account(&self) -> &Account {
        &self.account
    }
}

impl Drop for Inode {
    fn drop(&mut self) {
        let mut books = self.account.books();
        if books.open.get(&self.id).is_some_and(|inode| inode.strong_count() == 0) {
            books.open.remove(&self.id);
        }
        drop(books);
        if !*self.named.get_mut() {
            self.account.refund(1, *self.size.get_mut().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
