//! One file of a directory, and nothing else of it.

use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use wasi_host_core::fs::{Dir, FileType, Follow, Node, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_core::{Errno, Result};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::single_file::SingleFile;

/// The same tree in memory and on a disk, with one file of it.
fn both(test: fn(Arc<dyn Dir>, SingleFile)) {
    let disk = tempfile::tempdir().unwrap();
    let roots: [Arc<dyn Dir>; 2] =
        [MemoryFs::new().root(), Arc::new(NativeDir::open_ambient(disk.path()).unwrap())];
    for root in roots {
        root.create_dir("dir").unwrap();
        for (path, content) in [("dir/file", "text"), ("dir/other", "hidden"), ("secret", "hidden")] {
            write(&*root, path, content).unwrap();
        }
        root.symlink("file", "dir/link").unwrap();
        let single = SingleFile::new(root.clone(), "dir/file").unwrap().named("name").unwrap();
        test(root, single);
    }
}

const READ: Open = Open {
    read: true,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
    sync: wasi_host_core::fs::Sync::No,
};
const WRITE: Open = Open { write: true, read: false, ..READ };
const CREATE: Open = Open { create: true, ..WRITE };

fn write(dir: &dyn Dir, path: &str, content: &str) -> Result<()> {
    match dir.open(path, Open { truncate: true, ..CREATE })? {
        Node::File(file) => file.write_at(&[IoSlice::new(content.as_bytes())], 0).map(drop),
        Node::Dir(_) => Err(Errno::IsDir),
    }
}

fn read(dir: &dyn Dir, path: &str) -> Result<String> {
    let Node::File(file) = dir.open(path, READ)? else { return Err(Errno::IsDir) };
    let mut bytes = [0; 64];
    let n = file.read_at(&mut [IoSliceMut::new(&mut bytes)], 0)?;
    Ok(String::from_utf8(bytes[..n].to_vec()).unwrap())
}

#[test]
fn it_is_all_there_is() {
    both(|root, single| {
        for path in ["name", "./name", ".//name", "././name"] {
            assert_eq!(read(&single, path).unwrap(), "text", "{path}");
            assert_eq!(single.stat(path, Follow::No).unwrap().size, 4);
        }
        for path in ["file", "other", "link", "secret", "dir", "dir/file", "dir/name"] {
            assert_eq!(single.open(path, READ).unwrap_err(), Errno::NoEnt, "{path}");
            assert_eq!(single.stat(path, Follow::Yes), Err(Errno::NoEnt), "{path}");
        }
        for path in ["..", "../secret", "./../dir/other", "name/../../secret"] {
            let e = single.open(path, READ).unwrap_err();
            assert!(matches!(e, Errno::NotCapable | Errno::NotDir), "{path}: {e:?}");
        }
        for path in ["name/", "name/.", "name/x", "name/.."] {
            assert_eq!(single.stat(path, Follow::Yes), Err(Errno::NotDir), "{path}");
        }
        assert_eq!(single.stat("", Follow::Yes), Err(Errno::NoEnt));
        assert_eq!(single.stat("/name", Follow::Yes), Err(Errno::NotCapable));
        assert_eq!(single.stat(".", Follow::Yes).unwrap().file_type, FileType::Directory);
        let names: Vec<_> = single.entries().unwrap().map(|e| e.unwrap()).collect();
        let listed: Vec<_> = names.iter().map(|e| (&*e.name, e.file_type)).collect();
        let dir = FileType::Directory;
        assert_eq!(listed, [(".", dir), ("..", dir), ("name", FileType::RegularFile)]);
        assert_eq!(names[2].ino, root.stat("dir/file", Follow::No).unwrap().ino);
        let Node::Dir(again) = single.open(".", READ).unwrap() else { panic!("no directory") };
        assert_eq!(read(&*again, "name").unwrap(), "text");
        assert_eq!(again.stat("other", Follow::No), Err(Errno::NoEnt));
        assert_eq!(single.read_link("name"), Err(Errno::Inval));
        assert_eq!(single.read_link("link"), Err(Errno::NoEnt));
    });
}

#[test]
fn it_is_written_where_it_is() {
    both(|root, single| {
        // As a C library writes it: made if it is not there, and cut.
        write(&single, "name", "new").unwrap();
        assert_eq!(read(&*root, "dir/file").unwrap(), "new");
        let then = SetTime::At(Timestamp::new(1_000_000_000, 0).unwrap());
        single.set_times("name", Follow::Yes, then, then).unwrap();
        assert_eq!(root.stat("dir/file", Follow::Yes).unwrap().modified.seconds(), 1_000_000_000);
        assert_eq!(single.set_times(".", Follow::Yes, then, then), Err(Errno::Perm));
        let exclusive = Open { exclusive: true, ..CREATE };
        assert_eq!(single.open("name", exclusive).unwrap_err(), Errno::Exist);
        assert_eq!(single.open(".", WRITE).unwrap_err(), Errno::IsDir);
        assert_eq!(single.open("name", Open { directory: true, ..READ }).unwrap_err(), Errno::NotDir);
        assert_eq!(single.open("x", Open { directory: true, ..CREATE }).unwrap_err(), Errno::Inval);
    });
}

#[test]
fn names_stay_as_they_are() {
    both(|root, single| {
        assert_eq!(single.open("new", CREATE).unwrap_err(), Errno::Perm);
        assert_eq!(single.create_dir("new"), Err(Errno::Perm));
        assert_eq!(single.symlink("name", "new"), Err(Errno::Perm));
        for path in ["name", "."] {
            assert_eq!(single.create_dir(path), Err(Errno::Exist), "{path}");
            assert_eq!(single.symlink("x", path), Err(Errno::Exist), "{path}");
            assert_eq!(single.rename(path, &*root, "new"), Err(Errno::Perm), "{path}");
            assert_eq!(single.hard_link(path, Follow::No, &single, "new"), Err(Errno::Perm), "{path}");
            assert_eq!(single.unlink(path), Err(Errno::Perm), "{path}");
            assert_eq!(single.remove_dir(path), Err(Errno::Perm), "{path}");
        }
        assert_eq!(single.unlink("other"), Err(Errno::NoEnt));
        assert_eq!(single.rename("other", &single, "name"), Err(Errno::NoEnt));
        assert!(root.rename("secret", &single, "name").is_err(), "it is another backend");
        assert_eq!(read(&*root, "dir/file").unwrap(), "text");
    });
}

#[test]
fn it_is_whatever_has_its_place() {
    both(|root, single| {
        root.unlink("dir/file").unwrap();
        assert_eq!(single.stat("name", Follow::Yes), Err(Errno::NoEnt));
        assert_eq!(single.open("name", CREATE).unwrap_err(), Errno::Perm, "it is not made from here");
        assert_eq!(single.entries().unwrap().count(), 2);
        root.create_dir("dir/file").unwrap();
        assert_eq!(single.open("name", READ).unwrap_err(), Errno::NoEnt, "a directory is no file");
        assert_eq!(single.stat("name", Follow::Yes), Err(Errno::NoEnt));
        root.remove_dir("dir/file").unwrap();
        write(&*root, "dir/file", "another").unwrap();
        assert_eq!(read(&single, "name").unwrap(), "another");
        root.unlink("dir/file").unwrap();
        root.symlink("../secret", "dir/file").unwrap();
        assert_eq!(single.stat("name", Follow::No).unwrap().file_type, FileType::RegularFile);
        assert_eq!(read(&single, "name").unwrap(), "hidden", "whoever owns the directory has linked it");
    });
}

#[test]
fn what_is_no_file_or_no_name_is_refused() {
    both(|root, single| {
        let new = |path| SingleFile::new(root.clone(), path).map(drop);
        assert_eq!(new("dir"), Err(Errno::IsDir));
        assert_eq!(new("missing"), Err(Errno::NoEnt));
        for path in ["", ".", "dir/", "dir/..", ".."] {
            assert_eq!(new(path), Err(Errno::Inval), "{path:?}");
        }
        assert_eq!(new("dir/link"), Ok(()));
        for name in ["", ".", "..", "a/b", "/a", "a/", "a\0"] {
            assert_eq!(single.clone().named(name).unwrap_err(), Errno::Inval, "{name:?}");
        }
        assert_eq!(single.clone().named(&"x".repeat(256)).unwrap_err(), Errno::NameTooLong);
    });
}
