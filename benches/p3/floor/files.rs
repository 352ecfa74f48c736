//! `wasi:filesystem`.

use super::bytes::{Sink, Source};
use super::{Cx, Floor, Slot, ended, kind, resource};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use std::future::ready;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasi_host::p3::bindings::clocks::system_clock::Instant;
use wasi_host::p3::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, OpenFlags, PathFlags,
};
use wasi_host_benches::native::open_beneath;
use wasmtime::component::{
    Accessor, Destination, Linker, Resource, StreamProducer, StreamReader, StreamResult, VecBuffer,
};
use wasmtime::{AsContextMut, Result, StoreContextMut};

type Fd = Resource<kind::Descriptor>;

fn file(floor: &mut Floor, fd: &Fd) -> Arc<OwnedFd> {
    match floor.slot(fd) {
        Slot::File(fd) => fd.clone(),
        _ => panic!("not a descriptor"),
    }
}

fn file_type(t: FileType) -> DescriptorType {
    match t {
        FileType::Directory => DescriptorType::Directory,
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Symlink => DescriptorType::SymbolicLink,
        _ => DescriptorType::Other(None),
    }
}

fn stat(st: Stat) -> DescriptorStat {
    let time = |s: i64, n: u64| Some(Instant { seconds: s, nanoseconds: n as u32 });
    DescriptorStat {
        type_: file_type(FileType::from_raw_mode(st.st_mode)),
        link_count: st.st_nlink,
        size: st.st_size as u64,
        data_access_timestamp: time(st.st_atime, st.st_atime_nsec),
        data_modification_timestamp: time(st.st_mtime, st.st_mtime_nsec),
        status_change_timestamp: time(st.st_ctime, st.st_ctime_nsec),
    }
}

fn open_at(
    floor: &mut Floor,
    (fd, _, path, open, flags): &(Fd, PathFlags, String, OpenFlags, DescriptorFlags),
) -> Result<Fd, ErrorCode> {
    let mut how = if flags.contains(DescriptorFlags::WRITE) { OFlags::RDWR } else { OFlags::RDONLY };
    how.set(OFlags::DIRECTORY, open.contains(OpenFlags::DIRECTORY));
    how.set(OFlags::CREATE, open.contains(OpenFlags::CREATE));
    let opened = open_beneath(&*file(floor, fd), path, how).map_err(|_| ErrorCode::Io)?;
    Ok(floor.push(Slot::File(Arc::new(opened))))
}

/// A directory, as many entries at a time as one call gives.
struct Listing {
    dir: OwnedFd,
    block: Box<[MaybeUninit<u8>]>,
}

impl<D: 'static> StreamProducer<D> for Listing {
    type Item = DirectoryEntry;
    type Buffer = VecBuffer<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut to: Destination<'a, DirectoryEntry, VecBuffer<DirectoryEntry>>,
        _: bool,
    ) -> Poll<Result<StreamResult>> {
        let Self { dir, block } = &mut *self;
        let mut entries = RawDir::new(&*dir, block);
        let mut batch = Vec::new();
        while batch.is_empty() || !entries.is_buffer_empty() {
            let Some(entry) = entries.next() else { break };
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let name = name.to_str().expect("UTF-8").to_owned();
                batch.push(DirectoryEntry { type_: file_type(entry.file_type()), name });
            }
        }
        if batch.is_empty() {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        to.set_buffer(batch.into());
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

pub(super) fn add(linker: &mut Linker<Floor>) -> Result<()> {
    let mut of = linker.instance("wasi:filesystem/preopens@0.3.2")?;
    of.func_wrap("get-directories", |mut cx: Cx<'_>, ()| {
        let dir = cx.data().dir.clone();
        Ok((vec![(cx.data_mut().push::<kind::Descriptor>(Slot::File(dir)), "/".to_owned())],))
    })?;
    let mut of = linker.instance("wasi:filesystem/types@0.3.2")?;
    resource::<kind::Descriptor>(&mut of, "descriptor")?;
    of.func_wrap_concurrent("[method]descriptor.stat", |store: &Accessor<Floor>, (fd,): (Fd,)| {
        let stat = store.with(|mut s| rustix::fs::fstat(file(s.get(), &fd)).map(stat));
        Box::pin(ready(Ok((stat.map_err(|_| ErrorCode::Io),))))
    })?;
    type Naming = (Fd, PathFlags, String);
    of.func_wrap_concurrent(
        "[method]descriptor.stat-at",
        |store: &Accessor<Floor>, (fd, _, path): Naming| {
            let dir = store.with(|mut s| file(s.get(), &fd));
            let stat = rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW).map(stat);
            Box::pin(ready(Ok((stat.map_err(|_| ErrorCode::Io),))))
        },
    )?;
    of.func_wrap_concurrent("[method]descriptor.get-type", |_: &Accessor<Floor>, (_,): (Fd,)| {
        Box::pin(ready(Ok((Ok::<_, ErrorCode>(DescriptorType::RegularFile),))))
    })?;
    of.func_wrap_concurrent("[method]descriptor.open-at", |store: &Accessor<Floor>, args| {
        let opened = store.with(|mut s| open_at(s.get(), &args));
        Box::pin(ready(Ok((opened,))))
    })?;
    of.func_wrap("[method]descriptor.read-via-stream", |mut cx: Cx<'_>, (fd, at): (Fd, u64)| {
        let source = Source::File(file(cx.data_mut(), &fd), at);
        let stream = StreamReader::new(cx.as_context_mut(), source)?;
        Ok(((stream, ended::<ErrorCode>(&mut cx)?),))
    })?;
    type Writing = (Fd, StreamReader<u8>, u64);
    of.func_wrap("[method]descriptor.write-via-stream", |mut cx: Cx<'_>, (fd, data, at): Writing| {
        let sink = Sink::File(file(cx.data_mut(), &fd), at);
        data.pipe(cx.as_context_mut(), sink)?;
        Ok((ended::<ErrorCode>(&mut cx)?,))
    })?;
    of.func_wrap("[method]descriptor.read-directory", |mut cx: Cx<'_>, (fd,): (Fd,)| {
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(file(cx.data_mut(), &fd), c".", how, Mode::empty())?;
        let listing = Listing { dir, block: Box::new_uninit_slice(32 << 10) };
        let stream = StreamReader::new(cx.as_context_mut(), listing)?;
        Ok(((stream, ended::<ErrorCode>(&mut cx)?),))
    })
}
