//! Capabilities on a tape, one by one, recorded and replayed.

#![cfg(feature = "record")]

mod common;
#[path = "record/fs.rs"]
mod fs;
#[path = "record/log.rs"]
mod log;
#[path = "record/net.rs"]
mod net;
#[path = "record/stdio.rs"]
mod stdio;
#[path = "record/time.rs"]
mod time;
#[path = "record/wait.rs"]
mod wait;

use std::io;
use std::sync::{Arc, Mutex};
use wasi_host_core::wait::Interrupt;
use wasi_host_virtual::record::{Divergence, Recorder, Replay, Setup, Tape};

/// What was written to it.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of what `program` does, and what it gives.
fn record<R>(program: impl FnOnce(&Tape) -> R) -> (Vec<u8>, R) {
    let sink = Sink::default();
    let recorder = Recorder::new(sink.clone());
    let result = program(&recorder.begin(&Setup::default()));
    recorder.finish().unwrap();
    let log = sink.0.lock().unwrap().clone();
    (log, result)
}

/// What `program` gives in a replay, and whether it did what was recorded.
fn replay<R>(log: Vec<u8>, program: impl FnOnce(&Tape) -> R) -> (R, Result<(), Divergence>) {
    let replay = Replay::open(log).unwrap();
    let result = program(&replay.begin(Interrupt::default()));
    (result, replay.finish())
}

/// Does the same in a recording and in two replays, and compares what it gives.
#[track_caller]
fn same<R: PartialEq + std::fmt::Debug>(program: impl Fn(&Tape) -> R) -> R {
    let (log, recorded) = record(&program);
    for _ in 0..2 {
        let (replayed, ended) = replay(log.clone(), &program);
        assert_eq!(ended, Ok(()));
        assert_eq!(recorded, replayed);
    }
    recorded
}
