//! When files were read, written and changed.

use super::check::*;
use crate::Errno::{Inval, NoEnt, Overflow};
use crate::fs::{Dir, Follow, Metadata};
use crate::time::{SetTime, Timestamp};
use std::io::IoSlice;
use std::sync::Arc;

super::list!("times": set_and_keep, now, whole_range, of_directories, of_links, errors, fresh, writing,
    changing, directories_change, setting_changes);

fn at(seconds: i64, nanoseconds: u32) -> Timestamp {
    Timestamp::new(seconds, nanoseconds).unwrap_or_default()
}

const OLD: i64 = 1_000_000;

fn times(m: Metadata) -> (Timestamp, Timestamp) {
    (m.accessed, m.modified)
}

fn set_and_keep(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "text");
    let (a, m, b) = (at(1_000_000_001, 5), at(1_234_567_890, 123_456_789), at(1_500_000_000, 999_999_999));
    let now = || times(lstat(&**root, "file"));
    ok("both", file.set_times(SetTime::At(a), SetTime::At(m)));
    equal("both", now(), (a, m));
    ok("accessed alone", file.set_times(SetTime::At(b), SetTime::Keep));
    equal("accessed alone", now(), (b, m));
    ok("modified alone", file.set_times(SetTime::Keep, SetTime::At(a)));
    equal("modified alone", now(), (b, a));
    ok("neither", file.set_times(SetTime::Keep, SetTime::Keep));
    equal("neither", now(), (b, a));
    ok("by name", root.set_times("file", Follow::No, SetTime::At(m), SetTime::At(b)));
    equal("by name", now(), (m, b));
    equal("as the open file has it", times(ok("metadata", file.metadata())), (m, b));
    equal("content", content(&**root, "file"), "text".into());
}

fn now(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "");
    let start = ok("metadata", file.metadata()).changed;
    let old = SetTime::At(at(OLD, 0));
    ok("set", file.set_times(old, old));
    ok("now", file.set_times(SetTime::Now, SetTime::Now));
    let m = lstat(&**root, "file");
    holds(format_args!("accessed {:?}, made {start:?}", m.accessed), m.accessed >= start);
    holds(format_args!("modified {:?}, made {start:?}", m.modified), m.modified >= start);
    ok("set", file.set_times(old, old));
    ok("now and keep", root.set_times("file", Follow::Yes, SetTime::Now, SetTime::Keep));
    let m = lstat(&**root, "file");
    equal("kept", m.modified, at(OLD, 0));
    holds(format_args!("accessed {:?}, made {start:?}", m.accessed), m.accessed >= start);
}

/// A time comes back as it was set, or is refused: never another one.
fn whole_range(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "");
    let all = [
        at(0, 0),
        at(0, 1),
        at(-1, 999_999_999),
        at(-1, 0),
        at(-86_400, 5),
        at(i64::from(i32::MAX), 0),
        at(i64::from(i32::MAX) + 1, 7),
        at(i64::from(u32::MAX), 0),
    ];
    for time in all {
        match file.set_times(SetTime::At(time), SetTime::At(time)) {
            Ok(()) => equal(format_args!("{time:?}"), times(lstat(&**root, "file")), (time, time)),
            refused => fails(format_args!("{time:?}"), refused, &[Inval, Overflow]),
        }
    }
    for time in [Timestamp::from_nanos(u64::MAX), at(i64::MIN, 0), at(i64::MAX, 999_999_999)] {
        // Some filesystems keep the nearest that they can.
        let got = file.set_times(SetTime::At(time), SetTime::Keep);
        if got.is_err() {
            fails(format_args!("{time:?}"), got, &[Inval, Overflow]);
        }
        ok("metadata afterwards", file.metadata());
    }
}

fn of_directories(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    let (a, m) = (at(1_100_000_000, 1), at(1_200_000_000, 2));
    ok("by name", root.set_times("dir", Follow::Yes, SetTime::At(a), SetTime::At(m)));
    equal("by name", times(lstat(&**root, "dir")), (a, m));
    ok("itself", dir.set_times(".", Follow::No, SetTime::At(m), SetTime::At(a)));
    equal("itself", times(lstat(&**root, "dir")), (m, a));
    ok("with a slash", root.set_times("dir/", Follow::No, SetTime::At(a), SetTime::Keep));
    equal("with a slash", times(lstat(&**root, "dir")), (a, a));
}

fn of_links(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    link(&**root, "file", "link");
    let (a, b) = (at(1_100_000_000, 1), at(1_200_000_000, 2));
    ok("followed", root.set_times("link", Follow::Yes, SetTime::At(a), SetTime::At(a)));
    equal("what it leads to", times(lstat(&**root, "file")), (a, a));
    ok("not followed", root.set_times("link", Follow::No, SetTime::At(b), SetTime::At(b)));
    equal("what it leads to", lstat(&**root, "file").modified, a);
    equal("the link", lstat(&**root, "link").modified, b);
}

fn errors(root: &Arc<dyn Dir>) {
    link(&**root, "nowhere", "dangling");
    for path in ["none", "dangling"] {
        fails(path, root.set_times(path, Follow::Yes, SetTime::Now, SetTime::Now), &[NoEnt]);
    }
    ok("the link itself", root.set_times("dangling", Follow::No, SetTime::Now, SetTime::Now));
}

fn fresh(root: &Arc<dyn Dir>) {
    let before = lstat(&**root, ".").changed;
    put(&**root, "file", "");
    make_dir(&**root, "dir");
    link(&**root, "file", "link");
    for path in ["file", "dir", "link"] {
        let m = lstat(&**root, path);
        for time in [m.accessed, m.modified, m.changed] {
            holds(format_args!("{path} of {time:?} in a directory of {before:?}"), time >= before);
        }
    }
}

/// What changes the content sets the time of modification.
fn writing(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "text");
    type Change<'a> = (&'a str, &'a dyn Fn());
    let changes: [Change<'_>; 5] = [
        ("write", &|| write(&*file, b"new", 0)),
        ("append", &|| equal("append", ok("append", file.append(&[IoSlice::new(b"more")])), 4)),
        ("grow", &|| ok("set_len", file.set_len(100))),
        ("shrink", &|| ok("set_len", file.set_len(1))),
        ("truncate", &|| drop(open(&**root, "file", crate::fs::Open { truncate: true, ..WRITE }))),
    ];
    for (what, change) in changes {
        ok("set_times", file.set_times(SetTime::Keep, SetTime::At(at(OLD, 0))));
        change();
        let m = lstat(&**root, "file");
        holds(format_args!("{what} left modified at {:?}", m.modified), m.modified > at(OLD, 0));
    }
    ok("set_times", file.set_times(SetTime::Keep, SetTime::At(at(OLD, 0))));
    read(&*file, 0, 10);
    ok("hard_link", root.hard_link("file", Follow::No, &**root, "other"));
    ok("write of nothing", file.write_at(&[], 0));
    equal("after what changes no content", lstat(&**root, "file").modified, at(OLD, 0));
}

/// What changes the metadata sets the time of change, which nobody can set.
fn changing(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "text");
    type Change<'a> = (&'a str, &'a dyn Fn());
    let changes: [Change<'_>; 5] = [
        ("write", &|| write(&*file, b"new", 0)),
        ("set_len", &|| ok("set_len", file.set_len(100))),
        ("set_times", &|| ok("set_times", file.set_times(SetTime::At(at(OLD, 0)), SetTime::Keep))),
        ("hard_link", &|| ok("hard_link", root.hard_link("file", Follow::No, &**root, "other"))),
        ("unlink of another name", &|| ok("unlink", root.unlink("other"))),
    ];
    for (what, change) in changes {
        let before = lstat(&**root, "file").changed;
        tick(&**root);
        change();
        let after = lstat(&**root, "file").changed;
        holds(format_args!("{what} left changed at {before:?}"), after > before);
    }
}

/// What changes the names in a directory changes the directory.
fn directories_change(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    type Change<'a> = (&'a str, &'a dyn Fn());
    let changes: [Change<'_>; 9] = [
        ("create", &|| drop(put(&*dir, "file", ""))),
        ("create_dir", &|| drop(make_dir(&*dir, "sub"))),
        ("symlink", &|| link(&*dir, "file", "link")),
        ("hard_link", &|| ok("hard_link", dir.hard_link("file", Follow::No, &*dir, "other"))),
        ("rename within", &|| ok("rename", dir.rename("other", &*dir, "third"))),
        ("rename out", &|| ok("rename", dir.rename("third", &**root, "third"))),
        ("rename in", &|| ok("rename", root.rename("third", &*dir, "third"))),
        ("unlink", &|| ok("unlink", dir.unlink("third"))),
        ("remove_dir", &|| ok("remove_dir", dir.remove_dir("sub"))),
    ];
    for (what, change) in changes {
        let before = ok("metadata", dir.metadata()).changed;
        ok("set_times", root.set_times("dir", Follow::No, SetTime::Keep, SetTime::At(at(OLD, 0))));
        tick(&**root);
        change();
        let after = ok("metadata", dir.metadata());
        holds(format_args!("{what} left modified at {:?}", after.modified), after.modified > at(OLD, 0));
        holds(format_args!("{what} left changed at {before:?}"), after.changed > before);
    }
}

fn setting_changes(root: &Arc<dyn Dir>) {
    let file = put(&**root, "file", "");
    let before = ok("metadata", file.metadata()).changed;
    tick(&**root);
    let future = SetTime::At(at(2_000_000_000_i64, 0));
    ok("set_times", root.set_times("file", Follow::No, future, future));
    let after = lstat(&**root, "file");
    holds("the time of change is the time of the call", after.changed > before);
    holds("and not the time set", after.changed != after.modified);
}
