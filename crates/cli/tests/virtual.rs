//! Trees of files that are not directories of this machine: in memory, overlaid, packed; bounded and told of.
//!
//! The program keeps notes, each a file of its own in `/notes`.

mod support;

use std::fs;
use support::{Ended, Place};

/// A place with the program, and the directory `data` with a note in it.
fn notes() -> Place {
    let place = Place::new();
    place.prebuilt("notes.wasm");
    fs::create_dir(place.path().join("data")).unwrap();
    place.file("data/1.txt", "the first\n");
    place
}

/// The note and a directory with a link, as a tar archive, which begins with a name that looks like a zip archive.
fn tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind, target: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mtime(1_000_000_000);
        header.set_link_name_literal(target).unwrap();
        tar.append_data(&mut header, name, content).unwrap();
    };
    add("PK\x03\x04", tar::EntryType::Regular, "", b"");
    add("1.txt", tar::EntryType::Regular, "", b"the first\n");
    add("more/link", tar::EntryType::Symlink, "../1.txt", b"");
    tar.into_inner().unwrap()
}

/// The note as a zip archive that compresses nothing.
fn zip() -> Vec<u8> {
    let (name, content) = (b"1.txt", b"the first\n");
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let mut known = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    known.extend(crc.sum().to_le_bytes());
    known.extend([content.len() as u32; 2].map(u32::to_le_bytes).concat());
    known.extend([name.len() as u8, 0, 0, 0]);
    let member = [&b"PK\x03\x04"[..], &known, name, content].concat();
    let entry = [&b"PK\x01\x02\x14\0"[..], &known, &[0; 14], name].concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &(entry.len() as u32).to_le_bytes(),
        &(member.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [member, entry, end].concat()
}

/// Runs the program with these options and words.
fn run(place: &Place, options: &[&str], words: &[&str]) -> Ended {
    place.run(&[options, &["notes.wasm"], words].concat())
}

/// That `data` holds what it held.
#[track_caller]
fn is_as_it_was(place: &Place) {
    let names: Vec<_> =
        fs::read_dir(place.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["1.txt"]);
    assert_eq!(fs::read_to_string(place.path().join("data/1.txt")).unwrap(), "the first\n");
}

const FIRST: &str = "1\tthe first\n";

#[test]
fn memory() {
    let place = notes();
    assert_eq!(run(&place, &["--mem", "/notes"], &["add", "text"]).status(0).out, "note 1\n");
    // It is gone with the program.
    assert_eq!(run(&place, &["--mem", "/notes"], &["list"]).status(0).out, "");
    // Where nothing is there yet, the program makes its directory itself.
    assert_eq!(run(&place, &["--mem", "/"], &["add", "text"]).status(0).out, "note 1\n");

    let copy = ["--mem", "/notes=data"];
    assert_eq!(run(&place, &copy, &["list"]).status(0).out, FIRST);
    assert_eq!(run(&place, &copy, &["add", "text"]).status(0).out, "note 2\n");
    assert_eq!(run(&place, &copy, &["remove", "1"]).status(0).out, "removed note 1\n");
    is_as_it_was(&place);

    place.file("notes.tar", tar());
    let packed = ["--mem", "/notes=notes.tar"];
    assert_eq!(run(&place, &packed, &["remove", "1"]).status(0).out, "removed note 1\n");
    assert_eq!(run(&place, &packed, &["list"]).status(0).out, FIRST);
}

#[test]
fn a_copy_has_links_and_times() {
    let place = notes();
    let data = place.path().join("data");
    fs::create_dir_all(data.join("a/b")).unwrap();
    fs::hard_link(data.join("1.txt"), data.join("a/same")).unwrap();
    std::os::unix::fs::symlink("../../1.txt", data.join("a/b/link")).unwrap();
    let old = fs::File::options().write(true).open(data.join("1.txt")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(data.join("socket")).unwrap();
    place.prebuilt("std_surface.wasm");

    let mem = ["--mem", "/notes=data", "--trace-fs=lines"];
    run(&place, &mem, &["show", "1"]).status(0);
    let stat = run(&place, &mem, &["stat"]);
    let age: u64 = stat.status(0).out.split_whitespace().rev().nth(2).unwrap().parse().unwrap();
    assert!(age > 700_000_000, "{stat:?}");
    for (dir, out) in [("/notes/a/b", ""), ("/notes/a", "")] {
        let env = format!("NOTES_DIR={dir}");
        assert_eq!(run(&place, &[&mem[..], &["--env", &env]].concat(), &["list"]).status(0).out, out);
    }
    // The link is a note by its name, and read through.
    std::os::unix::fs::symlink("../1.txt", data.join("a/7.txt")).unwrap();
    let within = [&mem[..], &["--env", "NOTES_DIR=/notes/a"]].concat();
    assert_eq!(run(&place, &within, &["list"]).status(0).out, "7\tthe first\n");
}

#[test]
fn overlays() {
    let place = notes();
    let over = ["--overlay", "data::/notes", "--diff"];
    let added = run(&place, &over, &["add", "text"]);
    assert_eq!((&*added.out, &*added.err), ("note 2\n", "A /notes/2.txt\n"));
    let removed = run(&place, &over, &["remove", "1"]);
    assert_eq!((&*removed.out, &*removed.err), ("removed note 1\n", "D /notes/1.txt\n"));
    assert_eq!(run(&place, &over, &["list"]).status(0).out, FIRST);
    // Without being asked it says nothing.
    run(&place, &over[..2], &["add", "text"]).status(0);
    is_as_it_was(&place);

    // What is kept on disk is there the next time.
    fs::create_dir(place.path().join("upper")).unwrap();
    let kept = ["--overlay", "data::/notes=upper", "--diff"];
    run(&place, &kept, &["remove", "1"]);
    run(&place, &kept, &["add", "text"]);
    let listed = run(&place, &kept, &["list"]);
    // The first was gone, so its name was free.
    assert_eq!((&*listed.out, &*listed.err), ("1\ttext\n", "M /notes/1.txt\n"));
    is_as_it_was(&place);

    place.file("notes.tar", tar());
    let packed = run(&place, &["--overlay", "notes.tar::/notes", "--diff"], &["remove", "1"]);
    assert_eq!((&*packed.out, &*packed.err), ("removed note 1\n", "D /notes/1.txt\n"));
    assert_eq!(fs::read(place.path().join("notes.tar")).unwrap(), tar());
}

#[test]
fn several_overlays_are_told_of_by_their_names() {
    let place = notes();
    let over = ["--overlay", "data::/", "--overlay", "data::/notes", "--diff"];
    assert_eq!(run(&place, &over, &["add", "text"]).err, "A /notes/2.txt\n");
    let env = [&over[..], &["--env", "NOTES_DIR=/deep/er"]].concat();
    assert_eq!(run(&place, &env, &["add", "text"]).err, "A /deep\nA /deep/er\nA /deep/er/1.txt\n");
    let here = ["--overlay", "data::.", "--diff", "--env", "NOTES_DIR=."];
    assert_eq!(run(&place, &here, &["add", "text"]).err, "A ./2.txt\n");
}

#[test]
fn the_difference_is_told_however_the_program_ends() {
    let place = notes();
    // Makes the file empty, makes one with a name meant for a terminal, and then ends as it is told.
    let ends = |end: &str| {
        place.guest(
            "ends.wat",
            &["proc_exit", "path_open"],
            &format!(
                r#"(data (i32.const 0) "1.txt") (data (i32.const 16) "a\n\1bD x")
                (func (export "_start")
                    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5)
                        (i32.const 8) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
                    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 6)
                        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
                    {end})"#
            ),
        );
        place.run(&["--overlay", "data::/d", "--diff", "-W", "timeout=500ms", "ends.wat"])
    };
    let told = "M /d/1.txt\nA /d/a\\n\\u{1b}D x\n";
    let sorted = |err: &str| {
        let mut lines: Vec<&str> = err.lines().filter(|line| line.contains(" /d/")).collect();
        lines.sort_unstable_by_key(|line| !line.starts_with('M'));
        lines.join("\n") + "\n"
    };
    let exited = ends("(call $proc_exit (i32.const 7))");
    assert_eq!((exited.status, &*sorted(&exited.err)), (7, told));
    for end in ["(unreachable)", "(loop (br 0))"] {
        let trapped = ends(end);
        trapped.trapped(&["ends.wat"]);
        assert_eq!(sorted(&trapped.err), told);
    }
    is_as_it_was(&place);
}

#[test]
fn archives() {
    let place = notes();
    place.file("notes.tar", tar());
    // The content says what it is, not the name.
    place.file("packed", zip());
    for archive in ["notes.tar", "packed"] {
        let given = format!("{archive}::/notes");
        assert_eq!(run(&place, &["--archive", &given], &["list"]).status(0).out, FIRST);
        let added = run(&place, &["--archive", &given], &["add", "text"]);
        assert_eq!(added.status, 1);
        assert!(added.err.contains("cannot make /notes/2.txt"), "{added:?}");
    }
    // The directory in which the link is, and what that leads to.
    let options = ["--archive", "notes.tar::/", "--env", "NOTES_DIR=/more"];
    assert_eq!(run(&place, &options, &["list"]).status(0).out, "");
}

/// Whether there is no room for 6001 bytes.
fn is_full(place: &Place, options: &[&str]) -> bool {
    let ended = run(place, options, &["add", &"x".repeat(6000)]);
    assert!(ended.status == 0 || ended.err.contains("No space left on device"), "{ended:?}");
    ended.status == 1
}

#[test]
fn bounds() {
    let place = notes();
    let full = |options: &[&str]| is_full(&place, options);
    assert!(full(&["--mem", "/notes", "--quota", "8000"]));
    assert!(!full(&["--mem", "/notes", "--quota", "16K"]));
    assert!(full(&["--mem", "/notes", "--quota", "1G,0"]));
    assert!(full(&["--overlay", "data::/notes", "--quota", "5K"]));
    assert!(!full(&["--overlay", "data::/notes", "--quota", "16K,2"]));
    // The tree's own bound, and that of all others.
    let two = ["--mem", "/notes", "--mem", "/tmp", "--quota"];
    assert!(full(&[&two[..], &["/notes=0", "--quota", "1G"]].concat()));
    assert!(full(&[&two[..], &["1K"]].concat()));
    assert!(!full(&[&two[..], &["/tmp/=0"]].concat()));
    is_as_it_was(&place);

    // What may be read alone needs no bound.
    run(&place, &["--dir", "data::/notes::ro", "--mem", "/tmp", "--quota", "1"], &["list"]).status(0);
}

#[test]
fn bounds_on_disk_count_every_byte() {
    for (tree, there) in [(["--dir", "data::/notes"], 10), (["--overlay", "data::/notes=upper"], 0)] {
        let place = notes();
        fs::create_dir(place.path().join("upper")).unwrap();
        let full = |bytes: u32| is_full(&place, &[&tree[..], &["--quota", &bytes.to_string()]].concat());
        assert!(full(6000 + there), "{tree:?}");
        run(&place, &tree, &["remove", "2"]).status(0);
        assert!(!full(6001 + there), "{tree:?}");
        // What was written before counts the next time.
        assert!(full(12_000 + there), "{tree:?}");
    }
}

#[test]
fn the_trace() {
    let place = notes();
    place.file("notes.tar", tar());
    let given = ["--overlay", "notes.tar::/notes", "--mem", "/tmp", "--dir", "data::/d::ro"];
    let traced = run(&place, &[&given[..], &["--trace-fs=lines"]].concat(), &["add", "text"]);
    traced.status(0);
    let lines = fs::read_to_string(place.path().join("lines")).unwrap();
    assert!(
        lines.starts_with(
            "\"/d\" is directory \"data\", read-only\n\"/tmp\" is memory\n\
             \"/notes\" is memory over tar archive \"notes.tar\"\n"
        ),
        "{lines}"
    );
    for line in
        ["open \"/notes/2.txt\" write create exclusive = file", "write_at \"/notes/2.txt\" 4 at 0 = 4"]
    {
        assert!(lines.lines().any(|known| known == line), "{line:?} in {lines}");
    }
    let shown = run(&place, &[&given[..], &["--trace-fs"]].concat(), &["show", "9"]);
    assert_eq!(shown.status, 1);
    assert!(shown.err.starts_with("\"/d\" is directory"), "{shown:?}");
    let failed = "open \"/notes/9.txt\" read failed: no such file or directory\n";
    assert!(shown.err.contains(failed), "{shown:?}");
    // A trace that is not complete says so.
    let lost = run(&place, &[&given[..], &["--trace-fs=/dev/full"]].concat(), &["list"]);
    assert_eq!(lost.out, FIRST);
    assert_eq!(lost.err.lines().count(), 1, "{lost:?}");
    assert!(lost.err.starts_with("error: --trace-fs: "), "{lost:?}");
}

#[test]
fn every_version_of_wasi_sees_them() {
    let place = notes();
    place.file("notes.tar", tar());
    for dir in ["empty", "upper"] {
        fs::create_dir(place.path().join(dir)).unwrap();
    }
    for program in ["p2_filesystem.wasm", "p3_filesystem.wasm"] {
        place.prebuilt(program);
        for tree in [["--mem", "/"], ["--overlay", "empty::/"]] {
            for more in [&[][..], &["--quota", "64M", "--trace-fs=lines"]] {
                let ended = place.run(&[&tree[..], more, &[program]].concat());
                let out = &ended.status(0).out;
                assert!(out.lines().count() > 5 && out.lines().all(|line| line.starts_with("ok ")), "{out}");
            }
        }
        assert_ne!(place.run(&["--archive", "notes.tar::/", program]).status, 0);
    }
    assert_eq!(fs::read_dir(place.path().join("empty")).unwrap().count(), 0);
}

#[test]
fn what_is_refused() {
    let place = notes();
    place.file("notes.tar", tar());
    place.file("cut.tar", &tar()[..1540]);
    place.file("cut.zip", &zip()[..40]);
    place.file("empty", "");
    place.file("text", "x".repeat(2000));
    place.file("packed.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    fs::create_dir_all(place.path().join("data/below")).unwrap();
    fs::create_dir(place.path().join("upper")).unwrap();
    let refused = |options: &[&str], words: &[&str]| run(&place, options, &["list"]).refused(words);

    for option in ["--mem", "--overlay", "--archive"] {
        let given = |host: &str| match option {
            "--mem" => format!("/d={host}"),
            _ => format!("{host}::/d"),
        };
        for (host, words) in [
            ("none", &["none", "no such"][..]),
            ("empty", &["empty", "give a tar or zip archive"]),
            ("text", &["text", "neither a tar nor a zip archive"]),
            ("packed.tar.gz", &["packed.tar.gz", "gzip", "gunzip"]),
            ("cut.tar", &["cut.tar", "not a sound tar archive"]),
            ("cut.zip", &["cut.zip", "not a sound zip archive"]),
        ] {
            refused(&[option, &given(host)], &[&[option], words].concat());
        }
    }
    refused(&["--archive", "data::/d"], &["--archive data", "tar -cf", "--dir"]);
    refused(&["--overlay", "data::/d=none"], &["UPPER", "none", "create it"]);
    refused(&["--overlay", "data::/d=text"], &["UPPER", "text", "not a directory"]);
    for upper in ["data", "data/below", "."] {
        refused(&["--overlay", &format!("data::/d={upper}")], &["--overlay", "UPPER", "data", upper]);
    }

    refused(&["--mem", "/a", "--mem", "/a/"], &["--mem", "/a", "give each its own"]);
    refused(&["--mem", "/", "--overlay", "data::/"], &["--overlay", "--mem", "give each its own"]);
    refused(&["--dir", ".::/", "--archive", "notes.tar::/"], &["--archive", "--dir", "give each its own"]);
    run(&place, &["--dir", ".::/", "--dir", "data::/"], &["list"]).status(0);

    refused(&["--diff"], &["--diff", "--overlay"]);
    refused(&["--quota", "1M"], &["--quota", "--mem"]);
    refused(&["--mem", "/a", "--quota", "/b=1M"], &["--quota", "/b"]);
    refused(&["--archive", "notes.tar::/a", "--quota", "/a=1M"], &["--quota", "/a"]);
    refused(&["--dir", "data::/a::ro", "--quota", "/a=1M"], &["--quota", "/a"]);
    refused(&["--mem", "/a", "--quota", "1M", "--quota", "2M"], &["--quota", "two"]);
    refused(&["--mem", "/a", "--quota", "/a=1M", "--quota", "/a/=2M"], &["--quota", "two", "/a"]);
    place.file("data/large", "x".repeat(10_000));
    refused(&["--mem", "/a=data", "--quota", "8K"], &["--mem /a=data", "large", "--quota /a=BYTES"]);
    refused(&["--trace-fs=none/lines"], &["--trace-fs=none/lines"]);
}

#[test]
fn what_cannot_be_understood() {
    let place = notes();
    for (option, wrong, word) in [
        ("--mem", "=data", "GUEST is empty"),
        ("--mem", "/d=", "HOST is empty"),
        ("--overlay", "data", "HOST::GUEST[=UPPER]"),
        ("--overlay", "::/d", "HOST is empty"),
        ("--overlay", "data::/d=", "UPPER is empty"),
        ("--archive", "a.tar", "FILE::GUEST"),
        ("--archive", "::/d", "FILE is empty"),
        ("--quota", "10MB", "10MB"),
        ("--quota", "=1M", "GUEST is empty"),
    ] {
        let ended = run(&place, &[option, wrong], &["list"]);
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains(option) && ended.err.contains(word), "{ended:?}");
    }
}
