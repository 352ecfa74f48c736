//! After a grant was taken back nothing that came from it works.

use super::permissions::{CALLS, FILE_CALLS};
use super::spy::Spy;
use crate::*;
use std::sync::atomic::Ordering::Relaxed;
use wasi_host_core::fs::{Cursor, Seek};
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
            assert_eq!(call(dir), Err(Errno::BadF), "{what}");
        }
    }
    for (what, _, call) in FILE_CALLS {
        assert_eq!(call(&file), Err(Errno::BadF), "{what} of a file");
    }
    assert_eq!(file.set_times(SetTime::Now, SetTime::Now, None), Err(Errno::BadF));
    let mut cursor = Cursor::default();
    assert_eq!(cursor.read(&file, &mut [IoSliceMut::new(&mut [0; 8])]), Err(Errno::BadF));
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"x")]), Err(Errno::BadF));
    for to in [Seek::Start(0), Seek::Current(0), Seek::End(0)] {
        assert_eq!(cursor.seek(&file, to), Err(Errno::BadF), "{to:?}");
    }
    cursor.append = true;
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"x")]), Err(Errno::BadF));
    assert_eq!(calls.load(Relaxed), asked, "the backend was asked");
    assert_eq!(fs.read("file").unwrap(), b"text");
}

#[test]
fn nothing_is_lent() {
    let fs = fixture();
    fs.write("page", [7; 4096]).unwrap();
    let top = full(&fs);
    let (reading, writing) = (top.open("page", READ).unwrap(), top.open("page", WRITE).unwrap());
    assert_eq!(reading.read_at(&mut [IoSliceMut::new(&mut [0; 8])], 0), Ok(8));
    assert_eq!(reading.lend(5000, 0).as_deref(), Some(&[7; 4096][..]));
    assert_eq!(writing.lend(5000, 0), None, "it was not opened for reading");
    top.grant().revoke();
    assert_eq!(reading.lend(5000, 0), None);
}

#[test]
fn so_is_either_end() {
    let fs = fixture();
    let (valid, revoked) = (full(&fs), full(&fs));
    revoked.grant().revoke();
    for (from, to) in [(&valid, &revoked), (&revoked, &valid)] {
        assert_eq!(from.rename("file", to, "new"), Err(Errno::BadF));
        assert_eq!(from.hard_link("file", Follow::No, to, "new"), Err(Errno::BadF));
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
    assert_eq!(entries.next().unwrap(), Err(Errno::BadF));
}
