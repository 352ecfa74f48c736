//! The position that a descriptor keeps.

use crate::*;
use wasi_host_core::fs::{Cursor, Seek};

fn next(cursor: &mut Cursor, file: &Descriptor, len: usize) -> Vec<u8> {
    let mut data = vec![0; len];
    let n = cursor.read(file, &mut [IoSliceMut::new(&mut data)]).unwrap();
    data.truncate(n);
    data
}

#[test]
fn moves_with_reads_and_writes() {
    let fs = fixture();
    let file = full(&fs).open("file", BOTH).unwrap();
    let mut cursor = Cursor::default();
    assert_eq!(next(&mut cursor, &file, 2), b"te");
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"XYZ")]), Ok(3));
    assert_eq!(cursor.position(), 5);
    assert_eq!(next(&mut cursor, &file, 10), b"");
    assert_eq!(cursor.seek(&file, Seek::Start(1)), Ok(1));
    assert_eq!((next(&mut cursor, &file, 3), cursor.position()), (b"eXY".to_vec(), 4));
    cursor.advance(7);
    assert_eq!(cursor.position(), 11);
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"!")]), Ok(1));
    assert_eq!(fs.read("file").unwrap(), b"teXYZ\0\0\0\0\0\0!");
}

#[test]
fn two_are_independent() {
    let fs = fixture();
    let file = full(&fs).open("file", READ).unwrap();
    let (mut one, mut other) = (Cursor::default(), Cursor::default());
    assert_eq!(next(&mut one, &file, 3), b"tex");
    assert_eq!(next(&mut other, &file, 2), b"te");
    assert_eq!(next(&mut one, &file, 3), b"t");
}

#[test]
fn append_can_be_switched() {
    let fs = fixture();
    let file = full(&fs).open("file", BOTH).unwrap();
    let mut cursor = Cursor::default();
    cursor.append = true;
    assert_eq!(next(&mut cursor, &file, 1), b"t");
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"12")]), Ok(2));
    assert_eq!(cursor.position(), 6);
    cursor.seek(&file, Seek::Start(0)).unwrap();
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"3")]), Ok(1), "at the end, wherever the cursor is");
    cursor.append = false;
    cursor.seek(&file, Seek::Start(0)).unwrap();
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"T")]), Ok(1));
    assert_eq!(fs.read("file").unwrap(), b"Text123");
}

#[test]
fn seeks() {
    let fs = fixture();
    let file = full(&fs).open("file", BOTH).unwrap();
    let mut cursor = Cursor::default();
    for (to, expected) in [
        (Seek::Start(3), Ok(3)),
        (Seek::Current(-2), Ok(1)),
        (Seek::Current(0), Ok(1)),
        (Seek::End(0), Ok(4)),
        (Seek::End(-4), Ok(0)),
        (Seek::End(-5), Err(Errno::Inval)),
        (Seek::Start(-1), Err(Errno::Inval)),
        (Seek::Start(i64::MIN), Err(Errno::Inval)),
        (Seek::Current(-1), Err(Errno::Inval)),
        (Seek::Current(0), Ok(0)),
        (Seek::End(100), Ok(104)),
        (Seek::Start(i64::MAX), Ok(i64::MAX as u64)),
        (Seek::Current(1), Err(Errno::Inval)),
        (Seek::Current(i64::MAX), Err(Errno::Inval)),
        (Seek::End(i64::MAX), Err(Errno::Inval)),
        (Seek::Current(0), Ok(i64::MAX as u64)),
    ] {
        assert_eq!(cursor.seek(&file, to), expected, "{to:?}");
    }
    assert_eq!(next(&mut cursor, &file, 4), b"", "far beyond the end");
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"x")]), Err(Errno::FBig));
    assert_eq!(cursor.position(), i64::MAX as u64, "what fails moves nothing");
}

#[test]
fn not_in_directories_nor_without_leave() {
    let fs = fixture();
    let top = full(&fs);
    let mut cursor = Cursor::default();
    assert_eq!(cursor.seek(&top, Seek::Start(0)), Err(Errno::BadF));
    let write_only = top.open("file", WRITE).unwrap();
    assert_eq!(cursor.read(&write_only, &mut [IoSliceMut::new(&mut [0; 1])]), Err(Errno::BadF));
    let read_only = top.open("file", READ).unwrap();
    assert_eq!(cursor.write(&read_only, &[IoSlice::new(b"x")]), Err(Errno::BadF));
    cursor.append = true;
    assert_eq!(cursor.write(&read_only, &[IoSlice::new(b"x")]), Err(Errno::BadF));
    assert_eq!(cursor.position(), 0);
}

#[test]
fn append_stays_within_the_limit() {
    let fs = fixture();
    let file = limited(&fs, |limits| limits.file_size = 6).open("file", BOTH).unwrap();
    let mut cursor = Cursor::default();
    cursor.append = true;
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"123")]), Ok(2));
    assert_eq!(cursor.position(), 6);
    assert_eq!(cursor.write(&file, &[IoSlice::new(b"3")]), Err(Errno::FBig));
}
