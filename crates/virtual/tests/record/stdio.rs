//! Standard streams.

use super::{record, replay, same};
use bytes::Bytes;
use std::sync::Arc;
use wasi_host_core::pipe::{MemoryInputPipe, MemoryOutputPipe, SinkOutputStream};
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{HostInputStream, InputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::record::Tape;

#[test]
fn what_came_in_comes_in_again() {
    let all = same(|tape| {
        let stdin = tape.stdin(Box::new(MemoryInputPipe::new("a line and another")));
        let mut stream = stdin.stream();
        let ready = matches!(stream.wait(), Wait::Ready);
        let mut buf = [0; 4];
        let n = stream.read_into(&mut buf).unwrap();
        let rest = (stream.skip(5).unwrap(), stream.read(100).unwrap());
        let end = matches!(stream.read(1), Err(StreamError::Closed));
        (stdin.isatty(), ready, n, buf, rest, end)
    });
    assert_eq!(all, (false, true, 4, *b"a li", (5, "d another".into()), true));
}

/// Writes what it may.
fn program(tape: &Tape, target: impl StdoutStream + 'static) -> (usize, usize) {
    let waiter: Arc<dyn Waiter> = Arc::new(Poller::default());
    let stdout = tape.stdout(Box::new(target), "standard output", &waiter);
    let mut stream = stdout.stream();
    let permit = stream.check_write().unwrap();
    stream.write("some".into()).unwrap();
    let n = stream.write_some(b" text").unwrap();
    stream.flush().unwrap();
    (permit, n)
}

#[test]
fn what_goes_out_goes_where_the_replay_says() {
    let (first, second) = (MemoryOutputPipe::new(7), MemoryOutputPipe::new(100));
    let (log, recorded) = record(|tape| program(tape, first.clone()));
    assert_eq!((recorded, first.contents()), ((7, 3), "some te".into()));
    // There would be room for more.
    let (replayed, ended) = replay(log.clone(), |tape| program(tape, second.clone()));
    assert_eq!((replayed, second.contents(), ended), (recorded, "some te".into(), Ok(())));
    assert_eq!(replay(log, |tape| program(tape, SinkOutputStream)), (recorded, Ok(())));
}

#[test]
fn other_output_is_found() {
    let write = |tape: &Tape, text: &'static str| {
        let waiter: Arc<dyn Waiter> = Arc::new(Poller::default());
        let stdout = tape.stdout(Box::new(SinkOutputStream), "standard output", &waiter);
        stdout.stream().write_from(text.as_bytes()).map_err(|e| matches!(e, StreamError::Trap(_)))
    };
    let (log, _) = record(|tape| write(tape, "one"));
    let (result, ended) = replay(log, |tape| write(tape, "two"));
    assert_eq!(result, Err(true), "the program is stopped");
    let e = ended.unwrap_err();
    assert!(e.expected.contains("write 3 bytes") && e.found.contains("a stream of standard output"), "{e}");
}

/// A source that gives more than it was asked for stands for a log that was made up.
#[test]
fn no_more_comes_in_than_was_asked_for() {
    struct Generous;

    #[async_trait::async_trait]
    impl Subscribe for Generous {
        async fn ready(&mut self) {}
    }

    impl HostInputStream for Generous {
        fn read(&mut self, _: usize) -> StreamResult<Bytes> {
            Ok("much more".into())
        }
    }

    impl StdinStream for Generous {
        fn stream(&self) -> InputStream {
            Box::new(Self)
        }

        fn isatty(&self) -> bool {
            false
        }
    }

    let (log, ()) = record(|tape| {
        let mut stream = tape.stdin(Box::new(Generous)).stream();
        let _ = (stream.read(1), stream.skip(1));
    });
    let ((), ended) = replay(log, |tape| {
        let mut stream = tape.stdin(Box::new(Generous)).stream();
        assert!(matches!(stream.read(1), Err(StreamError::Trap(_))));
        assert!(matches!(stream.skip(1), Err(StreamError::Trap(_))));
    });
    assert_eq!(ended, Ok(()));
}
