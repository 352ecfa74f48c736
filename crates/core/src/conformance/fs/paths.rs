//! Every call that takes a path × every kind of path: the errors are the same whoever asks.

use super::check::*;
use crate::Errno::{self, Busy, Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir, NotEmpty, Perm};
use crate::Result;
use crate::fs::{Dir, Follow, Open};
use crate::time::SetTime;
use std::sync::Arc;

super::list!("paths": slashes, empty, leading_outside, missing_on_the_way, file_on_the_way, loop_on_the_way,
    absolute);

type Call = fn(&dyn Dir, &str) -> Result<()>;

/// Every call, with a path in the place under test. There must be a file "file".
pub(super) const CALLS: &[(&str, Call)] = &[
    ("open", |d, p| d.open(p, READ).map(drop)),
    ("open, no follow", |d, p| d.open(p, Open { follow: false, ..READ }).map(drop)),
    ("open a directory", |d, p| d.open(p, DIRECTORY).map(drop)),
    ("create", |d, p| d.open(p, CREATE).map(drop)),
    ("create exclusively", |d, p| d.open(p, EXCLUSIVE).map(drop)),
    ("stat", |d, p| d.stat(p, Follow::No).map(drop)),
    ("stat, followed", |d, p| d.stat(p, Follow::Yes).map(drop)),
    ("read_link", |d, p| d.read_link(p).map(drop)),
    ("create_dir", |d, p| d.create_dir(p)),
    ("symlink", |d, p| d.symlink("target", p)),
    ("hard_link from", |d, p| d.hard_link(p, Follow::No, d, "linked")),
    ("hard_link from, followed", |d, p| d.hard_link(p, Follow::Yes, d, "linked")),
    ("hard_link to", |d, p| d.hard_link("file", Follow::No, d, p)),
    ("rename from", |d, p| d.rename(p, d, "moved")),
    ("rename to", |d, p| d.rename("file", d, p)),
    ("unlink", |d, p| d.unlink(p)),
    ("remove_dir", |d, p| d.remove_dir(p)),
    ("set_times", |d, p| d.set_times(p, Follow::No, SetTime::Now, SetTime::Now)),
    ("set_times, followed", |d, p| d.set_times(p, Follow::Yes, SetTime::Now, SetTime::Now)),
];

/// Nothing is wrong.
const FINE: &[Errno] = &[];

/// In the order of [`CALLS`]: what each gives for "other/" (a file), "dir/", "none/", "to-file/", "to-dir/",
/// "dangling/" and "loop/".
#[rustfmt::skip]
const WITH_SLASH: [[&[Errno]; 7]; 19] = [
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
    [&[IsDir]; 7],
    [&[IsDir]; 7],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
    [&[NotDir], &[Inval], &[NoEnt], &[NotDir], &[Inval], &[NoEnt], &[Loop]],
    [&[Exist], &[Exist], FINE, &[Exist], &[Exist], &[Exist], &[Exist]],
    [&[Exist], &[Exist], &[NoEnt], &[Exist], &[Exist], &[Exist], &[Exist]],
    [&[NotDir], &[Perm], &[NoEnt], &[NotDir], &[Perm], &[NoEnt], &[Loop]],
    [&[NotDir], &[Perm], &[NoEnt], &[NotDir], &[Perm], &[NoEnt], &[Loop]],
    [&[Exist], &[Exist], &[NoEnt], &[Exist], &[Exist], &[Exist], &[Exist]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], &[NotDir], &[NotDir], &[NotDir]],
    [&[NotDir], &[NotDir, IsDir], &[NotDir], &[NotDir], &[NotDir], &[NotDir], &[NotDir]],
    [&[NotDir], &[IsDir], &[NoEnt], &[NotDir], &[NotDir], &[NotDir], &[NotDir]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], &[NotDir], &[NotDir], &[NotDir]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
    [&[NotDir], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]],
];

/// The same for "other/." and so on: here the name is on the way, whatever the call.
#[rustfmt::skip]
const WITH_DOT: [&[Errno]; 19] = [
    FINE, FINE, FINE, &[IsDir], &[Exist, IsDir], FINE, FINE, &[Inval], &[Exist], &[Exist], &[Perm], &[Perm],
    &[Exist], &[Busy, Inval], &[Busy, Inval], &[IsDir], &[Inval], FINE, FINE,
];

const NAMES: [&str; 7] = ["other", "dir", "none", "to-file", "to-dir", "dangling", "loop"];

fn fixture(root: &dyn Dir, name: &str) -> Arc<dyn Dir> {
    let dir = make_dir(root, name);
    put(&*dir, "file", "text");
    put(&*dir, "other", "text");
    make_dir(&*dir, "dir");
    link(&*dir, "other", "to-file");
    link(&*dir, "dir", "to-dir");
    link(&*dir, "nowhere", "dangling");
    link(&*dir, "loop", "loop");
    dir
}

#[track_caller]
fn gives(what: &str, got: Result<()>, expected: &[Errno]) {
    if expected.is_empty() { ok(what, got) } else { fails(what, got, expected) }
}

fn slashes(root: &Arc<dyn Dir>) {
    let mut count = 0;
    for (i, (call, run)) in CALLS.iter().enumerate() {
        for (j, name) in NAMES.iter().enumerate() {
            for behind in ["/", "//", "/.", "/./"] {
                count += 1;
                let dir = fixture(&**root, &count.to_string());
                let on_the_way = [&[NotDir][..], FINE, &[NoEnt], &[NotDir], FINE, &[NoEnt], &[Loop]][j];
                let expected = match (behind.contains('.'), on_the_way) {
                    (false, _) => WITH_SLASH[i][j],
                    (true, []) => WITH_DOT[i],
                    (true, refused) => refused,
                };
                let path = format!("{name}{behind}");
                gives(&format!("{call} {path:?}"), run(&*dir, &path), expected);
                equal("the file beside", content(&*dir, "other"), "text".into());
            }
        }
    }
}

fn empty(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    for (call, run) in CALLS {
        fails(call, run(&**root, ""), &[NoEnt]);
    }
}

#[track_caller]
fn every_call_fails(root: &dyn Dir, paths: &[&str], expected: &[Errno]) {
    let before = names(root);
    for (call, run) in CALLS {
        for path in paths {
            fails(format_args!("{call} {path:?}"), run(root, path), expected);
        }
    }
    equal("the names afterwards", names(root), before);
}

fn leading_outside(root: &Arc<dyn Dir>) {
    let top = make_dir(&**root, "top");
    put(&**root, "bait", "out of reach");
    make_dir(&*top, "dir");
    put(&*top, "file", "text");
    link(&*top, "..", "up");
    link(&*top, "dir/../..", "around");
    link(&*top, "up", "chain");
    link(&*top, "../top/dir", "back");
    let paths = [
        "../bait",
        "../new",
        "../top/file",
        "dir/../../bait",
        "./../bait",
        "up/bait",
        "up/new",
        "around/bait",
        "chain/bait",
        "back/new",
        "dir/../up/bait",
        "../.",
        "up/.",
        "dir/../../.",
        "up/top/file",
    ];
    every_call_fails(&*top, &paths, &[NotCapable]);
    equal("what is outside", content(&**root, "bait"), "out of reach".into());
    equal("names outside", names(&**root), vec!["bait".to_owned(), "top".into()]);
    for (call, run) in CALLS {
        // These look no further than the name itself, where it says no already.
        let refused = &[NotCapable, Exist, IsDir, NotEmpty, Busy, Inval];
        for path in ["..", "dir/../.."] {
            fails(format_args!("{call} {path:?}"), run(&*top, path), refused);
        }
    }
}

fn absolute(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    every_call_fails(&**root, &["/", "/file", "/new", "//file", "/../file", "/./", "/dir/x"], &[NotCapable]);
}

fn missing_on_the_way(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    link(&**root, "nowhere", "dangling");
    let paths =
        ["none/x", "none/..", "none/../file", "none/.", "dangling/x", "none/../../x", "dangling/../x"];
    every_call_fails(&**root, &paths, &[NoEnt]);
}

fn file_on_the_way(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    link(&**root, "file", "link");
    every_call_fails(&**root, &["file/x", "file/.", "file/..", "file/../x", "link/x", "link/.."], &[NotDir]);
}

fn loop_on_the_way(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    link(&**root, "loop", "loop");
    link(&**root, "b", "a");
    link(&**root, "a", "b");
    every_call_fails(&**root, &["loop/x", "loop/.", "a/x", "a/..", "b/../file"], &[Loop]);
}
