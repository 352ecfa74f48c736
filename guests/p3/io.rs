//! Streams of bytes, and futures that are not awaited to the end.

#![allow(dead_code)] // Each program uses a part of this.

use futures::future::{join, select, Either};
use std::future::{poll_fn, Future, IntoFuture};
use std::pin::{pin, Pin};
use std::task::Poll;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};
use wasip3::wit_stream;

pub const MILLISECOND: u64 = 1_000_000;
pub const SECOND: u64 = 1_000_000_000;

/// What tells how a stream ended.
pub type Done<E> = FutureReader<Result<(), E>>;

/// What a function gives that is read from.
pub type Source<E> = (StreamReader<u8>, Done<E>);

/// Bytes that tell where they stand.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

/// Reads once, with room for `len` bytes.
pub async fn read(stream: &mut StreamReader<u8>, len: usize) -> (StreamResult, Vec<u8>) {
    stream.read(Vec::with_capacity(len)).await
}

/// Reads this many bytes, fewer only where the stream ends.
pub async fn exactly(stream: &mut StreamReader<u8>, len: usize) -> Vec<u8> {
    let mut all = Vec::with_capacity(len);
    while all.len() < len {
        let (result, more) = stream.read(all).await;
        all = more;
        if result == StreamResult::Dropped {
            break;
        }
    }
    all
}

/// What is left in a stream, read in pieces of up to `len`.
pub async fn rest(stream: &mut StreamReader<u8>, len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let (result, piece) = read(stream, len).await;
        all.extend(piece);
        if result == StreamResult::Dropped {
            return all;
        }
    }
}

/// Waits for both at once.
pub async fn both<A: IntoFuture, B: IntoFuture>(a: A, b: B) -> (A::Output, B::Output) {
    join(a.into_future(), b.into_future()).await
}

/// Everything from a source, and that it ended well.
pub async fn all<E: 'static>((mut stream, done): Source<E>) -> Result<Vec<u8>, E> {
    let bytes = rest(&mut stream, 1 << 16).await;
    done.await.map(|()| bytes)
}

/// Gives these bytes to what takes a stream; how that ended.
pub async fn drain<E: 'static>(
    bytes: Vec<u8>,
    sink: impl FnOnce(StreamReader<u8>) -> Done<E>,
) -> Result<(), E> {
    let (mut writer, reader) = wit_stream::new();
    let done = sink(reader);
    let writing = async {
        writer.write_all(bytes).await;
        drop(writer);
    };
    both(writing, done).await.1
}

/// The result of a future that has one at once. It goes on when it is polled again.
pub async fn now<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// The result of a future that has one within this time; at once, if that is none. It goes on when it
/// is polled again.
pub async fn within<F: Future>(time: u64, mut future: Pin<&mut F>) -> Option<F::Output> {
    let done = now(future.as_mut()).await;
    if time == 0 || done.is_some() {
        return done;
    }
    match select(future, pin!(wait_for(time))).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Reads if there is something within this time, and gives up otherwise: how that ended, and what was
/// read all the same.
pub async fn try_read(stream: &mut StreamReader<u8>, room: usize, time: u64) -> (StreamResult, Vec<u8>) {
    let mut reading = pin!(stream.read(Vec::with_capacity(room)));
    match within(time, reading.as_mut()).await {
        Some(done) => done,
        None => reading.cancel(),
    }
}

/// Writes what there is room for within this time, and gives up otherwise: how that ended, and how much
/// was taken all the same.
pub async fn try_write(stream: &mut StreamWriter<u8>, bytes: Vec<u8>, time: u64) -> (StreamResult, usize) {
    let len = bytes.len();
    let mut writing = pin!(stream.write(bytes));
    let (result, left) = match within(time, writing.as_mut()).await {
        Some(done) => done,
        None => writing.cancel(),
    };
    (result, len - left.remaining())
}

/// Whether this is what an operation says that moved so much, or was given up when it had moved nothing.
pub fn moved(result: StreamResult, count: usize) -> bool {
    match result {
        StreamResult::Complete(n) => n == count,
        StreamResult::Cancelled => count == 0,
        StreamResult::Dropped => false,
    }
}
