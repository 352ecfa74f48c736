//! What of directories and files a context is given.

use super::WasiCtxBuilder;
use crate::preopens::Given;
use std::path::Path;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Descriptor, Dir};
use wasi_host_core::grant::{DirPerms, FilePerms};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::single_file::SingleFile;
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
        self.given.push((Given::Dir(dir, dir_perms, file_perms), guest_path.as_ref().to_owned()));
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
        self.given.push((Given::Descriptor(dir), guest_path.as_ref().to_owned()));
        self
    }

    /// Gives a single file of the host: the directory part of `guest_path` is a directory to the guest that holds the
    /// file under the last name, and nothing else. It can be read, and written if `file_perms` say so; it is neither
    /// moved nor removed, and nothing can be made beside it. A symbolic link stands for the file that it leads to now.
    ///
    /// The file is looked for at each use: if the host puts another in its place, that is what the guest finds. Two files
    /// under the same guest directory are two directories of one name, of which most guests use the last:
    /// give them a directory with both.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it is a directory; if `guest_path` ends in no name. The message says which.
    ///
    /// # Example
    ///
    /// ```
    /// use wasi_host::{FilePerms, WasiCtxBuilder};
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.preopened_file("Cargo.toml", "/etc/guest.toml", FilePerms::READ)?;
    /// # Ok::<(), wasmtime::Error>(())
    /// ```
    ///
    /// A file of any other directory is given by a [`SingleFile`]:
    ///
    /// ```
    /// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
    /// use wasi_host_virtual::{memory::MemoryFs, single_file::SingleFile};
    /// let fs = MemoryFs::new();
    /// fs.write("config", "level = 3")?;
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.preopened(SingleFile::new(fs.root(), "config")?, "/etc", DirPerms::READ, FilePerms::READ);
    /// # Ok::<(), wasi_host::Errno>(())
    /// ```
    pub fn preopened_file(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        file_perms: FilePerms,
    ) -> Result<&mut Self> {
        let (host_path, guest_path) = (host_path.as_ref(), guest_path.as_ref());
        let (dir, name) = match guest_path.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some(at) => at,
            None => (".", guest_path),
        };
        let file = single_file(host_path)
            .with_context(|| format!("failed to give the file `{}`", host_path.display()))?
            .named(name)
            .with_context(|| format!("`{guest_path}` is no path of a file"))?;
        // It is opened with `O_CREAT` also where it is there already. Nothing else is made of that right here.
        let writes = file_perms.contains(FilePerms::WRITE);
        let dir_perms = if writes { DirPerms::all() } else { DirPerms::READ };
        Ok(self.preopened(file, dir, dir_perms, file_perms))
    }
}

fn single_file(host_path: &Path) -> Result<SingleFile> {
    let file = host_path.canonicalize()?;
    let (Some(dir), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(Errno::IsDir.into());
    };
    let name = name.to_str().ok_or(Errno::IlSeq)?;
    Ok(SingleFile::new(Arc::new(NativeDir::open_ambient(dir)?), name)?)
}
