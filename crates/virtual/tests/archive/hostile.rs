//! Archives that lie, lead outside, or would blow up.

use super::make::*;
use crate::common::*;
use std::sync::Arc;
use tar::EntryType;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Dir, FileType, Follow, Node};
use wasi_host_virtual::archive::{ArchiveError, ArchiveFs, Limits};

fn tar_error(tar: Tar) -> ArchiveError {
    ArchiveFs::tar(tar.end(), Limits::default()).unwrap_err()
}

fn zip_error(member: Member) -> ArchiveError {
    ArchiveFs::zip(zip(&[Member::file("first", "text"), member]), Limits::default()).unwrap_err()
}

#[test]
fn names_that_lead_outside() {
    let too_long = "x".repeat(256);
    for name in ["../a", "a/../b", "a/..", "..", "/a", "//a", &too_long] {
        let member = Member::file(name, "");
        assert!(matches!(zip_error(member), ArchiveError::Name(_)), "{name}");
    }
    for name in ["../a", "a/../b", "a/..", "..", "/a", "//a"] {
        for kind in [EntryType::Regular, EntryType::Directory, EntryType::Symlink] {
            let error = tar_error(Tar::new().raw(name.as_bytes(), kind, "x", b""));
            assert!(matches!(error, ArchiveError::Name(_)), "{name}: {error}");
        }
        let error = tar_error(Tar::new().file("a", "").hard_link("b", name));
        assert!(matches!(error, ArchiveError::Name(_)), "{name}: {error}");
    }
    assert!(matches!(tar_error(Tar::new().raw(b"\xFF", EntryType::Regular, "", b"")), ArchiveError::Name(_)));
    let pax = Tar::new().pax([("path", &b"../a"[..])]).file("a", "");
    assert!(matches!(tar_error(pax), ArchiveError::Name(_)));
    let latin = Member { name: b"\xE4".into(), ..Member::default() };
    assert!(matches!(zip_error(latin), ArchiveError::Name(_)));
    assert!(matches!(zip_error(Member::file("a\0b", "")), ArchiveError::Name(_)));
}

/// No member is put behind a link, wherever that leads, and links lead nowhere that a guest could not go.
#[test]
fn links() {
    let through = Tar::new().link("link", "/etc").file("link/passwd", "x");
    assert!(matches!(tar_error(through), ArchiveError::Conflict(_)));
    let through = Tar::new().dir("dir").link("link", "dir").file("link/file", "x");
    assert!(matches!(tar_error(through), ArchiveError::Conflict(_)));
    for target in ["none", "dir", "."] {
        let error = tar_error(Tar::new().dir("dir").hard_link("a", target));
        assert!(matches!(error, ArchiveError::Link(_)), "{target}: {error}");
    }
    assert!(matches!(tar_error(Tar::new().link("a", "")), ArchiveError::Link(_)));
    assert!(matches!(zip_error(Member::link("a", "")), ArchiveError::Link(_)));
    assert!(matches!(zip_error(Member::link("a", &"x".repeat(4096))), ArchiveError::Link(_)));
    assert!(matches!(zip_error(Member { flags: 1, ..Member::link("a", "b") }), ArchiveError::Link(_)));
    let members = [
        Member::link("root", "/"),
        Member::link("up", "../.."),
        Member::link("a", "b"),
        Member::link("b", "a"),
        Member::link("long", &"x/".repeat(2000)),
    ];
    let root = ArchiveFs::zip(zip(&members), Limits::default()).unwrap().root();
    for (path, error) in [
        ("root", Errno::NotCapable),
        ("root/etc", Errno::NotCapable),
        ("up", Errno::NotCapable),
        ("a", Errno::Loop),
        ("long", Errno::NoEnt),
    ] {
        assert_eq!(root.stat(path, Follow::Yes), Err(error), "{path}");
        assert_eq!(root.open(path, READ).map(drop), Err(error), "{path}");
    }
}

#[test]
fn both_a_directory_and_not() {
    for tar in [
        Tar::new().file("a", "").file("a/b", ""),
        Tar::new().file("a/b", "").file("a", ""),
        Tar::new().dir("a").link("a", "x"),
        Tar::new().file("a", "").dir("a"),
        Tar::new().file(".", ""),
        Tar::new().file("a", "").dir("b").hard_link("b", "a"),
    ] {
        assert!(matches!(tar_error(tar), ArchiveError::Conflict(_)));
    }
}

/// What says that it is longer than the whole archive, or lies elsewhere.
#[test]
fn sizes_that_lie() {
    let mut bytes = Tar::new().file("a", "text").end();
    let mut header = tar::Header::from_byte_slice(&bytes[..512]).clone();
    for size in [2000, 1 << 40, u64::MAX >> 1] {
        header.set_size(size);
        header.set_cksum();
        bytes[..512].copy_from_slice(header.as_bytes());
        assert!(matches!(ArchiveFs::tar(bytes.clone(), Limits::default()), Err(ArchiveError::Bounds(_))));
    }
    for (size, error) in [("99999999999999999999", false), ("18446744073709551615", true), ("5000", false)] {
        let tar = Tar::new().pax([("size", size.as_bytes())]).file("a", "text").end();
        assert!(ArchiveFs::tar(tar, Limits::default()).is_err() || !error, "{size}");
    }
    for cut in [100, 511, 513] {
        let cut = Tar::new().file("a", "text").end()[..cut].to_vec();
        assert!(ArchiveFs::tar(cut, Limits::default()).is_err());
    }
    let large = Member { size: Some(1 << 30), stored: Some(1 << 30), ..Member::file("a", "text") };
    assert!(matches!(zip_error(large.clone()), ArchiveError::Bounds(_)));
    assert!(matches!(zip_error(Member { size: Some(5), ..large.clone() }), ArchiveError::Bounds(_)));
    assert!(matches!(
        zip_error(Member { header: Some(1 << 30), ..Member::file("a", "text") }),
        ArchiveError::Bounds(_)
    ));
    let nowhere = Member { size: Some(u32::MAX), ..Member::deflated("a", "text") };
    assert!(matches!(zip_error(nowhere), ArchiveError::Bounds(_)), "a size of 64 bits that is missing");
    // It reaches into what comes behind, which is in the archive, but is not longer than it says.
    let into = Member { size: Some(50), stored: Some(50), ..Member::file("a", "text") };
    let root = ArchiveFs::zip(zip(&[into]), Limits::default()).unwrap().root();
    assert_eq!(read(&*open_file(&*root, "a", READ), 1000, 0).len(), 50);
    // A header that is none.
    let none = Member { header: Some(3), ..Member::file("b", "text") };
    let root = ArchiveFs::zip(zip(&[Member::file("a", "text"), none]), Limits::default()).unwrap().root();
    assert_eq!(root.open("b", READ).map(drop), Err(Errno::Io));
}

#[test]
fn bombs() {
    let zeros = vec![0; 50 << 20];
    let bomb = zip(&[Member::deflated("bomb", &zeros)]);
    assert!(bomb.len() < 100 << 10);
    let small = Limits { inflated: 1 << 20, ..Limits::default() };
    let root = ArchiveFs::zip(bomb, small).unwrap().root();
    assert_eq!(root.stat("bomb", Follow::No).unwrap().size, 50 << 20);
    assert_eq!(root.open("bomb", READ).map(drop), Err(Errno::NoMem));
    // One that says it is small, and others that are not what they say.
    let text = "text".repeat(100);
    let root = ArchiveFs::zip(
        zip(&[
            Member { size: Some(10), ..Member::deflated("bomb", &zeros) },
            Member { size: Some(500), ..Member::deflated("shorter", &text) },
            Member { crc: Some(1), ..Member::deflated("sum", &text) },
            Member { method: Some(8), ..Member::file("garbage", &text) },
            Member::deflated("sound", &text),
        ]),
        small,
    )
    .unwrap()
    .root();
    for name in ["bomb", "shorter", "sum", "garbage"] {
        assert_eq!(root.open(name, READ).map(drop), Err(Errno::Io), "{name}");
    }
    assert_eq!(content(&*root, "sound"), text);
}

/// A header that would be read into memory whole.
#[test]
fn long_headers() {
    let long = vec![b'x'; 2 << 20];
    let tar = Tar::new().raw(b"././@LongLink", EntryType::GNULongName, "", &long).file("a", "");
    assert!(matches!(tar_error(tar), ArchiveError::Read(_)));
    let tar = Tar::new().pax([("comment", &long[..])]).file("a", "");
    assert!(matches!(tar_error(tar), ArchiveError::Read(_)));
}

/// Neither recursion nor a path for each directory.
#[test]
fn deep() {
    let path = "d/".repeat(200_000);
    let tar = Tar::new().pax([("path", path.as_bytes())]).dir("a").end();
    let fs = ArchiveFs::tar(tar, Limits::default()).unwrap();
    let found = fs.root().stat(&"d/".repeat(100_000), Follow::No).unwrap();
    assert_eq!(found.file_type, FileType::Directory);
    drop(fs);
}

#[test]
fn parts_and_other_formats() {
    let sparse = Tar::new().pax([("GNU.sparse.major", &b"1"[..])]).file("a", "text");
    assert!(matches!(tar_error(sparse), ArchiveError::Unsupported(_)));
    assert!(
        ArchiveFs::tar(&b"no archive at all, but long enough to be looked at"[..], Limits::default())
            .is_err()
    );
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", &[b'x'; 100_000]] {
        let error = ArchiveFs::zip(bytes.to_vec(), Limits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::Unsound(_)), "{error}");
    }
    for (entries, size, start) in
        [(1, 46, 0), (u16::MAX, 0, 0), (2, u32::MAX, 0), (0, 0, u32::MAX), (1, 0, 0), (1, u32::MAX, u32::MAX)]
    {
        let mut bytes = vec![b'x'; 46];
        end(&mut bytes, entries, size, start);
        assert!(ArchiveFs::zip(bytes, Limits::default()).is_err(), "{entries} {size} {start}");
    }
}

/// Looks at everything, and at a part of each file.
fn look(dir: &dyn Dir, depth: usize) {
    let names: Vec<_> = dir.entries().unwrap().map(|entry| entry.unwrap().name).collect();
    for name in names.iter().filter(|name| !matches!(&***name, "." | "..")) {
        let _ = dir.stat(name, Follow::Yes);
        match dir.open(name, READ) {
            Ok(Node::Dir(below)) if depth < 10 => look(&*below, depth + 1),
            Ok(Node::File(file)) => {
                let m = file.metadata().unwrap();
                let mut buf = [0; 100];
                for offset in [0, m.size / 2, m.size] {
                    let _ = file.read_at(&mut [std::io::IoSliceMut::new(&mut buf)], offset);
                }
            }
            _ => {}
        }
    }
}

/// Bytes changed at random give an error or a tree, and never a panic.
#[test]
fn any_bytes() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % n
    };
    let limits = Limits { entries: 1000, inflated: 1 << 20 };
    let tars =
        [tar_of_tree(), Tar::new().pax([("mtime", &b"1.5"[..])]).long(&"long/".repeat(60), b"x").end()];
    let zips = [zip_of_tree(true), zip_of_tree(false)];
    let mut sound = 0;
    for round in 0..6000 {
        let is_tar = round % 2 == 0;
        let mut bytes = if is_tar { &tars } else { &zips }[random(2)].clone();
        for _ in 0..=random(4) {
            // Often near the end, where a zip archive has its directory.
            let at = if random(2) == 0 {
                random(bytes.len())
            } else {
                bytes.len() - 1 - random(bytes.len().min(1500))
            };
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes[at] = 0xFF,
                2 => bytes[at] ^= 1 << random(8),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if is_tar && random(4) > 0 && bytes.len() >= 512 {
            // What is changed within a header would be seen by its sum.
            let mut header = tar::Header::from_byte_slice(&bytes[..512]).clone();
            header.set_cksum();
            bytes[..512].copy_from_slice(header.as_bytes());
        }
        let fs = if is_tar { ArchiveFs::tar(bytes, limits) } else { ArchiveFs::zip(bytes, limits) };
        if let Ok(fs) = fs {
            sound += 1;
            look(&*fs.root(), 0);
        }
    }
    assert!((500..5500).contains(&sound), "{sound}");
}

#[test]
fn shared_by_threads() {
    let text = "text".repeat(10_000);
    let members: Vec<_> = (0..20).map(|i| Member::deflated(&format!("{i}"), &text)).collect();
    let limits = Limits { inflated: 30 * 40_000, ..Limits::default() };
    let root: Arc<dyn Dir> = ArchiveFs::zip(zip(&members), limits).unwrap().root();
    std::thread::scope(|s| {
        for i in 0..4 {
            let (root, text) = (&root, &text);
            s.spawn(move || {
                for round in 0..50 {
                    assert_eq!(content(&**root, &format!("{}", (i * 7 + round) % 20)), *text);
                }
            });
        }
    });
}
