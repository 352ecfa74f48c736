//! What a name on the command line stands for on this machine: a directory, or an archive.

use anyhow::{Context, Result, anyhow, bail};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use wasi_host::fs::{self, Dir};
use wasi_host_native::fs::{NativeDir, NativeFile};
use wasi_host_virtual::archive::{ArchiveFs, Limits};

/// A tree of this machine.
pub(super) struct Opened {
    pub(super) root: Arc<dyn Dir>,
    /// What it is, for the trace.
    pub(super) what: String,
}

/// Opens what `option` names, a directory or an archive.
pub(super) fn open(option: &str, host: &Path) -> Result<Opened> {
    if std::fs::metadata(host).is_ok_and(|found| found.is_file()) {
        archive(option, host)
    } else {
        directory(option, host)
    }
}

/// Opens a directory.
pub(super) fn directory(option: &str, host: &Path) -> Result<Opened> {
    let what = format!("directory {host:?}");
    let said = format!("{option} {}", host.display());
    match NativeDir::open_ambient(host) {
        Ok(dir) => Ok(Opened { root: Arc::new(dir), what }),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotADirectory => {
                anyhow!("{said}: not a directory; give the directory that the file is in")
            }
            ErrorKind::NotFound => anyhow!("{said}: no such directory; create it, or give another"),
            ErrorKind::PermissionDenied => anyhow!("{said}: permission to open the directory is denied"),
            _ => anyhow::Error::from(error).context(said),
        }),
    }
}

/// Opens an archive, whatever its name: its first bytes say what it is.
pub(super) fn archive(option: &str, host: &Path) -> Result<Opened> {
    let said = || format!("{option} {}", host.display());
    let file = File::open(host).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("no such file; give a tar or zip archive"),
        ErrorKind::PermissionDenied => anyhow!("permission to read the file is denied"),
        _ => error.into(),
    });
    let opened = file.and_then(|file| {
        if file.metadata()?.is_dir() {
            bail!("this is a directory; pack it (tar -cf NAME.tar -C DIRECTORY .), or give it with --dir");
        }
        let file: Arc<dyn fs::File> = Arc::new(NativeFile::from_std(file)?);
        read(file)
    });
    let (archive, kind) = opened.with_context(said)?;
    Ok(Opened { root: archive.root(), what: format!("{kind} archive {host:?}") })
}

/// Compressed as a whole, as their first bytes say, and what undoes it.
const COMPRESSED: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "gzip", "gunzip --keep"),
    (b"BZh", "bzip2", "bunzip2 --keep"),
    (b"\xfd7zXZ\0", "xz", "unxz --keep"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
];

fn read(file: Arc<dyn fs::File>) -> Result<(ArchiveFs, &'static str)> {
    let size = file.metadata()?.size;
    let mut head = [0; 512];
    let length = file.read_at(&mut [std::io::IoSliceMut::new(&mut head)], 0)?;
    let head = &head[..length];
    if head.is_empty() {
        bail!("the file is empty; give a tar or zip archive");
    }
    // All tar archives that are not very old say so; all are made of whole blocks. What they begin with is a name.
    let is_tar = head.get(257..262) == Some(b"ustar") || size % 512 == 0 && has_sum(head);
    if is_tar {
        return Ok((ArchiveFs::tar(file, Limits::default()).context("not a sound tar archive")?, "tar"));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok((ArchiveFs::zip(file, Limits::default()).context("not a sound zip archive")?, "zip"));
    }
    match COMPRESSED.iter().find(|(magic, ..)| head.starts_with(magic)) {
        Some((_, kind, undo)) => {
            bail!("compressed with {kind}, so that it cannot be read in place; undo that: {undo} FILE")
        }
        None => bail!("this is neither a tar nor a zip archive"),
    }
}

/// Whether the sum is right of a header of tar; the end of an archive has none.
fn has_sum(header: &[u8]) -> bool {
    let sum = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    });
    let said = std::str::from_utf8(header.get(148..156).unwrap_or_default()).unwrap_or_default();
    let said = u64::from_str_radix(said.trim_matches(['\0', ' ']), 8);
    header.iter().all(|byte| *byte == 0) || said == Ok(sum.sum())
}

/// Refuses two directories of which one lies in the other.
pub(super) fn apart(host: &Path, upper: &Path) -> Result<()> {
    let (real_host, real_upper) = (host.canonicalize()?, upper.canonicalize()?);
    if real_host.starts_with(&real_upper) || real_upper.starts_with(&real_host) {
        bail!(
            "--overlay: UPPER {} and HOST {} lie in one another; what is written to the one would be seen in the other",
            upper.display(),
            host.display()
        );
    }
    Ok(())
}
