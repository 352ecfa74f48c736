//! The door: what was granted holds for every operation, whatever the backend would do.

mod descriptor {
    mod between;
    mod cursor;
    mod limits;
    mod listing;
    mod permissions;
    mod revoked;
    mod spy;
    mod times;
}

use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::{Access, Descriptor, Follow, Open};
use wasi_host_core::grant::{DirPerms, FilePerms, Grant};
use wasi_host_core::limits::Limits;
use wasi_host_core::{Errno, Result};
use wasi_host_virtual::memory::MemoryFs;

const READ: Open = how(true, false);
const WRITE: Open = how(false, true);
const BOTH: Open = how(true, true);
const NEITHER: Open = how(false, false);
const CREATE: Open = Open { create: true, ..BOTH };

const fn how(read: bool, write: bool) -> Open {
    Open {
        read,
        write,
        create: false,
        exclusive: false,
        truncate: false,
        directory: false,
        follow: true,
        sync: wasi_host_core::fs::Sync::No,
    }
}

/// A directory with a file "file" that holds "text", a directory "dir" and a link "link" to the file.
fn fixture() -> MemoryFs {
    let fs = MemoryFs::new();
    fs.write("file", "text").unwrap();
    fs.create_dir_all("dir").unwrap();
    fs.root().symlink("file", "link").unwrap();
    fs
}

fn granted(fs: &MemoryFs, dir: DirPerms, file: FilePerms) -> Descriptor {
    Descriptor::preopen(fs.root(), Arc::new(Grant::new(dir, file, Limits::default())))
}

fn full(fs: &MemoryFs) -> Descriptor {
    granted(fs, DirPerms::all(), FilePerms::all())
}

fn limited(fs: &MemoryFs, limit: impl FnOnce(&mut Limits)) -> Descriptor {
    let mut limits = Limits::default();
    limit(&mut limits);
    Descriptor::preopen(fs.root(), Arc::new(Grant::new(DirPerms::all(), FilePerms::all(), limits)))
}

/// Every combination of permissions.
fn all_perms() -> impl Iterator<Item = (DirPerms, FilePerms)> {
    (0..16).map(|bits| (DirPerms::from_bits_truncate(bits & 3), FilePerms::from_bits_truncate(bits >> 2)))
}

fn read(from: &Descriptor) -> Result<usize> {
    from.read_at(&mut [IoSliceMut::new(&mut [0; 8])], 0)
}

fn names(fs: &MemoryFs) -> Vec<String> {
    fs.root().entries().unwrap().map(|entry| entry.unwrap().name).collect()
}
