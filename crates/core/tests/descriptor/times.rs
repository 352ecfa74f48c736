//! The present of a context whose clock is not the system's.

use crate::*;
use wasi_host_core::time::{SetTime, Timestamp};

#[test]
fn now_is_what_the_context_says() {
    let (a, b) = (Timestamp::new(1_000, 1).unwrap(), Timestamp::new(2_000, 2).unwrap());
    let fs = fixture();
    let top = full(&fs);
    let (file, dir) = (top.open("file", BOTH).unwrap(), top.open("dir", READ).unwrap());
    let times = |of: &Descriptor| {
        let m = of.metadata().unwrap();
        (m.accessed, m.modified)
    };
    for what in [&file, &dir] {
        what.set_times(SetTime::Now, SetTime::Now, Some(a)).unwrap();
        assert_eq!(times(what), (a, a));
        what.set_times(SetTime::Keep, SetTime::Now, Some(b)).unwrap();
        assert_eq!(times(what), (a, b));
        what.set_times(SetTime::At(b), SetTime::Keep, Some(a)).unwrap();
        assert_eq!(times(what), (b, b));
    }
    top.set_times_at("link", Follow::Yes, SetTime::Now, SetTime::Keep, Some(a)).unwrap();
    assert_eq!(times(&file), (a, b));
    top.set_times_at("link", Follow::No, SetTime::Now, SetTime::Now, Some(a)).unwrap();
    assert_eq!(times(&file), (a, b));
    assert_eq!(top.stat("link", Follow::No).unwrap().modified, a);
    top.set_times_at("dir", Follow::No, SetTime::Keep, SetTime::Now, Some(a)).unwrap();
    assert_eq!(times(&dir), (b, a));
}

#[test]
fn without_one_it_is_the_backends() {
    let fs = fixture();
    let file = full(&fs).open("file", BOTH).unwrap();
    let made = file.metadata().unwrap().changed;
    let long_ago = Timestamp::new(1, 0).unwrap();
    file.set_times(SetTime::Now, SetTime::Now, Some(long_ago)).unwrap();
    file.set_times(SetTime::Now, SetTime::Now, None).unwrap();
    assert!(file.metadata().unwrap().modified >= made);
}
