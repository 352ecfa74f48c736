//! Compiled code is kept, between processes that know nothing of each other, and never gets in the way.

mod support;

use std::path::{Path, PathBuf};
use support::{Ended, Place};

/// A program that takes a while to compile.
fn program(place: &Place) {
    let functions: String = (0..500)
        .map(|n| {
            format!(
                "(func (param i32) (result i32) (local i32)
                    (loop (local.set 1 (i32.add (local.get 1) (i32.const {n})))
                        (br_if 0 (i32.lt_u (local.get 1) (local.get 0))))
                    (local.get 1))"
            )
        })
        .collect();
    place.file("program.wat", format!("(module {functions} (func (export \"_start\")))"));
}

/// The files of the cache, by name.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { kept(&path) } else { vec![path] })
        .collect();
    files.sort();
    files
}

/// The compiled modules among them: the rest is about their use.
fn modules(folder: &Path) -> Vec<PathBuf> {
    kept(folder).into_iter().filter(|file| file.extension().is_none()).collect()
}

#[test]
fn a_module_is_compiled_once() {
    let place = Place::new();
    program(&place);
    let cache = place.path().join("cache/wasi-host");
    place.run(&["program.wat"]).status(0);
    let first = modules(&cache);
    assert_eq!(first.len(), 1, "{first:?}");
    let written = std::fs::metadata(&first[0]).unwrap().modified().unwrap();
    place.run(&["program.wat"]).status(0);
    assert_eq!(modules(&cache), first);
    assert_eq!(std::fs::metadata(&first[0]).unwrap().modified().unwrap(), written);
    // Code that is compiled otherwise is other code.
    place.run(&["-O", "opt-level=0", "program.wat"]).status(0);
    assert_eq!(modules(&cache).len(), 2);
}

#[test]
fn processes_that_start_at_once_do_not_disturb_each_other() {
    let place = Place::new();
    program(&place);
    let children: Vec<_> = (0..4).map(|_| place.command().arg("program.wat").spawn().unwrap()).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert_eq!(modules(&place.path().join("cache")).len(), 1);
    place.run(&["program.wat"]).status(0);
}

#[test]
fn a_damaged_entry_is_made_again() {
    let place = Place::new();
    program(&place);
    place.run(&["program.wat"]).status(0);
    let entry = modules(&place.path().join("cache")).remove(0);
    std::fs::write(&entry, "damaged").unwrap();
    place.run(&["program.wat"]).status(0);
    assert!(std::fs::metadata(&entry).unwrap().len() > 1000);
}

#[test]
fn where_nothing_can_be_kept_programs_run_all_the_same() {
    // Permissions would not hold back a superuser; a file in the place of a folder does.
    let place = Place::new();
    program(&place);
    place.file("file", "");
    let run = |name: &str, value: &Path| Ended::of(place.command().env(name, value).arg("program.wat"));
    run("XDG_CACHE_HOME", &place.path().join("file")).status(0);
    let occupied = place.path().join("occupied");
    std::fs::create_dir_all(occupied.join("wasi-host")).unwrap();
    std::fs::write(occupied.join("wasi-host/modules"), "").unwrap();
    run("XDG_CACHE_HOME", &occupied).status(0);
    let mut homeless = place.command();
    Ended::of(homeless.env_remove("XDG_CACHE_HOME").env("HOME", "/proc/none").arg("program.wat")).status(0);
    assert!(modules(&place.path().join("cache")).is_empty());
}

#[test]
fn the_cache_follows_the_options() {
    let place = Place::new();
    program(&place);
    place.run(&["-C", "cache=n", "program.wat"]).status(0);
    assert!(kept(&place.path().join("cache")).is_empty());
    let elsewhere = place.path().join("elsewhere");
    place.file("cache.toml", format!("[cache]\ndirectory = {elsewhere:?}\n"));
    place.run(&["-C", "cache-config=cache.toml", "program.wat"]).status(0);
    assert!(kept(&place.path().join("cache")).is_empty());
    assert_eq!(modules(&elsewhere).len(), 1);
    place.run(&["-C", "cache-config=missing.toml", "program.wat"]).refused(&["missing.toml"]);
    // Without a word about it, the folder is that of the user.
    let mut plain = place.command();
    Ended::of(plain.env_remove("XDG_CACHE_HOME").arg("program.wat")).status(0);
    assert_eq!(modules(&place.path().join(".cache/wasi-host")).len(), 1);
}
