//! A backend that counts how often it is asked.

use std::any::Any;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wasi_host_core::fs::{Dir, Entries, File, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// How often a spy and all that was opened from it were asked.
pub(crate) type Calls = Arc<AtomicUsize>;

pub(crate) struct Spy<T: ?Sized> {
    inner: Arc<T>,
    calls: Calls,
}

impl Spy<dyn Dir> {
    pub(crate) fn on(inner: Arc<dyn Dir>) -> (Arc<dyn Dir>, Calls) {
        let calls = Calls::default();
        (Arc::new(Self { inner, calls: calls.clone() }), calls)
    }

    fn node(&self, node: Node) -> Node {
        let calls = self.calls.clone();
        match node {
            Node::Dir(inner) => Node::Dir(Arc::new(Spy::<dyn Dir> { inner, calls })),
            Node::File(inner) => Node::File(Arc::new(Spy::<dyn File> { inner, calls })),
        }
    }
}

impl<T: ?Sized> Spy<T> {
    fn asked(&self) -> &T {
        self.calls.fetch_add(1, Relaxed);
        &self.inner
    }
}

fn behind(to: &dyn Dir) -> Result<&dyn Dir> {
    let spy: Option<&Spy<dyn Dir>> = (to as &dyn Any).downcast_ref();
    spy.map(|spy| &*spy.inner).ok_or(Errno::XDev)
}

impl Dir for Spy<dyn Dir> {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        self.asked().open(path, how).map(|node| self.node(node))
    }
    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.asked().stat(path, follow)
    }
    fn metadata(&self) -> Result<Metadata> {
        self.asked().metadata()
    }
    fn entries(&self) -> Result<Entries> {
        self.asked().entries()
    }
    fn read_link(&self, path: &str) -> Result<String> {
        self.asked().read_link(path)
    }
    fn create_dir(&self, path: &str) -> Result<()> {
        self.asked().create_dir(path)
    }
    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        self.asked().symlink(target, path)
    }
    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        self.asked().hard_link(path, follow, behind(to)?, to_path)
    }
    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        self.asked().rename(path, behind(to)?, to_path)
    }
    fn unlink(&self, path: &str) -> Result<()> {
        self.asked().unlink(path)
    }
    fn remove_dir(&self, path: &str) -> Result<()> {
        self.asked().remove_dir(path)
    }
    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.asked().set_times(path, follow, accessed, modified)
    }
    fn sync(&self, data_only: bool) -> Result<()> {
        self.asked().sync(data_only)
    }
    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        self.asked().try_open(path, how).map(|node| self.node(node))
    }
    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.asked().try_stat(path, follow)
    }
}

impl File for Spy<dyn File> {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.asked().read_at(bufs, offset)
    }
    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.asked().write_at(bufs, offset)
    }
    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.asked().append(bufs)
    }
    fn metadata(&self) -> Result<Metadata> {
        self.asked().metadata()
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.asked().set_len(len)
    }
    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.asked().set_times(accessed, modified)
    }
    fn sync(&self, data_only: bool) -> Result<()> {
        self.asked().sync(data_only)
    }
    fn advise(&self, offset: u64, len: u64, advice: wasi_host_core::fs::Advice) -> Result<()> {
        self.asked().advise(offset, len, advice)
    }
    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.asked().allocate(offset, len)
    }
    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.asked().try_read_at(bufs, offset)
    }
}
