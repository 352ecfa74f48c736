//! What of directories and files a context is given.

use super::WasiCtxBuilder;
use std::path::Path;
use std::sync::Arc;
use wasi_host_core::fs::{Descriptor, Dir};
use wasi_host_core::grant::{DirPerms, FilePerms};
use wasi_host_native::fs::NativeDir;
use wasmtime::Result;
use wasmtime::error::Context as _;

impl WasiCtxBuilder {
    /// Opens a directory of the host and gives it to the guest under the name `guest_path`. Nothing outside of it
    /// can be reached through it.
    ///
    /// # Errors
    ///
    /// If it cannot be opened as a directory; the message names it.
    ///
    /// # Example
    ///
    /// ```
    /// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.preopened_dir("src", "/source", DirPerms::READ, FilePerms::READ)?;
    /// # Ok::<(), wasmtime::Error>(())
    /// ```
    pub fn preopened_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        dir_perms: DirPerms,
        file_perms: FilePerms,
    ) -> Result<&mut Self> {
        let host_path = host_path.as_ref();
        let dir = NativeDir::open_ambient(host_path)
            .with_context(|| format!("failed to open directory `{}`", host_path.display()))?;
        Ok(self.preopened(dir, guest_path, dir_perms, file_perms))
    }

    /// Gives any directory to the guest: in memory, an archive, your own. One that is shared already goes through
    /// [`preopened_shared`](Self::preopened_shared):
    ///
    /// ```
    /// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
    /// use wasi_host_virtual::memory::MemoryFs;
    /// let fs = MemoryFs::with_limit(16 << 20);
    /// fs.write("config", "level = 3")?;
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.preopened_shared(fs.root(), "/", DirPerms::all(), FilePerms::all());
    /// # Ok::<(), wasi_host::Errno>(())
    /// ```
    pub fn preopened(
        &mut self,
        dir: impl Dir,
        guest_path: impl AsRef<str>,
        dir_perms: DirPerms,
        file_perms: FilePerms,
    ) -> &mut Self {
        self.preopened_shared(Arc::new(dir), guest_path, dir_perms, file_perms)
    }

    /// Gives a directory that others hold too.
    ///
    /// [`preopened`](Self::preopened) has an example.
    pub fn preopened_shared(
        &mut self,
        dir: Arc<dyn Dir>,
        guest_path: impl AsRef<str>,
        dir_perms: DirPerms,
        file_perms: FilePerms,
    ) -> &mut Self {
        self.dirs.push((dir, guest_path.as_ref().to_owned(), dir_perms, file_perms));
        self
    }

    /// Gives a directory under a grant of the embedder's own, which can be revoked while the guest runs.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use wasi_host::{Grant, WasiCtxBuilder, fs::Descriptor};
    /// # let fs = wasi_host_virtual::memory::MemoryFs::new();
    /// let grant = Arc::new(Grant::full());
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.preopened_descriptor(Descriptor::preopen(fs.root(), grant.clone()), "/");
    /// // Later, from any thread:
    /// grant.revoke();
    /// ```
    pub fn preopened_descriptor(&mut self, dir: Descriptor, guest_path: impl AsRef<str>) -> &mut Self {
        self.shared().preopens.add(dir, guest_path.as_ref().to_owned());
        self
    }
}
