//! Every function of WASI 0.3.2, unstable ones included, is called by our guests in each setting: in memory, and on a
//! disk.

#[path = "support/called.rs"]
mod called;
#[path = "support/component.rs"]
mod component;
mod support;

use called::Called;
use component::{BACKENDS, Backend, Program, Root};
use std::collections::BTreeSet;
use std::path::Path;
use wasi_host::BlockingPolicy::Adaptive;
use wit_parser::Resolve;

/// Programs that call, without arguments, all that their checks are about.
const GUESTS: [&str; 12] = [
    "p3_cli",
    "p3_clocks",
    "p3_directories",
    "p3_ends",
    "p3_filesystem",
    "p3_lookup",
    "p3_random",
    "p3_streams",
    "p3_tcp",
    "p3_tcp_streams",
    "p3_udp",
    "p3_unstable",
];

/// What the WIT declares, under the names by which components import it. `run` is the one that the guest exports.
fn declared() -> BTreeSet<String> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/wit/p3")).unwrap();
    let mut functions = BTreeSet::new();
    for (id, interface) in &resolve.interfaces {
        let name = resolve.id_of(id).expect("an interface of a package");
        functions.extend(interface.functions.keys().map(|function| format!("{name}#{function}")));
    }
    assert!(functions.remove("wasi:cli/run@0.3.2#run"));
    functions
}

/// What the guests call in one setting, and what went wrong with them.
fn called(backend: Backend) -> (BTreeSet<String>, Vec<String>) {
    let (called, root) = (Called::default(), Root::new(backend));
    let mut failed = Vec::new();
    let mut run = |name: &str, args: &[&str], status: i32| {
        let program = Program::new(name);
        let ended =
            program.run_watched(Adaptive, args, "words", &root, |store| called.watch(store, &program.binary));
        if !ended.status.as_ref().is_ok_and(|got| *got == status) {
            failed.push(format!("{backend:?}: {name} {args:?}: {}", ended.describe()));
        }
    };
    for guest in GUESTS {
        run(guest, &[], 0);
    }
    run("p3_cli", &["exit", "error"], 1);
    run("p3_cli", &["exit-with-code", "7"], 7);
    (called.names(), failed)
}

#[test]
fn every_function_is_called() {
    let declared = declared();
    assert_eq!(declared.len(), 92, "{declared:#?}");
    for backend in BACKENDS {
        let (called, failed) = called(backend);
        let missing: Vec<_> = declared.difference(&called).collect();
        assert!(missing.is_empty(), "{backend:?}: nobody calls {missing:#?}");
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
