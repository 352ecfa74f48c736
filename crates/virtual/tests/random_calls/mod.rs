//! Random calls to a filesystem, and what it answers.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use std::collections::HashMap;
use std::io::{IoSlice, IoSliceMut};
use wasi_host_core::Result;
use wasi_host_core::fs::{Dir, File, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};

pub const LOOK: Open = open(true, false);

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
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    pub fn call(&mut self) -> Call {
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

pub const HARD_LINK: u64 = 8;

/// One call, with all that it may need.
#[derive(Debug)]
pub struct Call {
    pub what: u64,
    pub path: String,
    pub other: String,
    pub follow: Follow,
    pub how: Open,
    pub offset: u64,
    pub len: usize,
}

/// What can be told about a file of any filesystem. The size of a directory is its own affair.
fn told(m: Metadata) -> String {
    match m.file_type {
        FileType::Directory => format!("{A_DIR}{} links", m.nlink),
        other => format!("{other:?} {} links {} bytes", m.nlink, m.size),
    }
}

pub const A_DIR: &str = "a directory of ";

/// What the call gives, and what it opened.
pub fn on_dirs(call: &Call, dir: &dyn Dir, to: &dyn Dir) -> (String, Option<Node>) {
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
        HARD_LINK => done(dir.hard_link(path, *follow, to, other)),
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

pub fn on_file(call: &Call, file: &dyn File) -> String {
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
pub fn dump(dir: &dyn Dir, prefix: &str, numbers: &mut HashMap<u64, usize>, into: &mut Vec<String>) {
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
        into.push(format!("{path} {number} {} {content}", told(m)));
        if let (FileType::Directory, Ok(Node::Dir(below))) = (m.file_type, dir.open(name, LOOK)) {
            dump(&*below, &format!("{path}/"), numbers, into);
        }
    }
}

/// Everything in a filesystem.
pub fn whole(root: &dyn Dir) -> Vec<String> {
    let mut all = Vec::new();
    dump(root, "", &mut HashMap::new(), &mut all);
    all
}
