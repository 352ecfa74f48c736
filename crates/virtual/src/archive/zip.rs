//! The list of what is in a zip archive, and its members.
//!
//! Only the directory at the end says what is in it (APPNOTE.TXT 4.3.12). Of the headers before the members only
//! their length counts, and nothing is taken for as long as it says it is without a look.

use super::error::{ArchiveError, told};
use super::index::{Builder, Data, Index, Member, TARGET_MAX, What};
use super::source::{Reader, Source};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::Read;
use wasi_host_core::fs::FileType;
use wasi_host_core::time::Timestamp;
use wasi_host_core::{Errno, Result};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";

/// Sizes of the fixed parts.
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
const END_64_LEN: usize = 56;
const LOCATOR_64_LEN: usize = 20;

/// The longest comment.
const COMMENT_MAX: usize = u16::MAX as usize;

fn unsound(what: &'static str) -> ArchiveError {
    ArchiveError::Unsound(what)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Where the directory is, and how far what stands before the archive in its file moves everything.
struct Directory {
    start: u64,
    end: u64,
    moved: u64,
    entries: u64,
}

pub(super) fn index(source: &Source, limit: usize) -> Result<Index, ArchiveError> {
    let directory = find(source)?;
    if directory.entries > limit as u64 {
        return Err(ArchiveError::TooMany(limit));
    }
    let mut reader = Reader::new(source, directory.start, directory.end);
    let mut builder = Builder::new(limit);
    let cut = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => unsound("its directory is cut short"),
        _ => ArchiveError::Read(e),
    };
    for _ in 0..directory.entries {
        let mut fixed = [0; CENTRAL_LEN];
        reader.read_exact(&mut fixed).map_err(cut)?;
        if !fixed.starts_with(CENTRAL) {
            return Err(unsound("its directory holds something else"));
        }
        let len = |at| usize::from(u16_at(&fixed, at).unwrap_or(0));
        let (name, extra, comment) = (len(28), len(30), len(32));
        // Of 64 KiB each at most.
        let mut rest = vec![0; name + extra + comment];
        reader.read_exact(&mut rest).map_err(cut)?;
        add(&mut builder, source, directory.moved, &fixed, &rest[..name], &rest[name..name + extra])?;
    }
    Ok(builder.finish())
}

/// Finds the directory by what stands at the archive's end.
fn find(source: &Source) -> Result<Directory, ArchiveError> {
    let none = || unsound("it has no end, as a zip archive has");
    let len = source.len()?;
    let tail_len = usize::try_from(len).unwrap_or(usize::MAX).min(END_LEN + COMMENT_MAX);
    let tail_at = len - tail_len as u64;
    let tail = source.exact(tail_at, tail_len)?.ok_or_else(none)?;
    // The comment behind it may look like one; so it is the last whose comment ends where the file does, if any.
    let is_end = |at: &usize| {
        tail[*at..].starts_with(END)
            && u16_at(&tail, at + 20).is_some_and(|comment| at + END_LEN + usize::from(comment) == tail.len())
    };
    let at = (0..tail_len.saturating_sub(END_LEN - 1)).rev().find(is_end).ok_or_else(none)?;
    let field = |at| u32_at(&tail, at).map(u64::from).ok_or_else(none);
    let (mut entries, mut size, mut start) =
        (u64::from(u16_at(&tail, at + 10).ok_or_else(none)?), field(at + 12)?, field(at + 16)?);
    let mut end = tail_at + at as u64;
    let is_large = entries == u64::from(u16::MAX) || size.max(start) == u64::from(u32::MAX);
    if is_large && let Some((end_64, record)) = find_64(source, end)? {
        let field = |at| u64_at(&record, at).ok_or_else(none);
        (entries, size, start, end) = (field(32)?, field(40)?, field(48)?, end_64);
    }
    // The directory ends where its end begins; what is before it by more than it says was put there.
    let moved = end.checked_sub(size).and_then(|at| at.checked_sub(start));
    let moved = moved.ok_or_else(|| unsound("its directory is not where it should be"))?;
    if entries > size / CENTRAL_LEN as u64 {
        return Err(unsound("its directory is shorter than it says"));
    }
    Ok(Directory { start: start + moved, end, moved, entries })
}

/// The longer record of a large archive, and where it is.
fn find_64(source: &Source, end: u64) -> Result<Option<(u64, Vec<u8>)>, ArchiveError> {
    let Some(at) = end.checked_sub(LOCATOR_64_LEN as u64) else { return Ok(None) };
    let locator = source.exact(at, LOCATOR_64_LEN)?.unwrap_or_default();
    if !locator.starts_with(LOCATOR_64) {
        return Ok(None);
    }
    // Where it says, or, if something was put before the archive, right before the locator.
    let said = u64_at(&locator, 8).unwrap_or(u64::MAX);
    for at in [Some(said), at.checked_sub(END_64_LEN as u64)].into_iter().flatten() {
        if let Some(record) = source.exact(at, END_64_LEN)?
            && record.starts_with(END_64)
        {
            return Ok(Some((at, record)));
        }
    }
    Err(unsound("it is a large archive without the end of one"))
}

fn add(
    builder: &mut Builder,
    source: &Source,
    moved: u64,
    fixed: &[u8; CENTRAL_LEN],
    name: &[u8],
    extra: &[u8],
) -> Result<(), ArchiveError> {
    let Ok(path) = std::str::from_utf8(name) else {
        return Err(ArchiveError::Name(told(&String::from_utf8_lossy(name))));
    };
    let short = |at| u16_at(fixed, at).unwrap_or(0);
    let long = |at| u32_at(fixed, at).unwrap_or(0);
    let sizes = [u64::from(long(24)), u64::from(long(20)), u64::from(long(42))];
    let [size, stored, header] = large(sizes, extra).ok_or_else(|| ArchiveError::Bounds(told(path)))?;
    let header = header.checked_add(moved).ok_or_else(|| ArchiveError::Bounds(told(path)))?;
    let modified = unix_time(extra).unwrap_or_else(|| dos_time(short(14), short(12)));
    let (flags, method) = (short(8), short(10));
    let data = match method {
        _ if flags & 1 != 0 => Data::Unsupported,
        0 if size != stored => return Err(ArchiveError::Bounds(told(path))),
        0 | 8 => {
            if header
                .checked_add(LOCAL_LEN as u64 + stored)
                .is_none_or(|end| source.len().is_ok_and(|len| end > len))
            {
                return Err(ArchiveError::Bounds(told(path)));
            }
            Data::Zip { header, stored, crc: long(16), deflated: method == 8 }
        }
        _ => Data::Unsupported,
    };
    let member = Member { size, data };
    // Made on Unix, it says so what it is.
    let mode = if fixed[5] == 3 { long(38) >> 16 & 0o170_000 } else { 0 };
    match mode {
        _ if path.ends_with('/') => builder.add_dir(path, modified),
        0o040_000 => builder.add_dir(path, modified),
        0o120_000 => {
            let wrong = || ArchiveError::Link(told(path));
            if size > TARGET_MAX as u64 {
                return Err(wrong());
            }
            let target =
                String::from_utf8(content(source, member).map_err(|_| wrong())?).map_err(|_| wrong())?;
            if target.contains('\0') {
                return Err(wrong());
            }
            builder.add(path, What::Link(target.into()), modified)
        }
        0o020_000 => builder.add(path, What::Special(FileType::CharacterDevice), modified),
        0o060_000 => builder.add(path, What::Special(FileType::BlockDevice), modified),
        0o010_000 => builder.add(path, What::Special(FileType::Fifo), modified),
        _ => builder.add(path, What::File(member), modified),
    }
}

/// The fields of an entry's extra data, each with its number.
fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (id, len) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let field = extra.get(4..4 + len)?;
        extra = &extra[4 + len..];
        Some((id, field))
    })
}

/// Sizes and offsets that did not fit stand in a field of their own (APPNOTE.TXT 4.5.3), in this order.
fn large(mut sizes: [u64; 3], extra: &[u8]) -> Option<[u64; 3]> {
    let field = fields(extra).find(|(id, _)| *id == 1).map_or(&[][..], |(_, field)| field);
    let mut at = 0;
    for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
        *size = u64_at(field, at)?;
        at += 8;
    }
    Some(sizes)
}

/// The time of modification as Unix counts, if that is given (the field `UT`).
fn unix_time(extra: &[u8]) -> Option<Timestamp> {
    let (_, field) = fields(extra).find(|(id, _)| *id == 0x5455)?;
    if field.first()? & 1 == 0 {
        return None;
    }
    Timestamp::new(i64::from(u32_at(field, 1)? as i32), 0)
}

/// The time as DOS counts: in some zone, of which this makes UTC.
fn dos_time(date: u16, time: u16) -> Timestamp {
    let (date, time) = (i64::from(date), i64::from(time));
    let (year, month, day) = (1980 + (date >> 9), (date >> 5 & 15).clamp(1, 12), (date & 31).max(1));
    // Days since 1970: years begin in March, so that the day more of a leap year is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
    Timestamp::new(days * 86_400 + seconds, 0).unwrap_or_default()
}

/// Where a member's data begin.
pub(super) fn data_at(source: &Source, header: u64, stored: u64) -> Result<u64> {
    let local = source.exact(header, LOCAL_LEN).map_err(|_| Errno::Io)?.ok_or(Errno::Io)?;
    let (Some(name), Some(extra), true) = (u16_at(&local, 26), u16_at(&local, 28), local.starts_with(LOCAL))
    else {
        return Err(Errno::Io);
    };
    let at = header + LOCAL_LEN as u64 + u64::from(name) + u64::from(extra);
    let len = source.len().map_err(|_| Errno::Io)?;
    if at.checked_add(stored).is_none_or(|end| end > len) { Err(Errno::Io) } else { Ok(at) }
}

/// A whole member that is not long.
fn content(source: &Source, member: Member) -> Result<Vec<u8>> {
    match member.data {
        Data::Zip { deflated: true, .. } => inflate(source, member),
        Data::Zip { header, stored, .. } => {
            let len = usize::try_from(stored).map_err(|_| Errno::Io)?;
            source.exact(data_at(source, header, stored)?, len).map_err(|_| Errno::Io)?.ok_or(Errno::Io)
        }
        _ => Err(Errno::NotSup),
    }
}

/// Inflates a member: it must become just as long as it says, and have the right sum. `Io` else.
pub(super) fn inflate(source: &Source, member: Member) -> Result<Vec<u8>> {
    let Data::Zip { header, stored, crc, .. } = member.data else { return Err(Errno::NotSup) };
    let at = data_at(source, header, stored)?;
    let mut inflater = DeflateDecoder::new(Reader::new(source, at, at + stored));
    let mut all = Vec::new();
    // One more shows that it is longer.
    (&mut inflater).take(member.size.saturating_add(1)).read_to_end(&mut all).map_err(|_| Errno::Io)?;
    let mut sum = Crc::new();
    sum.update(&all);
    if all.len() as u64 == member.size && sum.sum() == crc { Ok(all) } else { Err(Errno::Io) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_dos() {
        for (date, time, expected) in [
            (0x0021, 0, 315_532_800),
            (0, 0, 315_532_800),
            (0x5451, 0x6C20, 1_645_104_780),
            (0x285D, 0xBF7D, 951_868_798),
            (0xFF9F, 0xBF7D, 4_354_819_198),
        ] {
            assert_eq!(dos_time(date, time).seconds(), expected, "{date:x} {time:x}");
        }
        assert!(dos_time(u16::MAX, u16::MAX).seconds() > 0);
    }
}
