//! Random calls to the filesystem in memory, to an overlay of it and to the kernel's own filesystem: every answer, every
//! error and, in the end, the whole tree are the same.
//!
//! The overlay's upper tree becomes a lower one twice on the way. It may differ in this alone: its directories have
//! one link, and hard links in lower trees are separate files once one is copied up (so none are made before).
#![cfg(target_os = "linux")]

mod random_calls;

use random_calls::{A_DIR, HARD_LINK, Random, on_dirs, on_file, whole};
use std::collections::HashMap;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Dir, File, Node};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::overlay::OverlayFs;

const ROUNDS: u64 = 300;
const CALLS: usize = 180;
/// Where the overlay's upper tree becomes a lower one.
const LAYERS: [usize; 2] = [40, 80];

/// The same without the links of directories, of which the overlay has one each.
fn without_links(said: &str) -> String {
    let (mut text, mut rest) = (String::new(), said);
    while let Some((before, behind)) = rest.split_once(A_DIR) {
        text += before;
        text += A_DIR;
        rest = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    text + rest
}

/// The filesystems under test, and what was opened in each.
struct Sides {
    dirs: Vec<[Arc<dyn Dir>; 3]>,
    files: Vec<[Arc<dyn File>; 3]>,
    /// The overlay's trees, the topmost first.
    layers: Vec<Arc<dyn Dir>>,
}

impl Sides {
    fn new(kernel: Arc<dyn Dir>) -> Self {
        let memory = MemoryFs::new().root();
        let mut new =
            Self { dirs: vec![[kernel, memory.clone(), memory]], files: Vec::new(), layers: Vec::new() };
        new.add_layer();
        new
    }

    /// Lays an empty tree over those that the overlay has, and begins again from the top.
    fn add_layer(&mut self) {
        self.layers.insert(0, MemoryFs::new().root());
        self.dirs.truncate(1);
        self.files.clear();
        let upper = self.layers[0].clone();
        self.dirs[0][2] = OverlayFs::new(upper, self.layers[1..].to_vec()).unwrap().root();
    }
}

#[track_caller]
fn same(kernel: &str, memory: &str, overlay: &str, what: std::fmt::Arguments<'_>) {
    assert_eq!(memory, kernel, "memory, {what}");
    assert_eq!(without_links(overlay), without_links(kernel), "overlay, {what}");
}

#[test]
fn the_same_answers() {
    let (mut files_used, mut answers) = (0, HashMap::<String, u64>::new());
    for round in 1..=ROUNDS {
        let mut random = Random(round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let place = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap();
        let mut sides = Sides::new(Arc::new(NativeDir::open_ambient(place.path()).unwrap()));
        for number in 0..CALLS {
            if LAYERS.contains(&number) {
                sides.add_layer();
            }
            let mut call = random.call();
            if call.what == HARD_LINK && number < LAYERS[1] {
                call.what = 0;
            }
            let files = &sides.files;
            if !files.is_empty() && random.one_in(4) {
                let which = random.below(files.len() as u64) as usize;
                let [kernel, memory, overlay] = [0, 1, 2].map(|side| on_file(&call, &*files[which][side]));
                let what = format_args!("round {round}, call {number}, file {which}: {call:?}");
                same(&kernel, &memory, &overlay, what);
                files_used += 1;
                continue;
            }
            let dirs = &sides.dirs;
            // Most begin at the top, some in a directory that was opened, and may be moved or removed by now.
            let mut start = || if random.one_in(3) { random.below(dirs.len() as u64) as usize } else { 0 };
            let (from, to) = (start(), start());
            let [kernel, memory, overlay] =
                [0, 1, 2].map(|side| on_dirs(&call, &*dirs[from][side], &*dirs[to][side]));
            let what = format_args!("round {round}, call {number}, dirs {from} and {to}: {call:?}");
            same(&kernel.0, &memory.0, &overlay.0, what);
            *answers.entry(kernel.0).or_default() += 1;
            match (kernel.1, memory.1, overlay.1) {
                (Some(Node::Dir(a)), Some(Node::Dir(b)), Some(Node::Dir(c))) => sides.dirs.push([a, b, c]),
                (Some(Node::File(a)), Some(Node::File(b)), Some(Node::File(c)))
                    if call.how.read && call.how.write =>
                {
                    sides.files.push([a, b, c]);
                }
                _ => {}
            }
        }
        let [kernel, memory, overlay] = [0, 1, 2].map(|side| whole(&*sides.dirs[0][side]).join("\n"));
        same(&kernel, &memory, &overlay, format_args!("the tree after round {round}"));
    }
    // A run that meets only errors, or few of them, would show little.
    assert!(files_used > ROUNDS, "{files_used}");
    use Errno::{Busy, Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir, NotEmpty, Perm};
    for error in [Busy, Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir, NotEmpty, Perm] {
        let met = answers.get(&format!("Err({error:?})")).copied();
        assert!(met > Some(10), "{error:?} was met {met:?} times");
    }
    assert!(answers["Ok(())"] > ROUNDS * 5, "{answers:?}");
}
