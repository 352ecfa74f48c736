//! A fresh directory for each check, below the one that the host gave.

#![allow(dead_code)] // Each program uses a part of this.

use crate::check::Check;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
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

/// Runs a check in a directory of its own, which goes again whatever the check left in it.
pub fn in_scratch(name: &str, check: fn(&Descriptor) -> Check) -> Check {
    let name = format!("scratch-{name}");
    let (root, _) = get_directories().into_iter().next().expect("a preopened directory");
    remove(&root, &name)?;
    root.create_directory_at(&name)?;
    let scratch = root.open_at(NO_FOLLOW, &name, DIRECTORY, MUTATE)?;
    let result = check(&scratch);
    drop(scratch);
    remove(&root, &name)?;
    result
}

fn remove(parent: &Descriptor, name: &str) -> Result<(), ErrorCode> {
    match parent.open_at(NO_FOLLOW, name, DIRECTORY, MUTATE) {
        Err(ErrorCode::NoEntry) => return Ok(()),
        Err(error) => return Err(error),
        Ok(dir) => {
            for (entry, kind) in list(&dir)? {
                match kind {
                    DescriptorType::Directory => remove(&dir, &entry)?,
                    _ => dir.unlink_file_at(&entry)?,
                }
            }
        }
    }
    parent.remove_directory_at(name)
}

/// What is in a directory, by name.
pub fn list(dir: &Descriptor) -> Result<Vec<(String, DescriptorType)>, ErrorCode> {
    let (stream, mut entries) = (dir.read_directory()?, Vec::new());
    while let Some(entry) = stream.read_directory_entry()? {
        entries.push((entry.name, entry.type_));
    }
    entries.sort();
    Ok(entries)
}

/// Makes a file with this in it, or gives an old one this content; open for reading and writing.
pub fn put(dir: &Descriptor, path: &str, content: &[u8]) -> Result<Descriptor, ErrorCode> {
    let file = dir.open_at(FOLLOW, path, CREATE | TRUNCATE, BOTH)?;
    let mut at = 0;
    while at < content.len() {
        at += file.write(&content[at..], at as u64)? as usize;
    }
    Ok(file)
}

/// All that is in a file.
pub fn get(dir: &Descriptor, path: &str) -> Result<Vec<u8>, ErrorCode> {
    content(&dir.open_at(FOLLOW, path, PLAIN, READ)?)
}

/// The same for a file that is open.
pub fn content(file: &Descriptor) -> Result<Vec<u8>, ErrorCode> {
    let mut all = Vec::new();
    loop {
        let (bytes, end) = file.read(1 << 16, all.len() as u64)?;
        all.extend(bytes);
        if end {
            return Ok(all);
        }
    }
}
