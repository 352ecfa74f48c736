//! A descriptor that is not ours alone.

use crate::kernel;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, fstat, major, minor};
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One of the process's own three.
#[derive(Clone, Copy, Debug)]
pub(super) enum Std {
    In,
    Out,
    Err,
}

/// What all streams of one kind have done with their descriptor.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Bytes that they have accepted and that it did not take yet.
    pub(super) kept: usize,
    /// It took nothing in all the time that a stream of them had patience.
    pub(super) stalled: bool,
}

/// What streams of one kind share: a descriptor, and the turn that they take at it.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Std(Std),
    File(Arc<File>, Arc<Mutex<Turn>>),
}

impl Source {
    pub(super) fn file(file: Arc<File>) -> Self {
        Self::File(file, Arc::default())
    }

    pub(super) fn is_terminal(&self) -> bool {
        rustix::termios::isatty(self)
    }

    /// Held from asking whether it would block to doing it: nobody else in this process comes in between.
    pub(super) fn turn(&self) -> MutexGuard<'_, Turn> {
        static TURNS: [Mutex<Turn>; 3] = [const { Mutex::new(Turn { kept: 0, stalled: false }) }; 3];
        let turn = match self {
            Self::Std(which) => &TURNS[*which as usize],
            Self::File(_, turn) => turn,
        };
        turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether reading and writing may block at all. Files and `/dev/null` cannot, nor does epoll take them.
    pub(super) fn may_block(&self) -> bool {
        let Ok(stat) = fstat(self) else { return false };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile | FileType::Directory | FileType::BlockDevice => false,
            FileType::CharacterDevice => (major(stat.st_rdev), minor(stat.st_rdev)) != (1, 3),
            _ => true,
        }
    }

    /// What `ppoll` says at this moment: nothing if reading or writing would block.
    pub(super) fn ready(&self, flags: PollFlags) -> bool {
        // A failure to ask is found again by reading or writing.
        kernel::ready(self, flags).unwrap_or(true)
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Std(Std::In) => rustix::stdio::stdin(),
            Self::Std(Std::Out) => rustix::stdio::stdout(),
            Self::Std(Std::Err) => rustix::stdio::stderr(),
            Self::File(file, _) => file.as_fd(),
        }
    }
}
