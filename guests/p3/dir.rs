//! A fresh directory for each check, below the one that the host gave.

#![allow(dead_code)] // Each program uses a part of this.

use crate::check::{Check, Checking};
use crate::io::{all, drain};
use wasip3::filesystem::preopens::get_directories;
use wasip3::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

pub const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;
pub const NO_FOLLOW: PathFlags = PathFlags::empty();
pub const READ: DescriptorFlags = DescriptorFlags::READ;
pub const WRITE: DescriptorFlags = DescriptorFlags::WRITE;
pub const BOTH: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::WRITE);
pub const MUTATE: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::MUTATE_DIRECTORY);
pub const PLAIN: OpenFlags = OpenFlags::empty();
pub const CREATE: OpenFlags = OpenFlags::CREATE;
pub const EXCLUSIVE: OpenFlags = OpenFlags::CREATE.union(OpenFlags::EXCLUSIVE);
pub const DIRECTORY: OpenFlags = OpenFlags::DIRECTORY;
pub const TRUNCATE: OpenFlags = OpenFlags::TRUNCATE;

/// A check in a directory.
pub type InDir = for<'a> fn(&'a Descriptor) -> Checking<'a>;

/// The first directory that the host gave.
pub fn root() -> Descriptor {
    get_directories().into_iter().next().expect("a preopened directory").0
}

/// Runs a check in a directory of its own, which goes again whatever the check left in it.
pub async fn in_scratch(name: &str, check: InDir) -> Check {
    let (root, name) = (root(), format!("scratch-{name}"));
    remove(&root, &name).await?;
    root.create_directory_at(name.clone()).await?;
    let scratch = root.open_at(NO_FOLLOW, name.clone(), DIRECTORY, MUTATE).await?;
    let result = check(&scratch).await;
    drop(scratch);
    remove(&root, &name).await?;
    result
}

pub async fn remove(parent: &Descriptor, name: &str) -> Result<(), ErrorCode> {
    match parent.open_at(NO_FOLLOW, name.to_owned(), DIRECTORY, MUTATE).await {
        Err(ErrorCode::NoEntry) => return Ok(()),
        Err(error) => return Err(error),
        Ok(dir) => {
            for (entry, kind) in list(&dir).await? {
                match kind {
                    Kind::Directory => Box::pin(remove(&dir, &entry)).await?,
                    _ => dir.unlink_file_at(entry).await?,
                }
            }
        }
    }
    parent.remove_directory_at(name.to_owned()).await
}

/// The types that a program can make, in a form that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Directory,
    File,
    Link,
}

pub fn kind(of: &DescriptorType) -> Kind {
    match of {
        DescriptorType::Directory => Kind::Directory,
        DescriptorType::RegularFile => Kind::File,
        DescriptorType::SymbolicLink => Kind::Link,
        other => panic!("nothing of this kind was made: {other:?}"),
    }
}

/// What is in a directory, by name.
pub async fn list(dir: &Descriptor) -> Result<Vec<(String, Kind)>, ErrorCode> {
    let (stream, done) = dir.read_directory();
    let entries = stream.collect().await;
    done.await?;
    let mut entries: Vec<_> = entries.into_iter().map(|entry| (entry.name, kind(&entry.type_))).collect();
    entries.sort();
    Ok(entries)
}

pub async fn open(
    dir: &Descriptor,
    path: &str,
    how: OpenFlags,
    flags: DescriptorFlags,
) -> Result<Descriptor, ErrorCode> {
    dir.open_at(FOLLOW, path.to_owned(), how, flags).await
}

/// Makes a file with this in it, or gives an old one this content; open for reading and writing.
pub async fn put(dir: &Descriptor, path: &str, content: &[u8]) -> Result<Descriptor, ErrorCode> {
    let file = open(dir, path, CREATE | TRUNCATE, BOTH).await?;
    write(&file, content, 0).await?;
    Ok(file)
}

/// All that is in a file.
pub async fn get(dir: &Descriptor, path: &str) -> Result<Vec<u8>, ErrorCode> {
    content(&open(dir, path, PLAIN, READ).await?).await
}

/// The same for a file that is open.
pub async fn content(file: &Descriptor) -> Result<Vec<u8>, ErrorCode> {
    all(file.read_via_stream(0)).await
}

pub async fn write(file: &Descriptor, bytes: &[u8], offset: u64) -> Result<(), ErrorCode> {
    drain(bytes.to_vec(), |stream| file.write_via_stream(stream, offset)).await
}

pub async fn append(file: &Descriptor, bytes: &[u8]) -> Result<(), ErrorCode> {
    drain(bytes.to_vec(), |stream| file.append_via_stream(stream)).await
}

pub async fn stat_at(dir: &Descriptor, path: &str) -> Result<DescriptorStat, ErrorCode> {
    dir.stat_at(NO_FOLLOW, path.to_owned()).await
}

pub async fn unlink(dir: &Descriptor, path: &str) -> Result<(), ErrorCode> {
    dir.unlink_file_at(path.to_owned()).await
}

pub async fn make_dir(dir: &Descriptor, path: &str) -> Result<(), ErrorCode> {
    dir.create_directory_at(path.to_owned()).await
}

pub async fn remove_dir(dir: &Descriptor, path: &str) -> Result<(), ErrorCode> {
    dir.remove_directory_at(path.to_owned()).await
}

pub async fn read_link(dir: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    dir.readlink_at(path.to_owned()).await
}

pub async fn symlink(dir: &Descriptor, target: &str, path: &str) -> Result<(), ErrorCode> {
    dir.symlink_at(target.to_owned(), path.to_owned()).await
}

pub async fn link(dir: &Descriptor, path: &str, to: &Descriptor, new: &str) -> Result<(), ErrorCode> {
    dir.link_at(NO_FOLLOW, path.to_owned(), to, new.to_owned()).await
}

pub async fn rename(dir: &Descriptor, path: &str, to: &Descriptor, new: &str) -> Result<(), ErrorCode> {
    dir.rename_at(path.to_owned(), to, new.to_owned()).await
}
