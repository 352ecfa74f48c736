//! The rules of the house: who may know whom.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a package needs to be built, by name.
fn tree(args: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(args)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|l| l.split(' ').next()).map(str::to_owned).collect()
}

fn ours(names: &[String]) -> Vec<&str> {
    let mut ours: Vec<&str> =
        names[1..].iter().map(String::as_str).filter(|n| n.starts_with("wasi-host")).collect();
    ours.sort_unstable();
    ours.dedup();
    ours
}

#[test]
fn core_knows_no_engine_no_runtime_and_no_system() {
    let names = tree(&["-p", "wasi-host-core", "--all-features"]);
    for alien in ["wasmtime", "tokio", "rustix", "libc", "socket2", "getrandom", "mio"] {
        assert!(!names.iter().any(|n| n == alien), "core needs {alien}");
    }
    assert_eq!(ours(&names), Vec::<&str>::new());
}

#[test]
fn crates_know_those_below_them() {
    for (package, below) in [
        ("wasi-host-native", &["wasi-host-core"][..]),
        ("wasi-host-virtual", &["wasi-host-core"]),
        ("wasi-host-bindings", &["wasi-host-core"]),
        ("wasi-host", &["wasi-host-bindings", "wasi-host-core", "wasi-host-native", "wasi-host-virtual"]),
        (
            "wasi-host-cli",
            &["wasi-host", "wasi-host-bindings", "wasi-host-core", "wasi-host-native", "wasi-host-virtual"],
        ),
    ] {
        assert_eq!(ours(&tree(&["-p", package])), below, "{package}");
    }
}

#[test]
fn without_async_there_is_no_runtime() {
    for features in ["p1", "p0", "p0,p1"] {
        let args = ["-p", "wasi-host", "--no-default-features", "--features", features];
        let names = tree(&args);
        for alien in ["tokio", "wasmtime-internal-fiber", "wasmtime-wasi", "cap-std"] {
            assert!(!names.iter().any(|n| n == alien), "{features} needs {alien}");
        }
        let features = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--edges", "features"])
            .args(args)
            .current_dir(root())
            .output()
            .unwrap();
        let features = String::from_utf8(features.stdout).unwrap();
        assert!(features.contains("wasmtime feature \"runtime\""), "{features}");
        assert!(!features.contains("wasmtime feature \"async\""), "{features}");
    }
}

#[test]
fn the_peer_is_for_measuring_only() {
    for package in
        ["wasi-host", "wasi-host-bindings", "wasi-host-cli", "wasi-host-native", "wasi-host-virtual"]
    {
        let names = tree(&["-p", package, "--all-features"]);
        assert!(!names.iter().any(|n| n == "wasmtime-wasi"), "{package} needs the peer");
    }
}

/// The source files below a folder of the host crate.
fn sources(under: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[test]
fn adapters_only_translate() {
    let src = root().join("crates/host/src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 10);
    let versions = ["p1", "p2", "p3"];
    for file in &files {
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.lines().count() <= 500, "{name} is too long");
        let Some(version) = ["p0", "p1", "p2", "p3"].into_iter().find(|v| name.starts_with(v)) else {
            continue;
        };
        for alien in [
            "std::fs",
            "TcpStream",
            "TcpListener",
            "ToSocketAddrs",
            "rustix",
            "wasi_host_native",
            "downcast_ref",
        ] {
            assert!(!text.contains(alien), "{name} touches {alien}");
        }
        for other in versions.into_iter().filter(|v| *v != version && (version, *v) != ("p0", "p1")) {
            assert!(!text.contains(&format!("crate::{other}")), "{name} knows {other}");
        }
    }
}
