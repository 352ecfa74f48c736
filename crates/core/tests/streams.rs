//! What holds for streams of every kind.

use bytes::Bytes;
use std::convert::Infallible;
use wasi_host_core::pipe::{
    ClosedInputStream, ClosedOutputStream, MemoryInputPipe, MemoryOutputPipe, SinkOutputStream,
};
use wasi_host_core::stream::{
    HostInputStream, HostOutputStream, Scratch, StreamError, StreamResult, Subscribe, splice,
};

fn fill(scratch: &mut Scratch, len: usize, with: u8) -> Bytes {
    let filled = scratch.fill(len, |buf| {
        buf.fill(with);
        Ok::<_, Infallible>(buf.len())
    });
    filled.unwrap()
}

#[test]
fn a_scratch_is_used_again_once_its_bytes_are_dropped() {
    let mut scratch = Scratch::default();
    let first = fill(&mut scratch, 4096, 1).as_ptr();
    for len in [4096, 1, 100, 4096] {
        let again = fill(&mut scratch, len, 2);
        assert_eq!(again.as_ptr(), first);
        assert_eq!(again, vec![2; len]);
    }
}

#[test]
fn bytes_that_somebody_keeps_do_not_change() {
    let mut scratch = Scratch::default();
    let kept = fill(&mut scratch, 64, 1);
    let second = fill(&mut scratch, 64, 2);
    assert_ne!(kept.as_ptr(), second.as_ptr());
    assert_eq!(kept, vec![1; 64]);
    let place = second.as_ptr();
    drop(second);
    assert_eq!(fill(&mut scratch, 64, 3).as_ptr(), place);
    assert_eq!(kept, vec![1; 64]);
}

#[test]
fn a_scratch_gives_as_much_as_was_written() {
    let mut scratch = Scratch::default();
    assert_eq!(scratch.fill(8, |_| Ok::<_, Infallible>(0)).unwrap(), "");
    assert_eq!(scratch.fill(8, |_| Ok::<_, Infallible>(9)).unwrap().len(), 8, "no more than there is");
    assert_eq!(scratch.fill(0, |buf| Ok::<_, Infallible>(buf.len())).unwrap(), "");
    assert_eq!(scratch.fill(8, |_| Err(5)), Err(5));
    assert_eq!(fill(&mut scratch, 3, 7), vec![7; 3], "a failure leaves it usable");
}

#[test]
fn a_scratch_keeps_no_large_buffer() {
    let mut scratch = Scratch::default();
    assert_eq!(fill(&mut scratch, 3 << 20, 1).len(), 3 << 20);
    assert_eq!(format!("{scratch:?}"), "Scratch { kept: 0 }");
    let small = fill(&mut scratch, 1 << 20, 2).as_ptr();
    assert_eq!(fill(&mut scratch, 1 << 20, 3).as_ptr(), small);
}

#[test]
fn splice_moves_what_is_permitted_and_loses_nothing() {
    let mut src = MemoryInputPipe::new("abcdefgh");
    let mut dst = MemoryOutputPipe::new(5);
    let mut scratch = Scratch::default();
    assert_eq!(splice(&mut src, &mut dst, 2, &mut scratch).unwrap(), 2);
    assert_eq!(splice(&mut src, &mut dst, 0, &mut scratch).unwrap(), 0);
    assert_eq!(splice(&mut src, &mut dst, 100, &mut scratch).unwrap(), 3);
    assert_eq!(dst.contents(), "abcde");
    assert!(matches!(splice(&mut src, &mut dst, 100, &mut scratch), Err(StreamError::Closed)));
    assert_eq!(src.read(100).unwrap(), "fgh", "what the other side does not take stays");
}

#[test]
fn splice_ends_as_either_stream_does() {
    let mut scratch = Scratch::default();
    let closed = splice(&mut ClosedInputStream, &mut SinkOutputStream, 1, &mut scratch);
    assert!(matches!(closed, Err(StreamError::Closed)));
    let closed = splice(&mut MemoryInputPipe::new("a"), &mut ClosedOutputStream, 1, &mut scratch);
    assert!(matches!(closed, Err(StreamError::Closed)));
}

/// Has nothing yet, or too much.
struct Odd(&'static str);

#[async_trait::async_trait]
impl Subscribe for Odd {
    async fn ready(&mut self) {}
}

impl HostInputStream for Odd {
    fn read(&mut self, _: usize) -> StreamResult<Bytes> {
        Ok(Bytes::from_static(self.0.as_bytes()))
    }
}

#[test]
fn splice_believes_no_stream() {
    let mut scratch = Scratch::default();
    let mut dst = MemoryOutputPipe::new(2);
    assert_eq!(splice(&mut Odd(""), &mut dst, 9, &mut scratch).unwrap(), 0);
    assert!(matches!(splice(&mut Odd("abc"), &mut dst, 9, &mut scratch), Err(StreamError::Trap(_))));
    assert_eq!(dst.contents(), "");
    assert_eq!(splice(&mut Odd("ab"), &mut dst, 9, &mut scratch).unwrap(), 2);
    assert_eq!(dst.check_write().map_err(|e| e.to_string()), Err("closed".into()));
}

#[test]
fn a_stream_that_cannot_end_otherwise_is_flushed() {
    SinkOutputStream.end().unwrap();
    assert!(matches!(ClosedOutputStream.end(), Err(StreamError::Closed)));
}

#[test]
fn a_write_that_fills_its_stream_has_succeeded() {
    use std::task::{Context, Poll, Waker};
    let mut pipe = MemoryOutputPipe::new(8);
    let mut cx = Context::from_waker(Waker::noop());
    let written = pipe.blocking_write_and_flush("abc".into()).as_mut().poll(&mut cx);
    assert!(matches!(written, Poll::Ready(Ok(()))));
    let written = pipe.blocking_write_zeroes_and_flush(5).as_mut().poll(&mut cx);
    assert!(matches!(written, Poll::Ready(Ok(()))));
    let written = pipe.blocking_write_and_flush("d".into()).as_mut().poll(&mut cx);
    assert!(matches!(written, Poll::Ready(Err(StreamError::Closed))));
    assert_eq!(pipe.contents(), "abc\0\0\0\0\0");
}

#[test]
fn a_pipe_that_a_clone_has_filled_is_closed() {
    let mut one = MemoryOutputPipe::new(4);
    let mut two = one.clone();
    assert_eq!((one.check_write().unwrap(), two.check_write().unwrap()), (4, 4));
    one.write("abc".into()).unwrap();
    assert!(matches!(two.write("de".into()), Err(StreamError::LastOperationFailed(_))));
    one.write("d".into()).unwrap();
    assert!(matches!(two.write("e".into()), Err(StreamError::Closed)));
    two.write("".into()).unwrap();
    assert_eq!(one.contents(), "abcd");
}
