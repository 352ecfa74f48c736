//! Every filesystem of this crate against the suite that every backend must pass.

use std::io::IoSlice;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::conformance::fs::{Kind, TREE, all, read_only};
use wasi_host_core::fs::{Dir, Node, Open};
use wasi_host_virtual::faults::{Faults, Rule};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::mount::MountFs;
use wasi_host_virtual::overlay::OverlayFs;
use wasi_host_virtual::quota::{Allowance, Quota};
use wasi_host_virtual::read_only::ReadOnly;
use wasi_host_virtual::stable::Stable;
use wasi_host_virtual::time::VirtualTime;
use wasi_host_virtual::trace::Trace;

/// The tree that cannot be changed, while it still can.
fn fill(root: &dyn Dir) {
    for (path, kind) in TREE {
        match kind {
            Kind::Dir => root.create_dir(path).unwrap(),
            Kind::Link(to) => root.symlink(to, path).unwrap(),
            Kind::File(text) => {
                let how = Open { write: true, create: true, ..Open::default() };
                let Node::File(file) = root.open(path, how).unwrap() else { panic!("{path}") };
                assert_eq!(file.append(&[IoSlice::new(text.as_bytes())]).unwrap(), text.len());
            }
        }
    }
}

fn filled() -> Arc<dyn Dir> {
    let root = MemoryFs::new().root();
    fill(&*root);
    root
}

fn open_dir(root: &dyn Dir, path: &str) -> Arc<dyn Dir> {
    match root.open(path, Open { read: true, directory: true, ..Open::default() }).unwrap() {
        Node::Dir(dir) => dir,
        Node::File(_) => panic!("{path}"),
    }
}

#[test]
fn memory() {
    all(|| MemoryFs::new().root());
}

#[test]
fn to_read_alone() {
    read_only(|| Arc::new(ReadOnly::new(filled())));
    read_only(|| Arc::new(ReadOnly::new(Arc::new(ReadOnly::new(filled())))));
}

#[test]
fn to_read_alone_on_disk() {
    let mut kept = Vec::new();
    read_only(|| {
        let dir = tempfile::TempDir::new().unwrap();
        let root = wasi_host_native::fs::NativeDir::open_ambient(dir.path()).unwrap();
        fill(&root);
        kept.push(dir);
        Arc::new(ReadOnly::new(Arc::new(root)))
    });
}

/// Where a tree holds others, and where it holds none; below the root, since mount points show.
#[test]
fn mounted() {
    let beside = |mut from: &str, path: &str| {
        let base = MemoryFs::new();
        base.create_dir_all(&format!("{path}/work")).unwrap();
        let fs = MountFs::new(base.root());
        if let Some((at, rest)) = from.split_once(':') {
            fs.mount(at, MemoryFs::new().root()).unwrap();
            from = rest;
        }
        fs.mount(&format!("{path}/other"), MemoryFs::new().root()).unwrap();
        open_dir(&*fs.root(), from)
    };
    all(|| MountFs::new(MemoryFs::new().root()).root());
    all(|| beside("work", "."));
    all(|| beside("deep/work", "deep"));
    all(|| beside("deep/other", "deep"));
    all(|| beside("far/away:far/away", "deep"));
    all(|| {
        let fs = MountFs::new(MemoryFs::new().root());
        fs.mount("a", MemoryFs::new().root()).unwrap();
        fs.root().create_dir("a/work").unwrap();
        fs.mount("a/b", MemoryFs::new().root()).unwrap();
        open_dir(&*fs.root(), "a/work")
    });
    read_only(|| {
        let fs = MountFs::new(MemoryFs::new().root());
        fs.mount("a/b", Arc::new(ReadOnly::new(filled()))).unwrap();
        open_dir(&*fs.root(), "a/b")
    });
}

#[test]
fn bounded() {
    // The suite makes files of 2^40 bytes, and of nothing but holes.
    for allowance in
        [Allowance::default(), Allowance { bytes: 1 << 42, inodes: 10_000, ..Allowance::default() }]
    {
        all(|| Quota::new(MemoryFs::new().root(), allowance).unwrap().root());
    }
    read_only(|| Arc::new(ReadOnly::new(Quota::new(filled(), Allowance::default()).unwrap().root())));
}

#[test]
fn told() {
    all(|| Trace::new(MemoryFs::new().root(), |event| assert!(!event.to_string().is_empty())).root());
    read_only(|| Trace::new(Arc::new(ReadOnly::new(filled())), |_| {}).root());
}

#[test]
fn without_faults() {
    all(|| Faults::new(MemoryFs::new().root(), []).root());
    // One that never comes, and one that costs no time.
    let rules = || [Rule::fail(Errno::Io).after(u64::MAX), Rule::delay(std::time::Duration::ZERO)];
    all(|| Faults::new(MemoryFs::new().root(), rules()).root());
}

fn overlay(upper: Arc<dyn Dir>, lowers: impl IntoIterator<Item = Arc<dyn Dir>>) -> Arc<dyn Dir> {
    OverlayFs::new(upper, lowers).unwrap().root()
}

fn memory_root() -> Arc<dyn Dir> {
    MemoryFs::new().root()
}

/// Removes all that is in a directory.
fn clear(dir: &dyn Dir) {
    let names: Vec<_> = dir.entries().unwrap().map(|entry| entry.unwrap().name).collect();
    for name in names.iter().filter(|name| !matches!(&***name, "." | "..")) {
        if dir.unlink(name).is_err() {
            clear(&*open_dir(dir, name));
            dir.remove_dir(name).unwrap();
        }
    }
}

#[test]
fn overlaid() {
    all(|| overlay(memory_root(), []));
    all(|| overlay(memory_root(), [memory_root(), memory_root()]));
}

/// A directory that lower trees alone have; one that both have.
#[test]
fn overlaid_below() {
    for upper_has in [false, true] {
        all(|| {
            let (upper, lower) = (memory_root(), memory_root());
            lower.create_dir("a").unwrap();
            lower.create_dir("a/work").unwrap();
            if upper_has {
                upper.create_dir("a").unwrap();
                upper.create_dir("a/work").unwrap();
            }
            open_dir(&*overlay(upper, [lower]), "a/work")
        });
    }
}

/// Everything that the suite makes is hidden below.
#[test]
fn overlaid_on_what_was_removed() {
    all(|| {
        let root = overlay(memory_root(), [filled(), filled()]);
        clear(&*root);
        root
    });
}

/// An overlay's upper tree may be an overlay.
#[test]
fn overlaid_on_overlays() {
    all(|| {
        let root = overlay(overlay(memory_root(), [filled()]), [overlay(filled(), [filled()])]);
        clear(&*root);
        root
    });
}

#[test]
fn overlaid_to_read() {
    read_only(|| Arc::new(ReadOnly::new(overlay(memory_root(), [filled()]))));
    read_only(|| Arc::new(ReadOnly::new(overlay(filled(), [filled()]))));
    read_only(|| {
        let root = overlay(memory_root(), [filled()]);
        clear(&*root);
        fill(&*root);
        Arc::new(ReadOnly::new(root))
    });
}

#[test]
fn overlaid_on_disk() {
    let mut kept = Vec::new();
    let mut native = || {
        let dir = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap();
        let root: Arc<dyn Dir> = Arc::new(wasi_host_native::fs::NativeDir::open_ambient(dir.path()).unwrap());
        kept.push(dir);
        root
    };
    all(|| overlay(native(), [native()]));
    all(|| {
        let lower = native();
        fill(&*lower);
        let root = overlay(memory_root(), [lower]);
        clear(&*root);
        root
    });
}

#[test]
fn stable() {
    all(|| Stable::new(VirtualTime::new().wall()).over(MemoryFs::new().root()));
    read_only(|| Stable::new(VirtualTime::new().wall()).over(Arc::new(ReadOnly::new(filled()))));
}

#[test]
fn stable_on_disk() {
    let mut kept = Vec::new();
    all(|| {
        let dir = tempfile::TempDir::new().unwrap();
        let root = wasi_host_native::fs::NativeDir::open_ambient(dir.path()).unwrap();
        kept.push(dir);
        Stable::new(VirtualTime::new().wall()).over(Arc::new(root))
    });
}
