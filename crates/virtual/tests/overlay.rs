//! What an overlay promises beyond being one tree: the trees below stay as they are, and nothing shows of the layers.

mod common;

use common::*;
use std::io::IoSlice;
use std::sync::Arc;
use wasi_host_core::Errno::{Exist, FBig, Inval, NameTooLong, NoEnt, NoSpc, NotEmpty, XDev};
use wasi_host_core::fs::{Dir, Follow, Metadata, Open};
use wasi_host_core::time::{SetTime, Timestamp};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::overlay::{Change, OverlayFs};
use wasi_host_virtual::trace::Trace;

/// An overlay over one tree that holds "file", "dir/a", "dir/b", "dir/sub/deep", "empty", and "link" to "dir/a".
fn lower() -> MemoryFs {
    let fs = MemoryFs::new();
    fs.create_dir_all("dir/sub").unwrap();
    fs.create_dir_all("empty").unwrap();
    for path in ["file", "dir/a", "dir/b", "dir/sub/deep"] {
        fs.write(path, path).unwrap();
    }
    fs.root().symlink("dir/a", "link").unwrap();
    fs
}

fn over(lower: &MemoryFs) -> (OverlayFs, Arc<dyn Dir>, MemoryFs) {
    let upper = MemoryFs::new();
    let fs = OverlayFs::new(upper.root(), [lower.root()]).unwrap();
    let root = fs.root();
    (fs, root, upper)
}

fn stat(dir: &dyn Dir, path: &str) -> Metadata {
    dir.stat(path, Follow::No).unwrap()
}

/// Everything below a directory, told as text.
fn everything(dir: &dyn Dir, prefix: &str) -> Vec<String> {
    let mut all = Vec::new();
    for name in names(dir).iter().filter(|name| !matches!(&***name, "." | "..")) {
        let m = stat(dir, name);
        let path = format!("{prefix}{name}");
        all.push(format!("{path} {:?} {} {:?} {}", m.file_type, m.size, m.modified, m.nlink));
        if m.file_type == wasi_host_core::fs::FileType::Directory {
            all.extend(everything(&*open_dir(dir, name), &format!("{path}/")));
        }
    }
    all
}

/// Whatever is done, the lower tree is asked for nothing that would change it.
#[test]
fn lower_trees_stay() {
    let lower = lower();
    let before = everything(&*lower.root(), "");
    let traced = Trace::new(lower.root(), |event| {
        let reads = ["open", "stat", "read_link", "entries", "metadata", "read_at"];
        assert!(reads.contains(&event.call.name()), "{event}");
    });
    let root = OverlayFs::new(MemoryFs::new().root(), [traced.root()]).unwrap().root();
    put(&*root, "file", "new");
    root.rename("dir", &*root, "moved").unwrap();
    root.unlink("link").unwrap();
    root.remove_dir("empty").unwrap();
    root.hard_link("moved/a", Follow::No, &*root, "moved/c").unwrap();
    root.set_times("moved/b", Follow::No, SetTime::Now, SetTime::Now).unwrap();
    let file = open_file(&*root, "moved/sub/deep", READ);
    file.set_times(SetTime::Now, SetTime::Now).unwrap();
    assert_eq!(everything(&*lower.root(), ""), before);
}

#[test]
fn looking_copies_nothing() {
    let lower = lower();
    let (fs, root, upper) = over(&lower);
    everything(&*root, "");
    let dir = open_dir(&*root, "dir");
    assert_eq!(content(&*dir, "a"), "dir/a");
    open_file(&*root, "dir/b", Open { create: true, ..READ });
    assert_eq!(root.open("dir/a", Open { exclusive: true, ..CREATE }).map(drop), Err(Exist));
    assert_eq!(root.remove_dir("dir"), Err(NotEmpty));
    assert_eq!(upper.used(), 0);
    assert_eq!(fs.diff().unwrap(), []);
}

/// A file that is opened to write is copied at once: the same file, to whoever looks.
#[test]
fn copies_are_the_same_file() {
    let lower = lower();
    let old = SetTime::At(Timestamp::new(1_000_000_000, 5).unwrap());
    for path in ["dir", "dir/a"] {
        lower.root().set_times(path, Follow::No, old, old).unwrap();
    }
    let (fs, root, upper) = over(&lower);
    let reader = open_file(&*root, "dir/a", READ);
    let (dir, file) = (stat(&*root, "dir"), stat(&*root, "dir/a"));
    let listed = |root: &dyn Dir| {
        let mut all: Vec<_> = open_dir(root, "dir").entries().unwrap().map(Result::unwrap).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    };
    let list = listed(&*root);
    let writer = open_file(&*root, "dir/a", BOTH);
    assert_eq!(upper.read("dir/a").unwrap(), b"dir/a");
    let same = |a: Metadata, b: Metadata| {
        let of = |m: Metadata| (m.file_type, m.dev, m.ino, m.nlink, m.modified);
        assert_eq!(of(a), of(b));
    };
    same(stat(&*root, "dir/a"), file);
    same(stat(&*root, "dir"), dir);
    same(writer.metadata().unwrap(), file);
    same(reader.metadata().unwrap(), file);
    assert_eq!(listed(&*root), list);
    assert_eq!(fs.diff().unwrap(), [], "nothing was written yet");
    write(&*writer, b"new!!", 0).unwrap();
    assert_eq!(read(&*reader, 10, 0), b"new!!", "who had it open to read goes on with the copy");
    assert_eq!(content(&*root, "link"), "new!!");
    assert_eq!(fs.diff().unwrap(), [(String::from("dir/a"), Change::Changed)]);
}

#[test]
fn numbers_last_as_long_as_what_they_number() {
    let lower = lower();
    let (_, root, _) = over(&lower);
    let numbers = |root: &dyn Dir, paths: [&str; 4]| paths.map(|path| stat(root, path).ino);
    let before = numbers(&*root, ["dir", "dir/a", "dir/sub", "dir/sub/deep"]);
    let held = open_dir(&*root, "dir/sub");
    root.rename("dir", &*root, "moved").unwrap();
    assert_eq!(numbers(&*root, ["moved", "moved/a", "moved/sub", "moved/sub/deep"]), before);
    assert_eq!(held.metadata().unwrap().ino, before[2]);
    root.rename("moved/a", &*held, "a").unwrap();
    assert_eq!(stat(&*root, "moved/sub/a").ino, before[1]);
    root.unlink("moved/sub/a").unwrap();
    root.create_dir("dir").unwrap();
    put(&*root, "dir/a", "");
    assert!(!before.contains(&stat(&*root, "dir").ino) && !before.contains(&stat(&*root, "dir/a").ino));
}

/// What is made where something was removed has nothing of that.
#[test]
fn nothing_shows_through() {
    let lower = lower();
    let (fs, root, upper) = over(&lower);
    let gone = open_dir(&*root, "dir/sub");
    let reader = open_file(&*root, "dir/sub/deep", READ);
    for path in ["dir/a", "dir/b", "dir/sub/deep"] {
        root.unlink(path).unwrap();
    }
    for path in ["dir/sub", "dir"] {
        root.remove_dir(path).unwrap();
    }
    assert_eq!(names(&*root), [".", "..", "empty", "file", "link"]);
    assert_eq!(root.stat("link", Follow::Yes), Err(NoEnt));
    assert_eq!(gone.stat("deep", Follow::No), Err(NoEnt));
    assert_eq!(gone.create_dir("x"), Err(NoEnt));
    assert_eq!((read(&*reader, 20, 0), reader.metadata().unwrap().nlink), (b"dir/sub/deep".to_vec(), 0));
    root.create_dir("dir").unwrap();
    assert_eq!(names(&*open_dir(&*root, "dir")), [".", ".."]);
    root.create_dir("new").unwrap();
    put(&*root, "new/x", "x");
    root.rename("new", &*root, "dir").unwrap();
    root.remove_dir("empty").unwrap();
    root.rename("dir", &*root, "empty").unwrap();
    assert_eq!(names(&*open_dir(&*root, "empty")), [".", "..", "x"]);
    assert_eq!(root.stat("dir", Follow::No), Err(NoEnt));
    // The same, by the layers alone.
    let again = OverlayFs::new(MemoryFs::new().root(), [upper.root(), lower.root()]).unwrap();
    assert_eq!(everything(&*again.root(), ""), everything(&*root, ""));
    let added = |path: &str| (String::from(path), Change::Added);
    let removed = |path: &str| (String::from(path), Change::Removed);
    assert_eq!(fs.diff().unwrap(), [removed("dir"), added("empty/x")]);
}

/// A directory moved onto an empty one that lower trees have, or that hides what they have.
#[test]
fn directories_replace_what_hides() {
    for held in [false, true] {
        let lower = lower();
        let (_, root, _) = over(&lower);
        lower.write("empty/below", "text").unwrap();
        root.unlink("empty/below").unwrap();
        let empty = held.then(|| open_dir(&*root, "empty"));
        root.create_dir("new").unwrap();
        put(&*root, "new/x", "x");
        root.rename("new", &*root, "empty").unwrap();
        assert_eq!(names(&*open_dir(&*root, "empty")), [".", "..", "x"]);
        if let Some(empty) = empty {
            assert_eq!(empty.create_dir("y"), Err(NoEnt));
        }
        root.rename("dir", &*root, "empty/dir").unwrap();
        assert_eq!(content(&*root, "empty/dir/sub/deep"), "dir/sub/deep");
        assert_eq!(names(&*root), [".", "..", "empty", "file", "link"]);
    }
}

#[test]
fn guests_neither_see_nor_make_what_hides() {
    let lower = lower();
    let (_, root, upper) = over(&lower);
    root.unlink("dir/a").unwrap();
    root.unlink("file").unwrap();
    upper.write("dir/.wh..wh..copy", "left behind").unwrap();
    assert_eq!(names(&*open_dir(&*root, "dir")), [".", "..", "b", "sub"]);
    let hidden = ["dir/.wh.a", ".wh.file", ".wh..wh..opq", ".wh.", "dir/.wh..wh..copy"];
    for path in hidden {
        assert_eq!(root.stat(path, Follow::No), Err(NoEnt));
        assert_eq!(root.unlink(path), Err(NoEnt));
        assert_eq!(root.rename(path, &*root, "x"), Err(NoEnt));
        assert_eq!(root.open(path, READ).map(drop), Err(NoEnt));
    }
    // Its own of those names are files like any others.
    for path in hidden {
        put(&*root, path, path);
    }
    root.create_dir(".wh.empty").unwrap();
    root.rename("dir/b", &*root, ".wh.empty/.wh.link").unwrap();
    root.hard_link(".wh.empty/.wh.link", Follow::No, &*root, "dir/b").unwrap();
    assert_eq!(content(&*root, ".wh.empty/.wh.link"), "dir/b");
    assert_eq!(
        names(&*root),
        [".", "..", ".wh.", ".wh..wh..opq", ".wh.empty", ".wh.file", "dir", "empty", "link"]
    );
    let again = OverlayFs::new(MemoryFs::new().root(), [upper.root(), lower.root()]).unwrap().root();
    assert_eq!(everything(&*again, ""), everything(&*root, ""));
    for path in hidden {
        assert_eq!(content(&*again, path), path);
        again.unlink(path).unwrap();
        root.unlink(path).unwrap();
    }
    assert_eq!(names(&*again), [".", "..", ".wh.empty", "dir", "empty", "link"]);
    // A copy that was never completed is in nobody's way.
    put(&*root, "dir/b", "new");
    assert_eq!(content(&*root, "dir/b"), "new");
    for path in ["dir/b", "dir/sub/deep"] {
        root.unlink(path).unwrap();
    }
    root.remove_dir("dir/sub").unwrap();
    root.remove_dir("dir").unwrap();
}

/// A layer of an image, with a directory that hides all that was in it.
#[test]
fn layers_of_images() {
    let (base, image) = (lower(), MemoryFs::new());
    image.create_dir_all("dir/sub").unwrap();
    image.write("dir/.wh..wh..opq", "").unwrap();
    image.write("dir/c", "new").unwrap();
    image.write(".wh.file", "").unwrap();
    let fs = OverlayFs::new(MemoryFs::new().root(), [image.root(), base.root()]).unwrap();
    let root = fs.root();
    assert_eq!(names(&*root), [".", "..", "dir", "empty", "link"]);
    assert_eq!(names(&*open_dir(&*root, "dir")), [".", "..", "c", "sub"]);
    assert_eq!(names(&*open_dir(&*root, "dir/sub")), [".", ".."]);
    // The same layer to write to.
    let fs = OverlayFs::new(image.root(), [base.root()]).unwrap();
    assert_eq!(names(&*open_dir(&*fs.root(), "dir")), [".", "..", "c", "sub"]);
    let changes = [
        ("dir/a", Change::Removed),
        ("dir/b", Change::Removed),
        ("dir/c", Change::Added),
        ("dir/sub/deep", Change::Removed),
        ("file", Change::Removed),
    ];
    assert_eq!(fs.diff().unwrap(), changes.map(|(path, change)| (String::from(path), change)));
    image.write(".wh..wh..opq", "").unwrap();
    let root = OverlayFs::new(image.root(), [base.root()]).unwrap().root();
    assert_eq!(names(&*root), [".", "..", "dir"]);
}

#[test]
fn what_cannot_be_copied() {
    let lower = lower();
    lower.write("large", vec![1; 100_000]).unwrap();
    let upper = MemoryFs::with_limit(80_000);
    let fs = OverlayFs::new(upper.root(), [lower.root()]).unwrap();
    let root = fs.root();
    assert_eq!(root.open("large", WRITE).map(drop), Err(NoSpc));
    assert_eq!(names(&*upper.root()), [".", ".."], "nothing is left of it");
    assert_eq!(content(&*root, "large").len(), 1 << 16);
    open_file(&*root, "large", Open { truncate: true, ..WRITE });
    assert_eq!(stat(&*root, "large").size, 0);
    fs.set_copy_limit(3 * 4096);
    assert_eq!(root.rename("dir", &*root, "moved"), Err(XDev));
    assert_eq!(content(&*root, "dir/sub/deep"), "dir/sub/deep");
    lower.write("other", vec![1; 20_000]).unwrap();
    assert_eq!(root.open("other", WRITE).map(drop), Err(FBig));
    let sparse = open_file(&*lower.root(), "sparse", CREATE);
    sparse.set_len(1 << 50).unwrap();
    assert_eq!(root.open("sparse", WRITE).map(drop), Err(FBig), "nobody waits for that");
    let long = "x".repeat(252);
    lower.write(&long, "text").unwrap();
    assert_eq!(content(&*root, &long), "text");
    assert_eq!(root.unlink(&long), Err(NameTooLong));
}

#[test]
fn holes_stay_holes() {
    let lower = lower();
    let file = open_file(&*lower.root(), "sparse", CREATE);
    file.set_len(100 << 20).unwrap();
    write(&*file, b"middle", 50 << 20).unwrap();
    let (_, root, upper) = over(&lower);
    let file = open_file(&*root, "sparse", BOTH);
    assert!(upper.used() < 200_000, "{}", upper.used());
    assert_eq!(file.metadata().unwrap().size, 100 << 20);
    assert_eq!(read(&*file, 6, 50 << 20), b"middle");
}

#[test]
fn lists_each_name_once_whatever_is_copied_meanwhile() {
    let lower = MemoryFs::new();
    for i in 0..300 {
        lower.write(&format!("lower-{i}"), "").unwrap();
    }
    let (_, root, _) = over(&lower);
    for i in 0..300 {
        put(&*root, &format!("upper-{i}"), "");
    }
    let mut seen = Vec::new();
    for (i, entry) in root.entries().unwrap().enumerate() {
        seen.push(entry.unwrap().name);
        if i < 300 {
            open_file(&*root, &format!("lower-{i}"), WRITE);
        }
    }
    seen.sort();
    assert_eq!(seen.len(), 602);
    seen.dedup();
    assert_eq!(seen.len(), 602);
}

#[test]
fn on_disk() {
    let place = tempfile::TempDir::new().unwrap();
    for dir in ["lower/a/b", "upper"] {
        std::fs::create_dir_all(place.path().join(dir)).unwrap();
    }
    std::fs::write(place.path().join("lower/a/b/file"), "text").unwrap();
    std::os::unix::net::UnixListener::bind(place.path().join("lower/socket")).unwrap();
    let dir = |name| Arc::new(NativeDir::open_ambient(place.path().join(name)).unwrap()) as Arc<dyn Dir>;
    let fs = || OverlayFs::new(dir("upper"), [dir("lower")]).unwrap();
    let root = fs().root();
    let file = open_file(&*root, "a/b/file", WRITE);
    file.append(&[IoSlice::new(b" and more")]).unwrap();
    root.unlink("socket").unwrap();
    drop((file, root));
    let fs = fs();
    assert_eq!(content(&*fs.root(), "a/b/file"), "text and more");
    let changes = [(String::from("a/b/file"), Change::Changed), ("socket".into(), Change::Removed)];
    assert_eq!(fs.diff().unwrap(), changes);
    assert_eq!(std::fs::read(place.path().join("lower/a/b/file")).unwrap(), b"text");
}

/// As deep as it goes, within seconds, also by paths that lead through all of it.
#[test]
fn deep() {
    let upper = OverlayFs::new(MemoryFs::new().root(), [MemoryFs::new().root()]).unwrap();
    let fs = OverlayFs::new(upper.root(), [MemoryFs::new().root()]).unwrap();
    let (mut dir, mut depth) = (fs.root(), 0);
    let error = loop {
        match dir.create_dir("d") {
            Ok(()) => dir = open_dir(&*dir, "d"),
            Err(e) => break e,
        }
        depth += 1;
    };
    assert_eq!((depth, error), (1000, NameTooLong));
    assert_eq!(fs.root().rename("d", &*dir, "x"), Err(Inval));
    let path = ["d"; 1000].join("/");
    for _ in 0..10 {
        put(&*fs.root(), &format!("{path}/file"), "text");
    }
    assert_eq!(fs.diff().unwrap().len(), 1001);
}

/// Directories may come to lie deeper by being moved. Then they can still be moved back, and are let go of one after
/// the other.
#[test]
fn deeper() {
    let (_, root, upper) = over(&MemoryFs::new());
    for _ in 0..3 {
        root.create_dir("new").unwrap();
        let mut dir = open_dir(&*root, "new");
        for _ in 0..700 {
            dir.create_dir("d").unwrap();
            dir = open_dir(&*dir, "d");
        }
        let _ = root.rename("all", &*dir, "all");
        root.rename("new", &*root, "all").unwrap();
    }
    drop(root);
    let root = OverlayFs::new(upper.root(), []).unwrap().root();
    let path = format!("all/{}", ["d"; 700].join("/"));
    let found = root.open(&format!("{path}/all/{}", ["d"; 700].join("/")), READ).map(drop);
    assert_eq!(found, Err(NameTooLong));
    root.rename(&format!("{path}/all"), &*root, "back").unwrap();
    open_dir(&*root, &format!("back/{}", ["d"; 700].join("/")));
}

#[test]
fn threads() {
    let lower = MemoryFs::new();
    for i in 0..8 {
        lower.create_dir_all(&format!("{i}")).unwrap();
        lower.write(&format!("{i}/file"), format!("{i}")).unwrap();
    }
    let (_, root, _) = over(&lower);
    std::thread::scope(|s| {
        for i in 0..4 {
            let root = &root;
            s.spawn(move || {
                for round in 0..100 {
                    let (from, to) = (format!("{}", (i + round) % 8), format!("{}", (i * 3 + round) % 8));
                    let _ = root.rename(&from, &**root, &format!("{to}/{from}"));
                    let _ = root.rename(&format!("{to}/{from}"), &**root, &from);
                    if let Ok(wasi_host_core::fs::Node::File(file)) =
                        root.open(&format!("{from}/file"), WRITE)
                    {
                        let _ = file.sync(false);
                    }
                    let _ = root.entries().map(|entries| entries.count());
                }
            });
        }
    });
    // Each directory is somewhere, once, with its file.
    let found = everything(&*root, "");
    let files = found.iter().filter(|line| line.contains("/file RegularFile")).count();
    assert_eq!((found.len(), files), (16, 8), "{found:#?}");
}
