//! Runs that are the same each time: by a seed, by a clock, by a recording.
//!
//! The program prints the date, throws dice, sleeps for as many seconds as it is told, and lists a directory.

mod support;

use std::fs;
use support::{Ended, Place};

/// A place with the program, and the directory `data` with two files.
fn dice() -> Place {
    let place = Place::new();
    place.prebuilt("dice.wasm");
    fs::create_dir(place.path().join("data")).unwrap();
    place.file("data/b", "more");
    place.file("data/a", "some");
    place
}

/// Runs the program with these options and words.
fn run(place: &Place, options: &[&str], words: &[&str]) -> Ended {
    place.run(&[options, &["dice.wasm"], words].concat())
}

/// What it printed, of a run that went well.
#[track_caller]
fn said(place: &Place, options: &[&str], words: &[&str]) -> String {
    let ended = run(place, options, words);
    ended.status(0);
    ended.out
}

#[test]
fn deterministic() {
    let place = dice();
    let listed = |seed: &str| said(&place, &[seed, "--dir", "data::/d"], &["3600", "/d"]);
    let seven = listed("--deterministic=7");
    assert_eq!(listed("--deterministic=7"), seven);
    assert!(seven.starts_with("946684800.000002000 s after 1970\n"), "{seven}");
    assert!(seven.contains("slept: 3600.000002s\na, 4 bytes"), "{seven}");
    assert_ne!(listed("--deterministic=8"), seven);
    assert_eq!(listed("--deterministic"), listed("--deterministic=0"));
    let later = said(&place, &["--deterministic=7", "--clock", "@0"], &["3600"]);
    assert!(later.starts_with("0.000002000 s after 1970"), "{later}");
    assert!(seven.contains(later.lines().nth(1).unwrap()), "the same is thrown");
    run(&place, &["--deterministic", "--clock", "frozen"], &["0"])
        .refused(&["--deterministic", "--clock @TIME"]);
    assert_eq!(run(&place, &["--deterministic=x"], &["0"]).status, 2);
}

/// What a processor may choose is chosen: of a NaN, its bits.
#[test]
fn numbers_are_the_same_everywhere() {
    let place = Place::new();
    let nan = "(func (export \"nan\") (result i32)
        (i32.reinterpret_f32 (f32.add (f32.reinterpret_i32 (i32.const 0x7fa12345)) (f32.const 1))))";
    place.file("nan.wat", format!("(module {nan})"));
    let canonical = (0x7fc0_0000u32).to_string() + "\n";
    for option in ["--deterministic", "--record=log"] {
        assert_eq!(place.run(&[option, "--invoke", "nan", "nan.wat"]).status(0).out, canonical, "{option}");
    }
    let raw = place.run(&["--invoke", "nan", "nan.wat"]).status(0).out.clone();
    assert_ne!(raw, canonical, "this processor keeps the payload");
}

#[test]
fn clocks() {
    let place = dice();
    let out = said(&place, &["--clock", "virtual,@86400"], &["3600"]);
    assert!(out.starts_with("86400.000002000 s") && out.contains("slept: 3600.000002s\n"), "{out}");
    let out = said(&place, &["--clock", "frozen,@1970-01-02T00:00:00Z"], &["0"]);
    assert!(out.starts_with("86400.000000000 s"), "{out}");
    let out = said(&place, &["--clock", "@86400"], &["0"]);
    assert!(out.starts_with("864"), "{out}");
    assert_eq!(run(&place, &["--clock", "noon"], &["0"]).status, 2);
}

#[test]
fn recorded_and_replayed() {
    let place = dice();
    let first = said(&place, &["--record", "log", "--dir", "data::/d", "--env", "A=b"], &["1", "/d"]);
    fs::remove_dir_all(place.path().join("data")).unwrap();
    for _ in 0..2 {
        assert_eq!(said(&place, &["--replay", "log"], &[]), first);
    }
    assert_eq!(said(&place, &["--replay", "log"], &["1", "/d"]), first, "the same words");

    let astray = run(&place, &["--replay", "log"], &["2", "/d"]);
    assert_eq!(astray.status, 1);
    assert!(astray.err.contains("error: --replay log: the program does other than what was recorded: call "));

    let whole = fs::read(place.path().join("log")).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        place.file("changed", changed);
        let ended = run(&place, &["--replay", "changed"], &[]);
        assert_eq!(ended.status, 1, "byte {at}: {ended:?}");
        assert!(ended.err.contains("error: --replay changed: "), "byte {at}: {ended:?}");
    }
}

#[test]
fn a_component_is_recorded_and_replayed() {
    let place = Place::new();
    place.prebuilt("p2_same.wasm");
    place.prebuilt("p3_same.wasm");
    fs::create_dir_all(place.path().join("data/dir")).unwrap();
    place.file("data/a", "some");
    place.file("data/b", "more");
    for program in ["p2_same.wasm", "p3_same.wasm"] {
        // It sleeps for an hour, and changes what it is given.
        let options = ["--mem", "/=data", "--clock", "virtual"];
        let first = place.run(&[&options[..], &["--record", "log", program]].concat()).status(0).out.clone();
        let other = place.run(&[&options[..], &[program]].concat()).status(0).out.clone();
        assert_ne!(other, first, "{program} varies");
        assert_eq!(place.run(&["--replay", "log", program]).status(0).out, first, "{program}");
    }
}

#[test]
fn what_does_not_go_with_a_log() {
    let place = dice();
    place.file("log", "no log");
    run(&place, &["--replay", "log"], &[]).refused(&["--replay log", "not a log"]);
    run(&place, &["--replay", "none"], &[]).refused(&["--replay none", "cannot be read"]);
    run(&place, &["--record", "no/where"], &["0"]).refused(&["--record no/where", "cannot be written"]);
    run(&place, &["--record", "new", "--replay", "log"], &[]).refused(&["--record", "--replay"]);
    for given in [["--dir", "data"], ["--mem", "/"], ["--clock", "virtual"], ["-S", "inherit-network"]] {
        let ended = run(&place, &[&["--replay", "log"][..], &given].concat(), &[]);
        ended.refused(&[given[0], "--replay", "what the log says"]);
    }
    // A program that cannot be run does not cost the last recording.
    said(&place, &["--record", "log"], &["0"]);
    place.run(&["--record", "log", "none.wasm"]).refused(&["none.wasm"]);
    said(&place, &["--replay", "log"], &[]);
}
