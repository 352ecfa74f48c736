//! Directories that are moved and swapped while paths lead through them.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Dir, FileType, Follow, Node, Open};
use wasi_host_native::fs::NativeDir;

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
const CREATE: Open = Open { write: true, create: true, ..READ };
const ROUNDS: usize = 20_000;

/// How to get the directory of a tree in which `secret` and `planted` would lie beside the root.
const WAYS: [fn(NativeDir) -> NativeDir; 2] = [|dir| dir, NativeDir::without_openat2];

fn tree() -> TempDir {
    let dir = TempDir::new_in("/dev/shm").unwrap();
    fs::write(dir.path().join("secret"), "secret").unwrap();
    fs::create_dir_all(dir.path().join("root/a/b/c")).unwrap();
    dir
}

fn names(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Does `disturb` a bounded number of times in one thread and, as long as that takes, `attempt` in another.
fn meanwhile(mut disturb: impl FnMut() + Send, mut attempt: impl FnMut()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                disturb();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            attempt();
        }
    });
}

#[test]
fn parents_that_move_away() {
    for way in WAYS {
        let tree = tree();
        let path = |name: &str| tree.path().join("root").join(name);
        let root = way(NativeDir::open_ambient(path("")).unwrap());
        let (deep, shallow) = (path("a/b/c"), path("c"));
        let mut tried = 0;
        let disturb = || {
            fs::rename(&deep, &shallow).unwrap();
            fs::rename(&shallow, &deep).unwrap();
        };
        meanwhile(disturb, || {
            // With `c` in its place this is `root/a/secret`, which is not there. Two up from `root/c` is the real one.
            match root.open("a/b/c/../../secret", READ) {
                Ok(_) => panic!("got out"),
                Err(Errno::NoEnt | Errno::Again | Errno::NotCapable) => tried += 1,
                Err(e) => panic!("{e:?}"),
            }
            // If a move is missed, these make a file and a directory beside the root.
            match root.open("a/b/c/../../planted", CREATE) {
                Ok(_) | Err(Errno::NoEnt | Errno::Again | Errno::NotCapable) => {}
                Err(e) => panic!("{e:?}"),
            }
            match root.create_dir("a/b/c/../../planted_dir") {
                Ok(()) | Err(Errno::NoEnt | Errno::Exist | Errno::Again | Errno::NotCapable) => {}
                Err(e) => panic!("{e:?}"),
            }
        });
        assert!(tried > 100, "tried {tried} times only");
        assert_eq!(names(&tree), ["root", "secret"]);
    }
}

#[test]
fn directories_that_become_links() {
    for way in WAYS {
        let tree = tree();
        fs::create_dir(tree.path().join("outside")).unwrap();
        fs::write(tree.path().join("outside/x"), "secret").unwrap();
        let path = |name: &str| tree.path().join("root").join(name);
        fs::write(path("a/x"), "inside").unwrap();
        fs::write(path("own"), "own").unwrap();
        symlink("../outside", path("swap")).unwrap();
        let root = way(NativeDir::open_ambient(path("")).unwrap());
        let (one, other) = (path("a"), path("swap"));
        let (mut opened, mut refused) = (0, 0);
        let disturb = || renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
        meanwhile(disturb, || {
            match root.open("a/x", READ) {
                Ok(Node::File(file)) => {
                    let mut content = [0; 6];
                    file.read_at(&mut [std::io::IoSliceMut::new(&mut content)], 0).unwrap();
                    assert_eq!(&content, b"inside");
                    opened += 1;
                }
                Ok(Node::Dir(_)) => panic!("a directory"),
                Err(Errno::NotCapable | Errno::Again) => refused += 1,
                Err(e) => panic!("{e:?}"),
            }
            // Each of these would change what is outside if the link were followed.
            let _ = root.open("a/new", Open { exclusive: true, ..CREATE });
            let _ = root.unlink("a/new");
            let _ = root.hard_link("own", Follow::Yes, &root, "a/linked");
            let _ = root.rename("a/linked", &root, "swap/linked");
            let _ = root.unlink("a/linked");
            let _ = root.unlink("swap/linked");
            let _ = root.create_dir("a/made");
            let _ = root.remove_dir("a/made");
        });
        assert!(opened > 0 && refused > 0, "opened {opened}, refused {refused}: no race was met");
        assert_eq!(names(&tree), ["outside", "root", "secret"]);
        let outside: Vec<_> = fs::read_dir(tree.path().join("outside")).unwrap().collect();
        assert_eq!(outside.len(), 1);
        assert_eq!(fs::read_to_string(tree.path().join("outside/x")).unwrap(), "secret");
    }
}

#[test]
fn files_that_become_links() {
    for way in WAYS {
        let tree = tree();
        let path = |name: &str| tree.path().join("root").join(name);
        fs::write(path("a/x"), "inside").unwrap();
        symlink("../../secret", path("a/link")).unwrap();
        let root = way(NativeDir::open_ambient(path("")).unwrap());
        let (one, other) = (path("a/x"), path("a/link"));
        let disturb = || renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
        let (mut opened, mut refused) = (0, 0);
        meanwhile(disturb, || {
            match root.open("a/x", Open { truncate: false, ..CREATE }) {
                Ok(Node::File(file)) => {
                    file.write_at(&[std::io::IoSlice::new(b"inside")], 0).unwrap();
                    opened += 1;
                }
                Ok(Node::Dir(_)) => panic!("a directory"),
                Err(Errno::NotCapable | Errno::Again) => refused += 1,
                Err(e) => panic!("{e:?}"),
            }
            let size = root.stat("a/x", Follow::Yes).map(|m| m.size);
            assert!(matches!(size, Ok(6) | Err(Errno::NotCapable | Errno::Again)), "{size:?}");
            // Of the link or of the file, whichever is there; never of what the link points to.
            let _ = root.hard_link("a/x", Follow::Yes, &root, "linked");
            let _ = root.unlink("linked");
        });
        assert!(opened > 0 && refused > 0, "opened {opened}, refused {refused}: no race was met");
        assert_eq!(fs::read_to_string(tree.path().join("secret")).unwrap(), "secret");
        assert_eq!(fs::metadata(tree.path().join("secret")).unwrap().nlink(), 1);
    }
}

/// What `/proc` calls links are doors: they lead anywhere, without a path.
#[test]
fn magic_links() {
    let held = fs::File::open("/etc/passwd").unwrap();
    let fd = format!("self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&held));
    for way in WAYS {
        let proc = way(NativeDir::open_ambient("/proc").unwrap());
        for path in
            ["self/root", "self/root/", "self/root/etc/passwd", "self/cwd", "self/exe", "self/ns/mnt", &fd]
        {
            let refused =
                |e| assert!(matches!(e, Errno::Loop | Errno::NotCapable | Errno::NoEnt), "{path}: {e:?}");
            refused(proc.open(path, READ).unwrap_err());
            refused(proc.stat(path, Follow::Yes).unwrap_err());
            let cached = proc.try_stat(path, Follow::Yes).unwrap_err();
            if cached != Errno::Again {
                refused(cached);
            }
        }
        // As a link it may be looked at.
        assert_eq!(proc.stat("self/exe", Follow::No).unwrap().file_type, FileType::SymbolicLink);
        // `/proc/self` itself is an ordinary link.
        assert!(proc.open("self/status", READ).is_ok());
    }
}
