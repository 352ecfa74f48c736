//! `wasi:filesystem`.

use super::{Cx, Floor, Slot, kind, read_into, resource};
use bytes::Bytes;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, OFlags, Stat};
use std::sync::Arc;
use wasi_host::bindings::clocks::wall_clock::Datetime;
use wasi_host::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, OpenFlags, PathFlags,
};
use wasi_host_benches::native::open_beneath;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource, WasmList, WasmStr};

type Fd = Resource<kind::Descriptor>;
type OfFile<R> = Result<(Result<R, ErrorCode>,)>;

fn code<R>(result: rustix::io::Result<R>) -> OfFile<R> {
    Ok((result.map_err(|_| ErrorCode::Io),))
}

fn file<'a>(floor: &'a Floor, fd: &Fd) -> &'a Arc<OwnedFd> {
    match &floor.slots[fd.rep() as usize] {
        Slot::File(fd) | Slot::Dir(fd) => fd,
        _ => panic!("not a descriptor"),
    }
}

fn file_type(t: FileType) -> DescriptorType {
    match t {
        FileType::Directory => DescriptorType::Directory,
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Symlink => DescriptorType::SymbolicLink,
        _ => DescriptorType::Unknown,
    }
}

fn stat(st: Stat) -> DescriptorStat {
    let time = |s: i64, n: u64| Some(Datetime { seconds: s as u64, nanoseconds: n as u32 });
    DescriptorStat {
        type_: file_type(FileType::from_raw_mode(st.st_mode)),
        link_count: st.st_nlink,
        size: st.st_size as u64,
        data_access_timestamp: time(st.st_atime, st.st_atime_nsec),
        data_modification_timestamp: time(st.st_mtime, st.st_mtime_nsec),
        status_change_timestamp: time(st.st_ctime, st.st_ctime_nsec),
    }
}

type Opening = (Fd, PathFlags, WasmStr, OpenFlags, DescriptorFlags);

fn open_at(mut cx: Cx<'_>, (fd, _, path, open, flags): Opening) -> OfFile<Fd> {
    let is_dir = open.contains(OpenFlags::DIRECTORY);
    let mut how = if flags.contains(DescriptorFlags::WRITE) { OFlags::RDWR } else { OFlags::RDONLY };
    how.set(OFlags::DIRECTORY, is_dir);
    how.set(OFlags::CREATE, open.contains(OpenFlags::CREATE));
    let opened = open_beneath(file(cx.data(), &fd), &path.to_str(&cx)?, how);
    code(opened.map(|fd| {
        let fd = Arc::new(fd);
        cx.data_mut().push(if is_dir { Slot::Dir(fd) } else { Slot::File(fd) })
    }))
}

fn stat_at(cx: Cx<'_>, (fd, _, path): (Fd, PathFlags, WasmStr)) -> OfFile<DescriptorStat> {
    let (dir, path) = (file(cx.data(), &fd), path.to_str(&cx)?);
    code(
        if path.contains('/') {
            open_beneath(dir, &path, OFlags::PATH).and_then(rustix::fs::fstat)
        } else {
            rustix::fs::statat(dir, &*path, AtFlags::SYMLINK_NOFOLLOW)
        }
        .map(stat),
    )
}

fn next(mut cx: Cx<'_>, (from,): (Resource<kind::Listing>,)) -> OfFile<Option<DirectoryEntry>> {
    let Slot::Listing(dir) = cx.data_mut().slot(&from) else { panic!("not a listing") };
    loop {
        return Ok((Ok(match dir.read() {
            Some(Ok(e)) if e.file_name() == c"." || e.file_name() == c".." => continue,
            Some(Ok(e)) => Some(DirectoryEntry {
                type_: file_type(e.file_type()),
                name: e.file_name().to_str().expect("UTF-8").to_owned(),
            }),
            Some(Err(_)) => return Ok((Err(ErrorCode::Io),)),
            None => None,
        }),));
    }
}

pub(super) fn add(linker: &mut Linker<Floor>) -> Result<()> {
    let mut of = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    of.func_wrap("get-directories", |mut cx: Cx<'_>, ()| {
        let dir = cx.data().dir.clone();
        Ok((vec![(cx.data_mut().push::<kind::Descriptor>(Slot::Dir(dir)), "/".to_owned())],))
    })?;
    let mut of = linker.instance("wasi:filesystem/types@0.2.12")?;
    resource::<kind::Descriptor>(&mut of, "descriptor")?;
    resource::<kind::Listing>(&mut of, "directory-entry-stream")?;
    of.func_wrap("[method]descriptor.read", |mut cx: Cx<'_>, (fd, len, at): (Fd, u64, u64)| {
        let floor = cx.data_mut();
        let Slot::File(file) = &floor.slots[fd.rep() as usize] else { panic!("not a file") };
        let read = read_into(&mut floor.scratch, len as usize, |buf| rustix::io::pread(file, buf, at));
        code(read.map(|bytes: Bytes| {
            let end = bytes.is_empty();
            (bytes, end)
        }))
    })?;
    of.func_wrap("[method]descriptor.write", |cx: Cx<'_>, (fd, bytes, at): (Fd, WasmList<u8>, u64)| {
        code(rustix::io::pwrite(file(cx.data(), &fd), bytes.as_le_slice(&cx), at).map(|n| n as u64))
    })?;
    of.func_wrap("[method]descriptor.read-via-stream", |mut cx: Cx<'_>, (fd, at): (Fd, u64)| {
        let slot = Slot::FileIn(file(cx.data(), &fd).clone(), at);
        code(Ok(cx.data_mut().push::<kind::In>(slot)))
    })?;
    of.func_wrap("[method]descriptor.write-via-stream", |mut cx: Cx<'_>, (fd, at): (Fd, u64)| {
        let slot = Slot::FileOut(file(cx.data(), &fd).clone(), at);
        code(Ok(cx.data_mut().push::<kind::Out>(slot)))
    })?;
    of.func_wrap("[method]descriptor.open-at", open_at)?;
    of.func_wrap("[method]descriptor.stat", |cx: Cx<'_>, (fd,): (Fd,)| {
        code(rustix::fs::fstat(file(cx.data(), &fd)).map(stat))
    })?;
    of.func_wrap("[method]descriptor.stat-at", stat_at)?;
    of.func_wrap("[method]descriptor.get-type", |cx: Cx<'_>, (fd,): (Fd,)| {
        code(Ok(match &cx.data().slots[fd.rep() as usize] {
            Slot::Dir(_) => DescriptorType::Directory,
            _ => DescriptorType::RegularFile,
        }))
    })?;
    of.func_wrap("[method]descriptor.read-directory", |mut cx: Cx<'_>, (fd,): (Fd,)| {
        let listing = rustix::fs::Dir::read_from(file(cx.data(), &fd));
        code(listing.map(|l| cx.data_mut().push::<kind::Listing>(Slot::Listing(Box::new(l)))))
    })?;
    of.func_wrap("[method]directory-entry-stream.read-directory-entry", next)
}
