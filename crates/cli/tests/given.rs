//! What the program is given: nothing by default, and then what the options say.
//!
//! The programs end with the number that they found as their status.

mod support;

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use support::{Ended, Place};

const EXIT: &[&str] = &["proc_exit"];

/// How many of them there are, at address 0, and their bytes, at address 4.
fn sizes(place: &Place, function: &str) {
    place.guest(
        "sizes.wat",
        &["proc_exit", function],
        &format!(
            r#"(func (export "_start")
                (drop (call ${function} (i32.const 0) (i32.const 4)))
                (call $proc_exit (i32.load (i32.const 0))))"#
        ),
    );
}

/// Prints what `function` fills in.
fn shown(place: &Place, function: &str, sizes: &str) {
    place.guest(
        "shown.wat",
        &[function, sizes, "fd_write"],
        &format!(
            r#"(func (export "_start")
                (drop (call ${sizes} (i32.const 0) (i32.const 4)))
                (drop (call ${function} (i32.const 64) (i32.const 1024)))
                (i32.store (i32.const 0) (i32.const 1024))
                (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))"#
        ),
    );
}

#[test]
fn arguments() {
    let place = Place::new();
    shown(&place, "args_get", "args_sizes_get");
    assert_eq!(place.run(&["shown.wat"]).status(0).out, "shown.wat\0");
    assert_eq!(
        place.run(&["./shown.wat", "a", "--dir", "--", "é"]).status(0).out,
        "shown.wat\0a\0--dir\0--\0é\0"
    );
    assert_eq!(place.run(&["--argv0", "ls", "shown.wat", "-l"]).status(0).out, "ls\0-l\0");
}

#[test]
fn the_environment() {
    let place = Place::new();
    sizes(&place, "environ_sizes_get");
    place.run(&["sizes.wat"]).status(0);
    shown(&place, "environ_get", "environ_sizes_get");
    let shown = |args: &[&str]| {
        Ended::of(
            place
                .command()
                .env_clear()
                .env("A", "here")
                .env("HOME", place.path())
                .args(args)
                .arg("shown.wat"),
        )
    };
    assert_eq!(shown(&["--env", "A", "--env", "NOT_SET", "--env", "B=b=b"]).status(0).out, "A=here\0B=b=b\0");
    assert_eq!(shown(&["--env", "A=1", "--env", "A=2"]).status(0).out, "A=2\0");
    let all = shown(&["-S", "inherit-env", "--env", "A=other"]);
    let mut names: Vec<&str> = all.status(0).out.split_terminator('\0').collect();
    names.sort_unstable();
    assert_eq!(names, ["A=other", &format!("HOME={}", place.path().display())]);
}

#[test]
fn directories() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("data")).unwrap();
    // Status 0 if a directory can be made in the first one given, and the errno else.
    place.guest(
        "make.wat",
        &["proc_exit", "path_create_directory"],
        r#"(data (i32.const 0) "new")
            (func (export "_start")
                (call $proc_exit (call $path_create_directory (i32.const 3) (i32.const 0) (i32.const 3))))"#,
    );
    const BADF: i32 = 8;
    place.run(&["make.wat"]).status(BADF);
    let read_only = place.run(&["--dir", "data::/::ro", "make.wat"]);
    assert_ne!(read_only.status, 0);
    assert!(!place.path().join("data/new").exists());
    place.run(&["--dir", "data::/", "make.wat"]).status(0);
    assert!(place.path().join("data/new").is_dir());
}

#[test]
fn standard_streams() {
    let place = Place::new();
    place.guest(
        "write.wat",
        &["fd_write"],
        r#"(data (i32.const 0) "\10\00\00\00\03\00\00\00") (data (i32.const 16) "hi\n")
            (func (export "_start")
                (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
                (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))))"#,
    );
    let said = |args: &[&str]| {
        let ended = place.run(args);
        (ended.status, ended.out, ended.err)
    };
    assert_eq!(said(&["write.wat"]), (0, "hi\n".into(), "hi\n".into()));
    assert_eq!(said(&["-S", "inherit-stdout=n", "write.wat"]), (0, String::new(), "hi\n".into()));
    assert_eq!(said(&["-S", "inherit-stderr=n", "write.wat"]), (0, "hi\n".into(), String::new()));

    place.guest(
        "read.wat",
        &["fd_read", "proc_exit"],
        r#"(data (i32.const 0) "\10\00\00\00\10\00\00\00")
            (func (export "_start")
                (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (call $proc_exit (i32.load (i32.const 8))))"#,
    );
    place.file("input", "12345");
    let read = |args: &[&str]| {
        let input = std::fs::File::open(place.path().join("input")).unwrap();
        Ended::of(place.command().args(args).stdin(input))
    };
    read(&["read.wat"]).status(5);
    read(&["-S", "inherit-stdin=n", "read.wat"]).status(0);
}

#[test]
fn nobody_reads_the_output() {
    let place = Place::new();
    place.guest(
        "write.wat",
        &["fd_write", "proc_exit"],
        r#"(data (i32.const 0) "\10\00\00\00\03\00\00\00")
            (func (export "_start")
                (call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))"#,
    );
    place.file("five.wat", r#"(module (func (export "five") (result i32) (i32.const 5)))"#);
    const PIPE: i32 = 64;
    for (args, status) in [
        (&["write.wat"][..], PIPE),
        (&["--invoke", "five", "five.wat"], 0),
        (&["man"], 0),
        (&["completions", "bash"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = place.command().args(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(status), ""), "{args:?}");
    }
}

#[test]
fn limits_of_host_calls() {
    let place = Place::new();
    place.guest(
        "random.wat",
        &["proc_exit", "random_get"],
        r#"(func (export "_start") (call $proc_exit (call $random_get (i32.const 0) (i32.const 1000))))"#,
    );
    const INVAL: i32 = 28;
    place.run(&["random.wat"]).status(0);
    place.run(&["-S", "max-random-size=1000", "random.wat"]).status(0);
    place.run(&["-S", "max-random-size=999", "random.wat"]).status(INVAL);

    // Opens the same directory until that fails.
    place.guest(
        "open.wat",
        &["proc_exit", "path_open"],
        r#"(data (i32.const 0) ".") (global $error (mut i32) (i32.const 0))
            (func (export "_start")
                (loop $again
                    (global.set $error (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
                        (i32.const 2) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16)))
                    (br_if $again (i32.eqz (global.get $error))))
                (call $proc_exit (global.get $error)))"#,
    );
    const MFILE: i32 = 33;
    place.run(&["--dir", ".", "-S", "max-resources=20", "open.wat"]).status(MFILE);
}

#[test]
fn the_fuel_of_host_calls() {
    let place = Place::new();
    // A list of 1000 buffers of no length.
    place.guest(
        "write.wat",
        &["proc_exit", "fd_write"],
        r#"(func (export "_start")
            (call $proc_exit (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1000) (i32.const 8))))"#,
    );
    const NOMEM: i32 = 48;
    place.run(&["write.wat"]).status(0);
    place.run(&["-S", "hostcall-fuel=100", "write.wat"]).status(NOMEM);
}

#[test]
fn sockets_that_listen() {
    let place = Place::new();
    shown(&place, "environ_get", "environ_sizes_get");
    assert_eq!(place.run(&["shown.wat"]).status(0).out, "");
    let ended = place.run(&["-S", "tcplisten=127.0.0.1:0,tcplisten=127.0.0.1:0", "shown.wat"]);
    assert_eq!(ended.status(0).out, "LISTEN_FDS=2\0");
    // Nobody handed any down: then there are none.
    assert_eq!(place.run(&["-S", "listenfd", "shown.wat"]).status(0).out, "");

    accepting(&place);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut child = place.command().args(["-S", &format!("tcplisten={free}"), "accept.wat"]).spawn().unwrap();
    let _connected = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        TcpStream::connect(free).ok()
    });
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A program that accepts one connection and ends.
fn accepting(place: &Place) {
    place.guest(
        "accept.wat",
        &["proc_exit", "sock_accept"],
        r#"(func (export "_start")
            (call $proc_exit (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 0))))"#,
    );
}

#[test]
fn sockets_that_a_service_manager_hands_down() {
    let place = Place::new();
    accepting(&place);
    shown(&place, "environ_get", "environ_sizes_get");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It has to be descriptor 3, and the variable has to name the process: so says the convention.
    let run = |program: &str, pid: &str, socket: OwnedFd| {
        let command = env!("CARGO_BIN_EXE_wasi-host");
        let options = "-S listenfd,inherit-env -C cache=n";
        let script = format!(
            "export LISTEN_FDS=1 LISTEN_PID={pid}; exec {command} {options} {program} 3<&0 0</dev/null"
        );
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script]).current_dir(place.path()).env_clear().stdin(socket);
        shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let environment = |pid, socket| {
        let output = run("shown.wat", pid, socket).wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (status, given, said) = environment("$$", listener.try_clone().unwrap().into());
    assert!(
        status == Some(0) && given.contains("LISTEN_FDS=1\0") && !given.contains("LISTEN_PID"),
        "{given} {said}"
    );
    // They are for another process: then there are none.
    let (status, given, said) = environment("1", listener.try_clone().unwrap().into());
    assert!(status == Some(0) && !given.contains("LISTEN_"), "{given} {said}");
    // This is no socket at all.
    let file = std::fs::File::open(place.path().join("shown.wat")).unwrap();
    let (status, _, said) = environment("$$", file.into());
    assert!(status == Some(1) && said.contains("-S listenfd: descriptor 3"), "{said}");

    let mut child = run("accept.wat", "$$", listener.into());
    let _connected = TcpStream::connect(address).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_function_is_called_with_arguments_of_its_type() {
    let place = Place::new();
    place.file(
        "functions.wat",
        r#"(module
            (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
            (func (export "all") (param i32 i64 f32 f64 v128) (result i32 i64 f32 f64 v128)
                (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))
            (func (export "ref") (param externref)) (global (export "global") i32 (i32.const 1)))"#,
    );
    let add = |a: &str, b: &str| place.run(&["--invoke", "add", "functions.wat", a, b]);
    assert_eq!(add("2", "3").status(0).out, "5\n");
    assert_eq!(add("-1", "4294967295").status(0).out, "-2\n");
    assert_eq!(add("0x10", "-0x10").status(0).out, "0\n");
    add("1", "4294967296").refused(&["argument 2 of `add(i32, i32) -> i32`", "`4294967296`", "32 bits"]);
    add("one", "2").refused(&["argument 1 of `add(i32, i32) -> i32`", "`one`"]);
    let ended = place.run(&["--invoke", "all", "functions.wat", "1", "-2", "1.5", "-inf", "0xff"]);
    assert_eq!(ended.status(0).out, "1\n-2\n1.5\n-inf\n255\n");
    place
        .run(&["--invoke", "add", "functions.wat", "1"])
        .refused(&["`add(i32, i32) -> i32`", "2 arguments, 1 given"]);
    place.run(&["--invoke", "ref", "functions.wat", "1"]).refused(&["`(ref null extern)`", "command line"]);
    for name in ["sub", "global"] {
        place.run(&["--invoke", name, "functions.wat"]).refused(&[
            "functions.wat",
            &format!("`{name}`"),
            "`add(",
        ]);
    }
    let ended = place.guest("exit.wat", EXIT, r#"(func (export "f") (call $proc_exit (i32.const 4)))"#);
    place.run(&["--invoke", "f", ended.to_str().unwrap()]).status(4);
}

#[test]
fn the_manual_and_completions() {
    let place = Place::new();
    let man = place.run(&["man"]);
    for word in [".TH wasi-host", "tcplisten", "Exit status", "134"] {
        assert!(man.status(0).out.contains(word), "{word} in {}", man.out);
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.run(&["completions", shell]);
        assert!(
            script.status(0).out.contains("wasi-host") && script.out.contains("allow-precompiled"),
            "{shell}"
        );
    }
    assert_eq!(place.run(&["completions", "nonsense"]).status, 2);
    assert_eq!(place.run(&["--version"]).status(0).out, "wasi-host 0.1.0\n");
}
