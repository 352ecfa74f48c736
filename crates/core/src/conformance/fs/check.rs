//! The few words that the cases are written in.

use crate::Errno;
pub(super) use crate::conformance::check::{equal, fails, holds, ok};
use crate::fs::{Dir, File, Follow, Metadata, Node, Open, Sync};
use crate::time::SetTime;
use bytes::Bytes;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use std::time::Duration;

pub(super) const NOTHING: Open = Open {
    read: false,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
    sync: Sync::No,
};
pub(super) const READ: Open = Open { read: true, ..NOTHING };
pub(super) const WRITE: Open = Open { write: true, ..NOTHING };
pub(super) const BOTH: Open = Open { read: true, write: true, ..NOTHING };
pub(super) const CREATE: Open = Open { create: true, ..BOTH };
pub(super) const EXCLUSIVE: Open = Open { exclusive: true, ..CREATE };
pub(super) const DIRECTORY: Open = Open { directory: true, ..READ };

/// Opens a file.
#[track_caller]
pub(super) fn open(dir: &dyn Dir, path: &str, how: Open) -> Arc<dyn File> {
    match ok(format_args!("open {path:?} {how:?}"), dir.open(path, how)) {
        Node::File(file) => file,
        Node::Dir(_) => panic!("open {path:?}: expected a file, got a directory"),
    }
}

/// Opens a directory.
#[track_caller]
pub(super) fn open_dir(dir: &dyn Dir, path: &str) -> Arc<dyn Dir> {
    match ok(format_args!("open {path:?} as a directory"), dir.open(path, DIRECTORY)) {
        Node::Dir(dir) => dir,
        Node::File(_) => panic!("open {path:?}: expected a directory, got a file"),
    }
}

/// Makes a file that holds `content`, or makes a file hold just that.
#[track_caller]
pub(super) fn put(dir: &dyn Dir, path: &str, content: impl AsRef<[u8]>) -> Arc<dyn File> {
    let file = open(dir, path, Open { truncate: true, ..CREATE });
    write(&*file, content.as_ref(), 0);
    file
}

/// Makes a directory and opens it.
#[track_caller]
pub(super) fn make_dir(dir: &dyn Dir, path: &str) -> Arc<dyn Dir> {
    ok(format_args!("create_dir {path:?}"), dir.create_dir(path));
    open_dir(dir, path)
}

/// Makes a symbolic link.
#[track_caller]
pub(super) fn link(dir: &dyn Dir, target: &str, path: &str) {
    ok(format_args!("symlink {target:?} at {path:?}"), dir.symlink(target, path));
}

/// Makes a symbolic link to an absolute target, unless the backend refuses to hold one.
#[track_caller]
pub(super) fn absolute_link(dir: &dyn Dir, target: &str, path: &str) -> bool {
    match dir.symlink(target, path) {
        Ok(()) => true,
        refused => {
            fails(format_args!("symlink {target:?} at {path:?}"), refused, &[Errno::NotCapable]);
            false
        }
    }
}

/// Writes all of `content`.
#[track_caller]
pub(super) fn write(file: &dyn File, content: &[u8], offset: u64) {
    let mut done = 0;
    while done < content.len() {
        let rest = IoSlice::new(&content[done..]);
        let n = ok("write_at", file.write_at(&[rest], offset + done as u64));
        holds("write_at took nothing", n > 0);
        done += n;
    }
}

/// Reads `len` bytes, or up to the end.
#[track_caller]
pub(super) fn read(file: &dyn File, offset: u64, len: usize) -> Vec<u8> {
    let mut content = vec![0xEE; len];
    let mut done = 0;
    while done < len {
        let n =
            ok("read_at", file.read_at(&mut [IoSliceMut::new(&mut content[done..])], offset + done as u64));
        if n == 0 {
            break;
        }
        done += n;
    }
    content.truncate(done);
    content
}

/// What a file that holds `content` lends of it here and there: whether it does is its own affair, but it is what a read
/// gives.
#[track_caller]
pub(super) fn lent(file: &dyn File, content: &[u8]) -> Vec<(usize, Bytes)> {
    let all = content.len();
    let mut lent = Vec::new();
    for offset in [0, 1, 4000, 4096, 5000, all.saturating_sub(1), all, all + 5, usize::MAX] {
        for len in [0, 1, 96, 2000, 4096, all, 1 << 20] {
            if let Some(bytes) = file.lend(len, offset as u64) {
                let rest = content.get(offset..).unwrap_or_default();
                holds(format_args!("{len} at {offset} lends nothing"), !bytes.is_empty());
                equal(format_args!("{len} lent at {offset}"), &bytes[..], &rest[..len.min(rest.len())]);
                lent.push((offset, bytes));
            }
        }
    }
    lent
}

/// All that an open file holds.
#[track_caller]
pub(super) fn text(file: &dyn File) -> String {
    String::from_utf8_lossy(&read(file, 0, 1 << 16)).into_owned()
}

/// All that the file of this name holds.
#[track_caller]
pub(super) fn content(dir: &dyn Dir, path: &str) -> String {
    text(&*open(dir, path, READ))
}

/// What a name stands for, if it is a link the link.
#[track_caller]
pub(super) fn lstat(dir: &dyn Dir, path: &str) -> Metadata {
    ok(format_args!("stat {path:?}"), dir.stat(path, Follow::No))
}

/// Panics unless there is nothing of this name.
#[track_caller]
pub(super) fn absent(dir: &dyn Dir, path: &str) {
    fails(format_args!("stat {path:?}"), dir.stat(path, Follow::No), &[Errno::NoEnt]);
}

/// The names in a directory, sorted, without `.` and `..`.
#[track_caller]
pub(super) fn names(dir: &dyn Dir) -> Vec<String> {
    let mut names: Vec<_> =
        ok("entries", dir.entries()).map(|entry| ok("the next entry", entry).name).collect();
    names.retain(|name| name != "." && name != "..");
    names.sort();
    names
}

/// Returns when the backend's clock has moved on: what happens now is later than what happened before.
#[track_caller]
pub(super) fn tick(dir: &dyn Dir) {
    let probe = put(dir, "probe", "");
    let start = ok("metadata", probe.metadata()).changed;
    for _ in 0..1000 {
        ok("set_times", probe.set_times(SetTime::Now, SetTime::Now));
        if ok("metadata", probe.metadata()).changed > start {
            return ok("unlink \"probe\"", dir.unlink("probe"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("two seconds of set_times left the time of change where it was, at {start:?}");
}
