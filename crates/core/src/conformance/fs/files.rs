//! The content of files.

use super::check::*;
use crate::Errno::{self, FBig, Inval};
use crate::fs::{Advice, Blocking, Dir, Open, Sync};
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;

super::list!("files": read_and_write, short_at_the_end, vectored, overwrite, holes, far_holes, zero_length,
    append, append_after_changes, set_len, shrunk_is_forgotten, allocate, large, extreme_offsets, two_handles,
    unlinked_lives_on, try_read, lend, sync_and_advise, sync_flags);

fn size(file: &dyn crate::fs::File) -> u64 {
    ok("metadata", file.metadata()).size
}

fn read_and_write(root: &Arc<dyn Dir>) {
    let file = open(&**root, "file", CREATE);
    equal("an empty file", read(&*file, 0, 10), vec![]);
    write(&*file, b"hello world", 0);
    equal("size", size(&*file), 11);
    equal("all", read(&*file, 0, 11), b"hello world".to_vec());
    equal("the middle", read(&*file, 4, 3), b"o w".to_vec());
}

fn short_at_the_end(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abc");
    equal("over the end", read(&*file, 1, 100), b"bc".to_vec());
    let mut buf = [7; 4];
    for offset in [3, 4, 4096, 1 << 40] {
        let n = ok("read_at", file.read_at(&mut [IoSliceMut::new(&mut buf)], offset));
        equal(format_args!("read at {offset}"), n, 0);
    }
    equal("a buffer that nothing was read into", buf, [7; 4]);
}

fn vectored(root: &Arc<dyn Dir>) {
    let file = open(&**root, "file", CREATE);
    let parts = [&b"ab"[..], b"", b"cde", b"f"];
    let n = ok("write_at", file.write_at(&parts.map(IoSlice::new), 1));
    equal("written of six", n, 6);
    equal("content", text(&*file), "\0abcdef".into());
    let (mut a, mut b, mut c) = ([0; 3], [0; 0], [9; 10]);
    let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b), IoSliceMut::new(&mut c)];
    let n = ok("read_at", file.read_at(&mut bufs, 2));
    holds(format_args!("read {n} of 5"), (1..=5).contains(&n));
    equal("what was read", &[&a[..], &c].concat()[..n], &b"bcdef"[..n]);
    let n = ok("append", file.append(&parts.map(IoSlice::new)));
    equal("appended of six", n, 6);
    equal("content", text(&*file), "\0abcdefabcdef".into());
    equal("no buffers", ok("read_at", file.read_at(&mut [], 0)), 0);
}

fn overwrite(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abcdef");
    write(&*file, b"XY", 2);
    equal("in the middle", text(&*file), "abXYef".into());
    write(&*file, b"0123", 4);
    equal("over the end", text(&*file), "abXY0123".into());
}

fn holes(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "ab");
    write(&*file, b"cd", 10_000);
    equal("size", size(&*file), 10_002);
    let content = read(&*file, 0, 20_000);
    equal("length", content.len(), 10_002);
    equal("before", &content[..2], b"ab");
    holds("a hole reads as zeroes", content[2..10_000].iter().all(|b| *b == 0));
    equal("behind", &content[10_000..], b"cd");
    write(&*file, b"x", 5000);
    equal("within", read(&*file, 4999, 3), vec![0, b'x', 0]);
}

/// A file may be far longer than what is in it.
fn far_holes(root: &Arc<dyn Dir>) {
    let file = open(&**root, "file", CREATE);
    let far = 1 << 40;
    ok("set_len", file.set_len(far));
    equal("size", size(&*file), far);
    write(&*file, b"end", far - 1);
    equal("size", size(&*file), far + 2);
    equal("at the end", read(&*file, far - 2, 10), b"\0end".to_vec());
    equal("in the middle", read(&*file, far / 2, 5), vec![0; 5]);
}

fn zero_length(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abc");
    equal("beyond the end", ok("write_at", file.write_at(&[IoSlice::new(b"")], 100)), 0);
    equal("of no buffers", ok("write_at", file.write_at(&[], 100)), 0);
    equal("at the end", ok("append", file.append(&[IoSlice::new(b"")])), 0);
    equal("size", size(&*file), 3);
}

fn append(root: &Arc<dyn Dir>) {
    let file = open(&**root, "file", CREATE);
    for part in ["one ", "two ", "three"] {
        equal(part, ok("append", file.append(&[IoSlice::new(part.as_bytes())])), part.len());
    }
    equal("content", text(&*file), "one two three".into());
}

fn append_after_changes(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abcdef");
    let other = open(&**root, "file", WRITE);
    ok("set_len", other.set_len(2));
    ok("append", file.append(&[IoSlice::new(b"x")]));
    write(&*other, b"yz", 3);
    ok("append", file.append(&[IoSlice::new(b"!")]));
    equal("content", text(&*file), "abxyz!".into());
}

fn set_len(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abcdef");
    ok("shrink", file.set_len(3));
    equal("shrunk", text(&*file), "abc".into());
    ok("grow", file.set_len(5));
    equal("grown", text(&*file), "abc\0\0".into());
    ok("the same", file.set_len(5));
    ok("empty", file.set_len(0));
    equal("emptied", text(&*file), "".into());
}

/// What was cut off is gone, wherever in a page the cut was.
fn shrunk_is_forgotten(root: &Arc<dyn Dir>) {
    for cut in [0, 1, 511, 4095, 4096, 4097, 65_535, 65_536, 70_000] {
        let file = put(&**root, "file", vec![b'x'; 80_000]);
        ok("shrink", file.set_len(cut));
        write(&*file, b"y", 79_999);
        let content = read(&*file, 0, 80_000);
        equal("length", content.len(), 80_000);
        let (kept, hole) = content.split_at(cut as usize);
        holds(format_args!("kept below {cut}"), kept.iter().all(|b| *b == b'x'));
        holds(format_args!("forgotten beyond {cut}"), hole[..hole.len() - 1].iter().all(|b| *b == 0));
    }
}

fn allocate(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abc");
    ok("within", file.allocate(0, 2));
    equal("still", text(&*file), "abc".into());
    ok("beyond", file.allocate(2, 4));
    equal("longer", text(&*file), "abc\0\0\0".into());
    ok("apart", file.allocate(5000, 10));
    equal("size", size(&*file), 5010);
    fails("too far", file.allocate(u64::MAX, 2), &[FBig, Inval]);
    fails("too far for off_t", file.allocate(i64::MAX as u64, 2), &[FBig, Inval]);
    equal("size", size(&*file), 5010);
}

fn large(root: &Arc<dyn Dir>) {
    let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let file = put(&**root, "file", &content);
    equal("size", size(&*file), 300_000);
    holds("comes back", read(&*file, 0, 300_001) == content);
    holds("in part", read(&*file, 123_457, 100_003) == content[123_457..223_460]);
}

fn extreme_offsets(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "abc");
    let mut buf = [0; 1];
    for offset in [i64::MAX as u64 + 1, u64::MAX - 1, u64::MAX] {
        let too_far = &[Inval, FBig, Errno::Overflow];
        fails(format_args!("write at {offset}"), file.write_at(&[IoSlice::new(b"x")], offset), too_far);
        fails(format_args!("set_len to {offset}"), file.set_len(offset), too_far);
        match file.read_at(&mut [IoSliceMut::new(&mut buf)], offset) {
            Ok(n) => equal(format_args!("read at {offset}"), n, 0),
            refused => fails(format_args!("read at {offset}"), refused, too_far),
        }
    }
    fails("the last byte of all", file.write_at(&[IoSlice::new(b"x")], i64::MAX as u64), &[FBig, Inval]);
    equal("content", text(&*file), "abc".into());
}

fn two_handles(root: &Arc<dyn Dir>) {
    let one = put(&**root, "file", "abc");
    let two = open(&**root, "file", BOTH);
    write(&*two, b"X", 1);
    equal("the one sees it", text(&*one), "aXc".into());
    ok("append", one.append(&[IoSlice::new(b"!")]));
    equal("the other too", text(&*two), "aXc!".into());
}

fn unlinked_lives_on(root: &Arc<dyn Dir>) {
    let old = put(&**root, "file", "old");
    ok("unlink", root.unlink("file"));
    equal("nlink", ok("metadata", old.metadata()).nlink, 0);
    write(&*old, b"er", 3);
    let new = put(&**root, "file", "new");
    equal("the old one", text(&*old), "older".into());
    equal("the new one", text(&*new), "new".into());
    ok("set_len", old.set_len(2));
    equal("the old one", text(&*old), "ol".into());
    holds("they are two", ok("metadata", old.metadata()).ino != ok("metadata", new.metadata()).ino);
}

/// A read that does not wait gives what is there or `Again`; never 0 before the end.
fn try_read(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "text");
    let mut buf = [0; 8];
    match file.try_read_at(&mut [IoSliceMut::new(&mut buf)], 1) {
        Ok(n) => {
            holds(format_args!("read {n} of 3"), (1..=3).contains(&n));
            equal("what was read", &buf[..n], &b"ext"[..n]);
        }
        Err(e) => {
            equal("the error", e, Errno::Again);
            equal("who waits", file.blocking(), Blocking::Maybe);
        }
    }
    match file.try_read_at(&mut [IoSliceMut::new(&mut buf)], 4) {
        Ok(n) => equal("at the end", n, 0),
        Err(e) => equal("the error at the end", e, Errno::Again),
    }
}

/// What was lent stays as it was.
fn lend(root: &Arc<dyn Dir>) {
    let content: Vec<u8> = (0..10_000_u32).map(|i| (i % 251) as u8).collect();
    let file = put(&**root, "file", &content);
    equal("comes back", read(&*file, 0, 10_000), content.clone());
    let held = lent(&*file, &content);
    write(&*file, &[0xEE; 10_000], 0);
    ok("set_len", file.set_len(5000));
    equal("comes back", read(&*file, 0, 10_000), vec![0xEE; 5000]);
    lent(&*file, &[0xEE; 5000]);
    for (offset, bytes) in held {
        equal(format_args!("what was lent at {offset}"), &bytes[..], &content[offset..][..bytes.len()]);
    }
}

fn sync_and_advise(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "text");
    ok("sync", file.sync(false));
    ok("sync of data", file.sync(true));
    ok("sync of a directory", root.sync(false));
    ok("sync of a directory's data", root.sync(true));
    use Advice::*;
    for advice in [Normal, Sequential, Random, WillNeed, DontNeed, NoReuse] {
        ok(format_args!("{advice:?}"), file.advise(0, 100, advice));
        ok(format_args!("{advice:?} to the end"), file.advise(2, 0, advice));
    }
    equal("content", text(&*file), "text".into());
}

fn sync_flags(root: &Arc<dyn Dir>) {
    for sync in [Sync::Data, Sync::All] {
        let file = open(&**root, "file", Open { sync, ..CREATE });
        write(&*file, b"text", 0);
        ok("append", file.append(&[IoSlice::new(b"!")]));
        equal(format_args!("{sync:?}"), text(&*file), "text!".into());
        ok("set_len", file.set_len(0));
    }
}
