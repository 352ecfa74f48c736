//! Paths that lead out, and permissions that are not given.

use super::*;
use wasi_host::bindings::clocks::wall_clock;
use wasi_host::bindings::sync::filesystem::types::{self as files, NewTimestamp};
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};

/// Each function that takes a path, with every ending of a path that leads out of the directory.
#[test]
fn no_path_leads_out() {
    let disk = tempfile::tempdir().unwrap();
    let inside = disk.path().join("in");
    let outside = disk.path().join("out");
    std::fs::create_dir(&inside).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, inside.join(name)).unwrap();
    link("../out", "relative");
    link(outside.to_str().unwrap(), "absolute");
    link("relative", "chain");
    link("../out/missing", "dangling");
    link("/proc/self/root", "magic");
    std::fs::create_dir(inside.join("d")).unwrap();
    let seen = || {
        let mut all: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|e| e.unwrap().file_name()).collect();
        all.sort();
        (all, std::fs::metadata(&outside).unwrap().modified().unwrap())
    };
    let before = seen();
    let endings = ["", "/", "/.", "//", "/..", "/secret", "/secret/", "/new", "/new/", "/./new"];
    let begins = ["relative", "absolute", "chain", "dangling", "magic", "../out", "d/../../out", "/etc", "."];
    let mut builder = WasiCtxBuilder::new();
    builder.preopened_dir(&inside, "/", DirPerms::all(), FilePerms::all()).unwrap();
    let g = &mut Guest::new(Kind::Sync, &mut builder);
    let root = roots(g).remove(0);
    let out = |path: &str| !path.starts_with('.') || path.starts_with("..") || path == "./..";
    for path in begins.iter().flat_map(|begin| endings.map(|end| format!("{begin}{end}"))) {
        if !out(&path) {
            continue;
        }
        let mut v = WasiImpl(&mut g.state);
        for open in 0..16 {
            for flags in [DescriptorFlags::READ, DescriptorFlags::WRITE, DescriptorFlags::MUTATE_DIRECTORY] {
                let open = OpenFlags::CREATE & flag(open & 1)
                    | OpenFlags::TRUNCATE & flag(open & 2)
                    | OpenFlags::EXCLUSIVE & flag(open & 4)
                    | OpenFlags::DIRECTORY & flag(open & 8);
                for at in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
                    let opened = fs(v.open_at(b(&root), at, path.clone(), open, flags));
                    assert!(opened.is_err(), "{path} {open:?} {flags:?}");
                }
            }
        }
        let follow = PathFlags::SYMLINK_FOLLOW;
        let now = || NewTimestamp::Timestamp(wall_clock::Datetime { seconds: 1, nanoseconds: 0 });
        assert!(fs(v.stat_at(b(&root), follow, path.clone())).is_err(), "{path}");
        assert!(fs(v.metadata_hash_at(b(&root), follow, path.clone())).is_err(), "{path}");
        assert!(fs(v.set_times_at(b(&root), follow, path.clone(), now(), now())).is_err(), "{path}");
        assert!(fs(v.link_at(b(&root), follow, path.clone(), b(&root), "stolen".into())).is_err(), "{path}");
        assert!(fs(v.create_directory_at(b(&root), path.clone())).is_err(), "{path}");
        assert!(fs(v.symlink_at(b(&root), "x".into(), path.clone())).is_err(), "{path}");
        if path.contains('/') {
            std::fs::write(inside.join("mine"), "").unwrap();
            let at = PathFlags::empty();
            assert!(fs(v.link_at(b(&root), at, "mine".into(), b(&root), path.clone())).is_err(), "{path}");
            assert!(fs(v.rename_at(b(&root), "mine".into(), b(&root), path.clone())).is_err(), "{path}");
            assert!(fs(v.rename_at(b(&root), "d".into(), b(&root), path.clone())).is_err(), "{path}");
            assert!(fs(v.rename_at(b(&root), path.clone(), b(&root), "stolen".into())).is_err(), "{path}");
            assert!(fs(v.remove_directory_at(b(&root), path.clone())).is_err(), "{path}");
            assert!(fs(v.unlink_file_at(b(&root), path.clone())).is_err(), "{path}");
            assert!(fs(v.readlink_at(b(&root), path.clone())).is_err(), "{path}");
        } else if let Ok(target) = fs(v.readlink_at(b(&root), path.clone())) {
            assert!(!target.starts_with('/'), "{target}");
        }
        assert_eq!(seen(), before, "{path}");
    }
    assert!(fs(WasiImpl(&mut g.state).symlink_at(b(&root), "/etc".into(), "l".into())).is_err());
}

fn flag(on: u32) -> OpenFlags {
    if on > 0 { OpenFlags::all() } else { OpenFlags::empty() }
}

/// Permissions hold for every way to open, and nothing is moved to where more is allowed.
#[test]
fn no_permission_is_gained() {
    let disk = tempfile::tempdir().unwrap();
    for dir in backends(&disk) {
        let mut builder = WasiCtxBuilder::new();
        builder.preopened_shared(dir.clone(), "ro", DirPerms::READ, FilePerms::READ);
        builder.preopened_shared(dir.clone(), "names", DirPerms::all(), FilePerms::READ);
        builder.preopened_shared(dir, "rw", DirPerms::all(), FilePerms::all());
        let g = &mut Guest::new(Kind::Sync, &mut builder);
        let [ro, names, rw] = <[Fd; 3]>::try_from(roots(g)).unwrap();
        let both = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let f = open_at(g, &rw, "f", OpenFlags::CREATE, both).unwrap();
        files::HostDescriptor::write(&mut WasiImpl(&mut g.state), b(&f), b"hello".to_vec(), 0).unwrap();
        for bits in 0..16 {
            let open = OpenFlags::CREATE & flag(bits & 1)
                | OpenFlags::TRUNCATE & flag(bits & 2)
                | OpenFlags::EXCLUSIVE & flag(bits & 4)
                | OpenFlags::DIRECTORY & flag(bits & 8);
            for flags in [DescriptorFlags::empty(), DescriptorFlags::READ, DescriptorFlags::WRITE, both] {
                for (dir, path) in [(&ro, "f"), (&names, "f"), (&ro, "new"), (&ro, "./f"), (&ro, ".")] {
                    let Ok(fd) = open_at(g, dir, path, open, flags) else { continue };
                    let mut v = WasiImpl(&mut g.state);
                    assert!(
                        fs(files::HostDescriptor::write(&mut v, b(&fd), b"x".to_vec(), 0)).is_err(),
                        "{path} {open:?} {flags:?}"
                    );
                    assert!(fs(v.set_size(b(&fd), 0)).is_err());
                    assert!(fs(v.write_via_stream(b(&fd), 0)).is_err());
                    assert!(fs(v.append_via_stream(b(&fd))).is_err());
                    assert!(fs(v.set_times(b(&fd), NewTimestamp::Now, NewTimestamp::Now)).is_err());
                }
                let (bytes, _) =
                    fs(files::HostDescriptor::read(&mut WasiImpl(&mut g.state), b(&f), 10, 0)).unwrap();
                assert_eq!(bytes, b"hello", "{open:?} {flags:?}");
            }
        }
        let dirs = [&ro, &names, &rw];
        let mut v = WasiImpl(&mut g.state);
        for (from, to) in dirs.iter().flat_map(|from| dirs.map(|to| (*from, to))) {
            let same = from.rep() == to.rep() && from.rep() != ro.rep();
            let moved = fs(v.rename_at(b(from), "f".into(), b(to), "g".into()));
            assert_eq!(moved.is_ok(), same, "{moved:?}");
            if moved.is_ok() {
                fs(v.rename_at(b(&rw), "g".into(), b(&rw), "f".into())).unwrap();
            }
            let linked = fs(v.link_at(b(from), PathFlags::empty(), "f".into(), b(to), "g".into()));
            assert!(linked.is_err() || same || to.rep() == names.rep(), "{linked:?}");
            if linked.is_ok() {
                fs(v.unlink_file_at(b(&rw), "g".into())).unwrap();
            }
        }
    }
}
