//! What holds for every output.

use super::check::{By, LONG, SHORT, TICK, closed, drive, in_time, ok, readies, same, text};
use super::{Output, Taken};
use crate::pipe::MemoryInputPipe;
use crate::stream::{OutputStream, Scratch, StreamError, StreamResult, splice};
use crate::wait::Waiter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

pub(super) type Case = (&'static str, fn(&dyn Waiter, Output));

macro_rules! list {
    ($($case:ident),+ $(,)?) => {
        pub(super) const CASES: &[Case] = &[$((concat!("output::", stringify!($case)), $case)),+];
    };
}
list!(
    what_is_permitted_is_taken,
    every_way_of_writing_writes,
    zeroes_are_written_as_permitted,
    nothing_can_always_be_written,
    room_ends_a_wait,
    room_ends_a_future,
    a_flush_brings_everything_out,
    the_end_brings_everything_out,
    more_than_permitted_harms_nobody,
    without_a_reader_it_is_closed_for_ever,
    a_reader_that_goes_ends_a_wait,
    a_cancel_ends,
);

/// More than this no stream keeps for its reader, unless it keeps everything.
const FULL: usize = 16 << 20;

/// What a case writes at a time, though it might write more.
const MOST: usize = 1 << 20;

/// A stream under test, what it was given and what has come of that.
struct Test<'a> {
    waiter: &'a dyn Waiter,
    stream: OutputStream,
    taken: Taken,
    sent: Vec<u8>,
    got: Vec<u8>,
}

impl<'a> Test<'a> {
    fn new(waiter: &'a dyn Waiter, output: Output) -> Self {
        Self { waiter, stream: output.stream, taken: output.taken, sent: Vec::new(), got: Vec::new() }
    }

    fn take(&mut self) {
        self.got.extend((self.taken)());
    }

    /// Waits for a permit, taking what arrives.
    fn permit(&mut self) -> StreamResult<usize> {
        let until = Instant::now() + LONG;
        loop {
            match self.stream.check_write()? {
                0 => {
                    in_time(until);
                    self.take();
                    readies(self.waiter, &mut *self.stream, By::Wait, TICK);
                }
                n => return Ok(n),
            }
        }
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let n = ok("check_write", self.permit()).min(bytes.len());
            ok("write of what is permitted", self.stream.write(bytes[..n].to_vec().into()));
            self.sent.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
        }
    }

    /// Writes until there is no room any more, nobody taking anything; whether that ever happens.
    fn fill(&mut self) -> bool {
        let bytes = text(MOST);
        let mut idle = 0;
        while self.sent.len() < FULL {
            match ok("check_write", self.stream.check_write()) {
                0 if !readies(self.waiter, &mut *self.stream, By::Wait, SHORT) => return true,
                0 => {
                    idle += 1;
                    assert!(idle < 10_000, "it is ready again and again, and permits nothing");
                }
                n => {
                    idle = 0;
                    let bytes = &bytes[..n.min(MOST)];
                    ok("write of what is permitted", self.stream.write_from(bytes));
                    self.sent.extend_from_slice(bytes);
                }
            }
        }
        false
    }

    /// Waits until there is room, while somebody else, a little later, takes what arrives.
    fn room_comes(&mut self, by: By) {
        let Self { waiter, stream, taken, got, .. } = self;
        let done = AtomicBool::new(false);
        thread::scope(|s| {
            s.spawn(|| {
                thread::sleep(SHORT);
                while !done.load(Ordering::Relaxed) {
                    got.extend(taken());
                    thread::sleep(TICK);
                }
            });
            let until = Instant::now() + LONG;
            let came = loop {
                match stream.check_write() {
                    Ok(0) if Instant::now() < until => {
                        if !readies(*waiter, &mut **stream, by, LONG) {
                            break Ok(0);
                        }
                    }
                    permit => break permit,
                }
            };
            // Before anything can fail: the other thread goes on until it is told.
            done.store(true, Ordering::Relaxed);
            assert!(ok("check_write", came) > 0, "there is room, and nobody is told");
        });
    }

    /// Takes until all has arrived that was sent.
    fn arrives(&mut self) {
        let until = Instant::now() + LONG;
        while self.got.len() < self.sent.len() && Instant::now() < until {
            self.take();
            if self.got.len() < self.sent.len() {
                thread::sleep(TICK);
            }
        }
        same("what arrived", &self.got, &self.sent);
    }

    /// Ends the stream. Then all is there, and no more.
    fn ends(mut self) {
        self.write(b"\n");
        ok("end", self.stream.end());
        match self.permit() {
            Ok(_) | Err(StreamError::Closed) => {}
            Err(e) => panic!("after its end: {e}"),
        }
        drop(std::mem::replace(&mut self.stream, Box::new(crate::pipe::ClosedOutputStream)));
        self.arrives();
        self.take();
        same("what arrived at last", &self.got, &self.sent);
    }
}

fn what_is_permitted_is_taken(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    for size in [1, 7, 100, 4096, 70_000, 1] {
        test.write(&text(size));
    }
    test.ends();
}

fn every_way_of_writing_writes(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    for round in 1..=3 {
        let bytes = text(round * 100);

        let n = ok("check_write", test.permit()).min(bytes.len());
        ok("write_from", test.stream.write_from(&bytes[..n]));
        test.sent.extend_from_slice(&bytes[..n]);

        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let n = ok("write_some", test.stream.write_some(rest));
            assert!(n <= rest.len(), "it took more than it was given");
            test.sent.extend_from_slice(&rest[..n]);
            rest = &rest[n..];
            if n == 0 {
                let _ = test.permit();
            }
        }

        let n = ok("check_write", test.permit()).min(bytes.len());
        let mut from = MemoryInputPipe::new(bytes.clone());
        let moved = ok("splice", splice(&mut from, &mut *test.stream, n, &mut Scratch::default()));
        assert!(moved <= n, "it took more than it was given");
        test.sent.extend_from_slice(&bytes[..moved]);

        let Test { stream, taken, got, .. } = &mut test;
        let mut take = || got.extend(taken());
        let written = drive(waiter, stream.blocking_write_and_flush(bytes.clone().into()), &mut take);
        ok("blocking_write_and_flush", written);
        ok(
            "blocking_write_zeroes_and_flush",
            drive(waiter, stream.blocking_write_zeroes_and_flush(300), &mut take),
        );
        assert!(ok("write_ready", drive(waiter, stream.write_ready(), &mut take)) > 0);
        test.sent.extend(bytes);
        test.sent.extend([0; 300]);
        test.write(b"\n");
    }
    test.ends();
}

fn zeroes_are_written_as_permitted(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    for _ in 0..3 {
        let n = ok("check_write", test.permit()).min(MOST);
        ok("write_zeroes of what is permitted", test.stream.write_zeroes(n));
        test.sent.extend(vec![0; n]);
        test.write(b"\n");
    }
    test.ends();
}

fn nothing_can_always_be_written(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    for full in [false, true] {
        if full && !test.fill() {
            break;
        }
        ok("write of nothing", test.stream.write("".into()));
        ok("write_from of nothing", test.stream.write_from(b""));
        ok("write_zeroes of nothing", test.stream.write_zeroes(0));
        assert_eq!(ok("write_some of nothing", test.stream.write_some(b"")), 0);
    }
    test.ends();
}

fn room_ends_a_wait(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    if test.fill() {
        assert_eq!(ok("write_some where there is no room", test.stream.write_some(b"x")), 0);
        test.room_comes(By::Wait);
    }
    test.ends();
}

fn room_ends_a_future(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    if test.fill() {
        let early = readies(waiter, &mut *test.stream, By::Ready, SHORT);
        assert!(!early, "it is ready, and permits nothing");
        test.room_comes(By::Ready);
    }
    test.ends();
}

fn a_flush_brings_everything_out(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    ok("flush of nothing", test.stream.flush());
    for size in [47, 4700, 47_000] {
        test.write(&text(size));
        ok("flush", test.stream.flush());
        ok("another flush", test.stream.flush());
        ok("what follows a flush", test.permit());
        test.arrives();
    }
    test.ends();
}

fn the_end_brings_everything_out(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    test.write(&text(47));
    while test.sent.len() < 4 * MOST {
        match ok("check_write", test.stream.check_write()).min(MOST / 47 * 47) {
            n if n >= 47 => {
                let bytes = text(n / 47 * 47);
                ok("write", test.stream.write(bytes.clone().into()));
                test.sent.extend(bytes);
            }
            _ => break,
        }
    }
    test.ends();
}

fn more_than_permitted_harms_nobody(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    let n = ok("check_write", test.permit());
    if n > FULL {
        return;
    }
    let bytes = text(n + 1);
    match test.stream.write_from(&bytes) {
        Ok(()) => {
            test.sent.extend(bytes);
            test.ends();
        }
        // The guest is stopped, or told.
        Err(_) => drop(test.stream.check_write()),
    }
}

/// What writing one byte more says.
fn one_more(stream: &mut OutputStream) -> StreamResult<usize> {
    match stream.check_write()? {
        0 => Ok(0),
        _ => stream.write(b"x".as_slice().into()).map(|()| 1),
    }
}

/// Goes on until nobody reads any more. What is in between may be taken, or fail.
fn closes(waiter: &dyn Waiter, stream: &mut OutputStream, by: By) {
    let until = Instant::now() + LONG;
    loop {
        match one_more(stream) {
            Ok(0) => {
                assert!(readies(waiter, &mut **stream, by, LONG), "the reader has gone, and nobody is told")
            }
            Ok(_) => thread::sleep(TICK),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => {}
            Err(e) => panic!("the reader has gone: {e}"),
        }
        in_time(until);
    }
    for _ in 0..3 {
        closed("after it was closed", one_more(stream));
        assert!(readies(waiter, &mut **stream, By::Wait, LONG), "closed, and one waits");
        assert!(readies(waiter, &mut **stream, By::Ready, LONG), "closed, and one waits for its future");
    }
}

fn without_a_reader_it_is_closed_for_ever(waiter: &dyn Waiter, output: Output) {
    if output.hangs_up {
        let mut test = Test::new(waiter, output);
        test.write(b"abc\n");
        drop(test.taken);
        closes(waiter, &mut test.stream, By::Wait);
    }
}

fn a_reader_that_goes_ends_a_wait(waiter: &dyn Waiter, output: Output) {
    if output.hangs_up {
        let mut test = Test::new(waiter, output);
        if test.fill() {
            let Test { mut stream, taken, .. } = test;
            thread::scope(|s| {
                s.spawn(move || {
                    thread::sleep(SHORT);
                    drop(taken);
                });
                closes(waiter, &mut stream, By::Wait);
            });
        }
    }
}

fn a_cancel_ends(waiter: &dyn Waiter, output: Output) {
    let mut test = Test::new(waiter, output);
    test.write(b"abc\n");
    for _ in 0..2 {
        drive(waiter, test.stream.cancel(), || {});
    }
}
