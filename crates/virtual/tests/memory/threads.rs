//! Many threads in one filesystem.

use crate::*;
use std::sync::{Condvar, Mutex};
use std::time::SystemTime;

/// The embedder's clock is asked while nothing is locked: here it stands still for a thread that makes a directory,
/// and others go on.
#[test]
fn a_clock_that_stands_still_holds_nobody_up() {
    let stopped = Arc::new((Mutex::new(0), Condvar::new()));
    let stop = stopped.clone();
    let clock = move || {
        if std::thread::current().name() == Some("maker") {
            let mut state = stop.0.lock().unwrap();
            if *state == 0 {
                *state = 1;
                stop.1.notify_all();
            }
            drop(stop.1.wait_while(state, |state| *state < 2).unwrap());
        }
        SystemTime::now().into()
    };
    let fs = MemoryFs::with_clock(1 << 20, Arc::new(clock));
    fs.write("file", "text").unwrap();
    let root = fs.root();
    let file = open(&*root, "file", CREATE);
    let maker = std::thread::Builder::new().name("maker".into());
    let maker = maker.spawn(move || root.create_dir("dir")).unwrap();
    let state = stopped.0.lock().unwrap();
    drop(stopped.1.wait_while(state, |state| *state == 0).unwrap());
    write(&*file, b"n", 0).unwrap();
    file.append(&[IoSlice::new(b"!")]).unwrap();
    assert_eq!(read(&*file, 10, 0), b"next!");
    file.set_len(4).unwrap();
    assert_eq!(file.metadata().unwrap().size, 4);
    fs.write("another", "text").unwrap();
    assert_eq!(fs.fork().read("another").unwrap(), b"text");
    assert!(!maker.is_finished());
    *stopped.0.lock().unwrap() = 2;
    stopped.1.notify_all();
    maker.join().unwrap().unwrap();
}

/// A write of several buffers is seen whole or not at all.
#[test]
fn reads_see_whole_writes() {
    let fs = MemoryFs::new();
    let root = fs.root();
    let file = open(&*root, "file", CREATE);
    write(&*file, &[0; 10_000], 0).unwrap();
    std::thread::scope(|s| {
        for i in 1..4 {
            let file = &file;
            s.spawn(move || {
                for _ in 0..200 {
                    let (a, b) = ([i; 3000], [i; 7000]);
                    assert_eq!(file.write_at(&[IoSlice::new(&a), IoSlice::new(&b)], 0), Ok(10_000));
                }
            });
        }
        for _ in 0..400 {
            let seen = read(&*file, 10_000, 0);
            assert!(seen.iter().all(|byte| *byte == seen[0]), "a torn read");
        }
    });
}

/// A writer numbers what it writes, in two files in turn and with new names between. Whenever a fork is made, it has
/// all that was done until then and nothing that came later.
#[test]
fn forks_are_of_one_moment() {
    const WRITERS: usize = 3;
    const FORKS: usize = 300;
    let fs = MemoryFs::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    let number = |fs: &MemoryFs, path: &str| {
        let bytes = fs.read(path).unwrap();
        assert!(bytes.chunks(8).all(|part| *part == bytes[..8]), "half a write of {path}");
        u64::from_le_bytes(bytes[..8].try_into().unwrap())
    };
    for w in 0..WRITERS {
        fs.create_dir_all(&format!("{w}/names")).unwrap();
        for name in ["a", "b"] {
            fs.write(&format!("{w}/{name}"), [0; 20_000]).unwrap();
        }
    }
    std::thread::scope(|s| {
        for w in 0..WRITERS {
            let (fs, done) = (&fs, &done);
            s.spawn(move || {
                let root = fs.root();
                let dir = open_dir(&*root, &w.to_string());
                let [a, b] = ["a", "b"].map(|name| open(&*dir, name, CREATE));
                let mut n = 0_u64;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    n += 1;
                    let bytes = n.to_le_bytes().repeat(2500);
                    let (one, other) = bytes.split_at(7000);
                    assert_eq!(a.write_at(&[IoSlice::new(one), IoSlice::new(other)], 0), Ok(20_000));
                    drop(open(&*dir, &format!("names/{n}"), CREATE));
                    assert_eq!(write(&*b, &bytes, 0), Ok(20_000));
                    dir.unlink(&format!("names/{n}")).unwrap();
                }
            });
        }
        for _ in 0..FORKS {
            let fork = fs.fork();
            for w in 0..WRITERS {
                let [a, b] = ["a", "b"].map(|name| number(&fork, &format!("{w}/{name}")));
                let names: Vec<_> =
                    open_dir(&*fork.root(), &format!("{w}/names")).entries().unwrap().collect();
                let named = names.get(2).map(|name| name.as_ref().unwrap().name.parse::<u64>().unwrap());
                // Between two writes one is ahead; the name is there from before the second until after it.
                assert!(matches!((a - b, named), (0, None) | (1, None)) || named == Some(a) && a - b <= 1);
                assert_eq!(number(&fork, &format!("{w}/a")), a, "a fork does not change");
            }
            fork.write("0/a", "").unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(fs.read("0/a").unwrap().len(), 20_000);
}

/// Somebody who writes much at once, again and again, does not keep others out.
#[test]
fn a_large_write_lets_others_in() {
    let fs = MemoryFs::new();
    let root = fs.root();
    fs.write("small", "text").unwrap();
    let (large, small) = (open(&*root, "large", CREATE), open(&*root, "small", CREATE));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|s| {
        let done = &done;
        s.spawn(move || {
            let data = vec![1; 40 << 20];
            let mut n = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) && n < 2000 {
                n += 1;
                assert_eq!(write(&*large, &data, 0), Ok(40 << 20));
            }
            assert!(n < 2000, "the others never came in");
        });
        for _ in 0..100 {
            write(&*small, b"t", 0).unwrap();
            assert_eq!(read(&*small, 4, 0), b"text");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// Whatever threads do to the same few names, the books balance in the end.
#[test]
fn all_is_given_back_after_a_storm() {
    let fs = MemoryFs::with_limit(40 << 10);
    std::thread::scope(|s| {
        for seed in 1..5_u64 {
            let fs = &fs;
            s.spawn(move || {
                let root = fs.root();
                let mut random = seed;
                for _ in 0..4000 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let (a, b) = (format!("{}", (random >> 33) % 4), format!("{}", (random >> 40) % 4));
                    let within = format!("{a}/{b}");
                    // Any of them may fail, as others are at the same names.
                    let _ = match (random >> 50) % 9 {
                        0 => root.create_dir(&a),
                        1 => root.open(&a, CREATE).and_then(|node| match node {
                            Node::File(file) => write(&*file, &[1; 5000], random % 9000).map(drop),
                            Node::Dir(_) => Ok(()),
                        }),
                        2 => root.symlink(&a, &b),
                        3 => root.rename(&a, &*root, &b),
                        4 => root.rename(&a, &*root, &within),
                        5 => root.rename(&within, &*root, &a),
                        6 => root.hard_link(&a, Follow::Yes, &*root, &within),
                        7 => root.unlink(&a),
                        _ => root.remove_dir(&a),
                    };
                    assert!(fs.used() <= 40 << 10);
                }
            });
        }
    });
    clear(&*fs.root());
    assert_eq!(fs.used(), 0);
    assert_eq!(fs.root().metadata().unwrap().nlink, 2);
}

fn clear(dir: &dyn Dir) {
    for entry in dir.entries().unwrap() {
        let name = entry.unwrap().name;
        if name == "." || name == ".." {
            continue;
        }
        if dir.unlink(&name) == Err(Errno::IsDir) {
            clear(&*open_dir(dir, &name));
            dir.remove_dir(&name).unwrap();
        }
    }
}
