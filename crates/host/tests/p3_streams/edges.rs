//! One thing at a time.

use super::Once;
use super::doubles::{Pipe, Zeros};
use super::guest::{Guest, Result3, Said};
use std::time::Duration;
use wasi_host::pipe::SinkOutputStream;
use wasi_host::{Errno, InputStream, Interrupted, WasiCtxBuilder};

async fn reader(pipe: &Pipe) -> Guest {
    Guest::new(WasiCtxBuilder::new().stdin(pipe.clone()).build()).await
}

async fn writer(pipe: &Pipe) -> Guest {
    Guest::new(WasiCtxBuilder::new().stdout(pipe.clone()).build()).await
}

fn both() -> [Pipe; 2] {
    [Pipe::default(), Pipe::opaque()]
}

#[tokio::test]
async fn a_read_of_nothing_waits_until_there_is_something_and_takes_none_of_it() {
    for pipe in both() {
        let mut guest = reader(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-input").await;
                assert_eq!(calls.read(0).await, Said::Blocked);
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert_eq!(calls.say("poll").await, Said::Blocked);
                pipe.push(b"hello");
                assert_eq!(calls.ended(Said::Blocked).await, Said::Completed(0));
                assert_eq!(pipe.contents(), b"hello");
                // Asked again it is there still.
                let again = calls.read(0).await;
                assert_eq!(calls.ended(again).await, Said::Completed(0));
                assert_eq!(calls.read_some(100).await, (b"hello".to_vec(), false));
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_read_of_nothing_at_the_end_ends_too() {
    let pipe = Pipe::default();
    let mut guest = reader(&pipe).await;
    guest
        .play(async |calls| {
            calls.call("open-input").await;
            pipe.push(b"x");
            assert_eq!(calls.read_some(10).await.0, b"x");
            let said = calls.read(0).await;
            assert_eq!(said, Said::Blocked);
            pipe.close();
            // That there is nothing more may be told now, or by the next read.
            let said = calls.ended(said).await;
            if said == Said::Completed(0) {
                assert_eq!(calls.read_some(10).await, (vec![], true));
            } else {
                assert_eq!(said, Said::Dropped(0));
            }
            assert_eq!(calls.result().await, Result3::Ok);
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_end_inside_a_buffer_comes_after_what_is_before_it() {
    for (size, pipe) in [1, 3, 1000].into_iter().flat_map(|n| both().map(|pipe| (n, pipe))) {
        let mut guest = reader(&pipe).await;
        pipe.push(b"to be continued");
        pipe.close();
        guest
            .play(async |calls| {
                calls.call("open-input").await;
                assert_eq!(calls.read_all(size).await, b"to be continued");
                assert_eq!(calls.result().await, Result3::Ok);
            })
            .await
            .unwrap();
        assert_eq!(pipe.dropped(), 1, "the stream goes when it has ended");
    }
}

#[tokio::test]
async fn a_failure_comes_after_what_is_before_it_and_is_told_by_the_future() {
    for (e, told) in [
        (Errno::Io, Result3::Io),
        (Errno::Pipe, Result3::Pipe),
        (Errno::IlSeq, Result3::IllegalByteSequence),
        (Errno::NoSpc, Result3::Io),
    ] {
        for pipe in both() {
            let mut guest = reader(&pipe).await;
            pipe.push(b"so far");
            pipe.fail(e);
            guest
                .play(async |calls| {
                    calls.call("open-input").await;
                    assert_eq!(calls.read_all(4).await, b"so far");
                    assert_eq!(calls.result().await, told);
                })
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_read_that_is_taken_back_loses_nothing() {
    for pipe in both() {
        let mut guest = reader(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-input").await;
                for _ in 0..3 {
                    assert_eq!(calls.read(10).await, Said::Blocked);
                    assert_eq!(calls.say("cancel-read").await, Said::Cancelled(0));
                }
                pipe.push(b"late");
                assert_eq!(calls.read_some(10).await.0, b"late");
                // Taken back too late, it says how much it got.
                assert_eq!(calls.read(10).await, Said::Blocked);
                pipe.push(b"r");
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert_eq!(calls.say("cancel-read").await, Said::Cancelled(1));
                assert_eq!(calls.taken(1).await, b"r");
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_reader_that_goes_takes_the_stream_with_it() {
    for pipe in both() {
        let mut guest = reader(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-input").await;
                pipe.push(b"more than is wanted");
                assert_eq!(calls.read_some(4).await.0, b"more");
                let said = calls.read(0).await;
                assert_eq!(calls.ended(said).await, Said::Completed(0));
                assert_eq!(pipe.dropped(), 0);
                calls.call("drop-input").await;
                assert_eq!(pipe.dropped(), 1);
                assert_eq!(calls.result().await, Result3::Ok);
            })
            .await
            .unwrap();
        assert_eq!(guest.resources(), 0);
    }
}

#[tokio::test]
async fn a_reader_that_waited_once_can_go_too() {
    for pipe in both() {
        let mut guest = reader(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-input").await;
                assert_eq!(calls.read(4).await, Said::Blocked);
                assert_eq!(calls.say("cancel-read").await, Said::Cancelled(0));
                calls.call("drop-input").await;
                assert_eq!(pipe.dropped(), 1);
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_future_that_nobody_wants_harms_nothing() {
    for pipe in both() {
        let mut guest = reader(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-input").await;
                calls.call("drop-result").await;
                pipe.push(b"all");
                pipe.close();
                assert_eq!(calls.read_all(2).await, b"all");
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_write_of_nothing_waits_for_room() {
    for pipe in both() {
        let mut guest = writer(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-output").await;
                assert_eq!(calls.write(b"").await, Said::Blocked);
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert_eq!(calls.say("poll").await, Said::Blocked);
                pipe.allow(3);
                assert_eq!(calls.ended(Said::Blocked).await, Said::Completed(0));
                assert_eq!(calls.write(b"hello").await, Said::Completed(3));
                assert_eq!(pipe.contents(), b"hel");
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_write_that_is_taken_back_wrote_nothing() {
    for pipe in both() {
        let mut guest = writer(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-output").await;
                for _ in 0..3 {
                    assert_eq!(calls.write(b"hello").await, Said::Blocked);
                    assert_eq!(calls.say("cancel-write").await, Said::Cancelled(0));
                }
                pipe.allow(100);
                assert_eq!(calls.write(b"world").await, Said::Completed(5));
                assert_eq!(pipe.contents(), b"world");
                calls.call("drop-output").await;
                assert_eq!(calls.result().await, Result3::Ok);
                assert_eq!(pipe.dropped(), 1);
            })
            .await
            .unwrap();
    }
}

/// A stream that was waited for and is given up by its writer is the host's again at once.
#[tokio::test]
async fn a_writer_that_goes_leaves_what_was_accepted_to_be_delivered() {
    for pipe in both() {
        let mut guest = writer(&pipe).await;
        guest
            .play(async |calls| {
                calls.call("open-output").await;
                pipe.allow(2);
                assert_eq!(calls.write(b"hello").await, Said::Completed(2));
                assert_eq!(calls.write(b"llo").await, Said::Blocked);
                assert_eq!(calls.say("cancel-write").await, Said::Cancelled(0));
                calls.call("drop-output").await;
                // There is no room for more, so it does not know yet that all is out.
                let told = calls.say("await-result").await;
                assert_eq!(told, Said::Blocked);
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert_eq!(calls.say("poll").await, Said::Blocked);
                pipe.allow(1);
                assert!(matches!(calls.ended(told).await, Said::Completed(_)));
                assert_eq!(pipe.dropped(), 1);
                assert_eq!(pipe.contents(), b"he");
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_writer() {
    for closed in [true, false] {
        for pipe in both() {
            let mut guest = writer(&pipe).await;
            guest
                .play(async |calls| {
                    calls.call("open-output").await;
                    assert_eq!(calls.write(b"hello").await, Said::Blocked);
                    if closed {
                        pipe.close()
                    } else {
                        pipe.fail(Errno::IlSeq)
                    };
                    assert_eq!(calls.ended(Said::Blocked).await, Said::Dropped(0));
                    let told = if closed { Result3::Pipe } else { Result3::IllegalByteSequence };
                    assert_eq!(calls.result().await, told);
                })
                .await
                .unwrap();
        }
    }
}

/// A guest hands the host's own stream back to it.
#[tokio::test]
async fn a_stream_from_the_host_to_the_host() {
    for (from, to) in both().into_iter().zip(both().into_iter().rev()) {
        let data: Vec<u8> = (0..200_000u32).map(|n| (n / 7) as u8).collect();
        let ctx = WasiCtxBuilder::new().stdin(from.clone()).stdout(to.clone()).build();
        let mut guest = Guest::new(ctx).await;
        let feeding = {
            let (from, to, data) = (from.clone(), to.clone(), data.clone());
            tokio::spawn(async move {
                for bytes in data.chunks(9_999) {
                    from.push(bytes);
                    tokio::task::yield_now().await;
                    to.allow(bytes.len() / 2);
                    tokio::task::yield_now().await;
                    to.allow(bytes.len() - bytes.len() / 2);
                }
                // One more says that all is out.
                to.allow(1);
                from.close();
            })
        };
        guest
            .play(async |calls| {
                calls.call("pass").await;
                assert_eq!(calls.result().await, Result3::Ok);
            })
            .await
            .unwrap();
        feeding.await.unwrap();
        assert!(to.contents() == data);
        assert_eq!((from.dropped(), to.dropped()), (1, 1));
    }
}

/// Neither end ever has to wait: others run all the same, and an interrupt is heard.
#[tokio::test]
async fn an_endless_stream_from_the_host_to_the_host() {
    let source: InputStream = Box::new(Zeros);
    let ctx = WasiCtxBuilder::new().stdin(Once::new(source)).stdout(SinkOutputStream).build();
    let interrupt = ctx.interrupt();
    let ended = Guest::new(ctx)
        .await
        .play(async |calls| {
            calls.call("pass").await;
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            interrupt.interrupt();
            std::future::pending::<()>().await
        })
        .await;
    assert!(ended.unwrap_err().is::<Interrupted>());
}

#[tokio::test]
async fn an_interrupt_ends_a_wait_that_nothing_else_would_end() {
    let (input, output) = (Pipe::default(), Pipe::default());
    for open in ["open-input", "open-output"] {
        let ctx = WasiCtxBuilder::new().stdin(input.clone()).stdout(output.clone()).build();
        let interrupt = ctx.interrupt();
        let mut guest = Guest::new(ctx).await;
        let ended = guest
            .play(async |calls| {
                calls.call(open).await;
                let said = if open == "open-input" { calls.read(1).await } else { calls.write(b"x").await };
                assert_eq!(said, Said::Blocked);
                interrupt.interrupt();
                std::future::pending::<()>().await
            })
            .await;
        assert!(ended.unwrap_err().is::<Interrupted>(), "{open}");
    }
}
