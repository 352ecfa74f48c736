//! Nothing leads outside: every call that takes a path, on every kind of link, with every kind of ending.

mod sandbox;

use sandbox::{Bench, Call, Entry, Tree};

fn entries() -> Vec<Entry> {
    let dirs = ["dir", "dir/below", "empty"].map(|name| Entry::Dir(name.into()));
    let files = ["file", "dir/inner"].map(|name| Entry::File(name.into()));
    let links = LINKS.iter().map(|(name, target)| Entry::Link((*name).into(), (*target).into()));
    dirs.into_iter().chain(files).chain(links).collect()
}

/// Each with what it holds.
const LINKS: &[(&str, &str)] = &[
    ("to_file", "file"),
    ("to_file_slash", "file/"),
    ("to_dir", "dir"),
    ("to_dir_slash", "dir/"),
    ("to_dir_dot", "dir/."),
    ("to_dir_dotdot", "dir/below/.."),
    ("here", "."),
    ("chain", "to_dir"),
    ("longer_chain", "chain/"),
    ("file_chain", "to_file"),
    ("dangling", "nothing"),
    ("dangling_slash", "nothing/"),
    ("dangling_dot", "nothing/."),
    ("dangling_chain", "dangling"),
    ("dangling_below", "dir/nothing"),
    ("loop_a", "loop_b"),
    ("loop_b", "loop_a"),
    ("loop_self", "loop_self/x"),
    ("dir/up", ".."),
    ("dir/out", "../../secret_dir"),
    ("dir/out_file", "../../secret"),
    ("down_up", "dir/up/file"),
    ("through_out", "dir/out/inside"),
    ("absolute", "/"),
    ("absolute_file", "{}/secret"),
    ("absolute_dir", "{}/secret_dir"),
    ("absolute_dir_slash", "{}/secret_dir/"),
    ("absolute_new", "{}/new"),
    ("absolute_inside", "{}/root/dir"),
    ("out", ".."),
    ("out_file", "../secret"),
    ("out_file_slash", "../secret/"),
    ("out_dir", "../secret_dir"),
    ("out_dir_slash", "../secret_dir/"),
    ("out_chain", "out_dir"),
    ("out_new", "../new"),
    ("out_new_slash", "../new/"),
    ("out_and_back", "../root/file"),
    ("out_later", "dir/../../secret"),
];

const ENDINGS: &[&str] = &[
    "",
    "/",
    "//",
    "/.",
    "/./",
    "/..",
    "/../",
    "/../file",
    "/inner",
    "/inside",
    "/new",
    "/new/",
    "/../secret",
];

/// Every call with every name and every ending.
fn try_all<'a>(names: impl IntoIterator<Item = &'a str>) {
    let mut bench = Bench::new(|| Tree::new(&entries()));
    let (mut tried, mut failed) = (0, Vec::new());
    for name in names {
        for ending in ENDINGS {
            let path = format!("{name}{ending}");
            for call in Call::all(&path) {
                tried += 1;
                if let Err(wrong) = bench.check(&call) {
                    failed.push(format!("{call:?}: {wrong}"));
                }
            }
            assert!(bench.unchanged(), "a call with {path} failed and changed something");
        }
    }
    let shown = failed.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {tried} are wrong:\n{shown}", failed.len());
}

#[test]
fn links_with_every_ending() {
    try_all(LINKS.iter().map(|(name, _)| *name));
}

#[test]
fn files_directories_and_dots_with_every_ending() {
    try_all([
        ".",
        "..",
        "file",
        "dir",
        "empty",
        "nothing",
        "dir/below",
        "dir/inner",
        "dir/..",
        "dir/../..",
        "./dir",
        "dir//below",
        "dir/below/../inner",
        "nothing/..",
        "file/..",
        "to_dir/..",
        "dir/up/dir",
        "dir/up/..",
        "to_dir/up/../secret",
        "...",
        "..file",
    ]);
}
