//! The few words that the cases are written in.

use crate::stream::{StreamError, StreamResult, Subscribe};
use crate::wait::{BoxFuture, Wait, Waiter};
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// What no stream that works lets anybody wait for.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// How long a stream is given to become ready that must not.
pub(super) const SHORT: Duration = Duration::from_millis(30);

/// Between two looks at something that tells nobody.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// So many bytes, in lines, none of which is the same as its neighbour.
pub(super) fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| if i % 47 == 46 { b'\n' } else { b'a' + (i * i % 101 % 26) as u8 }).collect()
}

/// In which of the two ways one waits for a stream.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum By {
    /// By the value, if it has one.
    Wait,
    /// By the future.
    Ready,
}

/// Whether `stream` becomes ready before `limit`.
pub(super) fn readies(waiter: &dyn Waiter, stream: &mut dyn Subscribe, by: By, limit: Duration) -> bool {
    let mut ended = Vec::new();
    let waited = if by == By::Ready || matches!(stream.wait(), Wait::Future) {
        waiter.any(&[Wait::Future, Wait::For(limit)], &mut [(0, stream.ready())], &mut ended)
    } else {
        waiter.any(&[stream.wait(), Wait::For(limit)], &mut [], &mut ended)
    };
    assert_eq!(waited, Ok(()), "the waiter cannot wait for it");
    ended.iter().any(|event| event.index == 0)
}

/// What a future gives. In between, `meanwhile` is called.
pub(super) fn drive<T: Send>(
    waiter: &dyn Waiter,
    future: impl Future<Output = T> + Send,
    mut meanwhile: impl FnMut(),
) -> T {
    let until = Instant::now() + LONG;
    let mut value = None;
    {
        let future: BoxFuture<'_, ()> = Box::pin(async { value = Some(future.await) });
        let futures = &mut [(0, future)];
        loop {
            let mut ended = Vec::new();
            let waited = waiter.any(&[Wait::Future, Wait::For(TICK)], futures, &mut ended);
            assert_eq!(waited, Ok(()), "the waiter cannot wait for it");
            if ended.iter().any(|event| event.index == 0) {
                break;
            }
            in_time(until);
            meanwhile();
        }
    }
    value.expect("a future that ended has a value")
}

/// Panics if it has taken too long.
#[track_caller]
pub(super) fn in_time(until: Instant) {
    assert!(Instant::now() < until, "it takes for ever");
}

#[track_caller]
pub(super) fn ok<T>(what: &str, got: StreamResult<T>) -> T {
    match got {
        Ok(value) => value,
        Err(e) => panic!("{what}: expected success, got {e}"),
    }
}

#[track_caller]
pub(super) fn closed<T: Debug>(what: &str, got: StreamResult<T>) {
    match got {
        Err(StreamError::Closed) => {}
        Err(e) => panic!("{what}: expected the end, got {e}"),
        Ok(value) => panic!("{what}: expected the end, got {value:?}"),
    }
}

/// Says where two texts part, not what is in them.
#[track_caller]
pub(super) fn same(what: &str, got: &[u8], expected: &[u8]) {
    if got != expected {
        let at = got.iter().zip(expected).take_while(|(a, b)| a == b).count();
        panic!("{what}: {} bytes for {}, other ones from byte {at} on", got.len(), expected.len());
    }
}
