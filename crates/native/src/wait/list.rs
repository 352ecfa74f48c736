//! A list of waits, sorted into what the kernel knows and what it does not.

use crate::errno::from_os;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use wasi_host_core::wait::{Deadline, Event, Wait, Watch};
use wasi_host_core::{Errno, Result};

/// What the kernel reports without being asked.
const BROKEN: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

/// So many descriptors are found again by looking at each, the others by their hash.
const FEW: usize = 16;

pub(super) struct List<'a> {
    waits: &'a [Wait<'a>],
    /// When the waiting began; read only if time plays a part.
    began: Option<Instant>,
    /// The first point in time that ends the wait.
    pub(super) deadline: Option<Instant>,
    /// Whether something has ended that the kernel need not be asked about.
    pub(super) due: bool,
    /// Each descriptor once, however often it stands in the list: the kernel takes no more entries than a process
    /// may have descriptors.
    set: SmallVec<[PollFd<'a>; 8]>,
    #[cfg(feature = "async")]
    fds: SmallVec<[BorrowedFd<'a>; 8]>,
    wanted: SmallVec<[PollFlags; 8]>,
    many: HashMap<RawFd, usize>,
    /// For each wait of the list that is for a descriptor, its place in `set`.
    places: SmallVec<[usize; 8]>,
}

impl<'a> List<'a> {
    pub(super) fn new(waits: &'a [Wait<'a>]) -> Self {
        let mut list = Self {
            waits,
            began: None,
            deadline: None,
            due: false,
            set: SmallVec::new(),
            #[cfg(feature = "async")]
            fds: SmallVec::new(),
            wanted: SmallVec::new(),
            many: HashMap::new(),
            places: SmallVec::new(),
        };
        for wait in waits {
            match *wait {
                Wait::Ready => list.due = true,
                Wait::Until(when) => list.until(Some(when)),
                Wait::For(span) => {
                    let when = list.began().checked_add(span);
                    list.until(when);
                }
                Wait::Notify(_) | Wait::Clock(..) | Wait::NotifyBy(_, Deadline::Clock(..)) => {
                    list.due |= wait.changed();
                }
                Wait::NotifyBy(watch, Deadline::Until(when)) => {
                    list.due |= watch.changed();
                    list.until(Some(when));
                }
                Wait::Readable(_) | Wait::Writable(_) | Wait::Forever | Wait::Future => {
                    if let Some((fd, flags)) = descriptor(wait) {
                        list.add(fd, flags);
                    }
                }
            }
        }
        list
    }

    fn began(&mut self) -> Instant {
        *self.began.get_or_insert_with(Instant::now)
    }

    fn until(&mut self, when: Option<Instant>) {
        let began = self.began();
        self.due |= when.is_some_and(|t| t <= began);
        self.deadline = match (self.deadline, when) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn add(&mut self, fd: BorrowedFd<'a>, flags: PollFlags) {
        let raw = fd.as_raw_fd();
        let first = &self.set[..self.set.len().min(FEW)];
        let known = first.iter().position(|p| p.as_fd().as_raw_fd() == raw);
        let place = match known.or_else(|| self.many.get(&raw).copied()) {
            Some(place) => {
                self.wanted[place] |= flags;
                self.set[place] = PollFd::from_borrowed_fd(fd, self.wanted[place]);
                place
            }
            None => {
                self.set.push(PollFd::from_borrowed_fd(fd, flags));
                #[cfg(feature = "async")]
                self.fds.push(fd);
                self.wanted.push(flags);
                let place = self.set.len() - 1;
                if place >= FEW {
                    self.many.insert(raw, place);
                }
                place
            }
        };
        self.places.push(place);
    }

    /// Whether the kernel has to be asked.
    pub(super) fn has_descriptors(&self) -> bool {
        !self.places.is_empty()
    }

    /// The place of the only wait for a descriptor.
    #[cfg(feature = "async")]
    pub(super) fn only_descriptor(&self) -> Option<usize> {
        let mut all = self.waits.iter().enumerate().filter(|(_, wait)| descriptor(wait).is_some());
        let (index, _) = all.next()?;
        all.next().is_none().then_some(index)
    }

    /// Each descriptor once, with what is wanted of it.
    #[cfg(feature = "async")]
    pub(super) fn descriptors(&self) -> impl Iterator<Item = (BorrowedFd<'a>, PollFlags)> {
        self.fds.iter().copied().zip(self.wanted.iter().copied())
    }

    pub(super) fn watches(&self) -> impl Iterator<Item = Watch<'a>> + use<'a> {
        self.waits.iter().flat_map(Wait::watches)
    }

    /// Has [`ask`](Self::ask) end when `bell` rings too.
    pub(super) fn listen(&mut self, bell: BorrowedFd<'a>) {
        self.set.push(PollFd::from_borrowed_fd(bell, PollFlags::IN));
    }

    /// Whether that bell rang.
    pub(super) fn heard(&self) -> bool {
        self.set.len() > self.wanted.len() && self.set.last().is_some_and(|bell| !bell.revents().is_empty())
    }

    /// Asks the kernel, and with `block` lets it wait until the deadline.
    ///
    /// # Errors
    ///
    /// `MFile` where the list has more descriptors than a process may (since lowered) have; `NoMem`.
    pub(super) fn ask(&mut self, block: bool) -> Result<()> {
        loop {
            let timeout = match self.deadline {
                _ if !block => Some(Timespec { tv_sec: 0, tv_nsec: 0 }),
                // What does not fit ends never.
                Some(t) => Timespec::try_from(t.saturating_duration_since(Instant::now())).ok(),
                None => None,
            };
            match poll(&mut self.set, timeout.as_ref()) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::INVAL) => return Err(Errno::MFile),
                Err(e) => return Err(from_os(e)),
            }
        }
    }

    /// Reports all that have ended, by the kernel's last answer and by the clock as it is now.
    pub(super) fn collect(&self, ended: &mut Vec<Event>) {
        let now = self.began.map(|_| Instant::now());
        let past = |when: Option<Instant>| when.zip(now).is_some_and(|(when, now)| when <= now);
        let after = |span: Duration| self.began.and_then(|began| began.checked_add(span));
        let mut places = self.places.iter();
        for (index, wait) in self.waits.iter().enumerate() {
            let over = match *wait {
                Wait::Ready => true,
                Wait::Until(when) => past(Some(when)),
                Wait::For(span) => past(after(span)),
                Wait::Notify(_) | Wait::Clock(..) | Wait::NotifyBy(_, Deadline::Clock(..)) => wait.changed(),
                Wait::NotifyBy(watch, Deadline::Until(when)) => watch.changed() || past(Some(when)),
                Wait::Readable(_) | Wait::Writable(_) | Wait::Forever | Wait::Future => {
                    if let Some((_, flags)) = descriptor(wait)
                        && let Some(answer) = places.next().map(|&place| self.set[place].revents())
                        && answer.intersects(flags | BROKEN)
                    {
                        ended.push(Event { index, hangup: answer.intersects(BROKEN) });
                    }
                    false
                }
            };
            if over {
                ended.push(Event::new(index));
            }
        }
    }
}

fn descriptor<'a>(wait: &Wait<'a>) -> Option<(BorrowedFd<'a>, PollFlags)> {
    match *wait {
        Wait::Readable(fd) => Some((fd, PollFlags::IN)),
        Wait::Writable(fd) => Some((fd, PollFlags::OUT)),
        _ => None,
    }
}
