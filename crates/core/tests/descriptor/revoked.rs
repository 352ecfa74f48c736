//! After a grant was taken back nothing that came from it works.

use super::permissions::{CALLS, FILE_CALLS};
use super::spy::Spy;
use crate::*;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::fs::Cursor;
use wasi_host_core::time::SetTime;

#[test]
fn everything_is_refused() {
    let fs = fixture();
    let (root, calls) = Spy::on(fs.root());
    let top = Descriptor::preopen(root, Arc::new(Grant::full()));
    let file = top.open("file", BOTH).unwrap();
    let below = top.open("dir", READ).unwrap();
    top.grant().revoke();
    let asked = calls.load(Relaxed);
    for dir in [&top, &below] {
        for (what, _, _, call) in CALLS {
            assert_eq!(call(dir), Err(Errno::NotCapable), "{what}");
        }
    }
    for (what, _, call) in FILE_CALLS {
        assert_eq!(call(&file), Err(Errno::NotCapable), "{what} of a file");
    }
    assert_eq!(file.set_times(SetTime::Now, SetTime::Now, None), Err(Errno::NotCapable));
    let mut cursor = Cursor::default();
    assert_eq!(cursor.read(&file, &mut [IoSliceMut::new(&mut [0; 8])]), Err(Errno::NotCapable));
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"x")]), Err(Errno::NotCapable));
    cursor.append = true;
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"x")]), Err(Errno::NotCapable));
    assert_eq!(calls.load(Relaxed), asked, "the backend was asked");
    assert_eq!(fs.read("file").unwrap(), b"text");
}

#[test]
fn so_is_either_end() {
    let fs = fixture();
    let (valid, revoked) = (full(&fs), full(&fs));
    revoked.grant().revoke();
    for (from, to) in [(&valid, &revoked), (&revoked, &valid)] {
        assert_eq!(from.rename("file", to, "new"), Err(Errno::NotCapable));
        assert_eq!(from.hard_link("file", Follow::No, to, "new"), Err(Errno::NotCapable));
    }
    assert_eq!(
        valid.rename("file", &valid, "new"),
        Ok(()),
        "another grant of the same directory still holds"
    );
}

#[test]
fn so_is_a_listing_under_way() {
    let fs = fixture();
    let top = full(&fs);
    let mut entries = top.entries().unwrap();
    assert!(entries.next().unwrap().is_ok());
    top.grant().revoke();
    assert_eq!(entries.next().unwrap(), Err(Errno::NotCapable));
}
