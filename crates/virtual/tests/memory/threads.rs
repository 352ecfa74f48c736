//! Many threads in one filesystem.

use crate::*;
use std::sync::{Condvar, Mutex};
use std::time::SystemTime;

/// Reads and writes go on while the tree is locked: here by a thread that makes a directory, and whose clock
/// stands still until they are done.
#[test]
fn content_does_not_wait_for_names() {
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
