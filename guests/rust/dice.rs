//! Depends on everything that differs from one run to the next: it prints the date, throws dice, sleeps for as long as it
//! is told, and lists a directory.
//!
//! ```text
//! dice SECONDS [DIR]
//! ```

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    let mut args = std::env::args().skip(1);
    let seconds = args.next().and_then(|text| text.parse().ok()).expect("how many seconds to sleep");
    let start = Instant::now();
    let date = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    println!("{}.{:09} s after 1970", date.as_secs(), date.subsec_nanos());
    let throws: Vec<u64> = (0..5u8).map(|n| RandomState::new().hash_one(n) % 6 + 1).collect();
    println!("thrown: {throws:?}");
    std::thread::sleep(Duration::from_secs(seconds));
    println!("slept: {:?}", start.elapsed());
    for entry in args.next().iter().flat_map(|dir| std::fs::read_dir(dir).expect("the directory")) {
        let entry = entry.expect("an entry");
        let about = entry.metadata().expect("what it is");
        let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        println!("{}, {} bytes, changed at {modified:?}", entry.file_name().display(), about.len());
    }
}
