//! Random calls to the filesystem in memory and to the kernel's own: every answer, every error and, in the end,
//! the whole tree are the same. So it is with forks, which begin as the kernel's tree was at that moment, and stay
//! so, whatever becomes of the others.
#![cfg(target_os = "linux")]

mod random_calls;

use random_calls::{Call, Random, on_dirs, on_file, whole};
use std::collections::HashMap;
use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Dir, File, Node};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;

const ROUNDS: u64 = 300;
const CALLS: usize = 150;

/// Calls whose answers are not looked at.
fn scribble(random: &mut Random, fs: &MemoryFs) {
    let root = fs.root();
    for number in 0..40 {
        let call = random.call();
        match on_dirs(&call, &*root, &*root).1 {
            Some(Node::File(file)) if call.how.write => _ = on_file(&Call { what: number, ..call }, &*file),
            _ => {}
        }
    }
}

#[test]
fn the_same_answers() {
    let (mut files_used, mut forks, mut answers) = (0, 0, HashMap::<String, u64>::new());
    for round in 1..=ROUNDS {
        let mut random = Random(round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let place = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap();
        let native: Arc<dyn Dir> = Arc::new(NativeDir::open_ambient(place.path()).unwrap());
        let mut fs = MemoryFs::new();
        let mut left: Vec<(MemoryFs, Vec<String>)> = Vec::new();
        let mut dirs = vec![[native, fs.root()]];
        let mut files: Vec<[Arc<dyn File>; 2]> = Vec::new();
        for number in 0..CALLS {
            if round % 2 == 0 && random.one_in(30) {
                // From here on with a fork, where nothing is open; what is left behind must stay as it is, or what
                // is made of it must.
                let fork = fs.fork();
                left.push((std::mem::replace(&mut fs, fork), whole(&*dirs[0][0])));
                dirs.truncate(1);
                dirs[0][1] = fs.root();
                files.clear();
                let (origin, _) = &left[random.below(left.len() as u64) as usize];
                scribble(&mut random, &origin.fork());
            }
            let call = random.call();
            if !files.is_empty() && random.one_in(4) {
                let which = random.below(files.len() as u64) as usize;
                let [kernel, memory] = [0, 1].map(|side| on_file(&call, &*files[which][side]));
                assert_eq!(memory, kernel, "round {round}, call {number}, file {which}: {call:?}");
                files_used += 1;
                continue;
            }
            // Most begin at the top, some in a directory that was opened, and may be moved or removed by now.
            let mut start = || if random.one_in(3) { random.below(dirs.len() as u64) as usize } else { 0 };
            let (from, to) = (start(), start());
            let [kernel, memory] = [0, 1].map(|side| on_dirs(&call, &*dirs[from][side], &*dirs[to][side]));
            assert_eq!(memory.0, kernel.0, "round {round}, call {number}, dirs {from} and {to}: {call:?}");
            *answers.entry(kernel.0).or_default() += 1;
            match (kernel.1, memory.1) {
                (Some(Node::Dir(kernel)), Some(Node::Dir(memory))) => dirs.push([kernel, memory]),
                (Some(Node::File(kernel)), Some(Node::File(memory))) if call.how.read && call.how.write => {
                    files.push([kernel, memory]);
                }
                _ => {}
            }
        }
        let [kernel, memory] = [0, 1].map(|side| whole(&*dirs[0][side]));
        assert_eq!(memory, kernel, "the tree after round {round}");
        let kept = fs.snapshot();
        scribble(&mut random, &fs);
        assert_eq!(whole(&*kept.fork().root()), kernel, "the snapshot after round {round}");
        for (fs, tree) in left {
            assert_eq!(whole(&*fs.root()), tree, "an origin in round {round}");
            forks += 1;
        }
    }
    // A run that meets only errors, or few of them, would show little.
    assert!(files_used > ROUNDS && forks > ROUNDS, "{files_used} and {forks}");
    use Errno::{Busy, Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir, NotEmpty, Perm};
    for error in [Busy, Exist, Inval, IsDir, Loop, NoEnt, NotCapable, NotDir, NotEmpty, Perm] {
        let met = answers.get(&format!("Err({error:?})")).copied();
        assert!(met > Some(10), "{error:?} was met {met:?} times");
    }
    assert!(answers["Ok(())"] > ROUNDS * 5, "{answers:?}");
}
