//! Streams over what tokio reads and writes, within a runtime and outside of any.
#![cfg(feature = "async")]

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use wasi_host_core::Errno;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{
    HostInputStream, HostOutputStream, Scratch, StreamError, StreamResult, Subscribe, errno, splice,
};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::pipe::{AsyncReadStream, AsyncStdinStream, AsyncStdoutStream, AsyncWriteStream};
use wasi_host_native::runtime::{in_tokio, spawn};
use wasi_host_native::wait::Poller;

/// What no test that works ever waits for.
const LONG: Duration = Duration::from_secs(60);

fn pause(wait: Wait<'_>) {
    assert!(!matches!(wait, Wait::Future), "neither a future nor a runtime is needed to wait");
    Poller::default().any(&[wait], &mut [], &mut Vec::new()).unwrap();
}

fn read_all(stream: &mut dyn HostInputStream) -> Vec<u8> {
    let mut got = Vec::new();
    loop {
        match stream.read(4096) {
            Ok(bytes) if bytes.is_empty() => pause(stream.wait()),
            Ok(bytes) => got.extend(bytes),
            Err(StreamError::Closed) => return got,
            Err(e) => panic!("{e}"),
        }
    }
}

fn write_all(stream: &mut dyn HostOutputStream, mut src: &[u8]) {
    while !src.is_empty() {
        match stream.write_some(src).unwrap() {
            0 => pause(stream.wait()),
            n => src = &src[n..],
        }
    }
}

fn flushed(stream: &mut dyn HostOutputStream) {
    stream.flush().unwrap();
    while stream.check_write().unwrap() == 0 {
        pause(stream.wait());
    }
}

fn is_pending(wait: Wait<'_>) -> bool {
    matches!(wait, Wait::Notify(watch) if !watch.changed())
}

fn failure<T: std::fmt::Debug>(result: StreamResult<T>) -> anyhow::Error {
    match result {
        Err(StreamError::LastOperationFailed(e)) => e,
        result => panic!("{result:?}"),
    }
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it ends")
}

/// Until the tasks have done what they can.
async fn settled(what: impl Fn() -> bool) {
    soon(async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Counts what it gives or takes, and says when it is dropped.
struct Counted<T> {
    inner: T,
    bytes: Arc<AtomicUsize>,
    dropped: Option<tokio::sync::oneshot::Sender<()>>,
}

impl<T> Counted<T> {
    fn new(inner: T) -> (Self, Arc<AtomicUsize>, tokio::sync::oneshot::Receiver<()>) {
        let (dropped, told) = tokio::sync::oneshot::channel();
        let bytes = Arc::<AtomicUsize>::default();
        (Self { inner, bytes: bytes.clone(), dropped: Some(dropped) }, bytes, told)
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        let _ = self.dropped.take().expect("once").send(());
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.bytes.fetch_add(buf.filled().len() - before, SeqCst);
        read
    }
}

/// Fails after it has given or taken everything else.
struct Breaks(rustix::io::Errno);

impl AsyncRead for Breaks {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(self.0.into()))
    }
}

impl AsyncWrite for Breaks {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(self.0.into()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(self.0.into()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn outside_of_any_runtime() {
    let (ours, theirs) = duplex(1000);
    let (mut src, mut dst) = (AsyncReadStream::new(theirs), AsyncWriteStream::new(3000, ours));
    let sent = text(300_000);
    std::thread::scope(|scope| {
        let got = scope.spawn(|| read_all(&mut src));
        write_all(&mut dst, &sent);
        flushed(&mut dst);
        drop(dst);
        assert!(got.join().unwrap() == sent);
    });
}

#[test]
fn a_synchronous_host_inside_the_only_thread_of_a_runtime() {
    let mut single = tokio::runtime::Builder::new_current_thread();
    let mut multi = tokio::runtime::Builder::new_multi_thread();
    for builder in [&mut single, multi.worker_threads(1)] {
        let runtime = builder.enable_all().build().unwrap();
        let sent = text(60_000);
        let task = runtime.spawn(async move {
            let (ours, theirs) = duplex(1000);
            let mut dst = AsyncWriteStream::new(3000, ours);
            let mut src = AsyncReadStream::new(theirs);
            // Blocks, as a synchronous guest does.
            write_all(&mut dst, &sent);
            drop(dst);
            read_all(&mut src) == sent
        });
        assert!(runtime.block_on(soon(task)).unwrap());
    }
}

#[tokio::test]
async fn awaited() {
    let (ours, theirs) = duplex(1000);
    let (mut src, mut dst) = (AsyncReadStream::new(theirs), AsyncWriteStream::new(3000, ours));
    let sent = text(300_000);
    let write = async {
        dst.blocking_write_and_flush(sent.clone().into()).await.unwrap();
        dst.blocking_write_zeroes_and_flush(70_000).await.unwrap();
        drop(dst);
    };
    let read = async {
        let mut got = Vec::new();
        while let Ok(bytes) = src.blocking_read(5000).await {
            got.extend(bytes);
        }
        got
    };
    let ((), got) = soon(async { tokio::join!(write, read) }).await;
    assert!(got[..sent.len()] == sent && got[sent.len()..] == [0; 70_000]);
}

#[tokio::test]
async fn reading_ahead_is_bounded() {
    let (endless, given, _told) = Counted::new(tokio::io::repeat(b'x'));
    let mut stream = AsyncReadStream::new(endless);
    settled(|| given.load(SeqCst) >= 128 << 10).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(given.load(SeqCst), 128 << 10);
    assert_eq!(stream.read(0).unwrap(), "");
    assert_eq!(stream.read(10).unwrap(), "x".repeat(10));
    assert_eq!(stream.skip(usize::MAX).unwrap(), (64 << 10) - 10);
    settled(|| given.load(SeqCst) == 192 << 10).await;
}

#[tokio::test]
async fn a_read_stream_that_is_dropped_or_cancelled_ends_its_task() {
    for cancel in [false, true] {
        let (ours, _theirs) = duplex(10);
        let (reader, _, told) = Counted::new(ours);
        let mut stream = AsyncReadStream::new(reader);
        assert_eq!(stream.read(1).unwrap(), "");
        assert!(is_pending(stream.wait()));
        if cancel {
            soon(stream.cancel()).await;
            assert!(!is_pending(stream.wait()));
            assert!(matches!(stream.read(1), Err(StreamError::Closed)));
            soon(stream.cancel()).await;
        } else {
            drop(stream);
        }
        soon(told).await.unwrap();
    }
}

#[tokio::test]
async fn failures_are_told_once_and_after_what_was_read() {
    let mut stream = AsyncReadStream::new((&b"abc"[..]).chain(Breaks(rustix::io::Errno::NOSPC)));
    assert_eq!(soon(stream.blocking_read(9)).await.unwrap(), "abc");
    let e = failure(soon(stream.blocking_read(9)).await);
    assert_eq!(errno(&e), Errno::NoSpc);
    assert_eq!(e.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::StorageFull);
    assert!(matches!(stream.read(9), Err(StreamError::Closed)));
    assert!(!is_pending(stream.wait()));

    let mut stream = AsyncWriteStream::new(9, Breaks(rustix::io::Errno::NOSPC));
    stream.write("abc".into()).unwrap();
    let told = soon(async {
        loop {
            match stream.check_write() {
                Ok(_) => tokio::task::yield_now().await,
                told => break told,
            }
        }
    });
    assert_eq!(errno(&failure(told.await)), Errno::NoSpc);
    assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
    assert!(matches!(stream.write("".into()), Err(StreamError::Closed)));
    assert!(matches!(stream.flush(), Err(StreamError::Closed)));
    assert!(!is_pending(stream.wait()));

    let mut stream = AsyncWriteStream::new(9, Breaks(rustix::io::Errno::PIPE));
    let end = soon(stream.blocking_write_and_flush("abc".into())).await;
    assert_eq!(errno(&failure(end)), Errno::Pipe);
}

#[tokio::test]
async fn the_budget_is_kept() {
    let (ours, mut theirs) = duplex(1);
    let mut stream = AsyncWriteStream::new(10, ours);
    assert_eq!(stream.check_write().unwrap(), 10);
    for _ in 0..100_000 {
        stream.write(Vec::new().into()).unwrap();
        stream.write_from(&[]).unwrap();
    }
    assert_eq!(stream.check_write().unwrap(), 10, "nothing costs nothing");
    stream.write("0123456789".into()).unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    assert!(is_pending(stream.wait()));
    assert!(matches!(stream.write("x".into()), Err(StreamError::Trap(_))));
    stream.write("".into()).unwrap();

    stream.flush().unwrap();
    let mut got = [0; 9];
    soon(theirs.read_exact(&mut got)).await.unwrap();
    assert_eq!(soon(stream.write_ready()).await.unwrap(), 10, "the other end holds the last one");
    drop(stream);
    let mut rest = String::new();
    soon(theirs.read_to_string(&mut rest)).await.unwrap();
    assert_eq!((&got[..], &*rest), (&b"012345678"[..], "9"));
}

#[tokio::test]
async fn what_was_accepted_is_delivered_though_the_stream_is_gone() {
    let (ours, mut theirs) = duplex(10);
    let sent = text(50_000);
    let mut stream = AsyncWriteStream::new(50_000, ours);
    stream.write(sent.clone().into()).unwrap();
    // As hosts do when a guest drops it.
    soon(stream.cancel()).await;
    drop(stream);
    let mut got = Vec::new();
    soon(theirs.read_to_end(&mut got)).await.unwrap();
    assert!(got == sent);
}

#[tokio::test]
async fn without_a_budget_one_byte_goes() {
    let (ours, mut theirs) = duplex(10);
    let mut stream = AsyncWriteStream::new(0, ours);
    soon(stream.blocking_write_and_flush("ab".into())).await.unwrap();
    let mut got = [0; 2];
    soon(theirs.read_exact(&mut got)).await.unwrap();
    assert_eq!(&got, b"ab");
}

/// Panics, as code of others may.
struct Panics;

impl AsyncRead for Panics {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        panic!("a panic that this test asks for")
    }
}

#[test]
fn a_panic_in_the_task_closes_the_stream() {
    let mut src = AsyncReadStream::new(Panics);
    assert_eq!(read_all(&mut src), b"");
}

#[tokio::test]
async fn all_streams_of_one_input_share_its_bytes() {
    let (mut ours, theirs) = duplex(100);
    let stdin = AsyncStdinStream::new(AsyncReadStream::new(theirs));
    assert!(!stdin.isatty());
    let (mut one, mut two) = (stdin.stream(), stdin.stream());
    one.cancel().await;
    drop(stdin.stream());
    ours.write_all(b"abcdef").await.unwrap();
    assert_eq!(soon(one.blocking_read(2)).await.unwrap(), "ab");
    assert_eq!(two.read(2).unwrap(), "cd");
    assert_eq!(one.read(9).unwrap(), "ef");
    assert!(is_pending(one.wait()) && is_pending(two.wait()));
    drop(ours);
    soon(one.ready()).await;
    soon(two.ready()).await;
    for stream in [&mut one, &mut two] {
        assert!(matches!(stream.read(1), Err(StreamError::Closed)));
    }
}

#[tokio::test]
async fn all_streams_of_one_output_keep_their_permits() {
    let (ours, mut theirs) = duplex(1);
    let stdout = AsyncStdoutStream::new(AsyncWriteStream::new(6000, ours));
    assert!(!stdout.isatty());
    let (mut one, mut two) = (stdout.stream(), stdout.stream());
    assert_eq!((one.check_write().unwrap(), two.check_write().unwrap()), (4096, 4096));
    one.write(vec![b'1'; 4096].into()).unwrap();
    two.write(vec![b'2'; 4000].into()).unwrap();
    two.write(vec![b'2'; 96].into()).unwrap();
    assert!(matches!(two.write("x".into()), Err(StreamError::Trap(_))), "a permit is used up");
    assert!(matches!(one.write("x".into()), Err(StreamError::Trap(_))));
    assert_eq!(one.check_write().unwrap(), 0);
    assert!(is_pending(one.wait()) && is_pending(two.wait()));
    two.cancel().await;
    two.flush().unwrap();
    drop((one, two, stdout));
    let mut got = Vec::new();
    soon(theirs.read_to_end(&mut got)).await.unwrap();
    assert!(got == [[b'1'; 4096], [b'2'; 4096]].concat());
}

#[test]
fn from_a_pipe_into_a_pipe() {
    let sent = text(200_000);
    let (ours, mut theirs) = duplex(999);
    let mut src = AsyncReadStream::new(io::Cursor::new(sent.clone()));
    let mut dst = AsyncWriteStream::new(5000, ours);
    let got = spawn(async move {
        let mut got = Vec::new();
        theirs.read_to_end(&mut got).await.unwrap();
        got
    });
    let mut scratch = Scratch::default();
    loop {
        match splice(&mut src, &mut dst, usize::MAX, &mut scratch) {
            Ok(0) if dst.check_write().unwrap() == 0 => pause(dst.wait()),
            Ok(0) => pause(src.wait()),
            Ok(_) => {}
            Err(StreamError::Closed) => break,
            Err(e) => panic!("{e}"),
        }
    }
    drop(dst);
    assert!(in_tokio(pin!(got)) == sent);
}
