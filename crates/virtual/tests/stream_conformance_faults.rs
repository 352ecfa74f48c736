//! The suite for streams finds what is wrong with one.

use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasi_host_core::conformance::stream::{Input, Output, Parker, input, output};
use wasi_host_core::pipe::MemoryInputPipe;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{
    HostInputStream, HostOutputStream, InputStream, OutputStream, StreamError, StreamResult, Subscribe,
};
use wasi_host_core::wait::Wait;
use wasi_host_virtual::stdio::{channel, feed};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// The bytes of a write are in the wrong order.
    Turns,
    /// Part of what was permitted is refused.
    Refuses,
    /// It is ready while there is no room, or nothing to read.
    Spins,
    /// A write of nothing is an error.
    Empty,
    /// Once closed, it opens again.
    Reopens,
    /// It says of more bytes than it took, or gives more than it was asked for.
    Boasts,
    /// It ends where there is nothing yet.
    Early,
    /// What is asked for as nothing takes a byte.
    Takes,
}

struct Faulty<S> {
    stream: S,
    fault: Fault,
    errors: usize,
}

fn faulty<S>(stream: S, fault: Fault) -> Faulty<S> {
    Faulty { stream, fault, errors: 0 }
}

impl<S> Faulty<S> {
    /// What was an error, unless it is to be none the second time.
    fn told<T>(&mut self, result: StreamResult<T>, otherwise: T) -> StreamResult<T> {
        self.errors += usize::from(result.is_err());
        match result {
            Err(_) if self.fault == Fault::Reopens && self.errors.is_multiple_of(2) => Ok(otherwise),
            result => result,
        }
    }
}

#[async_trait::async_trait]
impl<S: Subscribe> Subscribe for Faulty<S> {
    async fn ready(&mut self) {
        if self.fault != Fault::Spins {
            self.stream.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        if self.fault == Fault::Spins { Wait::Ready } else { self.stream.wait() }
    }
}

impl HostOutputStream for Faulty<OutputStream> {
    fn check_write(&mut self) -> StreamResult<usize> {
        let permit = self.stream.check_write();
        self.told(permit, 0)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut bytes = bytes.to_vec();
        match self.fault {
            Fault::Turns => bytes.reverse(),
            Fault::Refuses if bytes.len() > 4000 => return Err(StreamError::trap("too much")),
            Fault::Empty if bytes.is_empty() => return Err(StreamError::trap("nothing")),
            _ => {}
        }
        let written = self.stream.write(bytes.into());
        self.told(written, ())
    }

    fn flush(&mut self) -> StreamResult<()> {
        let flushed = self.stream.flush();
        self.told(flushed, ())
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let n = self.check_write()?.min(src.len());
        self.write_from(&src[..n])?;
        Ok(if self.fault == Fault::Boasts { n + 1 } else { n })
    }
}

impl HostInputStream for Faulty<InputStream> {
    fn read(&mut self, mut size: usize) -> StreamResult<Bytes> {
        match self.fault {
            Fault::Boasts => size = size.saturating_add(1),
            Fault::Takes => size = size.max(1),
            Fault::Refuses if size > 4000 => return Err(StreamError::trap("too much")),
            Fault::Empty if size == 0 => return Err(StreamError::trap("nothing")),
            _ => {}
        }
        let mut bytes = self.stream.read(size).map(Vec::from);
        match (self.fault, &mut bytes) {
            (Fault::Turns, Ok(bytes)) => bytes.reverse(),
            (Fault::Early, Ok(bytes)) if bytes.is_empty() && size > 0 => return Err(StreamError::Closed),
            _ => {}
        }
        self.told(bytes.map(Bytes::from), Bytes::from_static(b"x"))
    }
}

/// What the suite says.
fn verdict(suite: impl FnOnce()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(suite)).map_err(|panic| *panic.downcast::<String>().unwrap())
}

fn of_output(fault: Fault) -> Result<(), String> {
    verdict(|| {
        output(&Parker, || {
            let (stdout, receiver) = channel(5000);
            let stream = faulty(stdout.stream(), fault);
            Output::new(Box::new(stream), move || receiver.try_recv().unwrap_or_default().into()).hangs_up()
        });
    })
}

fn of_input(fault: Fault) -> Result<(), String> {
    verdict(|| {
        input(&Parker, |bytes| {
            let (stdin, feeder) = feed(1 << 20);
            feeder.try_write(bytes).unwrap();
            let stream = faulty(stdin.stream(), fault);
            Input::fed(Box::new(stream), move |bytes| {
                feeder.try_write(bytes).unwrap();
            })
        });
    })
}

#[test]
fn a_good_stream_passes() {
    assert_eq!(of_output(Fault::None), Ok(()));
    assert_eq!(of_input(Fault::None), Ok(()));
    let whole = verdict(|| {
        input(&Parker, |bytes| {
            Input::whole(Box::new(faulty(MemoryInputPipe::new(bytes.to_vec()).stream(), Fault::None)))
        });
    });
    assert_eq!(whole, Ok(()));
}

/// Fails in these cases, among others.
#[track_caller]
fn fails(verdict: Result<(), String>, cases: &[&str]) {
    let said = verdict.expect_err("it passes");
    for case in cases {
        assert!(said.contains(case), "{case} passes: {said}");
    }
}

#[test]
fn outputs_that_are_wrong_fail() {
    fails(of_output(Fault::Turns), &["what_is_permitted_is_taken", "every_way_of_writing"]);
    fails(of_output(Fault::Refuses), &["what_is_permitted_is_taken", "zeroes_are_written"]);
    fails(of_output(Fault::Spins), &["room_ends_a_wait", "room_ends_a_future"]);
    fails(of_output(Fault::Empty), &["nothing_can_always"]);
    fails(of_output(Fault::Reopens), &["without_a_reader"]);
    fails(of_output(Fault::Boasts), &["every_way_of_writing", "nothing_can_always"]);
}

#[test]
fn inputs_that_are_wrong_fail() {
    fails(of_input(Fault::Turns), &["never_more", "every_way_of_reading"]);
    fails(of_input(Fault::Refuses), &["any_amount", "much_comes"]);
    fails(of_input(Fault::Spins), &["bytes_end_a_wait", "a_cancel_ends_where_nothing_comes"]);
    fails(of_input(Fault::Empty), &["nothing_can_always"]);
    fails(of_input(Fault::Reopens), &["the_end_is_for_ever"]);
    fails(of_input(Fault::Boasts), &["never_more", "nothing_can_always"]);
    fails(of_input(Fault::Takes), &["nothing_can_always"]);
    fails(of_input(Fault::Early), &["bytes_end_a_wait", "bytes_end_a_future"]);
}
