//! Any order of reads, writes, cancellations and ends, against what they must come to.

use super::doubles::Pipe;
use super::guest::{Calls, Guest, Result3, Said};
use super::{Once, Random};
use std::sync::Arc;
use std::time::Duration;
use wasi_host::fs::{Descriptor, FileOutputStream, Offload, Open};
use wasi_host::{FileInputStream, Grant, InputStream, OutputStream, StdinStream, WasiCtxBuilder};
use wasi_host_core::stream::ReadAhead;
use wasi_host_native::fs::NativeDir;
use wasi_host_native::runtime::BlockingPool;

const ROUNDS: u64 = 60;

fn data(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| random.below(256) as u8).collect()
}

/// Lets the store go on, or not.
async fn pause(random: &mut Random) {
    match random.below(4) {
        0 => {}
        1 => tokio::task::yield_now().await,
        _ => tokio::time::sleep(Duration::from_micros(random.below(300) as u64)).await,
    }
}

/// Reads in any way until the stream ends or the reader goes; what it got, and whether it saw the end.
async fn read_at_random(calls: &Calls<'_>, random: &mut Random) -> (Vec<u8>, bool) {
    let (mut got, mut pending) = (Vec::new(), false);
    calls.call("open-input").await;
    let goes = random.below(3) == 0;
    loop {
        let said = match (pending, random.below(10)) {
            (false, 0) if goes && random.below(5) == 0 => {
                calls.call("drop-input").await;
                return (got, false);
            }
            (false, _) => {
                let most = [1, 7, 600, 20_000][random.below(4)];
                calls.read(random.below(most + 1) as u32).await
            }
            (true, 0..3) => calls.say("cancel-read").await,
            (true, _) => calls.say("poll").await,
        };
        let n = match said {
            Said::Blocked => 0,
            Said::Completed(n) | Said::Cancelled(n) | Said::Dropped(n) => n,
        };
        pending = said == Said::Blocked;
        got.extend(calls.taken(n).await);
        if let Said::Dropped(_) = said {
            return (got, true);
        }
        pause(random).await;
    }
}

/// Reads from `source`, which has all of `data`, in any order.
async fn reads(seed: u64, source: impl StdinStream + 'static, data: Vec<u8>) {
    let mut guest = Guest::new(WasiCtxBuilder::new().stdin(source).build()).await;
    let (got, ended, told) = guest
        .play(async move |calls| {
            let mut random = Random(seed);
            let (got, ended) = read_at_random(&calls, &mut random).await;
            (got, ended, calls.result().await)
        })
        .await
        .unwrap();
    assert!(data.starts_with(&got), "seed {seed}: {} of {} bytes, others", got.len(), data.len());
    assert!(!ended || got.len() == data.len(), "seed {seed}: {} of {} bytes", got.len(), data.len());
    assert_eq!(told, Result3::Ok, "seed {seed}");
    assert_eq!(guest.resources(), 0, "seed {seed}");
}

/// Fills a pipe bit by bit, and closes it.
fn feed(pipe: &Pipe, seed: u64, data: Vec<u8>) -> tokio::task::JoinHandle<()> {
    let (pipe, mut random) = (pipe.clone(), Random(seed.rotate_left(32)));
    tokio::spawn(async move {
        let mut rest = &data[..];
        while !rest.is_empty() {
            let n = (random.below(3000) + 1).min(rest.len());
            pipe.push(&rest[..n]);
            rest = &rest[n..];
            pause(&mut random).await;
        }
        pipe.close();
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_a_pipe() {
    for seed in 1..=ROUNDS {
        let data = data(&mut Random(seed), 20_000);
        let pipe = if seed % 2 == 0 { Pipe::default() } else { Pipe::opaque() };
        let feeding = feed(&pipe, seed, data.clone());
        if seed % 3 == 0 {
            let ahead: InputStream = Box::new(ReadAhead::new(pipe.stream()));
            reads(seed, Once::new(ahead), data).await;
        } else {
            reads(seed, pipe.clone(), data).await;
        }
        feeding.await.unwrap();
        assert_eq!(pipe.dropped(), 1, "seed {seed}");
    }
}

/// A file on a disk: read on this thread, or from the page cache, or on the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_a_file() {
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let dir = NativeDir::open_ambient(disk.path()).unwrap();
    let root = Descriptor::preopen(Arc::new(dir), Grant::full().into());
    for seed in 1..=ROUNDS {
        let data = data(&mut Random(seed), 100_000);
        std::fs::write(disk.path().join("file"), &data).unwrap();
        let file = root.open("file", Open { read: true, ..Open::default() }).unwrap();
        let offload = match seed % 3 {
            0 => None,
            n => Some(Offload { to: Arc::new(BlockingPool), all: n == 1 }),
        };
        let stream: InputStream = Box::new(FileInputStream::new(file, 0, offload).unwrap());
        let ahead = seed % 2 == 0;
        reads(seed, Once::new(if ahead { Box::new(ReadAhead::new(stream)) } else { stream }), data).await;
    }
}

/// Writes in any way, cancels what waits; what was accepted.
async fn write_at_random(calls: &Calls<'_>, random: &mut Random, data: &[u8]) -> usize {
    let (mut accepted, mut pending) = (0, false);
    calls.call("open-output").await;
    while accepted < data.len() {
        let said = match (pending, random.below(10)) {
            (false, 0) if random.below(20) == 0 => break,
            (false, _) => {
                let most = [1, 7, 600, 20_000][random.below(4)];
                let n = random.below(most + 1).min(data.len() - accepted);
                calls.write(&data[accepted..accepted + n]).await
            }
            (true, 0..3) => calls.say("cancel-write").await,
            (true, _) => calls.say("poll").await,
        };
        pending = said == Said::Blocked;
        match said {
            Said::Blocked => {}
            Said::Completed(n) | Said::Cancelled(n) => accepted += n,
            Said::Dropped(_) => panic!("nobody has closed it"),
        }
        pause(random).await;
    }
    calls.call("drop-output").await;
    accepted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_to_a_pipe() {
    for seed in 1..=ROUNDS {
        let data = data(&mut Random(seed), 20_000);
        let pipe = if seed % 2 == 0 { Pipe::default() } else { Pipe::opaque() };
        let emptying = {
            let (pipe, mut random) = (pipe.clone(), Random(seed.rotate_left(32)));
            tokio::spawn(async move {
                loop {
                    pipe.allow(random.below(3000));
                    pause(&mut random).await;
                }
            })
        };
        let mut guest = Guest::new(WasiCtxBuilder::new().stdout(pipe.clone()).build()).await;
        let sent = data.clone();
        let (accepted, told) = guest
            .play(async move |calls| {
                let accepted = write_at_random(&calls, &mut Random(seed), &sent).await;
                (accepted, calls.result().await)
            })
            .await
            .unwrap();
        emptying.abort();
        assert!(pipe.contents() == data[..accepted], "seed {seed}");
        assert_eq!(told, Result3::Ok, "seed {seed}");
        assert_eq!(pipe.dropped(), 1, "seed {seed}");
        assert_eq!(guest.resources(), 0, "seed {seed}");
    }
}

/// To a file, at an offset or at its end, on this thread or on the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_to_a_file() {
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let dir = NativeDir::open_ambient(disk.path()).unwrap();
    let root = Descriptor::preopen(Arc::new(dir), Grant::full().into());
    for seed in 1..=ROUNDS {
        let data = data(&mut Random(seed), 100_000);
        std::fs::write(disk.path().join("file"), b"before").unwrap();
        let file = root.open("file", Open { write: true, ..Open::default() }).unwrap();
        let offload = match seed % 3 {
            0 => None,
            n => Some(Offload { to: Arc::new(BlockingPool), all: n == 1 }),
        };
        let stream: OutputStream = Box::new(match seed % 2 {
            0 => FileOutputStream::append(file, offload).unwrap(),
            _ => FileOutputStream::at(file, 6, offload).unwrap(),
        });
        let mut guest = Guest::new(WasiCtxBuilder::new().stdout(Once::new(stream)).build()).await;
        let sent = data.clone();
        let (accepted, told) = guest
            .play(async move |calls| {
                let accepted = write_at_random(&calls, &mut Random(seed), &sent).await;
                (accepted, calls.result().await)
            })
            .await
            .unwrap();
        assert_eq!(told, Result3::Ok, "seed {seed}");
        let written = std::fs::read(disk.path().join("file")).unwrap();
        assert!(written == [b"before", &data[..accepted]].concat(), "seed {seed}: {accepted} bytes");
    }
}
