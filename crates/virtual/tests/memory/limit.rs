//! What a filesystem may hold, and what counts.

use crate::*;

const PAGE: u64 = 4096;
const NODE: u64 = 256;

fn name(name: &str) -> u64 {
    64 + name.len() as u64
}

#[test]
fn everything_counts_and_everything_is_given_back() {
    let fs = MemoryFs::new();
    let root = fs.root();
    assert_eq!(fs.used(), 0);
    let file = open(&*root, "file", CREATE);
    let made = NODE + name("file");
    assert_eq!(fs.used(), made);
    write(&*file, b"x", 0).unwrap();
    assert_eq!(fs.used(), made + PAGE);
    write(&*file, &[1; 4096], 0).unwrap();
    assert_eq!(fs.used(), made + PAGE);
    write(&*file, b"x", 4096).unwrap();
    assert_eq!(fs.used(), made + 2 * PAGE);
    file.set_len(4096).unwrap();
    assert_eq!(fs.used(), made + PAGE);
    file.set_len(1).unwrap();
    assert_eq!(fs.used(), made + PAGE);
    file.set_len(0).unwrap();
    assert_eq!(fs.used(), made);
    root.hard_link("file", Follow::No, &*root, "other name").unwrap();
    assert_eq!(fs.used(), made + name("other name"));
    root.symlink("where it leads", "link").unwrap();
    root.create_dir("dir").unwrap();
    let all = made + name("other name") + 2 * NODE + name("link") + name("dir") + 14;
    assert_eq!(fs.used(), all);
    root.rename("other name", &*root, "dir/o").unwrap();
    assert_eq!(fs.used(), all - 9);
    for path in ["dir/o", "link"] {
        root.unlink(path).unwrap();
    }
    root.remove_dir("dir").unwrap();
    assert_eq!(fs.used(), made);
    write(&*file, b"x", 0).unwrap();
    root.unlink("file").unwrap();
    assert_eq!(fs.used(), NODE + PAGE, "as long as it is open");
    drop(file);
    assert_eq!(fs.used(), 0);
}

#[test]
fn writes_what_fits() {
    let fs = MemoryFs::with_limit(NODE + name("f") + 2 * PAGE + 100);
    let file = open(&*fs.root(), "f", CREATE);
    assert_eq!(write(&*file, &[1; 3 * 4096], 0), Ok(2 * 4096));
    assert_eq!(file.metadata().unwrap().size, 2 * PAGE);
    assert_eq!(write(&*file, b"x", 2 * PAGE), Err(Errno::NoSpc));
    assert_eq!(file.append(&[IoSlice::new(b""), IoSlice::new(b"x")]), Err(Errno::NoSpc));
    assert_eq!(file.metadata().unwrap().size, 2 * PAGE);
    assert_eq!(write(&*file, &[2; 100], 0), Ok(100), "what is there may be written over");
    file.set_len(PAGE).unwrap();
    let parts = [&[3; 4000][..], &[4; 200]].map(IoSlice::new);
    assert_eq!(file.write_at(&parts, PAGE), Ok(4096));
    assert_eq!(read(&*file, 200, 2 * PAGE - 100), [&[3; 4][..], &[4; 96]].concat());
}

#[test]
fn nothing_is_half_made() {
    let fs = MemoryFs::with_limit(2 * NODE + name("file") + name("dir") + 10);
    let root = fs.root();
    root.create_dir("dir").unwrap();
    drop(open(&*root, "file", CREATE));
    let used = fs.used();
    let refused = [
        root.open("new", CREATE).map(drop),
        root.create_dir("new"),
        root.symlink("x", "new"),
        root.hard_link("file", Follow::No, &*root, "new"),
        root.rename("file", &*root, "a name of more bytes, before the old one goes"),
    ];
    assert_eq!(refused, [Err(Errno::NoSpc); 5]);
    assert_eq!(fs.used(), used);
    assert_eq!(root.stat("file", Follow::No).unwrap().nlink, 1);
    let names: Vec<_> = root.entries().unwrap().map(|entry| entry.unwrap().name).collect();
    assert_eq!(names, [".", "..", "dir", "file"]);
    root.remove_dir("dir").unwrap();
    root.create_dir("new").unwrap();
}

#[test]
fn a_full_filesystem_still_replaces() {
    let fs = MemoryFs::with_limit(2 * NODE + name("a") + name("b"));
    let root = fs.root();
    for path in ["a", "b"] {
        drop(open(&*root, path, CREATE));
    }
    root.rename("a", &*root, "b").unwrap();
    assert_eq!(fs.used(), NODE + name("b"));
}

/// However it goes about it, a guest ends at the limit.
#[test]
fn no_way_around() {
    let limit = 1 << 20;
    type Fill = fn(&dyn Dir, usize) -> Result<()>;
    let fills: [(&str, Fill); 6] = [
        ("files", |d, i| d.open(&i.to_string(), CREATE).map(drop)),
        ("directories", |d, i| d.create_dir(&i.to_string())),
        ("symlinks", |d, i| d.symlink(&"x".repeat(4095), &i.to_string())),
        ("names", |d, i| match i {
            0 => d.open("0", CREATE).map(drop),
            i => d.hard_link("0", Follow::No, d, &format!("{i:0>255}")),
        }),
        ("pages", |d, i| write(&*open(d, "file", CREATE), b"x", i as u64 * 1_000_000).map(drop)),
        ("allocation", |d, i| open(d, "file", CREATE).allocate(i as u64 * 5000, 5000)),
    ];
    for (what, fill) in fills {
        let fs = MemoryFs::with_limit(limit);
        let root = fs.root();
        let full = (0..10_000).map(|i| fill(&*root, i)).find_map(Result::err);
        assert_eq!(full, Some(Errno::NoSpc), "{what}");
        assert!(fs.used() <= limit && fs.used() > limit - 16_384, "{what}: {} of {limit}", fs.used());
    }
}

#[test]
fn holes_are_free() {
    let fs = MemoryFs::with_limit(64 << 10);
    let file = open(&*fs.root(), "file", CREATE);
    let made = fs.used();
    file.set_len(1 << 40).unwrap();
    assert_eq!(fs.used(), made);
    assert_eq!(read(&*file, 1000, 1 << 39), vec![0; 1000]);
    assert_eq!(fs.used(), made);
    write(&*file, b"in the middle", 1 << 39).unwrap();
    assert_eq!(fs.used(), made + PAGE);
    write(&*file, b"over two", PAGE * 7 - 4).unwrap();
    assert_eq!(fs.used(), made + 3 * PAGE);
    assert_eq!(read(&*file, 12, PAGE * 7 - 6), b"\0\0over two\0\0");
    file.set_len(i64::MAX as u64).unwrap();
    assert_eq!(write(&*file, b"ab", i64::MAX as u64 - 1), Ok(1), "the last byte of all");
    assert_eq!(file.append(&[IoSlice::new(b"x")]), Err(Errno::FBig));
    file.set_len(0).unwrap();
    assert_eq!(fs.used(), made);
}

#[test]
fn allocation_fills_holes_or_does_nothing() {
    let fs = MemoryFs::with_limit(NODE + name("a") + NODE + name("b") + 4 * PAGE);
    let root = fs.root();
    let (a, b) = (open(&*root, "a", CREATE), open(&*root, "b", CREATE));
    write(&*a, b"x", PAGE).unwrap();
    let before = fs.used();
    for (offset, len) in [(0, 5 * PAGE), (0, 1 << 40), (1 << 40, 5 * PAGE), (PAGE, i64::MAX as u64 - PAGE)] {
        assert_eq!(a.allocate(offset, len), Err(Errno::NoSpc));
    }
    assert_eq!(a.allocate(i64::MAX as u64, 1), Err(Errno::FBig));
    assert_eq!((fs.used(), a.metadata().unwrap().size), (before, PAGE + 1));
    a.allocate(0, 4 * PAGE).unwrap();
    assert_eq!(fs.used(), before + 3 * PAGE, "the page that was there is not counted again");
    assert_eq!(write(&*b, b"x", 0), Err(Errno::NoSpc));
    assert_eq!(write(&*a, &[1; 4 * 4096], 0), Ok(4 * 4096), "there is room for what was allocated");
}
