//! What may stand between two slashes.

use super::check::*;
use crate::Errno::NameTooLong;
use crate::fs::{Dir, Follow};
use std::sync::Arc;

super::list!("names": any_bytes, longest, too_long, case_is_kept);

fn any_bytes(root: &Arc<dyn Dir>) {
    let mut all: Vec<String> = [
        " ",
        "a b",
        "\\",
        "a\\b",
        "C:",
        "*",
        "?",
        "\"",
        "'",
        "|",
        "<>",
        "\n",
        "\t",
        "-",
        "--",
        "...",
        ".a",
        "a.",
        "..a",
        "a..",
        ". ",
        "~",
        "%2e",
        "$x",
        "ä",
        "日本語",
        "🦀",
        "a\u{301}",
        "con",
        "nul",
        "\u{7f}",
        "\u{1}",
    ]
    .map(str::to_owned)
    .into();
    for name in &all {
        put(&**root, name, name);
    }
    for name in &all {
        equal(format_args!("{name:?}"), content(&**root, name), name.clone());
    }
    all.sort();
    equal("names", names(&**root), all.clone());
    for name in &all {
        ok(format_args!("unlink {name:?}"), root.unlink(name));
    }
}

fn longest(root: &Arc<dyn Dir>) {
    for name in ["x".repeat(255), "ä".repeat(127) + "x", "日".repeat(85)] {
        equal("bytes", name.len(), 255);
        put(&**root, &name, "text");
        equal("content", content(&**root, &name), "text".into());
        equal("names", names(&**root), vec![name.clone()]);
        ok("rename", root.rename(&name, &**root, "short"));
        ok("rename", root.rename("short", &**root, &name));
        ok("unlink", root.unlink(&name));
    }
}

fn too_long(root: &Arc<dyn Dir>) {
    put(&**root, "file", "");
    for name in ["x".repeat(256), "日".repeat(86), "x".repeat(256) + "/y"] {
        for (call, run) in super::paths::CALLS {
            fails(format_args!("{call} of {} bytes", name.len()), run(&**root, &name), &[NameTooLong]);
        }
    }
    let name = "x".repeat(256);
    link(&**root, &name, "link");
    fails("behind a link", root.stat("link", Follow::Yes), &[NameTooLong]);
    equal("names", names(&**root), vec!["file".to_owned(), "link".into()]);
}

fn case_is_kept(root: &Arc<dyn Dir>) {
    put(&**root, "Name", "1");
    put(&**root, "name", "2");
    equal("the one", content(&**root, "Name"), "1".into());
    equal("the other", content(&**root, "name"), "2".into());
}
