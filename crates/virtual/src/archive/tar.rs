//! The list of what is in a tar archive.

use super::error::{ArchiveError, told};
use super::index::{Builder, Data, Index, Member, What};
use super::source::{Reader, Source};
use std::io::Read;
use std::sync::atomic::Ordering::Relaxed;
use tar::{Entry, EntryType};
use wasi_host_core::fs::FileType;
use wasi_host_core::time::Timestamp;

/// As much as is read of one member's headers: the content itself is not.
const HEADERS: u64 = 1 << 20;

/// Goes from header to header.
pub(super) fn index(source: &Source, limit: usize) -> Result<Index, ArchiveError> {
    let end = source.len()?;
    let reader = Reader::new(source, 0, end);
    let allowance = reader.allowance();
    let mut builder = Builder::new(limit);
    let mut archive = tar::Archive::new(reader);
    let mut entries = archive.entries_with_seek()?;
    loop {
        allowance.store(HEADERS, Relaxed);
        let Some(entry) = entries.next() else { return Ok(builder.finish()) };
        add(&mut builder, entry?, end)?;
    }
}

fn add(builder: &mut Builder, mut entry: Entry<'_, impl Read>, end: u64) -> Result<(), ArchiveError> {
    let path = text(&entry.path_bytes())?;
    let modified = modified(&mut entry)?;
    match entry.header().entry_type() {
        EntryType::Directory => builder.add_dir(&path, modified),
        // In the oldest archives a slash is all that makes a directory.
        EntryType::Regular if path.ends_with('/') => builder.add_dir(&path, modified),
        EntryType::Regular | EntryType::Continuous => {
            if is_sparse(&mut entry)? {
                return Err(ArchiveError::Unsupported(told(&path)));
            }
            let (offset, size) = (entry.raw_file_position(), entry.size());
            if offset.checked_add(size).is_none_or(|to| to > end) {
                return Err(ArchiveError::Bounds(told(&path)));
            }
            builder.add(&path, What::File(Member { size, data: Data::At(offset) }), modified)
        }
        EntryType::Symlink => {
            let target = link(&entry).ok_or_else(|| ArchiveError::Link(told(&path)))?;
            builder.add(&path, What::Link(target.into()), modified)
        }
        EntryType::Link => {
            let target = link(&entry).ok_or_else(|| ArchiveError::Link(told(&path)))?;
            builder.add_hard_link(&path, &target)
        }
        EntryType::Char => builder.add(&path, What::Special(FileType::CharacterDevice), modified),
        EntryType::Block => builder.add(&path, What::Special(FileType::BlockDevice), modified),
        EntryType::Fifo => builder.add(&path, What::Special(FileType::Fifo), modified),
        // What concerns all members: owners, comments.
        EntryType::XGlobalHeader => Ok(()),
        _ => Err(ArchiveError::Unsupported(told(&path))),
    }
}

fn text(name: &[u8]) -> Result<String, ArchiveError> {
    match std::str::from_utf8(name) {
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(ArchiveError::Name(told(&String::from_utf8_lossy(name)))),
    }
}

fn link(entry: &Entry<'_, impl Read>) -> Option<String> {
    let target = String::from_utf8(entry.link_name_bytes()?.into_owned()).ok()?;
    (!target.contains('\0')).then_some(target)
}

/// With the fraction of a second, if there is one.
fn modified(entry: &mut Entry<'_, impl Read>) -> Result<Timestamp, ArchiveError> {
    let seconds = entry.header().mtime().unwrap_or(0);
    let whole = Timestamp::new(i64::try_from(seconds).unwrap_or(0), 0).unwrap_or_default();
    for extension in entry.pax_extensions()?.into_iter().flatten().flatten() {
        if let (Ok("mtime"), Ok(time)) = (extension.key(), extension.value()) {
            return Ok(fraction(time).unwrap_or(whole));
        }
    }
    Ok(whole)
}

/// Of a number like `-1.25`, which is 1.25 seconds before 1970.
fn fraction(time: &str) -> Option<Timestamp> {
    let (digits, negative) = time.strip_prefix('-').map_or((time, false), |digits| (digits, true));
    let (seconds, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds >= 0)?;
    let nanos: u32 = format!("{rest:0<9}").get(..9)?.parse().ok()?;
    match (negative, nanos) {
        (false, _) => Timestamp::new(seconds, nanos),
        (true, 0) => Timestamp::new(-seconds, 0),
        (true, _) => Timestamp::new(-seconds - 1, 1_000_000_000 - nanos),
    }
}

/// Whether it is in parts, in the way of newer versions of GNU tar.
fn is_sparse(entry: &mut Entry<'_, impl Read>) -> Result<bool, ArchiveError> {
    let mut extensions = entry.pax_extensions()?.into_iter().flatten().flatten();
    Ok(extensions.any(|extension| extension.key_bytes().starts_with(b"GNU.sparse.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_seconds() {
        let at = |seconds, nanos| Timestamp::new(seconds, nanos);
        for (text, expected) in [
            ("1", at(1, 0)),
            ("1.5", at(1, 500_000_000)),
            ("1.000000001999", at(1, 1)),
            ("-1.25", at(-2, 750_000_000)),
            ("-1", at(-1, 0)),
            ("0.0", at(0, 0)),
            ("", None),
            ("--1", None),
            ("1.x", None),
            ("1.ä", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(fraction(text), expected, "{text:?}");
        }
    }
}
