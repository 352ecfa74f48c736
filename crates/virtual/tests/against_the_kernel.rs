//! Random calls to the filesystem in memory and to the kernel's own: every answer, every error and, in the end,
//! the whole tree are the same. So it is with forks, which begin as the kernel's tree was at that moment, and stay
//! so, whatever becomes of the others.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::{Dir, File, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;

const ROUNDS: u64 = 300;
const CALLS: usize = 150;
const LOOK: Open = open(true, false);

const fn open(read: bool, write: bool) -> Open {
    Open {
        read,
        write,
        create: false,
        exclusive: false,
        truncate: false,
        directory: false,
        follow: false,
        sync: wasi_host_core::fs::Sync::No,
    }
}

/// Marsaglia's xorshift: the same calls in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Few names, so that paths often meet something.
    fn path(&mut self) -> String {
        if self.one_in(40) {
            return self.of(&["/", "/a", "..", ".", "./", "../"]).into();
        }
        let mut path = String::new();
        for i in 0..=self.below(4).min(self.below(4)) {
            if i > 0 {
                path += if self.one_in(10) { "//" } else { "/" };
            }
            path += self.of(&["a", "b", "c", "d", "a", "b", "c", "d", "..", "."]);
        }
        if self.one_in(6) {
            path += self.of(&["/", "//", "/."]);
        }
        path
    }

    fn call(&mut self) -> Call {
        Call {
            what: self.below(15),
            path: self.path(),
            other: self.path(),
            follow: if self.one_in(2) { Follow::Yes } else { Follow::No },
            how: self.how(),
            offset: self.below(12_000),
            len: self.below(6000) as usize,
        }
    }

    fn how(&mut self) -> Open {
        let mut flag = |n| self.one_in(n);
        let (create, write) = (flag(2), flag(2));
        Open {
            create,
            exclusive: create && flag(3),
            truncate: write && flag(2),
            directory: flag(4),
            follow: flag(2),
            ..open(flag(2), write)
        }
    }
}

/// One call, with all that it may need.
#[derive(Debug)]
struct Call {
    what: u64,
    path: String,
    other: String,
    follow: Follow,
    how: Open,
    offset: u64,
    len: usize,
}

/// What can be told about a file of either filesystem. The size of a directory is its own affair.
fn told(m: Metadata) -> (FileType, u64, u64) {
    (m.file_type, m.nlink, if m.file_type == FileType::Directory { 0 } else { m.size })
}

/// What the call gives, and what it opened.
fn on_dirs(call: &Call, dir: &dyn Dir, to: &dyn Dir) -> (String, Option<Node>) {
    let Call { path, other, follow, .. } = call;
    let done = |got: Result<()>| format!("{got:?}");
    let said = match call.what {
        0..=2 => {
            let got = dir.open(path, call.how);
            return (format!("{got:?}"), got.ok());
        }
        3 => format!("{:?}", dir.stat(path, *follow).map(told)),
        4 => format!("{:?}", dir.read_link(path)),
        5 | 6 => done(dir.create_dir(path)),
        7 => done(dir.symlink(other, path)),
        8 => done(dir.hard_link(path, *follow, to, other)),
        9..=11 => done(dir.rename(path, to, other)),
        12 => done(dir.unlink(path)),
        13 => done(dir.remove_dir(path)),
        _ => {
            let time = Timestamp::from_nanos(call.offset);
            let set = dir.set_times(path, *follow, SetTime::Keep, SetTime::At(time));
            format!("{set:?} {:?}", dir.stat(path, *follow).map(|m| m.modified == time))
        }
    };
    (said, None)
}

fn on_file(call: &Call, file: &dyn File) -> String {
    let Call { offset, len, .. } = *call;
    let data = vec![offset as u8; len];
    let said = match call.what % 5 {
        0 => format!("{:?}", file.set_len(offset)),
        1 => format!("{:?}", file.append(&[IoSlice::new(&data)])),
        2 => format!("{:?}", file.allocate(offset, len as u64 + 1)),
        3 => format!("{:?}", file.write_at(&[IoSlice::new(&data)], offset)),
        _ => {
            let mut data = vec![0; len];
            let n = file.read_at(&mut [IoSliceMut::new(&mut data)], offset);
            format!("{n:?} {:?}", &data[..n.unwrap_or(0)])
        }
    };
    format!("{said} {:?}", file.metadata().map(told))
}

/// Everything below a directory. Inode numbers are told by which are the same.
fn dump(dir: &dyn Dir, prefix: &str, numbers: &mut HashMap<u64, usize>, into: &mut Vec<String>) {
    let mut entries: Vec<_> = dir.entries().unwrap().map(Result::unwrap).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for entry in entries {
        let name = &entry.name;
        if name == ".." && prefix.is_empty() {
            continue;
        }
        let next = numbers.len();
        let number = *numbers.entry(entry.ino).or_insert(next);
        let path = format!("{prefix}{name}");
        if name == "." || name == ".." {
            into.push(format!("{path} {number}"));
            continue;
        }
        let m = dir.stat(name, Follow::No).unwrap();
        assert_eq!((m.ino, m.file_type), (entry.ino, entry.file_type), "{path}");
        let content = match m.file_type {
            FileType::SymbolicLink => dir.read_link(name).unwrap(),
            FileType::Directory => String::new(),
            _ => {
                let Node::File(file) = dir.open(name, LOOK).unwrap() else { panic!("{path}") };
                let mut data = vec![0; m.size as usize];
                let n = file.read_at(&mut [IoSliceMut::new(&mut data)], 0).unwrap();
                format!("{:?}", &data[..n])
            }
        };
        into.push(format!("{path} {number} {:?} {content}", told(m)));
        if let (FileType::Directory, Ok(Node::Dir(below))) = (m.file_type, dir.open(name, LOOK)) {
            dump(&*below, &format!("{path}/"), numbers, into);
        }
    }
}

/// Everything in the filesystem.
fn whole(root: &dyn Dir) -> Vec<String> {
    let mut all = Vec::new();
    dump(root, "", &mut HashMap::new(), &mut all);
    all
}

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
