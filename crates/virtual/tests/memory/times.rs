//! Times from the embedder's clock.

use crate::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasi_host_core::time::{SetTime, Timestamp};

fn seconds(s: i64) -> Timestamp {
    Timestamp::new(s, 0).unwrap()
}

#[test]
fn come_from_the_clock_that_was_given() {
    let now = Arc::new(AtomicU64::new(10));
    let clock = now.clone();
    let fs = MemoryFs::with_clock(1 << 20, Arc::new(move || seconds(clock.load(Relaxed) as i64)));
    let root = fs.root();
    let file = open(&*root, "file", CREATE);
    let times = || {
        let m = file.metadata().unwrap();
        [m.accessed, m.modified, m.changed].map(Timestamp::seconds)
    };
    let directory = || root.metadata().unwrap().modified.seconds();
    assert_eq!((times(), directory()), ([10, 10, 10], 10));
    now.store(20, Relaxed);
    write(&*file, b"text", 0).unwrap();
    assert_eq!((times(), directory()), ([10, 20, 20], 10));
    now.store(30, Relaxed);
    read(&*file, 4, 0);
    assert_eq!(times(), [30, 20, 20]);
    now.store(40, Relaxed);
    read(&*file, 4, 0);
    assert_eq!(times(), [30, 20, 20], "read once since it was written: that is known");
    root.rename("file", &*root, "moved").unwrap();
    assert_eq!((times(), directory()), ([30, 20, 40], 40));
    now.store(50, Relaxed);
    file.set_times(SetTime::At(seconds(-5)), SetTime::Now).unwrap();
    assert_eq!(times(), [-5, 50, 50]);
    now.store(60, Relaxed);
    root.hard_link("moved", Follow::No, &*root, "other").unwrap();
    assert_eq!((times(), directory()), ([-5, 50, 60], 60));
}

#[test]
fn every_time_is_kept() {
    let fs = MemoryFs::new();
    fs.write("file", "").unwrap();
    let root = fs.root();
    let extremes =
        [Timestamp::new(i64::MIN, 0), Timestamp::new(i64::MAX, 999_999_999), Timestamp::new(-1, 1)];
    for time in extremes.map(Option::unwrap) {
        root.set_times("file", Follow::No, SetTime::At(time), SetTime::At(time)).unwrap();
        let m = root.stat("file", Follow::No).unwrap();
        assert_eq!((m.accessed, m.modified), (time, time));
    }
}
