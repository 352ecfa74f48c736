//! Logs that are cut off, changed, or not logs at all.

use super::common::{READ, content, open_file, put};
use super::{Sink, record, replay};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use wasi_host_core::Result;
use wasi_host_core::fs::File;
use wasi_host_core::wait::{BoxFuture, Event, Interrupt, Wait, Waiter};
use wasi_host_native::random::thread_rng;
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::record::{LogError, Recorder, Replay, Setup, Tape};

/// More than it takes until what is recorded goes out.
const LATE: Duration = Duration::from_millis(200);

/// Some of everything that a file can be asked.
fn program(tape: &Tape) -> String {
    let root = tape.dir((!tape.replays()).then(|| MemoryFs::new().root()), "/");
    put(&*root, "a", "text");
    let mut bytes = [0; 5000];
    tape.random(thread_rng(), "chance").fill_bytes(&mut bytes);
    root.entries().unwrap().for_each(drop);
    content(&*root, "a")
}

/// The same, without a word about what it got: a replay of a log that lies must not panic.
fn ask(tape: &Tape) {
    let root = tape.dir(None, "/");
    let _ = root.metadata();
    if let Ok(wasi_host_core::fs::Node::File(file)) = root.open("a", READ) {
        let file: &dyn File = &*file;
        let mut buf = [0; 10];
        let _ = file.read_at(&mut [std::io::IoSliceMut::new(&mut buf)], 0);
        let _ = file.append(&[std::io::IoSlice::new(b"x")]);
    }
}

#[test]
fn no_change_goes_unnoticed() {
    let (log, _) = record(program);
    assert_eq!(replay(log.clone(), program), ("text".to_owned(), Ok(())));
    for at in 0..log.len() {
        for bit in 0..8 {
            let mut changed = log.clone();
            changed[at] ^= 1 << bit;
            assert!(Replay::open(changed).is_err(), "byte {at}, bit {bit}");
        }
        assert!(Replay::open(log[..at].to_vec()).is_err(), "the first {at} bytes");
    }
}

#[test]
fn what_is_no_log_is_none() {
    for bytes in [&b""[..], b"\0asm\x01\0\0\0", b"wasi-host"] {
        assert_eq!(Replay::open(bytes.to_vec()).unwrap_err(), LogError::NotALog);
        assert_eq!(Replay::salvage(bytes.to_vec()).unwrap_err(), LogError::NotALog);
    }
}

/// A recorder that dies leaves what there was of the last page.
#[test]
fn what_is_left_of_a_log_can_be_replayed() {
    let (sink, setup) = (Sink::default(), Setup { args: vec!["program".to_owned()], ..Setup::default() });
    let recorder = Recorder::new(sink.clone());
    {
        let tape = recorder.begin(&setup);
        let mut random = tape.random(thread_rng(), "chance");
        for _ in 0..100 {
            random.fill_bytes(&mut [0; 5000]);
        }
    }
    let left = sink.0.lock().unwrap().clone();
    assert!(matches!(Replay::open(left.clone()).unwrap_err(), LogError::CutOff { pages } if pages >= 5));
    let replay = Replay::salvage(left).unwrap();
    assert_eq!(replay.setup(), &setup);
    let mut random = replay.begin(Interrupt::default()).random(thread_rng(), "chance");
    let whole = (0..100).take_while(|_| random.try_fill_bytes(&mut [0; 5000]).is_ok()).count();
    assert!((60..100).contains(&whole), "{whole}");
    assert!(replay.finish().is_err());
}

/// How many random numbers can be had from what has come to `sink`, whose recorder lives.
fn salvaged(sink: &Sink) -> usize {
    let replay = Replay::salvage(sink.0.lock().unwrap().clone()).unwrap();
    let mut random = replay.begin(Interrupt::default()).random(thread_rng(), "chance");
    (0..100).take_while(|_| random.try_fill_bytes(&mut [0; 8]).is_ok()).count()
}

#[test]
fn what_was_recorded_can_be_had_while_it_goes_on() {
    let sink = Sink::default();
    let recorder = Recorder::new(sink.clone());
    assert!(recorder.flush().is_err());
    let tape = recorder.begin(&Setup::default());
    assert_eq!(salvaged(&sink), 0);
    let mut random = tape.random(thread_rng(), "chance");
    for n in 1..10 {
        random.fill_bytes(&mut [0; 8]);
        recorder.flush().unwrap();
        assert_eq!(salvaged(&sink), n);
    }
}

/// A process that is killed leaves what was recorded a while before, be it that the guest calls or that it waits.
#[test]
fn what_is_late_is_written() {
    struct Looks(Sink);
    impl Waiter for Looks {
        fn any(
            &self,
            _: &[Wait<'_>],
            _: &mut [(usize, BoxFuture<'_, ()>)],
            ended: &mut Vec<Event>,
        ) -> Result<()> {
            assert_eq!(salvaged(&self.0), 3);
            ended.push(Event::new(0));
            Ok(())
        }
    }
    let sink = Sink::default();
    let tape = Recorder::new(sink.clone()).begin(&Setup::default());
    let mut random = tape.random(thread_rng(), "chance");
    let waiter = tape.waiter(Arc::new(Looks(sink.clone())));
    random.fill_bytes(&mut [0; 8]);
    thread::sleep(LATE);
    random.fill_bytes(&mut [0; 8]);
    assert_eq!(salvaged(&sink), 2);
    random.fill_bytes(&mut [0; 8]);
    thread::sleep(LATE);
    waiter.any(&[Wait::Ready], &mut [], &mut Vec::new()).unwrap();
}

#[test]
fn a_full_disk_is_told_at_the_end() {
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::new(Full(1000));
    let mut random = recorder.begin(&Setup::default()).random(thread_rng(), "chance");
    for _ in 0..100 {
        random.try_fill_bytes(&mut [0; 5000]).unwrap();
    }
    for _ in 0..2 {
        assert_eq!(recorder.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn a_recorder_and_a_replay_are_for_one_context() {
    let recorder = Recorder::new(io::sink());
    assert!(recorder.finish().is_err());
    let recorder = Recorder::new(io::sink());
    let _tapes = [(); 2].map(|()| recorder.begin(&Setup::default()));
    assert!(recorder.finish().is_err());

    let (log, _) = record(program);
    let replay = Replay::open(log).unwrap();
    let interrupt = Interrupt::default();
    let _tapes = [(); 2].map(|()| replay.begin(interrupt.clone()));
    assert!(interrupt.is_set());
    assert!(replay.finish().unwrap_err().found.contains("another context"));
}

/// What a log says may be anything, where somebody makes it who also makes its checksums.
#[test]
fn a_log_that_lies_harms_nobody() {
    let (log, _) = record(|tape| {
        let root = tape.dir(Some(MemoryFs::new().root()), "/");
        let _ = root.metadata();
        put(&*root, "a", "text");
        drop(open_file(&*root, "a", READ));
    });
    let mut seed = 1_u64;
    for _ in 0..20_000 {
        let changed = forged(&log, &mut seed);
        match Replay::open(changed) {
            Ok(replay) => {
                ask(&replay.begin(Interrupt::default()));
                let _ = replay.finish();
            }
            Err(e) => assert_eq!(e, LogError::Damaged),
        }
    }
}

/// The same log in one page with some bytes changed, and a checksum that agrees.
fn forged(log: &[u8], seed: &mut u64) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut next = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize
    };
    let head = b"wasi-host log\n".len() + 4;
    let number = |at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut page) = (head, Vec::new());
    while at < log.len() {
        let packed = &log[at + 12..][..number(at + 4)];
        flate2::read::DeflateDecoder::new(packed).read_to_end(&mut page).unwrap();
        at += 12 + packed.len();
    }
    for _ in 0..1 + next() % 3 {
        let at = next() % page.len();
        page[at] = if next() % 2 == 0 { next() as u8 } else { 0xff };
    }
    if next() % 4 == 0 {
        page.truncate(next() % page.len() + 1);
    }
    let mut forged = log[..head].to_vec();
    for (number, page) in [(1_u64, &page[..]), (2, &[])] {
        let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(page).unwrap();
        let packed = packed.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(&number.to_le_bytes());
        crc.update(&(page.len() as u64).to_le_bytes());
        crc.update(&packed);
        for number in [page.len() as u32, packed.len() as u32, crc.sum()] {
            forged.extend_from_slice(&number.to_le_bytes());
        }
        forged.extend_from_slice(&packed);
    }
    forged
}

/// Nothing compresses like nothing: a log of some kilobytes can have more to say than anybody has room for.
#[test]
fn what_no_program_is_given_is_no_log() {
    let arguments: [Vec<String>; 2] = [vec![String::new(); 2 << 20], vec!["\0".repeat(65 << 20)]];
    for args in arguments {
        let sink = Sink::default();
        let recorder = Recorder::new(sink.clone());
        recorder.begin(&Setup { args, ..Setup::default() });
        recorder.finish().unwrap();
        let log = sink.0.lock().unwrap().clone();
        assert!(log.len() < 1 << 20, "{} bytes", log.len());
        assert_eq!(Replay::open(log).err(), Some(LogError::Damaged));
    }
}
