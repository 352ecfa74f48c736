//! `wasi:filesystem`. Which code stands for which number is in the bindings; who may do what, at the core's door.

use super::bytes::{Consumer, Producer};
use super::clocks::instant;
use super::completion;
use super::listing::Listing;
use crate::filesystem::{self, hash, read_link, sync};
use crate::mode::Awaits;
use crate::view::{Both, HasWasi, WasiImpl, WasiView};
use crate::waiting::Waiting;
use std::sync::Arc;
use types::{DescriptorFlags, ErrorCode, NewTimestamp, OpenFlags, PathFlags};
use wasi_host_bindings::p3::filesystem::{preopens, types};
use wasi_host_bindings::p3::{FsError, FsResult};
use wasi_host_core::fs::{
    Descriptor, FileInputStream, FileOutputStream, FileType, Follow, Metadata, Offload,
};
use wasi_host_core::slots::Slot;
use wasi_host_core::stream::ReadAhead;
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};
use wasmtime::component::{Access, Accessor, Resource, StreamReader};

type Fd = Resource<Descriptor>;
type Ended = completion::Ended<ErrorCode>;
type Of<U, T> = Accessor<U, HasWasi<T>>;

filesystem::flags!(types);

fn time(t: NewTimestamp) -> Result<SetTime> {
    Ok(match t {
        NewTimestamp::NoChange => SetTime::Keep,
        NewTimestamp::Now => SetTime::Now,
        NewTimestamp::Timestamp(t) => {
            SetTime::At(Timestamp::new(t.seconds, t.nanoseconds).ok_or(Errno::Inval)?)
        }
    })
}

fn stat(m: &Metadata) -> types::DescriptorStat {
    types::DescriptorStat {
        type_: file_type(m.file_type),
        link_count: m.nlink,
        size: m.size,
        data_access_timestamp: Some(instant(m.accessed)),
        data_modification_timestamp: Some(instant(m.modified)),
        status_change_timestamp: Some(instant(m.changed)),
    }
}

pub(super) fn file_type(t: FileType) -> types::DescriptorType {
    match t {
        FileType::Unknown => types::DescriptorType::Other(None),
        FileType::BlockDevice => types::DescriptorType::BlockDevice,
        FileType::CharacterDevice => types::DescriptorType::CharacterDevice,
        FileType::Directory => types::DescriptorType::Directory,
        FileType::Fifo => types::DescriptorType::Fifo,
        FileType::RegularFile => types::DescriptorType::RegularFile,
        FileType::Socket => types::DescriptorType::Socket,
        FileType::SymbolicLink => types::DescriptorType::SymbolicLink,
    }
}

fn hash_value(m: &Metadata) -> types::MetadataHashValue {
    let (lower, upper) = hash(m);
    types::MetadataHashValue { lower, upper }
}

/// A call under way: a descriptor, and how its context waits. A future holds these, for it cannot hold the store. It counts
/// for as long as its work goes on, which may be longer than the guest wants it: many can be begun at once.
struct Call {
    descriptor: Descriptor,
    waiting: Arc<Waiting>,
    slot: Slot,
}

impl Call {
    fn begin<U, T: WasiView + 'static>(store: &Of<U, T>, fd: &Fd) -> FsResult<Self> {
        store.with(|mut store| {
            let mut view = store.get();
            let descriptor = view.table().get(fd)?.clone();
            Ok(Self { descriptor, waiting: view.ctx().waiting(), slot: view.ctx().slot()? })
        })
    }

    /// With a name, which is looked at before it is kept.
    fn with_path<U, T: WasiView + 'static>(store: &Of<U, T>, fd: &Fd, path: &str) -> FsResult<Self> {
        let call = Self::begin(store, fd)?;
        call.descriptor.check_path(path)?;
        Ok(call)
    }
}

/// Asks something about a descriptor that is open, which is never worth another thread.
fn ask<U, T: WasiView + 'static, R>(
    store: &Of<U, T>,
    fd: &Fd,
    op: impl FnOnce(&Descriptor) -> Result<R>,
) -> FsResult<R> {
    store.with(|mut store| {
        let mut view = store.get();
        let descriptor = view.table().get(fd)?;
        descriptor.valid()?;
        Ok(op(descriptor)?)
    })
}

/// Does something with a descriptor, elsewhere if that may take long.
async fn on<U, T: WasiView + 'static, R: Send + 'static>(
    store: &Of<U, T>,
    fd: Fd,
    op: impl FnOnce(&Descriptor) -> Result<R> + Send + 'static,
) -> FsResult<R> {
    let Call { descriptor, waiting, slot } = Call::begin(store, &fd)?;
    let op = move |d: &Descriptor| {
        let _slot = slot;
        op(d)
    };
    Ok(waiting.on_descriptor::<Awaits, _>(&descriptor, op).await?)
}

/// Does something with a name in a directory, elsewhere if that may take long.
async fn on_path<U, T: WasiView + 'static, R: Send + 'static>(
    store: &Of<U, T>,
    fd: Fd,
    path: String,
    op: impl FnOnce(&Descriptor, &str) -> Result<R> + Send + 'static,
) -> FsResult<R> {
    let Call { descriptor, waiting, slot } = Call::with_path(store, &fd, &path)?;
    let op = move |d: &Descriptor, p: &str| {
        let _slot = slot;
        op(d, p)
    };
    Ok(waiting.on_path::<Awaits, _>(&descriptor, &path, op).await?)
}

/// Does something with two names, elsewhere if that may take long.
async fn on_paths<U, T: WasiView + 'static>(
    store: &Of<U, T>,
    (from, path): (Fd, String),
    (to, to_path): (Fd, String),
    op: impl FnOnce((&Descriptor, &str), (&Descriptor, &str)) -> Result<()> + Send + 'static,
) -> FsResult<()> {
    let (from, to) = (Call::with_path(store, &from, &path)?, Call::with_path(store, &to, &to_path)?);
    let slots = (from.slot, to.slot);
    let op = move |from: (&Descriptor, &str), to: (&Descriptor, &str)| {
        let _slots = slots;
        op(from, to)
    };
    let waiting = from.waiting;
    Ok(waiting.on_paths::<Awaits, _>((&from.descriptor, &path), (&to.descriptor, &to_path), op).await?)
}

async fn metadata_at<U, T: WasiView + 'static>(
    store: &Of<U, T>,
    fd: Fd,
    path: String,
    follow: Follow,
) -> FsResult<Metadata> {
    let Call { descriptor, waiting, slot } = Call::with_path(store, &fd, &path)?;
    let cached = |d: &Descriptor, p: &str| d.try_stat(p, follow);
    let stat = move |d: &Descriptor, p: &str| {
        let _slot = slot;
        d.stat(p, follow)
    };
    Ok(waiting.look_up::<Awaits, _>(true, &descriptor, &path, cached, stat).await?)
}

/// One more user of what `fd` has open, how its streams leave the thread, and how its context waits.
fn streamed<U: 'static, T: WasiView + 'static>(
    store: &mut Access<'_, U, HasWasi<T>>,
    fd: &Fd,
) -> wasmtime::Result<(Result<Descriptor>, Option<Offload>, Arc<Waiting>)> {
    let mut view = store.get();
    let mut both = Both::of(&mut view);
    let (ctx, table) = both.parts();
    let descriptor = ctx.counted(table.get(fd)?);
    let waiting = ctx.waiting();
    Ok((descriptor, waiting.offload::<Awaits>(), waiting))
}

/// Brings what a guest writes to a file: from `offset` on, or to the end wherever that is.
fn write<U: 'static, T: WasiView + 'static>(
    mut store: Access<'_, U, HasWasi<T>>,
    fd: &Fd,
    data: StreamReader<u8>,
    offset: Option<u64>,
) -> wasmtime::Result<Ended> {
    let (descriptor, offload, waiting) = streamed(&mut store, fd)?;
    let stream = descriptor.and_then(|d| match offset {
        Some(offset) => FileOutputStream::at(d, offset, offload),
        None => FileOutputStream::append(d, offload),
    });
    match stream {
        Ok(stream) => {
            let (teller, ended) = completion::future(&mut store, &waiting)?;
            data.pipe(&mut store, Consumer::new(Box::new(stream), waiting, teller))?;
            Ok(ended)
        }
        Err(e) => completion::no_sink(store, data, e.into()),
    }
}

impl<T: WasiView> types::Host for WasiImpl<T> {
    fn convert_error_code(&mut self, e: FsError) -> wasmtime::Result<ErrorCode> {
        e.downcast()
    }
}

impl<T: WasiView> types::HostDescriptor for WasiImpl<T> {
    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.table().delete(fd)?;
        Ok(())
    }
}

impl<U: 'static, T: WasiView + 'static> types::HostDescriptorWithStore<U> for HasWasi<T> {
    fn read_via_stream(
        mut store: Access<'_, U, Self>,
        fd: Fd,
        offset: u64,
    ) -> wasmtime::Result<(StreamReader<u8>, Ended)> {
        let (descriptor, offload, waiting) = streamed(&mut store, &fd)?;
        match descriptor.and_then(|d| Ok((d.is_seekable(), FileInputStream::new(d, offset, offload)?))) {
            Ok((is_seekable, stream)) => {
                let (teller, ended) = completion::future(&mut store, &waiting)?;
                // What has a position is not used up by reading ahead.
                let stream: wasi_host_core::stream::InputStream =
                    if is_seekable { Box::new(ReadAhead::new(Box::new(stream))) } else { Box::new(stream) };
                Ok((StreamReader::new(&mut store, Producer::new(stream, waiting, teller))?, ended))
            }
            Err(e) => completion::no_source(store, e.into()),
        }
    }

    fn write_via_stream(
        store: Access<'_, U, Self>,
        fd: Fd,
        data: StreamReader<u8>,
        offset: u64,
    ) -> wasmtime::Result<Ended> {
        write(store, &fd, data, Some(offset))
    }

    fn append_via_stream(
        store: Access<'_, U, Self>,
        fd: Fd,
        data: StreamReader<u8>,
    ) -> wasmtime::Result<Ended> {
        write(store, &fd, data, None)
    }

    fn read_directory(
        mut store: Access<'_, U, Self>,
        fd: Fd,
    ) -> wasmtime::Result<(StreamReader<types::DirectoryEntry>, Ended)> {
        let (descriptor, _, waiting) = streamed(&mut store, &fd)?;
        match descriptor {
            Ok(dir) => {
                let (teller, ended) = completion::future(&mut store, &waiting)?;
                Ok((StreamReader::new(&mut store, Listing::new(dir, waiting, teller))?, ended))
            }
            Err(e) => completion::no_source(store, e.into()),
        }
    }

    async fn advise(store: &Of<U, T>, fd: Fd, offset: u64, len: u64, hint: types::Advice) -> FsResult<()> {
        on(store, fd, move |d| d.advise(offset, len, advice(hint))).await
    }

    async fn sync_data(store: &Of<U, T>, fd: Fd) -> FsResult<()> {
        on(store, fd, |d| sync(d, true)).await
    }

    async fn get_flags(store: &Of<U, T>, fd: Fd) -> FsResult<DescriptorFlags> {
        ask(store, &fd, |d| Ok(flags(d)))
    }

    async fn get_type(store: &Of<U, T>, fd: Fd) -> FsResult<types::DescriptorType> {
        ask(store, &fd, |d| Ok(file_type(d.file_type())))
    }

    async fn set_size(store: &Of<U, T>, fd: Fd, size: u64) -> FsResult<()> {
        on(store, fd, move |d| d.set_len(size)).await
    }

    async fn set_times(
        store: &Of<U, T>,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (accessed, modified) = (time(accessed)?, time(modified)?);
        let now = store.with(|mut store| store.get().ctx().virtual_now());
        on(store, fd, move |d| d.set_times(accessed, modified, now)).await
    }

    async fn sync(store: &Of<U, T>, fd: Fd) -> FsResult<()> {
        on(store, fd, |d| sync(d, false)).await
    }

    async fn create_directory_at(store: &Of<U, T>, fd: Fd, path: String) -> FsResult<()> {
        on_path(store, fd, path, |d, p| d.create_dir(p)).await
    }

    async fn stat(store: &Of<U, T>, fd: Fd) -> FsResult<types::DescriptorStat> {
        ask(store, &fd, |d| Ok(stat(&d.metadata()?)))
    }

    async fn stat_at(
        store: &Of<U, T>,
        fd: Fd,
        at: PathFlags,
        path: String,
    ) -> FsResult<types::DescriptorStat> {
        Ok(stat(&metadata_at(store, fd, path, follow(at)).await?))
    }

    async fn set_times_at(
        store: &Of<U, T>,
        fd: Fd,
        at: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (accessed, modified) = (time(accessed)?, time(modified)?);
        let now = store.with(|mut store| store.get().ctx().virtual_now());
        on_path(store, fd, path, move |d, p| d.set_times_at(p, follow(at), accessed, modified, now)).await
    }

    async fn link_at(
        store: &Of<U, T>,
        fd: Fd,
        at: PathFlags,
        path: String,
        to: Fd,
        to_path: String,
    ) -> FsResult<()> {
        let link = move |(from, path): (&Descriptor, &str), (to, to_path): (&Descriptor, &str)| {
            from.hard_link(path, follow(at), to, to_path)
        };
        on_paths(store, (fd, path), (to, to_path), link).await
    }

    async fn open_at(
        store: &Of<U, T>,
        fd: Fd,
        at: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let Call { descriptor: dir, waiting, slot } = Call::with_path(store, &fd, &path)?;
        let mutates = flags.contains(DescriptorFlags::MUTATE_DIRECTORY);
        if mutates {
            dir.may_mutate()?;
        }
        let mut how = how(at, open, flags);
        // Who asks for neither reads, and who creates writes.
        how.read |= !how.write;
        how.write |= how.create;
        let cached = |d: &Descriptor, p: &str| d.try_open(p, how);
        let slot = Arc::new(slot);
        let open = {
            let slot = slot.clone();
            move |d: &Descriptor, p: &str| {
                let _slot = slot;
                d.open(p, how)
            }
        };
        let opened = waiting.look_up::<Awaits, _>(true, &dir, &path, cached, open).await?;
        let opened = if mutates { opened } else { opened.for_reading() };
        store.with(|mut store| Ok(store.get().table().push(opened.counted(slot))?))
    }

    async fn readlink_at(store: &Of<U, T>, fd: Fd, path: String) -> FsResult<String> {
        on_path(store, fd, path, read_link).await
    }

    async fn remove_directory_at(store: &Of<U, T>, fd: Fd, path: String) -> FsResult<()> {
        on_path(store, fd, path, |d, p| d.remove_dir(p)).await
    }

    async fn rename_at(store: &Of<U, T>, fd: Fd, path: String, to: Fd, to_path: String) -> FsResult<()> {
        on_paths(store, (fd, path), (to, to_path), |(from, path), (to, to_path)| {
            from.rename(path, to, to_path)
        })
        .await
    }

    async fn symlink_at(store: &Of<U, T>, fd: Fd, target: String, path: String) -> FsResult<()> {
        Call::with_path(store, &fd, &target)?;
        on_path(store, fd, path, move |d, p| d.symlink(&target, p)).await
    }

    async fn unlink_file_at(store: &Of<U, T>, fd: Fd, path: String) -> FsResult<()> {
        on_path(store, fd, path, |d, p| d.unlink(p)).await
    }

    async fn is_same_object(store: &Of<U, T>, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        store.with(|mut store| {
            let mut view = store.get();
            let table = view.table();
            Ok(table.get(&a)?.is_same_object(table.get(&b)?).unwrap_or(false))
        })
    }

    async fn metadata_hash(store: &Of<U, T>, fd: Fd) -> FsResult<types::MetadataHashValue> {
        ask(store, &fd, |d| Ok(hash_value(&d.metadata()?)))
    }

    async fn metadata_hash_at(
        store: &Of<U, T>,
        fd: Fd,
        at: PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        Ok(hash_value(&metadata_at(store, fd, path, follow(at)).await?))
    }
}

impl<T: WasiView> preopens::Host for WasiImpl<T> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        let mut both = Both::of(self);
        let (ctx, table) = both.parts();
        filesystem::preopens(ctx, table)
    }
}
