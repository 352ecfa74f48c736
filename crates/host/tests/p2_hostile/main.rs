//! What a hostile component may try with one call after the other: the largest numbers everywhere, paths that lead out,
//! addresses in disguise, and waits that are given up half-way.

mod addresses;
#[path = "../p2_sockets/guest.rs"]
mod guest;
mod numbers;
mod paths;
mod waits;

use guest::*;
use wasi_host::bindings::filesystem::preopens::Host as _;
use wasi_host::bindings::filesystem::types::ErrorCode as FsCode;
use wasi_host::bindings::sync::filesystem::types::{
    DescriptorFlags, HostDescriptor as _, OpenFlags, PathFlags,
};
use wasi_host::fs::{Descriptor, Dir};
use wasi_host::{FsResult, WasiImpl};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::component::Resource;

type Fd = Resource<Descriptor>;

fn fs<T>(result: FsResult<T>) -> Result<T, FsCode> {
    result.map_err(|e| e.downcast().expect("an error code"))
}

fn roots(g: &mut Guest) -> Vec<Fd> {
    WasiImpl(&mut g.state).get_directories().unwrap().into_iter().map(|(fd, _)| fd).collect()
}

fn open_at(
    g: &mut Guest,
    dir: &Fd,
    path: &str,
    open: OpenFlags,
    flags: DescriptorFlags,
) -> Result<Fd, FsCode> {
    fs(WasiImpl(&mut g.state).open_at(b(dir), PathFlags::SYMLINK_FOLLOW, path.into(), open, flags))
}

fn backends(disk: &tempfile::TempDir) -> [std::sync::Arc<dyn Dir>; 2] {
    [MemoryFs::new().root(), std::sync::Arc::new(NativeDir::open_ambient(disk.path()).unwrap())]
}
