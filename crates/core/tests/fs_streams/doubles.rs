//! Files and threads that do what a test wants them to.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use wasi_host_core::fs::{Elsewhere, File, Interest, Metadata};
use wasi_host_core::time::SetTime;
use wasi_host_core::wait::{Notify, Wait};
use wasi_host_core::{Errno, Result};

/// Keeps jobs back until it is told to run them.
#[derive(Default)]
pub(crate) struct Held(Mutex<VecDeque<Box<dyn FnOnce() + Send>>>);

impl Held {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn run_one(&self) {
        let job = self.0.lock().unwrap().pop_front();
        job.expect("a job was sent")();
    }

    pub(crate) fn lose_all(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl Elsewhere for Held {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.lock().unwrap().push_back(job);
    }
}

/// Runs each job on a thread of its own, a little later.
pub(crate) struct Threads;

impl Elsewhere for Threads {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(2));
            job();
        });
    }
}

/// A file on a disk: what lies before `cached` can be read without waiting. It breaks at `broken`.
pub(crate) struct Disk {
    pub(crate) inner: Arc<dyn File>,
    pub(crate) cached: AtomicU64,
    pub(crate) broken: AtomicU64,
}

impl Disk {
    pub(crate) fn new(inner: Arc<dyn File>, cached: u64) -> Arc<Self> {
        Arc::new(Self { inner, cached: cached.into(), broken: u64::MAX.into() })
    }

    fn works(&self, offset: u64) -> Result<()> {
        if offset < self.broken.load(Relaxed) { Ok(()) } else { Err(Errno::NoSpc) }
    }
}

impl File for Disk {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.works(offset)?;
        self.inner.read_at(bufs, offset)
    }
    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let there = self.cached.load(Relaxed).saturating_sub(offset);
        match bufs.first_mut() {
            Some(buf) if there > 0 => {
                let n = buf.len().min(there as usize);
                self.read_at(&mut [IoSliceMut::new(&mut buf[..n])], offset)
            }
            _ => Err(Errno::Again),
        }
    }
    /// Three bytes at a time, so that whoever writes has to go on.
    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.works(offset)?;
        let first = &bufs[0][..bufs[0].len().min(3)];
        self.inner.write_at(&[IoSlice::new(first)], offset)
    }
    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.works(self.metadata()?.size)?;
        self.inner.append(bufs)
    }
    fn metadata(&self) -> Result<Metadata> {
        self.inner.metadata()
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.inner.set_len(len)
    }
    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        self.inner.set_times(accessed, modified)
    }
    fn sync(&self, data_only: bool) -> Result<()> {
        self.inner.sync(data_only)
    }
}

/// A FIFO in memory.
pub(crate) struct Fifo {
    pub(crate) content: Mutex<VecDeque<u8>>,
    pub(crate) capacity: usize,
    pub(crate) changed: Notify,
    pub(crate) ended: std::sync::atomic::AtomicBool,
}

impl Fifo {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            content: Mutex::default(),
            capacity,
            changed: Notify::default(),
            ended: false.into(),
        })
    }

    /// What the other end does.
    pub(crate) fn put(&self, bytes: &[u8]) {
        self.content.lock().unwrap().extend(bytes);
        self.changed.notify();
    }

    pub(crate) fn drain(&self) -> Vec<u8> {
        let all = self.content.lock().unwrap().drain(..).collect();
        self.changed.notify();
        all
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Relaxed);
        self.changed.notify();
    }
}

impl File for Fifo {
    fn is_seekable(&self) -> bool {
        false
    }
    fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        match std::io::Read::read(&mut *self.content.lock().unwrap(), &mut bufs[0]) {
            Ok(0) if self.ended.load(Relaxed) => Ok(0),
            Ok(0) => Err(Errno::Again),
            read => {
                self.changed.notify();
                Ok(read.unwrap())
            }
        }
    }
    fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        if self.ended.load(Relaxed) {
            return Err(Errno::Pipe);
        }
        let mut content = self.content.lock().unwrap();
        let n = bufs[0].len().min(self.capacity - content.len());
        content.extend(&bufs[0][..n]);
        self.changed.notify();
        if n == 0 { Err(Errno::Again) } else { Ok(n) }
    }
    fn wait(&self, interest: Interest) -> Wait<'_> {
        let watch = self.changed.watch();
        let len = self.content.lock().unwrap().len();
        let ready = self.ended.load(Relaxed)
            || match interest {
                Interest::Read => len > 0,
                Interest::Write => len < self.capacity,
            };
        if ready { Wait::Ready } else { Wait::Notify(watch) }
    }

    fn read_at(&self, _: &mut [IoSliceMut<'_>], _: u64) -> Result<usize> {
        Err(Errno::SPipe)
    }
    fn write_at(&self, _: &[IoSlice<'_>], _: u64) -> Result<usize> {
        Err(Errno::SPipe)
    }
    fn append(&self, _: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::SPipe)
    }
    fn metadata(&self) -> Result<Metadata> {
        Err(Errno::NotSup)
    }
    fn set_len(&self, _: u64) -> Result<()> {
        Err(Errno::Inval)
    }
    fn set_times(&self, _: SetTime, _: SetTime) -> Result<()> {
        Ok(())
    }
    fn sync(&self, _: bool) -> Result<()> {
        Ok(())
    }
}
