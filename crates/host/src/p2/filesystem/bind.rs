//! The functions of `wasi:filesystem/types` as both outputs of the generator have them, each with types of its own.

use super::*;
use crate::mode::{Awaits, Blocks, now};
use crate::p2::end;
use wasi_host_bindings::FsError;
use wasi_host_core::fs::FileType;
use wasi_host_core::time::{SetTime, Timestamp};

macro_rules! implement {
    ($kind:ident $M:ident [$($async:ident)?] $types:path) => { const _: () = {
        use $types as types;
        use types::{DescriptorFlags, NewTimestamp, OpenFlags, PathFlags};

        type Fd = Resource<Descriptor>;

        impl<T: WasiView> types::Host for WasiImpl<T> {
            fn convert_error_code(&mut self, e: FsError) -> wasmtime::Result<types::ErrorCode> {
                Ok(e.downcast()?.into())
            }

            fn filesystem_error_code(
                &mut self,
                e: Resource<anyhow::Error>,
            ) -> wasmtime::Result<Option<types::ErrorCode>> {
                Ok(wasi_host_bindings::failure(self.table().get(&e)?).and_then(code_of_file).map(Into::into))
            }
        }

        impl<T: WasiView> types::HostDescriptor for WasiImpl<T> {
            fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<InputStream>> {
                read_via_stream::<$M>(self, &fd, offset)
            }

            fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<OutputStream>> {
                write_via_stream::<$M>(self, &fd, Some(offset))
            }

            fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<OutputStream>> {
                write_via_stream::<$M>(self, &fd, None)
            }

            $($async)? fn advise(&mut self, fd: Fd, offset: u64, len: u64, hint: types::Advice) -> FsResult<()> {
                end!($kind on::<$M, _>(self, &fd, move |d| d.advise(offset, len, advice(hint))))
            }

            $($async)? fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
                end!($kind on::<$M, _>(self, &fd, |d| sync(d, true)))
            }

            $($async)? fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
                ask(self, &fd, |d| Ok(flags(d)))
            }

            $($async)? fn get_type(&mut self, fd: Fd) -> FsResult<types::DescriptorType> {
                ask(self, &fd, |d| Ok(file_type(d.file_type())))
            }

            $($async)? fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
                end!($kind on::<$M, _>(self, &fd, move |d| d.set_len(size)))
            }

            $($async)? fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
                let (accessed, modified, now) = (time(accessed)?, time(modified)?, self.ctx().virtual_now());
                end!($kind on::<$M, _>(self, &fd, move |d| d.set_times(accessed, modified, now)))
            }

            $($async)? fn read(&mut self, fd: Fd, len: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
                end!($kind read::<$M>(self, &fd, len, offset))
            }

            $($async)? fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
                end!($kind write::<$M>(self, &fd, &bytes, offset))
            }

            $($async)? fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntries>> {
                end!($kind read_directory::<$M>(self, &fd))
            }

            $($async)? fn sync(&mut self, fd: Fd) -> FsResult<()> {
                end!($kind on::<$M, _>(self, &fd, |d| sync(d, false)))
            }

            $($async)? fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
                end!($kind on_path::<$M, _>(self, &fd, &path, |d, p| d.create_dir(p)))
            }

            $($async)? fn stat(&mut self, fd: Fd) -> FsResult<types::DescriptorStat> {
                ask(self, &fd, |d| Ok(stat(&d.metadata()?)))
            }

            $($async)? fn stat_at(&mut self, fd: Fd, at: PathFlags, path: String) -> FsResult<types::DescriptorStat> {
                Ok(stat(&end!($kind stat_at::<$M>(self, &fd, &path, follow(at)))?))
            }

            $($async)? fn set_times_at(
                &mut self,
                fd: Fd,
                at: PathFlags,
                path: String,
                accessed: NewTimestamp,
                modified: NewTimestamp,
            ) -> FsResult<()> {
                let (accessed, modified, now) = (time(accessed)?, time(modified)?, self.ctx().virtual_now());
                let set = move |d: &Descriptor, p: &str| d.set_times_at(p, follow(at), accessed, modified, now);
                end!($kind on_path::<$M, _>(self, &fd, &path, set))
            }

            $($async)? fn link_at(&mut self, fd: Fd, at: PathFlags, path: String, to: Fd, to_path: String) -> FsResult<()> {
                let link = move |(from, path): (&Descriptor, &str), (to, to_path): (&Descriptor, &str)| {
                    from.hard_link(path, follow(at), to, to_path)
                };
                end!($kind on_paths::<$M>(self, (&fd, &path), (&to, &to_path), link))
            }

            $($async)? fn open_at(
                &mut self,
                fd: Fd,
                at: PathFlags,
                path: String,
                open: OpenFlags,
                flags: DescriptorFlags,
            ) -> FsResult<Fd> {
                let mutates = flags.contains(DescriptorFlags::MUTATE_DIRECTORY);
                end!($kind open_at::<$M>(self, &fd, &path, how(at, open, flags), mutates))
            }

            $($async)? fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
                end!($kind on_path::<$M, _>(self, &fd, &path, read_link))
            }

            $($async)? fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
                end!($kind on_path::<$M, _>(self, &fd, &path, |d, p| d.remove_dir(p)))
            }

            $($async)? fn rename_at(&mut self, fd: Fd, path: String, to: Fd, to_path: String) -> FsResult<()> {
                end!($kind on_paths::<$M>(self, (&fd, &path), (&to, &to_path), |(from, path), (to, to_path)| {
                    from.rename(path, to, to_path)
                }))
            }

            $($async)? fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
                end!($kind on_path::<$M, _>(self, &fd, &path, move |d, p| d.symlink(&target, p)))
            }

            $($async)? fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
                end!($kind on_path::<$M, _>(self, &fd, &path, |d, p| d.unlink(p)))
            }

            $($async)? fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
                let (a, b) = (self.table().get(&a)?.clone(), self.table().get(&b)?);
                Ok(a.is_same_object(b).unwrap_or(false))
            }

            $($async)? fn metadata_hash(&mut self, fd: Fd) -> FsResult<types::MetadataHashValue> {
                let (lower, upper) = ask(self, &fd, |d| Ok(hash(&d.metadata()?)))?;
                Ok(types::MetadataHashValue { lower, upper })
            }

            $($async)? fn metadata_hash_at(
                &mut self,
                fd: Fd,
                at: PathFlags,
                path: String,
            ) -> FsResult<types::MetadataHashValue> {
                let (lower, upper) = hash(&end!($kind stat_at::<$M>(self, &fd, &path, follow(at)))?);
                Ok(types::MetadataHashValue { lower, upper })
            }

            fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
                self.table().delete(fd)?;
                Ok(())
            }
        }

        impl<T: WasiView> types::HostDirectoryEntryStream for WasiImpl<T> {
            $($async)? fn read_directory_entry(
                &mut self,
                listing: Resource<DirectoryEntries>,
            ) -> FsResult<Option<types::DirectoryEntry>> {
                let entry = end!($kind read_directory_entry::<$M>(self, &listing))?;
                Ok(entry.map(|e| types::DirectoryEntry { type_: file_type(e.file_type), name: e.name }))
            }

            fn drop(&mut self, listing: Resource<DirectoryEntries>) -> wasmtime::Result<()> {
                self.table().delete(listing)?;
                Ok(())
            }
        }

        crate::filesystem::flags!(types);

        fn time(t: NewTimestamp) -> Result<SetTime> {
            Ok(match t {
                NewTimestamp::NoChange => SetTime::Keep,
                NewTimestamp::Now => SetTime::Now,
                NewTimestamp::Timestamp(t) => {
                    let seconds = i64::try_from(t.seconds).map_err(|_| Errno::Overflow)?;
                    SetTime::At(Timestamp::new(seconds, t.nanoseconds).ok_or(Errno::Inval)?)
                }
            })
        }

        fn stat(m: &Metadata) -> types::DescriptorStat {
            types::DescriptorStat {
                type_: file_type(m.file_type),
                link_count: m.nlink,
                size: m.size,
                data_access_timestamp: super::datetime(m.accessed),
                data_modification_timestamp: super::datetime(m.modified),
                status_change_timestamp: super::datetime(m.changed),
            }
        }

        fn file_type(t: FileType) -> types::DescriptorType {
            match t {
                FileType::Unknown => types::DescriptorType::Unknown,
                FileType::BlockDevice => types::DescriptorType::BlockDevice,
                FileType::CharacterDevice => types::DescriptorType::CharacterDevice,
                FileType::Directory => types::DescriptorType::Directory,
                FileType::Fifo => types::DescriptorType::Fifo,
                FileType::RegularFile => types::DescriptorType::RegularFile,
                FileType::Socket => types::DescriptorType::Socket,
                FileType::SymbolicLink => types::DescriptorType::SymbolicLink,
            }
        }
    }; };
}

implement!(blocking Blocks [] p2::sync::filesystem::types);
implement!(awaiting Awaits [async] p2::filesystem::types);
