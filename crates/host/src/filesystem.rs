//! What a guest is told of files, alike in WASI 0.2 and 0.3: who may do what is said at the core's door.

use crate::ctx::WasiCtx;
use std::hash::{DefaultHasher, Hasher};
use wasi_host_core::fs::{Access, Descriptor, Metadata};
use wasi_host_core::{Errno, Result};
use wasmtime::component::{Resource, ResourceTable};

/// In 0.2 and 0.3 nothing happens to what was not opened for writing.
pub(crate) fn sync(descriptor: &Descriptor, data_only: bool) -> Result<()> {
    descriptor.valid()?;
    let written = descriptor.is_dir() || descriptor.access().contains(Access::WRITE);
    if written { descriptor.sync(data_only) } else { Ok(()) }
}

pub(crate) fn read_link(dir: &Descriptor, path: &str) -> Result<String> {
    let target = dir.read_link(path)?;
    // It would tell of the host's tree.
    if target.starts_with('/') { Err(Errno::Perm) } else { Ok(target) }
}

/// Two words that tell files apart. The first stays as long as the file does, because guests of WASI 0.1 behind an
/// adapter take it for the inode's number; the second changes with the content.
pub(crate) fn hash(m: &Metadata) -> (u64, u64) {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(m.dev);
    hasher.write_u64(m.ino);
    let lower = hasher.finish();
    hasher.write_u64(m.size);
    hasher.write_i64(m.modified.seconds());
    hasher.write_u32(m.modified.subsec_nanos());
    (lower, hasher.finish())
}

/// What a guest is given at its beginning, and what of that is left and was added when it asks again.
pub(crate) fn preopens(
    ctx: &WasiCtx,
    table: &mut ResourceTable,
) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
    let too_many = |e| wasmtime::Error::new(e).context("the directories cannot be given once more");
    let give =
        |(dir, name): (Descriptor, String)| Ok((table.push(ctx.counted(&dir).map_err(too_many)?)?, name));
    ctx.shared.preopens.current().into_iter().map(give).collect()
}

/// The flags of one output of the generator, and what the core calls them.
macro_rules! flags {
    ($types:ident) => {
        fn follow(at: $types::PathFlags) -> wasi_host_core::fs::Follow {
            use wasi_host_core::fs::Follow;
            if at.contains($types::PathFlags::SYMLINK_FOLLOW) { Follow::Yes } else { Follow::No }
        }

        fn advice(advice: $types::Advice) -> wasi_host_core::fs::Advice {
            use wasi_host_core::fs::Advice;
            match advice {
                $types::Advice::Normal => Advice::Normal,
                $types::Advice::Sequential => Advice::Sequential,
                $types::Advice::Random => Advice::Random,
                $types::Advice::WillNeed => Advice::WillNeed,
                $types::Advice::DontNeed => Advice::DontNeed,
                $types::Advice::NoReuse => Advice::NoReuse,
            }
        }

        fn how(
            at: $types::PathFlags,
            open: $types::OpenFlags,
            flags: $types::DescriptorFlags,
        ) -> wasi_host_core::fs::Open {
            use wasi_host_core::fs::Sync;
            use $types::{DescriptorFlags as Flags, OpenFlags, PathFlags};
            wasi_host_core::fs::Open {
                read: flags.contains(Flags::READ),
                write: flags.contains(Flags::WRITE),
                create: open.contains(OpenFlags::CREATE),
                exclusive: open.contains(OpenFlags::EXCLUSIVE),
                truncate: open.contains(OpenFlags::TRUNCATE),
                directory: open.contains(OpenFlags::DIRECTORY),
                follow: at.contains(PathFlags::SYMLINK_FOLLOW),
                sync: match () {
                    () if flags.intersects(Flags::FILE_INTEGRITY_SYNC | Flags::REQUESTED_WRITE_SYNC) => {
                        Sync::All
                    }
                    () if flags.contains(Flags::DATA_INTEGRITY_SYNC) => Sync::Data,
                    () => Sync::No,
                },
            }
        }

        fn flags(d: &wasi_host_core::fs::Descriptor) -> $types::DescriptorFlags {
            use wasi_host_core::fs::{Access, Sync};
            use $types::DescriptorFlags as Flags;
            let mut flags = Flags::empty();
            if d.is_dir() {
                flags |= Flags::READ;
                if d.may_mutate().is_ok() {
                    flags |= Flags::MUTATE_DIRECTORY;
                }
                return flags;
            }
            if d.access().contains(Access::READ) {
                flags |= Flags::READ;
            }
            if d.access().contains(Access::WRITE) {
                flags |= Flags::WRITE;
            }
            match d.synchronous() {
                Sync::No => {}
                Sync::Data => flags |= Flags::DATA_INTEGRITY_SYNC,
                Sync::All => flags |= Flags::FILE_INTEGRITY_SYNC | Flags::REQUESTED_WRITE_SYNC,
            }
            flags
        }
    };
}
pub(crate) use flags;
