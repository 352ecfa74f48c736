//! Each example runs, and prints what it should.

use std::path::PathBuf;
use std::process::Command;

/// Its own tests: an example is run, not tested.
#[path = "../custom-fs.rs"]
#[allow(dead_code, reason = "its `main` is called by nobody here")]
mod custom_fs;

/// Cargo builds a package's examples before its tests, and puts them beside these.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    let target = test.ancestors().nth(2).expect("a test lies in `deps`");
    target.join("examples").join(name)
}

/// What it prints.
#[track_caller]
fn run(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(example(name)).current_dir(root).output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("it prints text");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{said}{complained}", output.status);
    said
}

#[track_caller]
fn prints(name: &str, expected: &str) {
    assert_eq!(run(name), expected, "{name}");
}

#[test]
fn memory_fs() {
    let said = "note 2\nnote 2\n1\tfrom the template\n2\tby Alice\n1\tfrom the template\n2\tby Bob\n\
                Alice's: by Alice\nfiles of the template: 1\n";
    prints("memory-fs", said);
}

#[test]
fn overlay() {
    let said =
        "note 2\nremoved note 1\n2\tin memory\n- 1.txt\n+ 2.txt\non the disk still: \"on the disk\\n\"\n";
    prints("overlay", said);
}

#[test]
fn tar_fs() {
    prints("tar-fs", "note 3\n1\tpacked\n2\tpacked, too\n3\tnew\n");
}

#[test]
fn a_filesystem_of_ones_own() {
    prints("custom-fs", "1\twater the plants\n2\tfeed the cat\n");
}

#[test]
fn captured_stdio() {
    let said = "captured: \"note 1\\n\"\nline: \"1\\ttyped by the host\"\ncut: \"[notes] 1\\ttyped by\", 10 bytes lost\n";
    prints("captured-stdio", said);
}

#[test]
fn virtual_network() {
    let said = "listening\nasked: is anybody there?\nanswered: IS ANYBODY THERE?\nit took 4 minutes\n";
    prints("virtual-network", said);
}

#[test]
fn address_policy() {
    let said = "asking api.example.com:443\n  api.example.com:443 cannot be reached: connection-refused\n\
                asking api.example.com:22\n  api.example.com:22 cannot be reached: access-denied\n\
                asking example.org:443\n  example.org cannot be looked up: access-denied\n\
                asking rebound.example.com:443\n  rebound.example.com:443 cannot be reached: access-denied\n\
                asking api.example.com:443\n  api.example.com cannot be looked up: access-denied\n";
    prints("address-policy", said);
}

#[test]
fn deterministic() {
    let once = "946684800.000002000 s after 1970\nthrown: [4, 1, 6, 6, 2]\nslept: 3600.000002s\n\
                one, 3 bytes, changed at Some(946684800s)\nthree, 5 bytes, changed at Some(946684800s)\n\
                two, 3 bytes, changed at Some(946684800s)\n";
    prints("deterministic", &once.repeat(2));
}

#[test]
fn record_replay() {
    let said = run("record-replay");
    let (same, other) = said.split_once('\n').expect("two lines");
    assert_eq!(same, "the same again: true");
    let (recorded, now) = other.split_once(", and now is ").expect(other);
    let asked = "the program does other than what was recorded: call 17 was wait_until 1";
    assert!(other.starts_with("with other arguments: ") && recorded.contains(asked), "{other}");
    assert!(now.starts_with("wait_until 2") && now.ends_with(" on the monotonic clock\n"), "{other}");
}
