//! Renaming: whatever onto whatever.

use super::check::*;
use crate::Errno::{self, Busy, Exist, Inval, IsDir, NoEnt, NotCapable, NotDir, NotEmpty, XDev};
use crate::fs::{Dir, FileType, Follow};
use std::sync::Arc;

super::list!("rename": matrix, onto_itself, onto_its_own_link, into_itself, onto_what_holds_it, dots, slashes,
    missing, between_directories, replaced_lives_on, keeps_links, atomic, to_another_backend);

const SOURCES: [&str; 4] = ["file", "empty", "full", "link"];
const TARGETS: [&str; 5] = ["none", "file", "empty", "full", "link"];

fn make(dir: &dyn Dir, what: &str, name: &str) {
    match what {
        "file" => drop(put(dir, name, "text")),
        "empty" => drop(make_dir(dir, name)),
        "full" => drop(put(&*make_dir(dir, name), "within", "text")),
        "link" => link(dir, "anywhere", name),
        _ => {}
    }
}

/// What renaming the one onto the other gives: it replaces it, or this.
fn expected(source: &str, target: &str) -> &'static [Errno] {
    match (source, target) {
        (_, "none") | ("file" | "link", "file" | "link") | ("empty" | "full", "empty") => &[],
        ("file" | "link", _) => &[IsDir],
        (_, "full") => &[NotEmpty, Exist],
        _ => &[NotDir],
    }
}

fn matrix(root: &Arc<dyn Dir>) {
    for source in SOURCES {
        for target in TARGETS {
            let dir = &*make_dir(&**root, &format!("{source}-{target}"));
            make(dir, source, "a");
            make(dir, target, "b");
            let what = format!("rename of {source} onto {target}");
            let (a, b) = (lstat(dir, "a"), dir.stat("b", Follow::No).ok());
            let got = dir.rename("a", dir, "b");
            match expected(source, target) {
                [] => {
                    ok(&what, got);
                    absent(dir, "a");
                    equal(&what, lstat(dir, "b").ino, a.ino);
                    equal(&what, lstat(dir, "b").file_type, a.file_type);
                }
                errors => {
                    fails(&what, got, errors);
                    equal(&what, lstat(dir, "a").ino, a.ino);
                    equal(&what, Some(lstat(dir, "b").ino), b.map(|b| b.ino));
                }
            }
        }
    }
}

fn onto_itself(root: &Arc<dyn Dir>) {
    for what in SOURCES {
        make(&**root, what, what);
        let ino = lstat(&**root, what).ino;
        ok(what, root.rename(what, &**root, what));
        equal(what, lstat(&**root, what).ino, ino);
    }
    ok("by another path", root.rename("full", &**root, "empty/../full"));
    equal("what is in it", content(&**root, "full/within"), "text".into());
}

/// Both names stay: the two are the same file already.
fn onto_its_own_link(root: &Arc<dyn Dir>) {
    put(&**root, "a", "text");
    ok("hard_link", root.hard_link("a", Follow::No, &**root, "b"));
    ok("rename", root.rename("a", &**root, "b"));
    equal("names", names(&**root), vec!["a".to_owned(), "b".into()]);
    equal("nlink", lstat(&**root, "a").nlink, 2);
}

fn into_itself(root: &Arc<dyn Dir>) {
    for path in ["a", "a/b", "a/b/c"] {
        ok(path, root.create_dir(path));
    }
    for to in ["a/x", "a/b", "a/b/x", "a/b/c/x", "a/b/c"] {
        fails(format_args!("rename \"a\" to {to:?}"), root.rename("a", &**root, to), &[Inval]);
    }
    let below = open_dir(&**root, "a/b");
    fails("through an open directory", root.rename("a", &*below, "x"), &[Inval]);
    fails(
        "by way of a link",
        {
            link(&**root, "a/b", "link");
            root.rename("a", &**root, "link/x")
        },
        &[Inval],
    );
    holds("all is as it was", root.stat("a/b/c", Follow::No).is_ok());
}

fn onto_what_holds_it(root: &Arc<dyn Dir>) {
    for path in ["a", "a/b", "a/b/c"] {
        ok(path, root.create_dir(path));
    }
    put(&**root, "a/file", "");
    fails("a directory", root.rename("a/b", &**root, "a"), &[NotEmpty, Exist]);
    fails("a deeper one", root.rename("a/b/c", &**root, "a"), &[NotEmpty, Exist]);
    fails("a file", root.rename("a/file", &**root, "a"), &[NotEmpty, Exist, IsDir]);
}

fn dots(root: &Arc<dyn Dir>) {
    make_dir(&**root, "dir");
    make_dir(&**root, "dir/sub");
    make_dir(&**root, "other");
    for dots in [".", "dir/.", "dir/..", "dir/./", "dir/sub/.."] {
        fails(format_args!("from {dots:?}"), root.rename(dots, &**root, "new"), &[Busy, Inval]);
        fails(
            format_args!("to {dots:?}"),
            root.rename("other", &**root, dots),
            &[Busy, Inval, Exist, NotEmpty],
        );
    }
    fails("from above", root.rename("..", &**root, "new"), &[Busy, Inval, NotCapable]);
    fails("to above", root.rename("other", &**root, ".."), &[Busy, Inval, NotCapable, Exist, NotEmpty]);
    equal("names", names(&**root), vec!["dir".to_owned(), "other".into()]);
}

fn slashes(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    make_dir(&**root, "dir");
    link(&**root, "dir", "link");
    for (from, to, expected) in [
        ("file/", "new", NotDir),
        ("file", "new/", NotDir),
        ("file", "dir/", NotDir),
        ("link/", "new", NotDir),
        ("link", "new/", NotDir),
        ("dir", "file/", NotDir),
        ("dir", "link/", NotDir),
        ("none/", "new", NoEnt),
        ("none", "new/", NoEnt),
    ] {
        fails(format_args!("rename {from:?} to {to:?}"), root.rename(from, &**root, to), &[expected]);
    }
    for (from, to) in [("dir", "a/"), ("a/", "b"), ("b/", "c//"), ("c", "./d")] {
        ok(format_args!("rename {from:?} to {to:?}"), root.rename(from, &**root, to));
    }
    equal("names", names(&**root), vec!["d".to_owned(), "file".into(), "link".into()]);
}

fn missing(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    for (from, to, expected) in [
        ("none", "new", NoEnt),
        ("none", "file", NoEnt),
        ("none/x", "new", NoEnt),
        ("file", "none/x", NoEnt),
        ("file/x", "new", NotDir),
        ("file", "file/x", NotDir),
        ("", "new", NoEnt),
        ("file", "", NoEnt),
    ] {
        fails(format_args!("rename {from:?} to {to:?}"), root.rename(from, &**root, to), &[expected]);
    }
    equal("content", content(&**root, "file"), "text".into());
}

fn between_directories(root: &Arc<dyn Dir>) {
    let (a, b) = (make_dir(&**root, "a"), make_dir(&**root, "b"));
    put(&*make_dir(&*a, "dir"), "file", "text");
    ok("a directory", a.rename("dir", &*b, "moved"));
    equal("from the top", content(&**root, "b/moved/file"), "text".into());
    equal("its parent", lstat(&**root, "b/moved/..").ino, lstat(&**root, "b").ino);
    ok("a file", b.rename("moved/file", &*a, "file"));
    equal("its content", content(&*a, "file"), "text".into());
    equal("what is left", names(&*a), vec!["file".to_owned()]);
    equal("what is left", names(&*open_dir(&*b, "moved")), vec![]);
}

fn replaced_lives_on(root: &Arc<dyn Dir>) {
    let old = put(&**root, "old", "old");
    put(&**root, "new", "new");
    ok("rename", root.rename("new", &**root, "old"));
    equal("by name", content(&**root, "old"), "new".into());
    equal("who had it open", text(&*old), "old".into());
    equal("nlink", ok("metadata", old.metadata()).nlink, 0);
    let empty = make_dir(&**root, "empty");
    make_dir(&**root, "dir");
    ok("rename of a directory", root.rename("dir", &**root, "empty"));
    fails("create in the replaced one", empty.open("x", CREATE), &[NoEnt]);
}

/// A link is moved, not what it leads to; a link that is the target is replaced, not followed.
fn keeps_links(root: &Arc<dyn Dir>) {
    put(&**root, "file", "text");
    link(&**root, "file", "link");
    ok("rename of a link", root.rename("link", &**root, "moved"));
    equal("what it holds", ok("read_link", root.read_link("moved")), "file".into());
    put(&**root, "new", "new");
    ok("rename onto a link", root.rename("new", &**root, "moved"));
    equal("what the name is now", lstat(&**root, "moved").file_type, FileType::RegularFile);
    equal("what the link led to", content(&**root, "file"), "text".into());
}

/// While one file is renamed over another, the name is never without a file.
fn atomic(root: &Arc<dyn Dir>) {
    put(&**root, "target", "0");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|s| {
        let seen = s.spawn(|| {
            let mut seen = 0;
            while !done.load(std::sync::atomic::Ordering::Acquire) || seen == 0 {
                root.stat("target", Follow::No)?;
                seen += 1;
            }
            Ok(seen)
        });
        for i in 0..200 {
            put(&**root, "next", i.to_string());
            ok("rename", root.rename("next", &**root, "target"));
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        let seen = seen.join().unwrap_or(Err(Errno::Io));
        holds(format_args!("the name went missing: {seen:?}"), seen.is_ok());
    });
    equal("content", content(&**root, "target"), "199".into());
}

fn to_another_backend(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    let foreign = super::foreign::Foreign;
    fails("rename", root.rename("file", &foreign, "x"), &[XDev]);
    fails("hard_link", root.hard_link("file", Follow::No, &foreign, "x"), &[XDev]);
}
