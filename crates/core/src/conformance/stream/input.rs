//! What holds for every input.

use super::check::{By, LONG, SHORT, closed, drive, in_time, ok, readies, same, text};
use super::{Feed, Input};
use crate::pipe::MemoryOutputPipe;
use crate::stream::{InputStream, Scratch, StreamError, StreamResult, splice};
use crate::wait::Waiter;
use std::thread;
use std::time::Instant;

/// A name, how many bytes the input holds at first, and what is tried with it and these.
pub(super) type Case = (&'static str, usize, fn(&dyn Waiter, Input, Vec<u8>));

macro_rules! list {
    ($name:ident: $($case:ident($first:literal)),+ $(,)?) => {
        pub(super) const $name: &[Case] = &[$((concat!("input::", stringify!($case)), $first, $case)),+];
    };
}
list!(
    CASES: never_more_than_was_asked_for(1000),
    every_way_of_reading_reads(1000),
    nothing_can_always_be_read(10),
    any_amount_can_be_asked_for(1000),
    what_is_there_ends_each_wait(10),
    the_end_is_for_ever(10),
    an_empty_one_ends(0),
    a_cancel_ends(10),
);
list!(
    FED: bytes_end_a_wait(0),
    bytes_end_a_future(0),
    the_end_ends_a_wait(0),
    much_comes_through_in_order(100),
    a_cancel_ends_where_nothing_comes(0),
);

/// One step of reading; what it gave, of which `None` is bytes that nobody saw.
type Step = fn(&dyn Waiter, &mut InputStream, usize) -> StreamResult<(usize, Option<Vec<u8>>)>;

fn shown(bytes: Vec<u8>) -> (usize, Option<Vec<u8>>) {
    (bytes.len(), Some(bytes))
}

const STEPS: &[(&str, Step)] = &[
    ("read", |_, stream, size| Ok(shown(stream.read(size)?.to_vec()))),
    ("read_into", |_, stream, size| {
        let mut bytes = vec![0; size];
        let n = stream.read_into(&mut bytes)?;
        assert!(n <= size, "read_into: {n} bytes for {size}");
        bytes.truncate(n);
        Ok(shown(bytes))
    }),
    ("read_with", |_, stream, size| Ok(shown(stream.read_with(size, &mut Scratch::default())?.to_vec()))),
    ("skip", |_, stream, size| Ok((stream.skip(size)?, None))),
    ("splice", |_, stream, size| {
        let mut to = MemoryOutputPipe::new(1 << 20);
        let n = splice(&mut **stream, &mut to, size, &mut Scratch::default())?;
        assert_eq!(n, to.contents().len(), "splice: what it says and what it does");
        Ok(shown(to.contents().to_vec()))
    }),
    ("blocking_read", |waiter, stream, size| {
        Ok(shown(drive(waiter, stream.blocking_read(size), || {})?.to_vec()))
    }),
    ("blocking_skip", |waiter, stream, size| Ok((drive(waiter, stream.blocking_skip(size), || {})?, None))),
];

/// Waits until a step gives something, and no more than `size` bytes of it.
fn next(
    waiter: &dyn Waiter,
    stream: &mut InputStream,
    (name, step): &(&str, Step),
    size: usize,
) -> StreamResult<(usize, Option<Vec<u8>>)> {
    let until = Instant::now() + LONG;
    loop {
        let (n, bytes) = step(waiter, stream, size)?;
        assert!(n <= size, "{name}: {n} bytes for {size}");
        if n > 0 {
            return Ok((n, bytes));
        }
        assert!(!name.starts_with("blocking"), "{name} gave nothing");
        in_time(until);
        assert!(readies(waiter, &mut **stream, By::Wait, LONG), "{name}: nothing for a minute");
    }
}

/// Reads by `read`, in pieces of these sizes over and over, until `len` bytes are there.
fn read(waiter: &dyn Waiter, stream: &mut InputStream, len: usize, sizes: &[usize]) -> Vec<u8> {
    let mut got = Vec::new();
    for size in sizes.iter().cycle() {
        if got.len() >= len {
            break;
        }
        let (_, bytes) = ok("read", next(waiter, stream, &STEPS[0], *size));
        got.extend(bytes.expect("reading shows what it read"));
    }
    got
}

/// Waits for the end.
fn ends(waiter: &dyn Waiter, stream: &mut InputStream) {
    closed("at the end", next(waiter, stream, &STEPS[0], 10));
}

fn never_more_than_was_asked_for(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { mut stream, feed } = input;
    let got = read(waiter, &mut stream, first.len(), &[1, 7, 2, 100, 5000]);
    same("what was read", &got, &first);
    drop(feed);
    ends(waiter, &mut stream);
}

fn every_way_of_reading_reads(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { mut stream, feed } = input;
    let mut at = 0;
    for size in [1, 20, 33] {
        for step in STEPS {
            let (n, bytes) = ok(step.0, next(waiter, &mut stream, step, size));
            if let Some(bytes) = bytes {
                same(step.0, &bytes, &first[at..at + n]);
            }
            at += n;
        }
    }
    let rest = read(waiter, &mut stream, first.len() - at, &[4096]);
    same("the rest", &rest, &first[at..]);
    drop(feed);
    ends(waiter, &mut stream);
}

fn nothing_can_always_be_read(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { mut stream, feed } = input;
    for step in STEPS {
        assert_eq!(ok(step.0, step.1(waiter, &mut stream, 0)).0, 0, "{} of nothing", step.0);
    }
    same("what was read", &read(waiter, &mut stream, first.len(), &[4096]), &first);
    drop(feed);
    ends(waiter, &mut stream);
    for step in STEPS {
        match step.1(waiter, &mut stream, 0) {
            Ok((0, _)) | Err(StreamError::Closed) => {}
            other => panic!("{} of nothing at the end: {other:?}", step.0),
        }
    }
}

fn any_amount_can_be_asked_for(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { mut stream, feed: _feed } = input;
    let mut at = 0;
    for size in [usize::MAX, isize::MAX as usize] {
        if at < first.len() {
            let (n, bytes) = ok("read", next(waiter, &mut stream, &STEPS[0], size));
            same("what was read", &bytes.unwrap_or_default(), &first[at..at + n]);
            at += n;
        }
    }
}

fn what_is_there_ends_each_wait(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { mut stream, feed: _feed } = input;
    let mut at = 0;
    while at < first.len() {
        for by in [By::Wait, By::Ready, By::Wait] {
            assert!(readies(waiter, &mut *stream, by, LONG), "there is something, and nobody is told");
        }
        let n = ok("skip", stream.skip(3));
        assert!(n <= 3, "skip: {n} bytes for 3");
        at += n;
    }
}

fn the_end_is_for_ever(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { mut stream, feed } = input;
    drop(feed);
    same("what was read", &read(waiter, &mut stream, first.len(), &[4096]), &first);
    ends(waiter, &mut stream);
    for _ in 0..3 {
        for step in STEPS {
            closed(step.0, next(waiter, &mut stream, step, 10));
        }
        assert!(readies(waiter, &mut *stream, By::Wait, LONG), "closed, and one waits");
        assert!(readies(waiter, &mut *stream, By::Ready, LONG), "closed, and one waits for its future");
    }
}

fn an_empty_one_ends(waiter: &dyn Waiter, input: Input, _: Vec<u8>) {
    let Input { mut stream, feed } = input;
    drop(feed);
    ends(waiter, &mut stream);
}

fn a_cancel_ends(waiter: &dyn Waiter, mut input: Input, _: Vec<u8>) {
    for _ in 0..2 {
        drive(waiter, input.stream.cancel(), || {});
    }
}

/// Nothing is there, and it says so.
fn has_nothing(waiter: &dyn Waiter, stream: &mut InputStream) {
    for step in STEPS.iter().filter(|step| !step.0.starts_with("blocking")) {
        assert_eq!(ok(step.0, step.1(waiter, stream, 10)).0, 0, "{}: there was nothing yet", step.0);
    }
    for by in [By::Wait, By::Ready] {
        assert!(!readies(waiter, &mut **stream, by, SHORT), "it is ready, and has nothing");
    }
}

/// Waits for what `later` does to the feed, a little later: bytes, and then the end.
fn comes(waiter: &dyn Waiter, input: Input, by: By, expected: &[u8], later: impl FnOnce(Feed) + Send) {
    let Input { mut stream, feed } = input;
    let feed = feed.expect("it is fed");
    has_nothing(waiter, &mut stream);
    thread::scope(|s| {
        s.spawn(move || {
            thread::sleep(SHORT);
            later(feed);
        });
        let (mut stream, mut got) = (stream, Vec::new());
        let until = Instant::now() + LONG;
        loop {
            match stream.read(100) {
                Ok(bytes) if bytes.is_empty() => {
                    assert!(
                        readies(waiter, &mut *stream, by, LONG),
                        "something has come, and nobody is told"
                    );
                }
                Ok(bytes) => got.extend(bytes),
                Err(StreamError::Closed) => break,
                Err(e) => panic!("read: {e}"),
            }
            in_time(until);
        }
        same("what came", &got, expected);
    });
}

fn bytes_end_a_wait(waiter: &dyn Waiter, input: Input, _: Vec<u8>) {
    comes(waiter, input, By::Wait, b"abc", |mut feed| feed(b"abc"));
}

fn bytes_end_a_future(waiter: &dyn Waiter, input: Input, _: Vec<u8>) {
    comes(waiter, input, By::Ready, b"abc", |mut feed| feed(b"abc"));
}

fn the_end_ends_a_wait(waiter: &dyn Waiter, input: Input, _: Vec<u8>) {
    comes(waiter, input, By::Wait, b"", drop);
}

fn much_comes_through_in_order(waiter: &dyn Waiter, input: Input, first: Vec<u8>) {
    let Input { stream, feed } = input;
    let mut feed = feed.expect("it is fed");
    let more = text(300_000);
    let expected = [&first[..], &more].concat();
    thread::scope(|s| {
        s.spawn(|| {
            for piece in more.chunks(30_011) {
                feed(piece);
            }
            drop(feed);
        });
        // Dropped with a panic, so that who feeds it does not wait.
        let mut stream = stream;
        let got = read(waiter, &mut stream, expected.len(), &[1, 1000, 100_000, 17]);
        same("what was read", &got, &expected);
        ends(waiter, &mut stream);
    });
}

fn a_cancel_ends_where_nothing_comes(waiter: &dyn Waiter, mut input: Input, _: Vec<u8>) {
    has_nothing(waiter, &mut input.stream);
    drive(waiter, input.stream.cancel(), || {});
}
