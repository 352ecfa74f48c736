//! Waiting without a thread, and streams that users wrote.
#![cfg(feature = "async")]

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{read, write};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use wasi_host_core::wait::{BoxFuture, Deadline, Event, Interrupt, Notify, Wait, Waiter};
use wasi_host_native::wait::Poller;

/// What no test that works ever waits for.
const LONG: Duration = Duration::from_secs(60);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).unwrap()
}

/// Neither has a timer of tokio's.
fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_current_thread().enable_io().build().unwrap(),
        Builder::new_multi_thread().worker_threads(2).enable_io().build().unwrap(),
    ]
}

/// An executor that is not tokio.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(out) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return out;
        }
        thread::park();
    }
}

async fn any(waits: &[Wait<'_>]) -> Vec<Event> {
    let mut ended = Vec::new();
    Poller::default().any_async(waits, &mut [], &mut ended).await.unwrap();
    ended
}

fn ended(indices: &[usize]) -> Vec<Event> {
    indices.iter().copied().map(Event::new).collect()
}

fn later<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(|| {
        sleep(ms(10));
        what()
    })
}

async fn all_kinds() {
    let (r, w) = pipe();
    let notify = Arc::new(Notify::default());
    write(&w, b"x").unwrap();
    let waits = [
        Wait::Forever,
        Wait::Readable(r.as_fd()),
        Wait::Notify(notify.watch()),
        Wait::Writable(w.as_fd()),
        Wait::Ready,
        Wait::For(Duration::ZERO),
        Wait::For(LONG),
    ];
    assert_eq!(any(&waits).await, ended(&[1, 3, 4, 5]), "all that is ready now");

    read(&r, &mut [0; 1]).unwrap();
    let begin = Instant::now();
    let waits = [Wait::Readable(r.as_fd()), Wait::For(ms(10)), Wait::Notify(notify.watch())];
    assert_eq!(any(&waits).await, ended(&[1]));
    assert!(begin.elapsed() >= ms(10));

    let waits =
        [Wait::Readable(r.as_fd()), Wait::For(LONG), Wait::Notify(notify.watch()), Wait::Readable(r.as_fd())];
    let writer = later(move || {
        write(&w, b"x").unwrap();
        w
    });
    assert_eq!(any(&waits).await, ended(&[0, 3]));
    let w = writer.join().unwrap();
    read(&r, &mut [0; 1]).unwrap();

    let other = notify.clone();
    later(move || other.notify());
    assert_eq!(any(&waits).await, ended(&[2]));

    let waits = &waits[..2];
    later(move || drop(w));
    assert_eq!(any(waits).await, [Event { index: 0, hangup: true }]);
}

#[test]
fn every_kind_on_every_executor() {
    for runtime in runtimes() {
        runtime.block_on(all_kinds());
    }
    block_on(all_kinds());
}

#[test]
fn a_microsecond_is_not_a_millisecond() {
    for runtime in runtimes() {
        let shortest = runtime.block_on(async {
            let mut shortest = LONG;
            for _ in 0..50 {
                let begin = Instant::now();
                assert_eq!(any(&[Wait::For(Duration::from_micros(1))]).await, ended(&[0]));
                shortest = shortest.min(begin.elapsed());
            }
            shortest
        });
        assert!(shortest < Duration::from_micros(900), "{shortest:?}");
    }
}

#[test]
fn a_full_pipe_whose_reader_goes_and_files_that_are_always_ready() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (r, w) = pipe();
            while write(&w, &[0; 4096]).is_ok() {}
            later(move || drop(r));
            let waits = [Wait::Writable(w.as_fd()), Wait::For(LONG)];
            assert_eq!(any(&waits).await, [Event { index: 0, hangup: true }]);

            let file = tempfile::tempfile().unwrap();
            let null = std::fs::File::open("/dev/null").unwrap();
            let waits =
                [Wait::Readable(file.as_fd()), Wait::Writable(file.as_fd()), Wait::Readable(null.as_fd())];
            assert_eq!(any(&waits).await, ended(&[0, 1, 2]));
        });
    }
}

/// A FIFO that was hung up and has a writer again: tokio remembers the first for ever, we must not spin on it.
#[test]
fn a_hangup_that_is_over_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let open =
        |flags| rustix::fs::open(&path, flags | rustix::fs::OFlags::NONBLOCK, rustix::fs::Mode::empty());
    let r = open(rustix::fs::OFlags::RDONLY).unwrap();
    let w = open(rustix::fs::OFlags::WRONLY).unwrap();
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let waits = [Wait::Readable(r.as_fd()), Wait::For(ms(200))];
        let poller = Poller::default();
        let mut events = Vec::new();
        let mut wait = poller.any_async(&waits, &mut [], &mut events);
        assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        // Gone, heard by the runtime, and back before the wait is polled again.
        drop(w);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let _w = open(rustix::fs::OFlags::WRONLY).unwrap();
        wait.await.unwrap();
        assert_eq!(events, ended(&[1]));
    });
}

#[test]
fn many_tasks_wait_for_one_descriptor() {
    for runtime in runtimes() {
        let fd = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE).unwrap());
        runtime.block_on(async {
            let tasks: Vec<_> = (0..100)
                .map(|_| {
                    let fd = fd.clone();
                    tokio::spawn(async move {
                        // Each takes one; all wake for each.
                        while read(&*fd, &mut [0; 8]).is_err() {
                            assert_eq!(
                                any(&[Wait::Readable(fd.as_fd()), Wait::For(LONG)]).await,
                                ended(&[0])
                            );
                        }
                    })
                })
                .collect();
            for _ in 0..100 {
                write(&*fd, &1u64.to_ne_bytes()).unwrap();
                tokio::task::yield_now().await;
            }
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}

/// As in `wait.rs`, with tasks that go from thread to thread.
#[test]
fn no_notification_is_lost() {
    const ROUNDS: u64 = 20_000;
    #[derive(Default)]
    struct Place {
        number: AtomicU64,
        changed: Notify,
    }
    impl Place {
        fn put(&self, n: u64) {
            self.number.store(n, Ordering::Release);
            self.changed.notify();
        }
        async fn wait_for(&self, n: u64) {
            loop {
                let watch = self.changed.watch();
                if self.number.load(Ordering::Acquire) == n {
                    return;
                }
                assert_eq!(
                    any(&[Wait::Notify(watch), Wait::For(LONG)]).await,
                    ended(&[0]),
                    "lost in round {n}"
                );
            }
        }
    }
    for runtime in runtimes() {
        let (ping, pong) = (Arc::new(Place::default()), Arc::new(Place::default()));
        let (a, b) = (ping.clone(), pong.clone());
        runtime.block_on(async {
            let other = tokio::spawn(async move {
                for n in 1..=ROUNDS {
                    a.wait_for(n).await;
                    b.put(n);
                }
            });
            for n in 1..=ROUNDS {
                ping.put(n);
                pong.wait_for(n).await;
            }
            other.await.unwrap();
        });
    }
}

/// Two futures of one task wait for one thing, and the first to be dropped does not take the other's waker along.
#[test]
fn what_is_dropped_forgets_itself_alone() {
    let notify = Arc::new(Notify::default());
    block_on(async {
        let mut kept = pin!(notify.watch().wait());
        let mut dropped = Box::pin(notify.watch().wait());
        std::future::poll_fn(|cx| {
            assert!(kept.as_mut().poll(cx).is_pending() && dropped.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(dropped);
        let other = notify.clone();
        later(move || other.notify());
        kept.await;
    });
}

#[test]
fn an_interrupt_ends_a_wait() {
    for runtime in runtimes() {
        let interrupt = Interrupt::default();
        let other = interrupt.clone();
        later(move || other.interrupt());
        let fd = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
        let waits = [Wait::Readable(fd.as_fd()), Wait::For(LONG), Wait::Notify(interrupt.watch())];
        assert_eq!(runtime.block_on(any(&waits)), ended(&[2]));
    }
}

#[test]
fn a_long_list() {
    for runtime in runtimes() {
        let pipes: Vec<_> = (0..100).map(|_| pipe()).collect();
        let notify = Arc::new(Notify::default());
        let watch = notify.watch();
        let mut waits: Vec<_> = (0..65_536)
            .map(|i| match i % 4 {
                0 => Wait::Readable(pipes[i % 100].0.as_fd()),
                1 => Wait::Notify(watch),
                2 => Wait::For(LONG),
                _ => Wait::Forever,
            })
            .collect();
        let begin = Instant::now();
        let w = pipes[4].1.try_clone().unwrap();
        later(move || write(&w, b"x").unwrap()).join().unwrap();
        assert_eq!(runtime.block_on(any(&waits)).len(), (0..65_536).filter(|i| i % 100 == 4).count());
        read(&pipes[4].0, &mut [0; 1]).unwrap();
        waits.push(Wait::For(ms(50)));
        assert_eq!(runtime.block_on(any(&waits)), ended(&[65_536]));
        let other = notify.clone();
        waits.pop();
        later(move || other.notify());
        // Those behind the place that the report has reached at that moment, or all.
        assert!(!runtime.block_on(any(&waits)).is_empty());
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

/// Three futures, of which the second sleeps by tokio's clock, beside a pipe.
fn futures() -> Vec<(usize, BoxFuture<'static, ()>)> {
    vec![
        (0, Box::pin(std::future::pending())),
        // Its timer is made at the first poll, on whatever runtime is at hand.
        (2, Box::pin(async { tokio::time::sleep(ms(20)).await })),
        (3, Box::pin(async { tokio::time::sleep(LONG).await })),
    ]
}

fn wait_for_futures_on_this_thread() {
    let poller = Poller::default();
    let (r, w) = pipe();
    let waits = [Wait::Future, Wait::Readable(r.as_fd()), Wait::Future, Wait::Future];
    let mut futures = futures();

    write(&w, b"x").unwrap();
    let mut events = Vec::new();
    poller.any(&waits, &mut futures, &mut events).unwrap();
    assert_eq!(events, ended(&[1]), "the futures have been asked, and nothing has been waited for");

    // They are alive still; nothing else is.
    read(&r, &mut [0; 1]).unwrap();
    events.clear();
    poller.any(&waits, &mut futures, &mut events).unwrap();
    assert_eq!(events, ended(&[2]));

    drop(futures.remove(1));
    futures.push((2, Box::pin(async {})));
    write(&w, b"x").unwrap();
    events.clear();
    poller.any(&waits, &mut futures, &mut events).unwrap();
    assert_eq!(events, ended(&[1, 2]), "in order");
}

#[test]
fn streams_of_users_in_a_synchronous_host() {
    wait_for_futures_on_this_thread();
    for runtime in runtimes() {
        runtime.block_on(async { wait_for_futures_on_this_thread() });
        let task = runtime.spawn(async { wait_for_futures_on_this_thread() });
        runtime.block_on(task).unwrap();
    }
}

#[test]
fn streams_of_users_in_an_asynchronous_host() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let poller = Poller::default();
        let (r, w) = pipe();
        let waits = [Wait::Future, Wait::Readable(r.as_fd()), Wait::Future, Wait::Future];
        let mut futures = futures();
        write(&w, b"x").unwrap();
        let mut events = Vec::new();
        poller.any_async(&waits, &mut futures, &mut events).await.unwrap();
        assert_eq!(events, ended(&[1]));
        read(&r, &mut [0; 1]).unwrap();
        events.clear();
        poller.any_async(&waits, &mut futures, &mut events).await.unwrap();
        assert_eq!(events, ended(&[2]));
    });
}

/// A task of tokio's may only do so much before it has to return to its scheduler, which a host that waits on the
/// thread does not.
#[test]
fn the_budget_of_a_task_does_not_run_dry() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel();
        (0..1000).for_each(|n| tx.send(n).unwrap());
        let future: BoxFuture<'_, ()> = Box::pin(async move {
            for n in 0..1000 {
                assert_eq!(rx.recv().await, Some(n));
            }
        });
        let (waits, mut events) = ([Wait::Future, Wait::For(LONG)], Vec::new());
        Poller::default().any(&waits, &mut [(0, future)], &mut events).unwrap();
        assert_eq!(events, ended(&[0]));
    });
}

#[test]
fn a_change_or_a_moment_whichever_comes_first() {
    for runtime in runtimes() {
        let (notify, moved) = (Notify::default(), Notify::default());
        let (soon, late) = (Instant::now() + ms(10), Instant::now() + LONG);
        let by = |deadline| Wait::NotifyBy(notify.watch(), deadline);
        let waits = [by(Deadline::Until(late)), by(Deadline::Until(soon))];
        assert_eq!(runtime.block_on(any(&waits)), ended(&[1]));
        for (told, deadline) in [
            (&notify, Deadline::Until(late)),
            (&notify, Deadline::Clock(moved.watch(), 1)),
            (&moved, Deadline::Clock(moved.watch(), 1)),
        ] {
            let waits = [Wait::Forever, by(deadline), Wait::For(LONG)];
            thread::scope(|s| {
                s.spawn(|| {
                    sleep(ms(20));
                    told.notify();
                });
                assert_eq!(runtime.block_on(any(&waits)), ended(&[1]));
            });
        }
    }
}
