//! Standard streams whose other end the embedder holds.

use bytes::Bytes;
use std::io::{Read, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::conformance::stream::Parker;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{HostOutputStream, OutputStream, StreamError, StreamResult, Subscribe};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_virtual::stdio::{Callback, Captured, Full, Limited, Prefixed, Tee, channel, feed};

const PLENTY: usize = 1 << 20;

/// A little later than at once.
const SOON: Duration = Duration::from_millis(20);

fn log() -> Captured {
    Captured::new(PLENTY, Full::Fail)
}

fn errno<T: std::fmt::Debug>(result: StreamResult<T>) -> Errno {
    result.unwrap_err().number().expect("no trap")
}

fn is_pending(wait: Wait<'_>) -> bool {
    matches!(wait, Wait::Notify(watch) if !watch.changed())
}

/// Waits without a future; `false` if nothing happened for a minute.
fn wait(stream: &dyn Subscribe) -> bool {
    let mut ended = Vec::new();
    Parker.any(&[stream.wait(), Wait::For(Duration::from_secs(60))], &mut [], &mut ended).unwrap();
    ended[0].index == 0
}

/// Writes as WASI 0.1 does, as much as goes; then what went wrong.
fn write(stream: &mut OutputStream, mut src: &[u8]) -> Result<(), Errno> {
    while !src.is_empty() {
        match stream.write_some(src) {
            Ok(0) => assert!(wait(&**stream)),
            Ok(n) => src = &src[n..],
            Err(e) => return Err(e.number().expect("no trap")),
        }
    }
    Ok(())
}

#[test]
fn both_streams_share_one_capture_in_order() {
    let both = log();
    let (mut out, mut err) = (both.stream(), both.stream());
    write(&mut out, b"one ").unwrap();
    write(&mut err, b"two ").unwrap();
    write(&mut out, b"three").unwrap();
    assert_eq!(both.contents(), "one two three");
    assert_eq!(both.take(), "one two three");
    assert_eq!(both.contents(), "");
}

#[test]
fn a_full_capture_takes_what_fits_and_fails_for_ever() {
    let stdout = Captured::new(5, Full::Fail);
    let mut stream = stdout.stream();
    assert_eq!(stream.write_some(b"hell").unwrap(), 4);
    assert_eq!(stream.write_some(b"o, world").unwrap(), 1, "a short count, as on a disk");
    for _ in 0..3 {
        assert_eq!(errno(stream.write_some(b"!")), Errno::NoSpc);
        assert_eq!(errno(stream.write("!".into())), Errno::NoSpc);
        assert_eq!(errno(stream.write_zeroes(1)), Errno::NoSpc);
        assert!(stream.check_write().unwrap() > 0, "nobody waits for it");
        stream.flush().unwrap();
    }
    assert_eq!((stdout.contents(), stdout.lost()), ("hello".into(), 0));
    assert_eq!(stdout.take(), "hello");
    stream.write("again".into()).unwrap();
    assert_eq!(stdout.contents(), "again");
}

#[test]
fn a_write_that_fills_a_capture_has_succeeded() {
    let stdout = Captured::new(5, Full::Fail);
    let mut stream = stdout.stream();
    let mut cx = Context::from_waker(Waker::noop());
    let written = stream.blocking_write_and_flush("hello".into()).as_mut().poll(&mut cx);
    assert!(matches!(written, Poll::Ready(Ok(()))));
    let written = stream.blocking_write_and_flush("!".into()).as_mut().poll(&mut cx);
    assert!(matches!(written, Poll::Ready(Err(StreamError::LastOperationFailed(_)))));
}

#[test]
fn what_is_truncated_is_counted() {
    let stdout = Captured::new(5, Full::Truncate);
    let mut stream = stdout.stream();
    assert_eq!(stream.write_some(b"hello, world").unwrap(), 12);
    stream.write("more".into()).unwrap();
    stream.write_zeroes(100_000).unwrap();
    assert_eq!((stdout.contents(), stdout.lost()), ("hello".into(), 7 + 4 + 100_000));
}

#[test]
fn a_limit_is_one_for_all_streams() {
    let log = log();
    let stdout = Limited::new(log.clone(), 6, Full::Fail);
    let mut streams = [stdout.stream(), stdout.clone().stream()];
    write(&mut streams[0], b"abcd").unwrap();
    assert_eq!(write(&mut streams[1], b"efgh"), Err(Errno::NoSpc));
    assert_eq!(write(&mut streams[0], b"i"), Err(Errno::NoSpc));
    assert_eq!(log.contents(), "abcdef");
}

#[test]
fn what_an_output_does_not_take_is_not_counted_against_its_limit() {
    let (stdout, receiver) = channel(3);
    let stdout = Limited::new(stdout, 8, Full::Truncate);
    let mut stream = stdout.stream();
    assert_eq!(stream.write_some(b"abcdef").unwrap(), 3);
    assert_eq!(stream.write_some(b"def").unwrap(), 0);
    assert!(is_pending(stream.wait()));
    assert_eq!(receiver.recv().unwrap(), "abc");
    assert_eq!(stream.write_some(b"def").unwrap(), 3);
    assert_eq!(receiver.recv().unwrap(), "def");
    assert_eq!((stream.write_some(b"ghij").unwrap(), stdout.lost()), (4, 2));
    assert_eq!((stream.write_some(b"kl").unwrap(), stdout.lost()), (2, 4), "without waiting for anybody");
    assert_eq!(receiver.recv().unwrap(), "gh");
}

#[test]
fn a_line_is_prefixed_once_whoever_continues_it() {
    let log = log();
    let stdout = Prefixed::new(log.clone(), "> ");
    let (mut one, mut two) = (stdout.stream(), stdout.clone().stream());
    for part in ["a", "b\n", "\n", "c\nd", "\ne"] {
        write(&mut one, part.as_bytes()).unwrap();
        write(&mut two, part.as_bytes()).unwrap();
    }
    assert_eq!(log.contents(), "> aab\n> b\n> \n> \n> c\n> dc\n> d\n> e\n> e");
}

#[test]
fn a_permitted_write_fits_with_its_prefixes() {
    let (stdout, receiver) = channel(100);
    let mut stream = Prefixed::new(stdout, "0123456789").stream();
    let permit = stream.check_write().unwrap();
    assert_eq!(permit, 9);
    stream.write(vec![b'\n'; permit].into()).unwrap();
    assert_eq!(receiver.try_recv().unwrap(), "0123456789\n".repeat(9));
    assert_eq!(stream.write_some(&[b'x'; 1000]).unwrap(), 90, "as much as there is room for");
    assert_eq!(receiver.try_recv().unwrap().len(), 100);
}

#[test]
fn a_prefix_that_does_not_fit_comes_when_there_is_room() {
    let (stdout, receiver) = channel(4);
    let mut stream = Prefixed::new(stdout, "guest: ").stream();
    assert_eq!(stream.check_write().unwrap(), 1);
    stream.write("x".into()).unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    assert!(is_pending(stream.wait()));
    assert!(matches!(stream.write("y".into()), Err(StreamError::Trap(_))), "it keeps no more than that");
    assert_eq!(receiver.try_recv().unwrap(), "gues");
    stream.flush().unwrap();
    assert_eq!(receiver.try_recv().unwrap(), "t: x");
    assert_eq!(stream.check_write().unwrap(), 1);
}

#[test]
fn long_lines_come_in_pieces() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let all = lines.clone();
    let stdout = Callback::lines(4, move |line| all.lock().unwrap().push(line.to_vec()));
    let mut stream = stdout.stream();
    drop(stdout);
    for part in ["ab", "cd\n", "efghi", "jklm", "\n\nn"] {
        stream.write(part.into()).unwrap();
    }
    drop(stream);
    let lines: Vec<String> =
        lines.lock().unwrap().iter().map(|line| String::from_utf8(line.clone()).unwrap()).collect();
    assert_eq!(lines, ["abcd", "efgh", "ijkl", "m", "", "n"]);
}

#[test]
fn streams_of_one_channel_do_not_take_one_anothers_permits() {
    let (stdout, receiver) = channel(100);
    let mut streams = [stdout.stream(), stdout.stream(), stdout.stream()];
    for stream in &mut streams {
        assert_eq!(stream.check_write().unwrap(), 100);
    }
    for stream in &mut streams[..2] {
        stream.write(vec![b'x'; 100].into()).unwrap();
    }
    assert_eq!(errno(streams[2].write(vec![b'x'; 100].into())), Errno::NoBufs, "there is an end to it");
    assert_eq!(receiver.try_recv().unwrap().len(), 200);
}

#[test]
fn more_than_a_channel_permits_is_a_trap() {
    let (stdout, receiver) = channel(10);
    let mut stream = stdout.stream();
    assert_eq!(stream.check_write().unwrap(), 10);
    assert!(matches!(stream.write(vec![b'x'; 11].into()), Err(StreamError::Trap(_))));
    stream.write(vec![b'x'; 10].into()).unwrap();
    assert!(matches!(stream.write("x".into()), Err(StreamError::Trap(_))), "a permit is used up");
    assert_eq!(receiver.try_recv().unwrap().len(), 10);
    stream.write("x".into()).unwrap();
}

#[test]
fn a_guest_waits_for_its_receiver() {
    let (stdout, mut receiver) = channel(10);
    let guest = thread::spawn(move || write(&mut stdout.stream(), &[b'x'; 1000]));
    thread::sleep(SOON);
    let mut first = [0; 5];
    receiver.read_exact(&mut first).unwrap();
    assert_eq!(first, [b'x'; 5]);
    assert_eq!(receiver.map(|bytes| bytes.len()).sum::<usize>(), 995);
    assert_eq!(guest.join().unwrap(), Ok(()));
}

#[test]
fn a_guest_whose_receiver_goes_is_told() {
    let (stdout, receiver) = channel(10);
    let guest = thread::spawn(move || {
        let mut stream = stdout.stream();
        (write(&mut stream, &[b'x'; 1000]), errno(stream.check_write()), errno(stream.flush()))
    });
    thread::sleep(SOON);
    drop(receiver);
    assert_eq!(guest.join().unwrap(), (Err(Errno::Pipe), Errno::Pipe, Errno::Pipe));
}

#[test]
fn a_receiver_gets_the_rest_and_then_the_end() {
    let (stdout, receiver) = channel(10);
    let mut stream = stdout.stream();
    drop(stdout);
    assert_eq!(receiver.try_recv(), Some(Bytes::new()), "nothing yet");
    stream.write("rest".into()).unwrap();
    drop(stream);
    assert_eq!(receiver.recv().unwrap(), "rest");
    assert_eq!((receiver.try_recv(), receiver.recv()), (None, None));
}

#[test]
fn a_receiver_can_be_awaited() {
    let (stdout, receiver) = channel(10);
    let mut next = pin!(receiver.recv_async());
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(next.as_mut().poll(&mut cx), Poll::Pending);
    stdout.stream().write("now".into()).unwrap();
    assert_eq!(next.as_mut().poll(&mut cx), Poll::Ready(Some("now".into())));
}

#[test]
fn an_end_does_not_wait_for_the_receiver() {
    let (stdout, receiver) = channel(4);
    let mut stream = stdout.stream();
    write(&mut stream, b"full").unwrap();
    stream.end().unwrap();
    assert!(matches!(stream.check_write(), Err(StreamError::Closed)), "all of it is out");
    assert_eq!(receiver.try_recv().unwrap(), "full");
    write(&mut stdout.stream(), b"more").unwrap();
    assert_eq!(receiver.try_recv().unwrap(), "more", "other streams go on");
}

#[test]
fn a_guest_that_waits_for_input_is_woken() {
    let (stdin, mut feeder) = feed(10);
    let guest = thread::spawn(move || {
        let mut stream = stdin.stream();
        let mut got = Vec::new();
        loop {
            match stream.read(4) {
                Ok(bytes) if bytes.is_empty() => assert!(wait(&*stream)),
                Ok(bytes) => got.extend(bytes),
                Err(StreamError::Closed) => return got,
                Err(e) => panic!("{e}"),
            }
        }
    });
    thread::sleep(SOON);
    feeder.write_all(b"a line that is longer than the feed\n").unwrap();
    thread::sleep(SOON);
    feeder.write_all(b"more").unwrap();
    feeder.close();
    assert_eq!(guest.join().unwrap(), b"a line that is longer than the feed\nmore");
}

#[test]
fn a_feeder_is_told_when_nobody_reads() {
    let (stdin, mut feeder) = feed(10);
    let blocked = thread::spawn(move || feeder.write_all(&[b'x'; 11]).unwrap_err().kind());
    thread::sleep(SOON);
    drop(stdin);
    assert_eq!(blocked.join().unwrap(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn a_feeder_can_be_awaited() {
    let (stdin, feeder) = feed(4);
    let mut fed = pin!(feeder.write_all_async(b"abcdef"));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(fed.as_mut().poll(&mut cx), Poll::Pending);
    assert_eq!(stdin.stream().read(10).unwrap(), "abcd");
    assert_eq!(fed.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(stdin.stream().read(10).unwrap(), "ef");
    assert_eq!((feeder.try_write(b"abcdef"), feeder.try_write(b"e")), (Ok(4), Ok(0)));
}

#[test]
fn a_tee_waits_for_the_slower_one() {
    let kept = log();
    let (stdout, receiver) = channel(3);
    for tee in [Tee::new(stdout.clone(), kept.clone()).stream(), Tee::new(kept.clone(), stdout).stream()] {
        let mut stream = tee;
        assert_eq!(stream.write_some(b"abcd").unwrap(), 3);
        assert_eq!(stream.check_write().unwrap(), 0);
        assert!(is_pending(stream.wait()));
        assert_eq!((receiver.try_recv().unwrap(), kept.take()), ("abc".into(), "abc".into()));
        assert!(!is_pending(stream.wait()));
        assert_eq!(stream.check_write().unwrap(), 3);
    }
    drop(receiver);
}

#[test]
fn a_tee_has_ended_when_both_have() {
    let (first, _receiver) = channel(100);
    let (second, receiver) = channel(4);
    let mut stream = Tee::new(first, Prefixed::new(second, "guest: ")).stream();
    assert_eq!(stream.write_some(b"x").unwrap(), 1);
    stream.end().unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    assert_eq!(receiver.try_recv().unwrap(), "gues");
    assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
    assert_eq!(receiver.try_recv().unwrap(), "t: x");
}

/// An output that tells what it is asked to do, and permits so much at a time.
#[derive(Clone)]
struct Spy(usize, Arc<Mutex<String>>);

impl Spy {
    fn tell(&self, what: &str) {
        self.1.lock().unwrap().push_str(what);
    }
}

#[async_trait::async_trait]
impl Subscribe for Spy {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl HostOutputStream for Spy {
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.0)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.tell(str::from_utf8(&bytes).unwrap());
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.tell("(flush)");
        Ok(())
    }

    fn end(&mut self) -> StreamResult<()> {
        self.tell("(end)");
        Ok(())
    }

    async fn cancel(&mut self) {
        self.tell("(cancel)");
    }
}

impl StdoutStream for Spy {
    fn stream(&self) -> OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        true
    }
}

#[test]
fn what_goes_through_goes_on() {
    let told = Arc::new(Mutex::new(String::new()));
    let spy = Spy(3, told.clone());
    let silent = Spy(3, Arc::default());
    let stacks: [Box<dyn StdoutStream>; 4] = [
        Box::new(Limited::new(spy.clone(), 100, Full::Fail)),
        Box::new(Prefixed::new(spy.clone(), "")),
        Box::new(Tee::new(spy.clone(), silent.clone())),
        Box::new(Tee::new(silent, spy)),
    ];
    for stack in stacks {
        let mut stream = stack.stream();
        write(&mut stream, b"abcd").unwrap();
        stream.flush().unwrap();
        stream.end().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(stream.cancel().as_mut().poll(&mut cx).is_ready());
        assert_eq!(std::mem::take(&mut *told.lock().unwrap()), "abcd(flush)(end)(cancel)");
        assert!(stack.isatty());
    }
}

/// Whatever they wait for, it is a value.
#[test]
fn nobody_needs_a_runtime() {
    let (full, _receiver) = channel(1);
    write(&mut full.stream(), b"x").unwrap();
    let stacks: [Box<dyn StdoutStream>; 6] = [
        Box::new(full.clone()),
        Box::new(log()),
        Box::new(Callback::new(|_| {})),
        Box::new(Limited::new(full.clone(), 1, Full::Fail)),
        Box::new(Prefixed::new(full.clone(), "p")),
        Box::new(Tee::new(log(), full)),
    ];
    for stack in stacks {
        let mut stream = stack.stream();
        for _ in 0..2 {
            assert!(matches!(stream.wait(), Wait::Ready | Wait::Notify(_)));
            stream.check_write().unwrap();
        }
        assert!(!stack.isatty());
    }
    let (stdin, _feeder) = feed(1);
    assert!(is_pending(stdin.stream().wait()));
}
