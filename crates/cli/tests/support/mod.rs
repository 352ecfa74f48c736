//! A folder of its own for each test, and the command run in it.

// Each test binary uses its part of this.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with programs in it. Its cache of compiled code is its own, too.
pub(crate) struct Place {
    dir: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status.
    pub(crate) status: i32,
    /// What it wrote to standard output.
    pub(crate) out: String,
    /// What it wrote to standard error.
    pub(crate) err: String,
}

impl Ended {
    /// Waits for a command to end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
        Self {
            status: output.status.code().expect("no signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// That it failed before the program ran, in one line that has these words.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) {
        assert_eq!(self.status, 1, "{self:?}");
        assert_eq!(self.out, "");
        assert!(self.err.starts_with("error: ") && self.err.trim_end().lines().count() == 1, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} in {self:?}");
        }
    }

    /// That the program trapped, and these words were said.
    #[track_caller]
    pub(crate) fn trapped(&self, words: &[&str]) {
        assert_eq!(self.status, 134, "{self:?}");
        assert!(self.err.starts_with("error: "), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} in {self:?}");
        }
    }

    /// That the program ended by itself with this status, and nothing was said on its behalf.
    #[track_caller]
    pub(crate) fn status(&self, status: i32) -> &Self {
        assert_eq!((self.status, self.err.as_str()), (status, ""), "{self:?}");
        self
    }
}

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder for the test") }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, contents).expect("the file is written");
        path
    }

    /// Writes a program that speaks WASI 0.1, with these functions imported and the memory exported.
    pub(crate) fn guest(&self, name: &str, imports: &[&str], rest: &str) -> PathBuf {
        let imports: String = imports.iter().map(|name| import(name)).collect();
        self.file(name, format!("(module {imports} (memory (export \"memory\") 2) {rest})"))
    }

    /// Brings one of the programs of `guests` here.
    pub(crate) fn prebuilt(&self, name: &str) -> PathBuf {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/prebuilt");
        self.file(name, std::fs::read(guests.join(name)).expect("the program is there"))
    }

    /// Writes a component that is a command: its core module exports `run`, which gives 0 for success and 1 for an
    /// error.
    pub(crate) fn component_command(&self, name: &str, module: &str) -> PathBuf {
        self.file(
            name,
            format!(
                r#"(component
                    (core module $m {module})
                    (core instance $i (instantiate $m))
                    (func $run (result (result)) (canon lift (core func $i "run")))
                    (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
            ),
        )
    }

    /// The command, to be run in the folder, without arguments and without the caller's environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-host"));
        command.current_dir(self.path()).env_clear().env("HOME", self.path()).stdin(Stdio::null());
        command.env("XDG_CACHE_HOME", self.path().join("cache"));
        command
    }

    /// Runs the command.
    pub(crate) fn run(&self, args: &[impl AsRef<OsStr>]) -> Ended {
        Ended::of(self.command().args(args))
    }
}

/// A function of WASI 0.1, as `$name`.
fn import(name: &str) -> String {
    let ty = match name {
        "proc_exit" => "(param i32)",
        "random_get" | "environ_sizes_get" | "args_sizes_get" | "environ_get" | "args_get" => {
            "(param i32 i32) (result i32)"
        }
        "fd_prestat_get" => "(param i32 i32) (result i32)",
        "fd_write" | "fd_read" | "poll_oneoff" => "(param i32 i32 i32 i32) (result i32)",
        "path_open" => "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
        "path_create_directory" => "(param i32 i32 i32) (result i32)",
        "sock_accept" => "(param i32 i32 i32) (result i32)",
        other => panic!("the type of {other}?"),
    };
    format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} {ty}))")
}
