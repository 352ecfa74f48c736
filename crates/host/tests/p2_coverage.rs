//! Every function of WASI 0.2.12, unstable ones included, is called by our guests in each setting: with the
//! synchronous and the asynchronous linker, in memory and on a disk.

#[path = "support/called.rs"]
mod called;
#[path = "support/component.rs"]
mod component;
mod support;

use called::Called;
use component::{BACKENDS, Backend, Program, Root};
use std::collections::BTreeSet;
use std::path::Path;
use support::{KINDS, Kind};
use wit_parser::Resolve;

/// Programs that call, without arguments, all that their checks are about.
const GUESTS: [&str; 11] = [
    "p2_cli",
    "p2_clocks",
    "p2_filesystem",
    "p2_lookup",
    "p2_poll",
    "p2_random",
    "p2_streams",
    "p2_tcp",
    "p2_tcp_streams",
    "p2_udp",
    "p2_unstable",
];

/// What the WIT declares, under the names by which components import it. `run` is the one that the guest exports.
fn declared() -> BTreeSet<String> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/wit/p2")).unwrap();
    let mut functions = BTreeSet::new();
    for (id, interface) in &resolve.interfaces {
        let name = resolve.id_of(id).expect("an interface of a package");
        functions.extend(interface.functions.keys().map(|function| format!("{name}#{function}")));
    }
    assert!(functions.remove("wasi:cli/run@0.2.12#run"));
    functions
}

/// What the guests call in one setting, and what went wrong with them.
fn called(kind: Kind, backend: Backend) -> (BTreeSet<String>, Vec<String>) {
    let (called, root) = (Called::default(), Root::new(backend));
    let mut failed = Vec::new();
    let mut run = |name: &str, args: &[&str], status: i32| {
        let program = Program::new(name);
        let ended =
            program.run_watched(kind, args, "words", &root, |store| called.watch(store, &program.binary));
        if !ended.status.as_ref().is_ok_and(|got| *got == status) {
            failed.push(format!("{kind:?}, {backend:?}: {name} {args:?}: {}", ended.describe()));
        }
    };
    for guest in GUESTS {
        run(guest, &[], 0);
    }
    run("p2_cli", &["exit", "error"], 1);
    run("p2_cli", &["exit-with-code", "7"], 7);
    (called.names(), failed)
}

#[test]
fn every_function_is_called() {
    let declared = declared();
    assert_eq!(declared.len(), 126, "{declared:#?}");
    for kind in KINDS {
        for backend in BACKENDS {
            let (called, failed) = called(kind, backend);
            let missing: Vec<_> = declared.difference(&called).collect();
            assert!(missing.is_empty(), "{kind:?}, {backend:?}: nobody calls {missing:#?}");
            assert!(failed.is_empty(), "{}", failed.join("\n"));
        }
    }
}
