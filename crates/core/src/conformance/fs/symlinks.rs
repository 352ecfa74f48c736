//! Symbolic links.

use super::check::*;
use crate::Errno::{Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir};
use crate::fs::{Dir, FileType, Follow};
use std::sync::Arc;

super::list!("symlinks": read_link, create_errors, relative_to_the_link, nested, dangling, create_through,
    forty_at_most, loops, up_means_the_real_parent, outside, absolute, in_and_out, slash_in_the_target,
    followed_when, unlink_then_file);

fn read_link(root: &Arc<dyn Dir>) {
    let long = "x/".repeat(500) + "end";
    for target in ["file", "../up", "a/b/c", "./.", "..", "with space", "ünïcode", "slash/", "a//b", &long]
    {
        link(&**root, target, "link");
        equal(target, ok("read_link", root.read_link("link")), target.into());
        equal(target, lstat(&**root, "link").size, target.len() as u64);
        ok("unlink", root.unlink("link"));
    }
    put(&**root, "file", "");
    make_dir(&**root, "dir");
    link(&**root, "dir", "link");
    link(&**root, "file", "to-file");
    for (path, expected) in [
        ("file", Inval),
        ("dir", Inval),
        (".", Inval),
        ("dir/.", Inval),
        ("link/.", Inval),
        ("link/", Inval),
        ("to-file/", NotDir),
        ("none", NoEnt),
        ("none/x", NoEnt),
        ("file/x", NotDir),
        ("", NoEnt),
    ] {
        fails(format_args!("read_link {path:?}"), root.read_link(path), &[expected]);
    }
}

fn create_errors(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    make_dir(&**root, "dir");
    link(&**root, "nowhere", "dangling");
    for (path, expected) in [
        ("file", Exist),
        ("dir", Exist),
        ("dangling", Exist),
        (".", Exist),
        ("dir/..", Exist),
        ("new/", NoEnt),
        ("none/x", NoEnt),
        ("file/x", NotDir),
        ("dangling/x", NoEnt),
        ("", NoEnt),
    ] {
        fails(format_args!("symlink at {path:?}"), root.symlink("target", path), &[expected]);
    }
    fails("an empty target", root.symlink("", "new"), &[NoEnt, Inval]);
    equal("names", names(&**root).len(), 3);
}

fn relative_to_the_link(root: &Arc<dyn Dir>) {
    put(&**root, "file", "top");
    let dir = make_dir(&**root, "dir");
    put(&*dir, "file", "below");
    link(&*dir, "file", "beside");
    link(&*dir, "../file", "above");
    link(&**root, "dir/beside", "twice");
    equal("beside", content(&**root, "dir/beside"), "below".into());
    equal("above", content(&**root, "dir/above"), "top".into());
    equal("twice", content(&**root, "twice"), "below".into());
    fails("above its own directory", dir.open("above", READ), &[NotCapable]);
}

fn nested(root: &Arc<dyn Dir>) {
    put(&*make_dir(&*make_dir(&**root, "a"), "b"), "file", "text");
    link(&**root, "a", "x");
    link(&**root, "x/b", "y");
    link(&**root, "y/file", "z");
    link(&**root, ".", "here");
    link(&**root, "here/here/y/../b", "w");
    for path in ["x/b/file", "y/file", "z", "here/x/b/file", "here/here/y/file", "w/file", "x/../y/../../z"] {
        equal(path, content(&**root, path), "text".into());
    }
}

fn dangling(root: &Arc<dyn Dir>) {
    link(&**root, "nowhere", "link");
    link(&**root, "none/x", "deeper");
    for path in ["link", "link/", "link/x", "link/.", "deeper"] {
        fails(path, root.open(path, READ), &[NoEnt]);
        fails(path, root.stat(path, Follow::Yes), &[NoEnt]);
    }
    equal("itself", lstat(&**root, "link").file_type, FileType::SymbolicLink);
    put(&**root, "nowhere", "now");
    equal("later", content(&**root, "link"), "now".into());
}

fn create_through(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    link(&**root, "dir/new", "link");
    link(&**root, "link", "chain");
    write(&*open(&**root, "chain", CREATE), b"text", 0);
    equal("what was made", content(&*dir, "new"), "text".into());
    equal("the link", lstat(&**root, "link").file_type, FileType::SymbolicLink);
    link(&**root, "dir/other", "second");
    fails("exclusively", root.open("second", EXCLUSIVE), &[Exist]);
    link(&**root, "none/new", "third");
    fails("in a directory that is not there", root.open("third", CREATE), &[NoEnt]);
    fails("create_dir", root.create_dir("second"), &[Exist]);
    equal("names", names(&*dir), vec!["new".to_owned()]);
}

fn forty_at_most(root: &Arc<dyn Dir>) {
    put(&*make_dir(&**root, "dir"), "file", "text");
    link(&**root, "dir", "1");
    for i in 1..41 {
        link(&**root, &i.to_string(), &(i + 1).to_string());
    }
    equal("forty in the last place", lstat(&**root, "40/").ino, lstat(&**root, "dir").ino);
    fails("forty-one", root.stat("41", Follow::Yes), &[Loop]);
    equal("the last itself", lstat(&**root, "41").file_type, FileType::SymbolicLink);
    equal("forty on the way", content(&**root, "40/file"), "text".into());
    fails("forty-one on the way", root.open("41/file", READ), &[Loop]);
    link(&**root, ".", "here");
    equal("forty in turn", content(&**root, &("here/".repeat(39) + "1/file")), "text".into());
    fails("forty-one in turn", root.open(&("here/".repeat(40) + "1/file"), READ), &[Loop]);
    for i in 0..40 {
        fails("to make things", root.create_dir(&("here/".repeat(41 + i) + "new")), &[Loop]);
    }
}

fn loops(root: &Arc<dyn Dir>) {
    link(&**root, "self", "self");
    link(&**root, "b", "a");
    link(&**root, "a", "b");
    link(&**root, "deeper/x", "deeper");
    for path in ["self", "a", "b", "self/x", "a/", "deeper", "self/.."] {
        fails(path, root.stat(path, Follow::Yes), &[Loop]);
        fails(path, root.open(path, READ), &[Loop]);
        fails(path, root.open(path, CREATE), if path == "a/" { &[Loop, IsDir] } else { &[Loop] });
    }
    equal("itself", ok("read_link", root.read_link("self")), "self".into());
    ok("unlink", root.unlink("self"));
}

fn up_means_the_real_parent(root: &Arc<dyn Dir>) {
    put(&**root, "file", "top");
    let a = make_dir(&**root, "a");
    put(&*a, "file", "in a");
    make_dir(&*a, "b");
    link(&**root, "a/b", "link");
    equal("..", content(&**root, "link/../file"), "in a".into());
    equal(".. twice", content(&**root, "link/../../file"), "top".into());
    put(&**root, "link/../new", "made");
    equal("made", content(&**root, "a/new"), "made".into());
}

fn outside(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    link(&**root, "..", "up");
    link(&**root, "../x", "out");
    link(&*dir, "../../x", "deep");
    link(&**root, "dir/../../x", "around");
    link(&**root, "out", "chain");
    for path in ["up", "up/", "up/x", "up/.", "out", "out/x", "dir/deep", "around", "chain", "dir/../up/dir"]
    {
        fails(path, root.open(path, READ), &[NotCapable]);
        fails(path, root.open(path, DIRECTORY), &[NotCapable]);
        fails(path, root.stat(path, Follow::Yes), &[NotCapable]);
    }
    for path in ["up/x", "out", "dir/deep", "around", "chain"] {
        fails(path, root.open(path, CREATE), &[NotCapable]);
    }
    equal("itself", ok("read_link", root.read_link("up")), "..".into());
    equal("itself", lstat(&**root, "out").file_type, FileType::SymbolicLink);
    equal("a loop that stays inside", lstat(&**root, "dir/../dir").ino, lstat(&**root, "dir").ino);
}

fn absolute(root: &Arc<dyn Dir>) {
    for (name, target) in [("root", "/"), ("file", "/file"), ("etc", "/etc/passwd")] {
        if !absolute_link(&**root, target, name) {
            absent(&**root, name);
            continue;
        }
        equal(name, ok("read_link", root.read_link(name)), target.into());
        for path in [name.to_owned(), format!("{name}/"), format!("{name}/x"), format!("{name}/..")] {
            fails(&path, root.open(&path, READ), &[NotCapable]);
            fails(&path, root.stat(&path, Follow::Yes), &[NotCapable]);
        }
        fails(name, root.open(name, CREATE), &[NotCapable]);
        fails(name, root.create_dir(&format!("{name}/x")), &[NotCapable]);
        ok("unlink", root.unlink(name));
    }
}

/// Going out is refused even if the path would come back.
fn in_and_out(root: &Arc<dyn Dir>) {
    let dir = make_dir(&**root, "dir");
    put(&*dir, "file", "text");
    link(&*dir, "../dir/file", "round");
    equal("from the top", content(&**root, "dir/round"), "text".into());
    fails("from below", dir.open("round", READ), &[NotCapable]);
    fails("from below", dir.open("../dir/file", READ), &[NotCapable]);
}

fn slash_in_the_target(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    make_dir(&**root, "dir");
    for (target, name) in [("file/", "a"), ("dir/", "b"), ("new/", "c"), ("file/.", "d"), ("dir/.", "e")] {
        link(&**root, target, name);
    }
    fails("a file with a slash", root.open("a", READ), &[NotDir]);
    fails("a file with a slash and a dot", root.open("d", READ), &[NotDir]);
    for name in ["b", "e"] {
        equal(name, ok(name, root.stat(name, Follow::Yes)).ino, lstat(&**root, "dir").ino);
    }
    fails("create with a slash", root.open("c", CREATE), &[IsDir]);
    fails("nothing with a slash", root.open("c", READ), &[NoEnt]);
}

/// A slash behind a link follows it, even for those who did not ask.
fn followed_when(root: &Arc<dyn Dir>) {
    make_dir(&**root, "dir");
    link(&**root, "dir", "link");
    let dir = lstat(&**root, "dir").ino;
    for path in ["link/", "link/.", "link//"] {
        equal(path, lstat(&**root, path).ino, dir);
        let opened = ok(path, root.open(path, crate::fs::Open { follow: false, ..READ }));
        holds(path, matches!(opened, crate::fs::Node::Dir(_)));
    }
    holds("without", lstat(&**root, "link").ino != dir);
}

fn unlink_then_file(root: &Arc<dyn Dir>) {
    link(&**root, "a", "name");
    ok("unlink", root.unlink("name"));
    put(&**root, "name", "text");
    equal("type", lstat(&**root, "name").file_type, FileType::RegularFile);
}
