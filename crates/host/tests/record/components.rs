//! Components of WASI 0.2 and 0.3.

use crate::component::{Backend, Ended, Host, Program, Root, given};
use crate::sink::Sink;
use crate::support::Kind;
use std::time::{Duration, Instant};
use wasi_host::BlockingPolicy::Adaptive;
use wasi_host::WasiCtxBuilder;
use wasi_host::record::{Recorder, Replay};

/// Runs a program, and its log.
pub(crate) fn record(program: &Program, host: Host, args: &[&str], root: &Root) -> (Ended, Vec<u8>) {
    let sink = Sink::default();
    let recorder = Recorder::new(sink.clone());
    let mut b = given(args, "words", root);
    b.record(&recorder);
    let ended = program.run_built(host, b, |_| {});
    recorder.finish().unwrap();
    (ended, sink.contents())
}

/// Runs it again.
pub(crate) fn replay(program: &Program, host: Host, log: &[u8]) -> (Ended, Replay) {
    let replay = Replay::open(log.to_vec()).unwrap();
    let mut b = WasiCtxBuilder::new();
    b.replay(&replay);
    (program.run_built(host, b, |_| {}), replay)
}

/// What went wrong, if anything did, when `args` were recorded and replayed twice.
fn twice(program: &Program, host: Host, args: &[&str], root: &Root) -> Option<String> {
    let (ended, log) = record(program, host, args, root);
    for _ in 0..2 {
        let (again, replay) = replay(program, host, &log);
        if let Err(e) = replay.finish() {
            return Some(format!("{host:?}: {args:?}: {e}\n{}\n{}", ended.describe(), again.describe()));
        }
        let same = (&ended.stdout, &ended.stderr) == (&again.stdout, &again.stderr);
        let status = match (&ended.status, &again.status) {
            (Ok(a), Ok(b)) => a == b,
            (a, b) => a.is_err() == b.is_err(),
        };
        if !same || !status {
            return Some(format!("{host:?}: {args:?}:\n{}\n{}", ended.describe(), again.describe()));
        }
    }
    (!ended.ok()).then(|| format!("{host:?}: {args:?} failed: {}", ended.describe()))
}

fn all_checks(name: &str, hosts: &[Host]) {
    let program = Program::new(name);
    let checks = program.checks(hosts[0]);
    assert!(!checks.is_empty());
    let mut failed = Vec::new();
    for host in hosts {
        let root = Root::new(Backend::Disk);
        failed.extend(checks.iter().filter_map(|check| twice(&program, *host, &[check], &root)));
    }
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
}

const TWO: [Host; 2] = [Host::Two(Kind::Sync, Adaptive), Host::Two(Kind::Async, Adaptive)];
const THREE: [Host; 1] = [Host::Three(Adaptive)];

#[test]
fn p2_filesystem() {
    all_checks("p2_filesystem", &TWO);
}

#[test]
fn p2_streams_clocks_and_chance() {
    for name in ["p2_streams", "p2_clocks", "p2_poll", "p2_random"] {
        all_checks(name, &TWO);
    }
}

#[test]
fn p2_sockets() {
    for name in ["p2_tcp", "p2_tcp_streams", "p2_udp", "p2_lookup"] {
        all_checks(name, &TWO);
    }
}

#[test]
fn p3_filesystem() {
    for name in ["p3_filesystem", "p3_directories"] {
        all_checks(name, &THREE);
    }
}

#[test]
fn p3_streams_clocks_and_chance() {
    for name in ["p3_streams", "p3_clocks", "p3_ends", "p3_random"] {
        all_checks(name, &THREE);
    }
}

#[test]
fn p3_sockets() {
    for name in ["p3_tcp", "p3_tcp_streams", "p3_udp", "p3_lookup"] {
        all_checks(name, &THREE);
    }
}

/// Many tasks at once, of files, connections, listings and clocks.
#[test]
fn p3_many_tasks() {
    let program = Program::new("p3_stress");
    let actions = ["reads", "writes", "files", "waits", "datagrams", "halves", "connections"];
    let all = [&["tasks", "300"][..], &["timers", "300"]]
        .into_iter()
        .map(<[_]>::to_vec)
        .chain(actions.map(|action| vec![action, "30"]));
    for args in all {
        let wrong = twice(&program, THREE[0], &args, &Root::new(Backend::Disk));
        assert!(wrong.is_none(), "{}", wrong.unwrap());
    }
}

/// Both versions in one component. What it prints is how late it woke.
#[test]
fn both_versions() {
    let program = Program::new("p3_both");
    for args in [&["3000"][..], &["3000", "by-three"]] {
        let wrong = twice(&program, THREE[0], args, &Root::new(Backend::Memory));
        assert!(wrong.is_none(), "{}", wrong.unwrap());
    }
}

/// A replay waits for nothing.
#[test]
fn no_time_passes() {
    let program = Program::new("p3_both");
    let (ended, log) = record(&program, THREE[0], &["3000", "by-three"], &Root::new(Backend::Memory));
    assert!(ended.ok(), "{}", ended.describe());
    let began = Instant::now();
    let (again, replay) = replay(&program, THREE[0], &log);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(replay.finish(), Ok(()));
    assert_eq!(ended.stdout, again.stdout);
}
