//! An open file with something around each operation.

use super::{Hook, about, attempt, done, run};
use crate::bufs;
use crate::call::{Answer, Call};
use bytes::Bytes;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::fs::{Advice, Blocking, File, FileType, Interest, Metadata};
use wasi_host_core::time::SetTime;
use wasi_host_core::wait::{BoxFuture, Wait};

pub(super) struct HookedFile<H> {
    inner: Arc<dyn File>,
    hook: Arc<H>,
    on: String,
}

impl<H: Hook> HookedFile<H> {
    pub(super) fn new(inner: Arc<dyn File>, hook: Arc<H>, on: String) -> Self {
        Self { inner, hook, on }
    }

    fn run<T>(
        &self,
        call: Call<'_>,
        op: impl FnOnce(&dyn File) -> Result<T>,
        answer: impl FnOnce(&T) -> Answer<'_>,
    ) -> Result<T> {
        run(&*self.hook, &self.on, &call, |_| op(&*self.inner), answer)
    }

    /// An operation that reads, into less of the buffers if so told.
    fn reading(
        &self,
        call: impl FnOnce(u64) -> Call<'static>,
        bufs: &mut [IoSliceMut<'_>],
        op: impl FnOnce(&dyn File, &mut [IoSliceMut<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        let total = bufs::total_mut(bufs);
        let read = |most| match most < total {
            true => op(&*self.inner, &mut bufs::first_mut(bufs, most)),
            false => op(&*self.inner, bufs),
        };
        run(&*self.hook, &self.on, &call(total), read, count)
    }

    /// An operation that writes, from less of the buffers if so told.
    fn writing(
        &self,
        call: impl FnOnce(u64) -> Call<'static>,
        bufs: &[IoSlice<'_>],
        op: impl FnOnce(&dyn File, &[IoSlice<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        let total = bufs::total(bufs);
        let write = |most| match most < total {
            true => op(&*self.inner, &bufs::first(bufs, most)),
            false => op(&*self.inner, bufs),
        };
        run(&*self.hook, &self.on, &call(total), write, count)
    }
}

fn count(n: &usize) -> Answer<'_> {
    Answer::Bytes(*n)
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hook> File for HookedFile<H> {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        self.reading(|len| Call::ReadAt { offset, len }, bufs, |file, bufs| file.read_at(bufs, offset))
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        self.writing(|len| Call::WriteAt { offset, len }, bufs, |file, bufs| file.write_at(bufs, offset))
    }

    fn append(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.writing(|len| Call::Append { len }, bufs, |file, bufs| file.append(bufs))
    }

    fn metadata(&self) -> Result<Metadata> {
        self.run(Call::Metadata, |file| file.metadata(), about)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.run(Call::SetLen { len }, |file| file.set_len(len), done)
    }

    fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<()> {
        let call = Call::SetTimes { accessed, modified };
        self.run(call, |file| file.set_times(accessed, modified), done)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.run(Call::Sync { data_only }, |file| file.sync(data_only), done)
    }

    fn file_type(&self) -> FileType {
        self.inner.file_type()
    }

    fn advise(&self, offset: u64, len: u64, advice: Advice) -> Result<()> {
        let call = Call::Advise { offset, len, advice };
        self.run(call, |file| file.advise(offset, len, advice), done)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.run(Call::Allocate { offset, len }, |file| file.allocate(offset, len), done)
    }

    fn blocking(&self) -> Blocking {
        self.hook.blocking(self.inner.blocking())
    }

    fn try_read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        if self.blocking() == Blocking::Never {
            return self.read_at(bufs, offset);
        }
        let call = Call::ReadAt { offset, len: bufs::total_mut(bufs) };
        attempt(&*self.hook, &self.on, &call, || self.inner.try_read_at(bufs, offset), count)
    }

    /// Nothing, so that each read is one that the hook sees.
    fn lend(&self, _len: usize, _offset: u64) -> Option<Bytes> {
        None
    }

    fn is_seekable(&self) -> bool {
        self.inner.is_seekable()
    }

    fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
        self.reading(|len| Call::Read { len }, bufs, |file, bufs| file.read(bufs))
    }

    fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        self.writing(|len| Call::Write { len }, bufs, |file, bufs| file.write(bufs))
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        self.inner.wait(interest)
    }

    fn wait_async(&self, interest: Interest) -> BoxFuture<'_, ()> {
        self.inner.wait_async(interest)
    }
}
