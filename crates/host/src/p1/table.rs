//! The guest's descriptors, by number.

use super::abi::{FdFlags, Rights};
use super::readdir::Listing;
use std::collections::VecDeque;
use std::sync::Arc;
use wasi_host_core::fs::{Cursor, Descriptor, FileType, Interest};
use wasi_host_core::limits::SharedLimits;
use wasi_host_core::net::{Sockets, TcpSocket};
use wasi_host_core::stream::{InputStream, OutputStream};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};

/// What a number stands for.
pub(super) enum Object {
    /// A file, and where in it the next read or write begins.
    File { descriptor: Descriptor, cursor: Cursor },
    /// A directory; its name if it was given to the guest; the listing that is being read.
    Dir { descriptor: Descriptor, preopen: Option<Box<str>>, listing: Option<Listing> },
    /// Standard input.
    Input { stream: InputStream, terminal: bool },
    /// Standard output or standard error.
    Output { stream: OutputStream, terminal: bool },
    /// A connection, or a socket that listens.
    Socket(Socket),
}

/// A socket, and the network that it is of, which may be taken back.
pub(super) struct Socket {
    socket: Arc<dyn TcpSocket>,
    network: Sockets,
}

impl Socket {
    pub(super) fn new(socket: Arc<dyn TcpSocket>, network: Sockets) -> Self {
        network.adopt(&socket);
        Self { socket, network }
    }

    /// Another one of the same network.
    pub(super) fn with(&self, socket: Arc<dyn TcpSocket>) -> Self {
        Self::new(socket, self.network.clone())
    }

    /// The socket itself; `BadF` once the network was taken back.
    pub(super) fn open(&self) -> Result<&dyn TcpSocket> {
        if self.network.is_revoked() { Err(Errno::BadF) } else { Ok(&*self.socket) }
    }

    /// What to wait for until reading or writing may go on.
    pub(super) fn wait(&self, interest: Interest) -> Wait<'_> {
        self.open().map_or(Wait::Ready, |socket| socket.wait(interest))
    }
}

/// An open descriptor.
pub(super) struct Entry {
    pub(super) object: Object,
    pub(super) flags: FdFlags,
    pub(super) base: Rights,
    pub(super) inheriting: Rights,
}

impl Entry {
    /// Fails once what granted it was taken back.
    #[inline]
    fn valid(&self) -> Result<()> {
        match &self.object {
            Object::File { descriptor, .. } | Object::Dir { descriptor, .. } => descriptor.valid(),
            Object::Socket(socket) => socket.open().map(drop),
            Object::Input { .. } | Object::Output { .. } => Ok(()),
        }
    }

    /// Fails unless the guest has kept the right.
    #[inline]
    pub(super) fn need(&self, right: Rights) -> Result<()> {
        if self.base.contains(right) { Ok(()) } else { Err(Errno::NotCapable) }
    }

    /// Whether calls answer `Again` rather than wait.
    #[inline]
    pub(super) fn nonblocking(&self) -> bool {
        self.flags.contains(FdFlags::NONBLOCK)
    }

    pub(super) fn file_type(&self) -> FileType {
        match &self.object {
            Object::File { descriptor, .. } | Object::Dir { descriptor, .. } => descriptor.file_type(),
            Object::Input { terminal: true, .. } | Object::Output { terminal: true, .. } => {
                FileType::CharacterDevice
            }
            Object::Input { .. } | Object::Output { .. } => FileType::Unknown,
            Object::Socket(_) => FileType::Socket,
        }
    }

    /// What to wait for until reading or writing may go on.
    pub(super) fn wait(&self, interest: Interest) -> Wait<'_> {
        match &self.object {
            Object::File { descriptor, .. } | Object::Dir { descriptor, .. } => descriptor.wait(interest),
            Object::Input { stream, .. } => stream.wait(),
            Object::Output { stream, .. } => stream.wait(),
            Object::Socket(socket) => socket.wait(interest),
        }
    }

    /// The directory, for a call that needs this right.
    pub(super) fn dir(&self, right: Rights) -> Result<&Descriptor> {
        match &self.object {
            Object::Dir { descriptor, .. } => {
                self.need(right)?;
                Ok(descriptor)
            }
            _ => Err(Errno::NotDir),
        }
    }

    /// The file or directory, for a call that needs this right; `other` if it is neither.
    pub(super) fn descriptor(&self, right: Rights, other: Errno) -> Result<&Descriptor> {
        match &self.object {
            Object::File { descriptor, .. } | Object::Dir { descriptor, .. } => {
                self.need(right)?;
                Ok(descriptor)
            }
            _ => Err(other),
        }
    }

    /// The socket, for a call that needs this right.
    pub(super) fn socket(&self, right: Rights) -> Result<&Socket> {
        match &self.object {
            Object::Socket(socket) => {
                self.need(right)?;
                Ok(socket)
            }
            _ => Err(Errno::NotSock),
        }
    }
}

/// The table: a slab in which the lowest free number is taken first, as POSIX has it.
pub(super) struct Table {
    slots: Vec<Option<Entry>>,
    /// No number below this is free.
    lowest: usize,
    limits: SharedLimits,
    open: usize,
    /// The directories that keep a listing, the oldest first.
    listed: VecDeque<u32>,
}

/// How many listings are kept: each holds a descriptor of the host's, and memory. One that is needed again is made anew.
const LISTINGS: usize = 64;

impl Table {
    /// An empty table that holds as many descriptors as are allowed.
    pub(super) fn new(limits: SharedLimits) -> Self {
        Self { slots: Vec::new(), lowest: 0, limits, open: 0, listed: VecDeque::new() }
    }

    /// What is open under a number, and was not taken back.
    #[inline]
    pub(super) fn get(&self, fd: u32) -> Result<&Entry> {
        let entry = self.get_any(fd)?;
        entry.valid()?;
        Ok(entry)
    }

    /// The same, to be changed.
    #[inline]
    pub(super) fn get_mut(&mut self, fd: u32) -> Result<&mut Entry> {
        let entry = self.slots.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::BadF)?;
        entry.valid()?;
        Ok(entry)
    }

    /// What stands under a number, be it taken back.
    #[inline]
    pub(super) fn get_any(&self, fd: u32) -> Result<&Entry> {
        self.slots.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::BadF)
    }

    /// Those whose streams must be lent out at once.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Entry)> {
        self.slots.iter_mut().zip(0..).filter_map(|(slot, fd)| Some((fd, slot.as_mut()?)))
    }

    /// Fails if no more descriptors may be opened: asked before one is.
    pub(super) fn room(&self) -> Result<()> {
        if self.open < self.limits.descriptors() { Ok(()) } else { Err(Errno::MFile) }
    }

    /// Gives an entry the lowest free number.
    pub(super) fn insert(&mut self, entry: Entry) -> Result<u32> {
        self.room()?;
        self.give(entry)
    }

    /// The same for what the embedder gives, which always fits: the limit binds what the guest opens.
    pub(super) fn give(&mut self, entry: Entry) -> Result<u32> {
        let free = self.slots[self.lowest..].iter().position(Option::is_none);
        let at = free.map_or(self.slots.len(), |n| self.lowest + n);
        let fd = u32::try_from(at).map_err(|_| Errno::MFile)?;
        match self.slots.get_mut(at) {
            Some(slot) => *slot = Some(entry),
            None => self.slots.push(Some(entry)),
        }
        self.lowest = at + 1;
        self.open += 1;
        Ok(fd)
    }

    pub(super) fn remove(&mut self, fd: u32) -> Result<Entry> {
        let entry = self.slots.get_mut(fd as usize).and_then(Option::take).ok_or(Errno::BadF)?;
        self.lowest = self.lowest.min(fd as usize);
        self.open -= 1;
        Ok(entry)
    }

    /// Keeps the listing of a directory for its next call, and forgets the oldest of too many.
    pub(super) fn keep(&mut self, fd: u32, kept: Option<Listing>) {
        self.listed.retain(|other| *other != fd);
        if kept.is_some() {
            self.listed.push_back(fd);
        }
        self.set_listing(fd, kept);
        if self.listed.len() > LISTINGS
            && let Some(oldest) = self.listed.pop_front()
        {
            self.set_listing(oldest, None);
        }
    }

    fn set_listing(&mut self, fd: u32, kept: Option<Listing>) {
        if let Ok(Entry { object: Object::Dir { listing, .. }, .. }) = self.get_mut(fd) {
            *listing = kept;
        }
    }

    /// Moves `from` to the number `to`; what that stood for is closed. Both must be open.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let mut entry = self.remove(from)?;
            // Listings are kept by number.
            if let Object::Dir { listing, .. } = &mut entry.object {
                *listing = None;
            }
            self.slots[to as usize] = Some(entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasi_host_core::limits::Limits;
    use wasi_host_core::pipe::ClosedInputStream;

    fn entry() -> Entry {
        Entry {
            object: Object::Input { stream: Box::new(ClosedInputStream), terminal: false },
            flags: FdFlags::empty(),
            base: Rights::empty(),
            inheriting: Rights::empty(),
        }
    }

    fn table(most: usize) -> Table {
        let mut limits = Limits::default();
        limits.descriptors = most;
        Table::new(limits.into())
    }

    #[test]
    fn the_lowest_free_number_comes_first() {
        let mut table = table(8);
        for n in 0..5 {
            assert_eq!(table.insert(entry()), Ok(n));
        }
        for n in [3, 1, 4] {
            assert!(table.remove(n).is_ok());
        }
        assert_eq!([1, 3, 4, 5], [(); 4].map(|()| table.insert(entry()).unwrap()));
    }

    #[test]
    fn renumbering_every_pair_leaks_nothing() {
        for from in 0..6 {
            for to in 0..6 {
                let mut table = table(8);
                (0..4).for_each(|_| assert!(table.insert(entry()).is_ok()));
                let open = from < 4 && to < 4;
                assert_eq!(table.renumber(from, to).is_ok(), open, "{from} to {to}");
                let left = if open && from != to { 3 } else { 4 };
                assert_eq!((table.open, table.iter_mut().count()), (left, left), "{from} to {to}");
                let next = if left == 3 { from } else { 4 };
                assert_eq!(table.insert(entry()), Ok(next));
            }
        }
    }

    #[test]
    fn a_full_table_says_so_and_recovers() {
        let mut table = table(2);
        (0..2).for_each(|_| assert!(table.insert(entry()).is_ok()));
        assert_eq!(table.insert(entry()), Err(Errno::MFile));
        assert!(table.remove(0).is_ok());
        assert_eq!(table.insert(entry()), Ok(0));
        assert!(table.get(u32::MAX).is_err());
    }
}
