//! Many threads at once.

use super::check::*;
use crate::fs::{Dir, Follow};
use std::io::IoSlice;
use std::sync::Arc;

super::list!("threads": appends_are_whole, creates_are_all_there, renames_lose_nothing);

const THREADS: usize = 4;

fn each(work: impl Fn(usize) + Sync) {
    std::thread::scope(|s| {
        for i in 0..THREADS {
            let work = &work;
            s.spawn(move || work(i));
        }
    });
}

fn appends_are_whole(root: &Arc<dyn Dir>) {
    put(&**root, "log", "");
    each(|i| {
        let file = open(&**root, "log", WRITE);
        let line = [b'a' + i as u8; 100];
        for _ in 0..200 {
            equal("append", ok("append", file.append(&[IoSlice::new(&line)])), 100);
        }
    });
    let all = read(&*open(&**root, "log", READ), 0, 1 << 20);
    equal("length", all.len(), THREADS * 200 * 100);
    for (i, line) in all.chunks(100).enumerate() {
        holds(format_args!("line {i} is torn"), line.iter().all(|b| *b == line[0]));
    }
}

fn creates_are_all_there(root: &Arc<dyn Dir>) {
    make_dir(&**root, "dir");
    each(|i| {
        for j in 0..100 {
            let name = format!("dir/{i}-{j}");
            put(&**root, &name, &name);
            if j % 2 == 0 {
                ok("unlink", root.unlink(&name));
            }
        }
    });
    let dir = open_dir(&**root, "dir");
    let left = names(&*dir);
    equal("how many are left", left.len(), THREADS * 50);
    for name in left {
        equal(&name, content(&*dir, &name), format!("dir/{name}"));
    }
}

/// Directories moved into one another from several sides: each stays reachable, none comes to hold itself.
fn renames_lose_nothing(root: &Arc<dyn Dir>) {
    for name in ["a", "b", "c", "d"] {
        put(&*make_dir(&**root, name), "file", name);
    }
    let homes = ["a", "b", "c", "d"];
    each(|i| {
        for round in 0..200 {
            let (from, to) = (homes[i], homes[(i + 1 + round % 3) % 4]);
            let inside = format!("{to}/{from}");
            // Refused while another thread has either of them elsewhere.
            if root.rename(from, &**root, &inside).is_ok() {
                let _ = root.stat(&format!("{inside}/.."), Follow::Yes);
                while root.rename(&inside, &**root, from).is_err() {
                    // Its new home was itself moved: it comes back.
                    std::thread::yield_now();
                }
            }
        }
    });
    equal("names", names(&**root), homes.map(str::to_owned).to_vec());
    for name in homes {
        equal(name, content(&**root, &format!("{name}/file")), name.into());
    }
}
