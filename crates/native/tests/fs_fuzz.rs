//! Random small trees full of links, and random paths through them: nothing leads outside, and what does not lead
//! outside is what the kernel says.

mod sandbox;

use proptest::prelude::*;
use sandbox::{Bench, Call, Entry, Tree};
use std::collections::HashMap;

/// Few names, so that paths often meet something; and those that calls with two paths use.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a", "b", "c", "dir", "file"][..])
}

fn component() -> impl Strategy<Value = &'static str> {
    prop_oneof![5 => name(), 3 => Just(".."), 1 => Just("."), 1 => Just("")]
}

/// Components with single slashes between them, double where one is empty, and perhaps one at the end.
fn path() -> impl Strategy<Value = String> {
    (name_or_dots(), prop::collection::vec(component(), 0..5), any::<bool>()).prop_map(
        |(first, rest, slash)| {
            let mut path = [&[first], &rest[..]].concat().join("/");
            if slash {
                path.push('/');
            }
            path
        },
    )
}

fn name_or_dots() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => name(), 1 => Just(".."), 1 => Just(".")]
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => path(),
        1 => Just("../secret".into()),
        1 => Just("../../secret_dir/".into()),
        1 => path().prop_map(|path| format!("{{}}/root/{path}")),
    ]
}

#[derive(Clone, Debug)]
enum Kind {
    File,
    Dir,
    Link(String),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![2 => Just(Kind::File), 4 => Just(Kind::Dir), 5 => target().prop_map(Kind::Link)]
}

/// Things with the number of the directory, among those made before, in which each is to be.
fn tree() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec((any::<prop::sample::Index>(), name(), kind()), 1..14).prop_map(|wishes| {
        let mut dirs = vec![String::new()];
        let mut made = HashMap::new();
        for (parent, name, kind) in wishes {
            let path = format!("{}{name}", dirs[parent.index(dirs.len())]);
            if made.contains_key(&path) {
                continue;
            }
            let entry = match kind {
                Kind::File => Entry::File(path.clone()),
                Kind::Link(target) => Entry::Link(path.clone(), target),
                Kind::Dir => {
                    dirs.push(format!("{path}/"));
                    Entry::Dir(path.clone())
                }
            };
            let order = made.len();
            made.insert(path, (order, entry));
        }
        let mut entries: Vec<_> = made.into_values().collect();
        entries.sort_by_key(|(order, _)| *order);
        entries.into_iter().map(|(_, entry)| entry).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_paths_through_random_trees(entries in tree(), paths in prop::collection::vec(path(), 1..4)) {
        let mut bench = Bench::new(move || Tree::new(&entries));
        for path in paths {
            for call in Call::all(&path) {
                if let Err(wrong) = bench.check(&call) {
                    return Err(TestCaseError::fail(format!("{call:?}: {wrong}")));
                }
            }
            prop_assert!(bench.unchanged(), "a call with {path} failed and changed something");
        }
    }
}
