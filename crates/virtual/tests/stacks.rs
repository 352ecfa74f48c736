//! Filesystems of this crate laid over one another, in whatever order: each stack is as good as what is at its bottom.

use proptest::prelude::*;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::conformance::fs::all;
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

#[derive(Clone, Copy, Debug)]
enum Layer {
    Quota,
    Trace,
    Faults,
    Stable,
    /// At the root of several trees, none of which is where the suite works.
    MountBase,
    /// At a name in another tree.
    MountPoint,
    /// To write to, over an empty tree.
    Upper,
    /// Below an empty tree, which has all that is new.
    Lower,
}

const LAYERS: [Layer; 8] = [
    Layer::Quota,
    Layer::Trace,
    Layer::Faults,
    Layer::Stable,
    Layer::MountBase,
    Layer::MountPoint,
    Layer::Upper,
    Layer::Lower,
];

fn memory() -> Arc<dyn Dir> {
    MemoryFs::new().root()
}

fn below(dir: &dyn Dir, name: &str) -> Arc<dyn Dir> {
    match dir.open(name, Open { read: true, directory: true, ..Open::default() }) {
        Ok(Node::Dir(dir)) => dir,
        other => panic!("{other:?}"),
    }
}

/// Lays one over `dir`, which is empty, and gives a directory that is empty.
fn lay(layer: Layer, dir: Arc<dyn Dir>) -> Arc<dyn Dir> {
    match layer {
        Layer::Quota => {
            let allowance = Allowance { bytes: 1 << 44, inodes: 100_000, ..Allowance::default() };
            Quota::new(dir, allowance).unwrap().root()
        }
        Layer::Trace => Trace::new(dir, |event| assert!(!event.call.name().is_empty())).root(),
        Layer::Faults => Faults::new(dir, [Rule::fail(Errno::Io).after(u64::MAX)]).root(),
        Layer::Stable => Stable::new(VirtualTime::new().wall()).over(dir),
        Layer::MountBase => {
            dir.create_dir("work").unwrap();
            let fs = MountFs::new(dir);
            fs.mount("elsewhere", memory()).unwrap();
            below(&*fs.root(), "work")
        }
        Layer::MountPoint => {
            let fs = MountFs::new(memory());
            fs.mount("a/b", dir).unwrap();
            below(&*fs.root(), "a/b")
        }
        Layer::Upper => {
            let lower = memory();
            lower.create_dir("file").unwrap();
            lower.create_dir("dir").unwrap();
            let root = OverlayFs::new(dir, [Arc::new(ReadOnly::new(lower)) as Arc<dyn Dir>]).unwrap().root();
            root.remove_dir("file").unwrap();
            root.remove_dir("dir").unwrap();
            root
        }
        Layer::Lower => {
            dir.create_dir("work").unwrap();
            below(&*OverlayFs::new(memory(), [dir]).unwrap().root(), "work")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn three_over_memory(layers in prop::array::uniform3(prop::sample::select(&LAYERS[..]))) {
        all(|| layers.into_iter().fold(memory(), |dir, layer| lay(layer, dir)));
    }
}
