//! Files beyond what every backend is tested for: what is the kernel's own in them.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fcntl_getfl};
use rustix::io::{FdFlags, fcntl_getfd};
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::sync::Arc;
use tempfile::TempDir;
use wasi_host_core::fs::{Advice, Blocking, Dir, File, Follow, Node, Open, Sync};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};
use wasi_host_native::fs::{NativeDir, NativeFile};

const MEMORY: &str = "/dev/shm";
const DISK: &str = env!("CARGO_TARGET_TMPDIR");

/// With `openat2` and without.
const WAYS: [fn(NativeDir) -> NativeDir; 2] = [|dir| dir, NativeDir::without_openat2];

fn place(parent: &str) -> (TempDir, NativeDir) {
    let dir = TempDir::new_in(parent).unwrap();
    let native = NativeDir::open_ambient(dir.path()).unwrap();
    (dir, native)
}

fn all() -> Open {
    Open { read: true, write: true, create: true, follow: true, ..Open::default() }
}

fn open(dir: &dyn Dir, name: &str, how: Open) -> Arc<dyn File> {
    match dir.open(name, how).unwrap() {
        Node::File(file) => file,
        Node::Dir(_) => panic!("{name} is a directory"),
    }
}

fn native(file: &Arc<dyn File>) -> &NativeFile {
    (&**file as &dyn std::any::Any).downcast_ref().unwrap()
}

fn read(file: &dyn File, offset: u64) -> Result<Vec<u8>> {
    let mut bytes = [0; 100];
    let n = file.read_at(&mut [IoSliceMut::new(&mut bytes)], offset)?;
    Ok(bytes[..n].to_vec())
}

fn try_read(file: &dyn File, offset: u64) -> Result<Vec<u8>> {
    let (mut one, mut two) = ([0; 3], [0; 97]);
    let n = file.try_read_at(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)], offset)?;
    Ok([&one[..], &two[..]].concat()[..n].to_vec())
}

#[test]
fn flags_of_what_is_opened() {
    let (_dir, dir) = place(DISK);
    let flags = |how| fcntl_getfl(native(&open(&dir, "f", how))).unwrap();
    for (sync, set, not) in [
        (Sync::No, OFlags::empty(), OFlags::DSYNC),
        (Sync::Data, OFlags::DSYNC, OFlags::SYNC.difference(OFlags::DSYNC)),
        (Sync::All, OFlags::SYNC, OFlags::APPEND),
    ] {
        let flags = flags(Open { sync, ..all() });
        assert!(flags.contains(OFlags::NONBLOCK | set), "{flags:?}");
        assert!(!flags.intersects(OFlags::APPEND | not), "{flags:?}");
    }
    let file = open(&dir, "f", all());
    assert!(fcntl_getfd(native(&file)).unwrap().contains(FdFlags::CLOEXEC));
    assert!(fcntl_getfd(&dir).unwrap().contains(FdFlags::CLOEXEC));
}

#[test]
fn new_names_have_the_modes_that_the_umask_leaves() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap().trim();
    let umask = u32::from_str_radix(umask, 8).unwrap();
    for walk in [false, true] {
        let (tmp, dir) = place(MEMORY);
        let dir = if walk { dir.without_openat2() } else { dir };
        open(&dir, "f", all());
        dir.create_dir("d").unwrap();
        let mode = |name| fs::metadata(tmp.path().join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("f"), mode("d")), (0o666 & !umask, 0o777 & !umask));
    }
}

#[test]
fn metadata_is_that_of_the_system() {
    for parent in [MEMORY, DISK] {
        let (tmp, dir) = place(parent);
        open(&dir, "f", all()).write_at(&[IoSlice::new(b"text")], 0).unwrap();
        dir.hard_link("f", Follow::No, &dir, "g").unwrap();
        let theirs = fs::metadata(tmp.path().join("f")).unwrap();
        let ours = open(&dir, "f", Open { create: false, ..all() }).metadata().unwrap();
        assert_eq!(ours, dir.stat("f", Follow::Yes).unwrap());
        assert_eq!((ours.dev, ours.ino, ours.nlink, ours.size), (theirs.dev(), theirs.ino(), 2, 4));
        let time = |s, n| Timestamp::new(s, n as u32).unwrap();
        assert_eq!(ours.accessed, time(theirs.atime(), theirs.atime_nsec()));
        assert_eq!(ours.modified, time(theirs.mtime(), theirs.mtime_nsec()));
        assert_eq!(ours.changed, time(theirs.ctime(), theirs.ctime_nsec()));
    }
}

/// Every time is taken, and what a filesystem cannot hold is cut by the kernel to the nearest that it can.
#[test]
fn extreme_times() {
    for (parent, walk) in [(MEMORY, false), (MEMORY, true), (DISK, false), (DISK, true)] {
        let (_tmp, dir) = place(parent);
        let dir = if walk { dir.without_openat2() } else { dir };
        let file = open(&dir, "f", all());
        for (seconds, nanos) in [
            (0, 0),
            (-1, 999_999_999),
            (-1_000_000, 1),
            (i64::from(i32::MAX) + 1, 1),
            (i64::MIN, 0),
            (i64::MAX, 999_999_999),
            (i64::MIN + 1, 999_999_999),
        ] {
            let time = Timestamp::new(seconds, nanos).unwrap();
            file.set_times(SetTime::At(time), SetTime::Keep).unwrap();
            dir.set_times("f", Follow::Yes, SetTime::Keep, SetTime::At(time)).unwrap();
            let m = file.metadata().unwrap();
            assert_eq!(m.accessed, m.modified, "both ways cut the same");
            if seconds.unsigned_abs() < 1 << 31 {
                assert_eq!(m.modified, time);
            } else {
                assert_eq!(m.modified.seconds().signum(), seconds.signum(), "cut, not wrapped: {m:?}");
            }
        }
        dir.set_times(".", Follow::No, SetTime::At(Timestamp::new(-5, 5).unwrap()), SetTime::Now).unwrap();
        let m = dir.metadata().unwrap();
        assert_eq!(m.accessed, Timestamp::new(-5, 5).unwrap());
        assert!(m.modified > Timestamp::new(1_700_000_000, 0).unwrap());
    }
}

/// To `preadv2` the offset -1 is the position that all users of a descriptor share.
#[test]
fn no_offset_is_a_position() {
    for parent in [MEMORY, DISK] {
        let (_tmp, dir) = place(parent);
        let file = open(&dir, "f", all());
        file.write_at(&[IoSlice::new(b"text")], 0).unwrap();
        for offset in [u64::MAX, i64::MAX as u64 + 1] {
            assert_eq!(read(&*file, offset), Err(Errno::Inval));
            assert_eq!(try_read(&*file, offset), Err(Errno::Inval));
            assert_eq!(file.write_at(&[IoSlice::new(b"x")], offset), Err(Errno::Inval));
            assert_eq!(file.write_at(&[IoSlice::new(b"x"), IoSlice::new(b"y")], offset), Err(Errno::Inval));
            assert_eq!(file.set_len(offset), Err(Errno::Inval));
            assert_eq!(file.allocate(offset, 1), Err(Errno::Inval));
            assert_eq!(file.advise(offset, 1, Advice::Normal), Err(Errno::Inval));
        }
        assert_eq!(file.allocate(1, u64::MAX), Err(Errno::FBig));
        assert_eq!(file.allocate(1, i64::MAX as u64), Err(Errno::FBig));
        file.advise(1, u64::MAX, Advice::WillNeed).unwrap_err();
        assert_eq!(read(&*file, i64::MAX as u64 - 100), Ok(vec![]));
        assert_eq!(read(&*file, 0), Ok(b"text".to_vec()));
    }
}

#[test]
fn more_buffers_than_one_call_takes_are_a_short_count() {
    for parent in [MEMORY, DISK] {
        let (_tmp, dir) = place(parent);
        let file = open(&dir, "f", all());
        let bytes = [b'x'; 3000];
        let bufs: Vec<_> = bytes.chunks(1).map(IoSlice::new).collect();
        assert_eq!(file.write_at(&bufs, 0), Ok(1024));
        assert_eq!(file.append(&bufs), Ok(1024));
        let mut room = [0; 3000];
        let mut bufs: Vec<_> = room.chunks_mut(1).map(IoSliceMut::new).collect();
        assert_eq!(file.read_at(&mut bufs, 0), Ok(1024));
        assert_eq!(file.try_read_at(&mut bufs, 0), Ok(1024));
        assert_eq!(room[..1025], [&[b'x'; 1024][..], &[0]].concat());
        assert_eq!(file.read_at(&mut [], 0), Ok(0));
        assert_eq!(file.write_at(&[], 0), Ok(0));
        assert_eq!(file.append(&[]), Ok(0));
    }
}

#[test]
fn appending_never_overwrites() {
    const EACH: usize = 500;
    for parent in [MEMORY, DISK] {
        let (tmp, dir) = place(parent);
        std::thread::scope(|scope| {
            for letter in [b'a', b'b', b'c'] {
                let file = open(&dir, "f", all());
                scope.spawn(move || {
                    for _ in 0..EACH {
                        assert_eq!(file.append(&[IoSlice::new(&[letter; 7]), IoSlice::new(b"\n")]), Ok(8));
                    }
                });
            }
        });
        let written = fs::read(tmp.path().join("f")).unwrap();
        let lines: Vec<_> = written.chunks(8).collect();
        for letter in [b'a', b'b', b'c'] {
            let line = [&[letter; 7][..], b"\n"].concat();
            assert_eq!(lines.iter().filter(|l| ***l == line[..]).count(), EACH);
        }
    }
}

#[test]
fn allocating_grows_and_never_shrinks() {
    for parent in [MEMORY, DISK] {
        let (tmp, dir) = place(parent);
        let file = open(&dir, "f", all());
        file.write_at(&[IoSlice::new(b"text")], 0).unwrap();
        file.allocate(0, 2).unwrap();
        assert_eq!(file.metadata().unwrap().size, 4);
        file.allocate(1000, 100_000).unwrap();
        let m = fs::metadata(tmp.path().join("f")).unwrap();
        assert_eq!(m.len(), 101_000);
        assert!(m.blocks() * 512 >= 100_000, "there is room for them");
        assert_eq!(read(&*file, 0).unwrap()[..5], *b"text\0");
    }
}

#[test]
fn what_was_unlinked_lives_while_it_is_open() {
    for parent in [MEMORY, DISK] {
        let (_tmp, dir) = place(parent);
        let file = open(&dir, "f", all());
        dir.unlink("f").unwrap();
        file.write_at(&[IoSlice::new(b"text")], 0).unwrap();
        file.append(&[IoSlice::new(b"more")]).unwrap();
        assert_eq!(read(&*file, 0), Ok(b"textmore".to_vec()));
        let m = file.metadata().unwrap();
        assert_eq!((m.nlink, m.size), (0, 8));
        file.set_times(SetTime::Now, SetTime::Now).unwrap();
        file.sync(true).unwrap();
        assert_eq!(dir.stat("f", Follow::No).unwrap_err(), Errno::NoEnt);
    }
}

#[test]
fn memory_never_blocks_and_the_disk_may() {
    let (tmp, dir) = place(MEMORY);
    assert_eq!(dir.blocking(), Blocking::Never);
    let file = open(&dir, "f", all());
    assert_eq!(file.blocking(), Blocking::Never);
    file.write_at(&[IoSlice::new(b"text")], 0).unwrap();
    assert_eq!(try_read(&*file, 1), Ok(b"ext".to_vec()));
    let Node::File(_) = dir.try_open("new", all()).unwrap() else { panic!("a directory") };

    let (_tmp, disk) = place(DISK);
    assert_eq!(disk.blocking(), Blocking::Maybe);
    assert_eq!(open(&disk, "f", all()).blocking(), Blocking::Maybe);
    assert_eq!(disk.try_open("new", all()).unwrap_err(), Errno::Again);
    assert_eq!(disk.stat("new", Follow::No).unwrap_err(), Errno::NoEnt);

    // Each file is told by the filesystem that it is on, not by that of the directory it was opened from.
    let top = NativeDir::open_ambient("/").unwrap();
    let below =
        |path: &str| open(&top, path.strip_prefix('/').unwrap(), Open { read: true, ..Open::default() });
    assert_eq!(below(tmp.path().join("f").to_str().unwrap()).blocking(), Blocking::Never);
    assert_eq!(below("/proc/self/../version").blocking(), Blocking::Maybe);
    assert_eq!(top.blocking(), Blocking::Maybe);
}

/// Not in an old kernel, and not where a filter forbids `openat2`.
fn has_cached_lookups() -> bool {
    let (flags, how) = (OFlags::PATH | OFlags::CLOEXEC, ResolveFlags::CACHED);
    rustix::fs::openat2(CWD, "/", flags, Mode::empty(), how).is_ok()
}

#[test]
fn what_is_cached_is_read_without_waiting() {
    let (tmp, dir) = place(DISK);
    fs::write(tmp.path().join("f"), "some text").unwrap();
    let how = Open { read: true, follow: true, ..Open::default() };
    dir.stat("f", Follow::No).unwrap();
    if !has_cached_lookups() {
        assert_eq!(dir.try_open("f", how).unwrap_err(), Errno::Again);
        return;
    }
    let Node::File(file) = dir.try_open("f", how).unwrap() else { panic!("a directory") };
    assert_eq!(try_read(&*file, 5), Ok(b"text".to_vec()));
    assert_eq!(try_read(&*file, 9), Ok(vec![]));
    assert_eq!(dir.try_stat("f", Follow::Yes), dir.stat("f", Follow::Yes));
    assert_eq!(dir.without_openat2().try_open("f", how).unwrap_err(), Errno::Again);
}

#[test]
fn what_cannot_be_read_without_waiting_says_again() {
    let proc = NativeDir::open_ambient("/proc").unwrap();
    let file = open(&proc, "version", Open { read: true, ..Open::default() });
    for _ in 0..3 {
        assert_eq!(try_read(&*file, 0), Err(Errno::Again));
    }
    assert!(read(&*file, 0).unwrap().starts_with(b"Linux"));
}

#[test]
fn two_filesystems_are_two_devices() {
    let (_one, memory) = place(MEMORY);
    let (_two, disk) = place(DISK);
    open(&memory, "f", all());
    assert_eq!(memory.rename("f", &disk, "f"), Err(Errno::XDev));
    assert_eq!(memory.hard_link("f", Follow::No, &disk, "f"), Err(Errno::XDev));
    // A path that leads outside is another thing.
    assert_eq!(memory.rename("../f", &disk, "f"), Err(Errno::NotCapable));
    assert_eq!(memory.rename("f", &disk, "../f"), Err(Errno::NotCapable));
    assert_eq!(memory.hard_link("f", Follow::No, &disk, "../f"), Err(Errno::NotCapable));
}

/// Names go between two directories of this backend, whichever way each resolves paths.
#[test]
fn two_directories_of_one_filesystem() {
    let (one, from) = place(MEMORY);
    let (two, to) = place(MEMORY);
    let to = to.without_openat2();
    fs::write(one.path().join("f"), "text").unwrap();
    to.create_dir("d").unwrap();
    from.hard_link("f", Follow::No, &to, "d/linked").unwrap();
    from.rename("f", &to, "d/moved").unwrap();
    assert_eq!(fs::read_to_string(two.path().join("d/linked")).unwrap(), "text");
    assert_eq!(fs::metadata(two.path().join("d/moved")).unwrap().nlink(), 2);
    assert!(!one.path().join("f").exists());
}

#[test]
fn paths_that_nothing_can_have() {
    for way in WAYS {
        let (_tmp, dir) = place(MEMORY);
        let dir = way(dir);
        open(&dir, "f", all());
        let long = "x".repeat(256);
        let longer = "./".repeat(2048) + "f";
        let cases = [
            ("", Errno::NoEnt),
            ("/", Errno::NotCapable),
            ("/f", Errno::NotCapable),
            ("f\0", Errno::Inval),
            ("d\0/f", Errno::Inval),
            ("f\0/", Errno::Inval),
            (&long, Errno::NameTooLong),
            (&longer, Errno::NameTooLong),
        ];
        for (path, error) in cases {
            let how = Open { read: true, ..Open::default() };
            let shown = &path[..path.len().min(9)];
            assert_eq!(dir.open(path, how).unwrap_err(), error, "open {shown:?}");
            assert_eq!(dir.open(path, all()).unwrap_err(), error, "create {shown:?}");
            assert_eq!(dir.stat(path, Follow::No).unwrap_err(), error, "lstat {shown:?}");
            assert_eq!(dir.stat(path, Follow::Yes).unwrap_err(), error, "stat {shown:?}");
            assert_eq!(dir.read_link(path).unwrap_err(), error, "readlink {shown:?}");
            assert_eq!(dir.create_dir(path), Err(error), "mkdir {shown:?}");
            assert_eq!(dir.symlink("f", path), Err(error), "symlink {shown:?}");
            assert_eq!(dir.unlink(path), Err(error), "unlink {shown:?}");
            assert_eq!(dir.remove_dir(path), Err(error), "rmdir {shown:?}");
            assert_eq!(dir.rename(path, &dir, "g"), Err(error), "rename {shown:?}");
            assert_eq!(dir.rename("f", &dir, path), Err(error), "rename to {shown:?}");
            assert_eq!(dir.hard_link(path, Follow::Yes, &dir, "g"), Err(error), "link {shown:?}");
            assert_eq!(dir.hard_link("f", Follow::No, &dir, path), Err(error), "link to {shown:?}");
            assert_eq!(dir.set_times(path, Follow::No, SetTime::Now, SetTime::Now), Err(error), "{shown:?}");
            assert_eq!(dir.set_times(path, Follow::Yes, SetTime::Now, SetTime::Now), Err(error), "{shown:?}");
        }
    }
}

/// Whatever a path does on its way, afterwards as many descriptors are open as before.
#[test]
fn no_call_keeps_a_descriptor() {
    for way in WAYS {
        let (tmp, dir) = place(MEMORY);
        let dir = way(dir);
        let held = || {
            let fds = fs::read_dir("/proc/self/fd").unwrap();
            fds.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
                .filter(|p| p.starts_with(tmp.path()))
                .count()
        };
        dir.create_dir("d").unwrap();
        dir.create_dir("d/e").unwrap();
        dir.symlink("d/e/..", "link").unwrap();
        dir.symlink("../..", "out").unwrap();
        fs::write(tmp.path().join("f"), "").unwrap();
        assert_eq!(held(), 1);
        for _ in 0..20 {
            for path in ["link/e/../new", "out/x", "d/e/../../f/", "nothing/x", "link/", ".", "..", "f"] {
                let _ = dir.open(path, all());
                let _ = dir.try_open(path, Open { read: true, ..Open::default() });
                let _ = dir.stat(path, Follow::Yes);
                let _ = dir.read_link(path);
                let _ = dir.symlink("f", path);
                let _ = dir.hard_link(path, Follow::Yes, &dir, "link/linked");
                let _ = dir.rename(path, &dir, "d/e/../renamed");
                let _ = dir.rename("d/e/../renamed", &dir, path);
                let _ = dir.set_times(path, Follow::Yes, SetTime::Now, SetTime::Now);
                let _ = dir.unlink("link/linked");
                let _ = dir.create_dir("link/made");
                let _ = dir.remove_dir("link/made");
                let _ = dir.entries().map(Iterator::count);
            }
        }
        assert_eq!(held(), 1);
    }
}

#[test]
fn a_long_way_down_and_up() {
    let (tmp, dir) = place(MEMORY);
    let dir = dir.without_openat2();
    fs::create_dir_all(tmp.path().join("d/".repeat(800))).unwrap();
    fs::write(tmp.path().join("f"), "text").unwrap();
    let back = "d/".repeat(800) + &"../".repeat(800) + "f";
    let file = open(&dir, &back, Open { read: true, ..Open::default() });
    assert_eq!(read(&*file, 0), Ok(b"text".to_vec()));
    let outside = "d/".repeat(800) + &"../".repeat(801) + "f";
    assert_eq!(dir.stat(&outside, Follow::Yes).unwrap_err(), Errno::NotCapable);
}

/// As many links as the kernel follows, and not one more.
#[test]
fn forty_links() {
    let (tmp, dir) = place(MEMORY);
    fs::write(tmp.path().join("0"), "text").unwrap();
    for n in 0..41 {
        dir.symlink(&n.to_string(), &(n + 1).to_string()).unwrap();
    }
    let walk = NativeDir::open_ambient(tmp.path()).unwrap().without_openat2();
    for dir in [dir, walk] {
        assert_eq!(dir.stat("40", Follow::Yes).map(|m| m.size), Ok(4));
        assert_eq!(dir.stat("41", Follow::Yes).unwrap_err(), Errno::Loop);
        assert_eq!(
            dir.stat("./41", Follow::No).unwrap().file_type,
            wasi_host_core::fs::FileType::SymbolicLink
        );
    }
}

/// Reads and writes at offsets leave the descriptor's own position alone.
#[test]
fn positions_are_nobodys_business() {
    let tmp = TempDir::new_in(DISK).unwrap();
    let std = fs::File::options().read(true).write(true).create_new(true).open(tmp.path().join("f")).unwrap();
    let file = NativeFile::from_std(std.try_clone().unwrap()).unwrap();
    file.write_at(&[IoSlice::new(b"text")], 2).unwrap();
    file.append(&[IoSlice::new(b"more")]).unwrap();
    try_read(&file, 0).unwrap();
    read(&file, 1).unwrap();
    assert_eq!(rustix::fs::tell(&std).unwrap(), 0);
    let mut all = [0; 10];
    std.read_exact_at(&mut all, 0).unwrap();
    assert_eq!(&all, b"\0\0textmore");
}
