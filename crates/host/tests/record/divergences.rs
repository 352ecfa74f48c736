//! Programs that do other than what was recorded.

use crate::component::{Backend, Host, Root};
use crate::components;
use crate::modules::{Program, disk, given};
use crate::support::{KINDS, Kind};
use wasi_host::BlockingPolicy::Adaptive;
use wasi_host::WasiCtxBuilder;
use wasi_host::record::{Divergence, LogError, Recorder, Replay};

/// Where it begins is said, and that by its name.
#[test]
fn other_arguments() {
    let program = Program::new("notes");
    for kind in KINDS {
        let disk = disk();
        std::fs::create_dir(disk.path().join("notes")).unwrap();
        let (_, log) = program.record(kind, &mut given(&["add", "one"], disk.path()));
        let (_, ended) = program.replay(kind, &log, WasiCtxBuilder::new().args(&["program", "add", "two"]));
        let e = ended.unwrap_err().to_string();
        assert!(e.contains("bytes, checksum") && e.contains("call "), "{e}");
        let (_, ended) = program.replay(kind, &log, WasiCtxBuilder::new().args(&["program", "list"]));
        let e = ended.unwrap_err().to_string();
        assert!(e.contains("on directory \"/\"") || e.contains("notes"), "{e}");
    }
}

/// One of two programs uses the directory that it was given before it does anything else.
#[track_caller]
fn says_where(e: &Divergence) {
    assert_ne!(e.expected, e.found);
    let (said, number) = (e.to_string(), format!("call {} was", e.call));
    assert!(said.contains(&number) && said.contains("on directory \"/\""), "{e}");
}

/// A program other than the recorded one, in each version.
#[test]
fn another_program() {
    let disk = disk();
    let (_, log) = Program::new("notes").record(Kind::Sync, &mut given(&["list"], disk.path()));
    let (_, ended) = Program::new("files").replay(Kind::Sync, &log, &mut WasiCtxBuilder::new());
    says_where(&ended.unwrap_err());

    for (host, one, other) in [
        (Host::Two(Kind::Sync, Adaptive), "p2_filesystem", "p2_tcp"),
        (Host::Two(Kind::Async, Adaptive), "p2_tcp", "p2_filesystem"),
        (Host::Three(Adaptive), "p3_tcp_streams", "p3_filesystem"),
        (Host::Three(Adaptive), "p3_filesystem", "p3_tcp_streams"),
    ] {
        let [one, other] = [one, other].map(crate::component::Program::new);
        let check = one.checks(host).swap_remove(0);
        let (_, log) = components::record(&one, host, &[&check], &Root::new(Backend::Memory));
        let replay = Replay::open(log).unwrap();
        let mut b = WasiCtxBuilder::new();
        let args = other.checks(host);
        b.arg("program").arg(&args[0]).replay(&replay);
        let ended = other.run_built(host, b, |_| {});
        let e = replay.finish().unwrap_err();
        assert!(!ended.ok(), "{e}");
        says_where(&e);
    }
}

/// A log of which a byte was changed is none.
#[test]
fn a_changed_log() {
    let disk = disk();
    let (_, log) = Program::new("notes").record(Kind::Sync, &mut given(&["list"], disk.path()));
    for at in (0..log.len()).step_by(7) {
        let mut changed = log.clone();
        changed[at] ^= 0x10;
        assert!(Replay::open(changed).is_err(), "byte {at}");
    }
    assert!(matches!(Replay::open(log[..log.len() - 1].to_vec()).unwrap_err(), LogError::CutOff { .. }));
}

/// Nothing is recorded of a second context, and that is not kept secret.
#[test]
fn a_recorder_used_twice() {
    let recorder = Recorder::new(std::io::sink());
    for _ in 0..2 {
        drop(WasiCtxBuilder::new().record(&recorder).build());
    }
    assert!(recorder.finish().is_err());
}
