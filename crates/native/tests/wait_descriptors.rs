//! Waiting leaves no descriptor behind. A binary of its own: it counts those of the whole process.

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::Mutex;
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::wait::{Notify, Wait, Waiter};
use wasi_host_native::wait::Poller;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn quiet() -> OwnedFd {
    eventfd(0, EventfdFlags::NONBLOCK).unwrap()
}

#[test]
fn a_poller_keeps_one_eventfd_at_most() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let (poller, notify, fd) = (Poller::default(), Notify::default(), quiet());
    let before = open();
    let short = Wait::For(Duration::from_micros(1));
    let mut ended = Vec::new();
    poller.any(&[Wait::Readable(fd.as_fd()), short], &mut [], &mut ended).unwrap();
    assert_eq!(open(), before, "nothing here has a waker");
    for _ in 0..10 {
        poller.any(&[Wait::Notify(notify.watch()), short], &mut [], &mut ended).unwrap();
    }
    assert_eq!(open(), before + 1);
    drop(poller);
    assert_eq!(open(), before);
}

#[test]
fn more_descriptors_than_the_process_may_have_are_an_error() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let fds: Vec<_> = (0..64).map(|_| quiet()).collect();
    let mut waits: Vec<_> = fds.iter().map(|fd| Wait::Readable(fd.as_fd())).collect();
    waits.push(Wait::For(Duration::from_millis(1)));
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(32), ..limit }).unwrap();
    let result = Poller::default().any(&waits, &mut [], &mut Vec::new());
    let again: Vec<_> = waits.iter().map(|_| Wait::Readable(fds[0].as_fd())).chain([Wait::Ready]).collect();
    let one_often = Poller::default().any(&again, &mut [], &mut Vec::new());
    let no_bell = Poller::default().any(&[Wait::Notify(Notify::default().watch())], &mut [], &mut Vec::new());
    setrlimit(Resource::Nofile, limit).unwrap();
    assert_eq!(result, Err(Errno::MFile));
    assert_eq!(one_often, Ok(()));
    assert_eq!(no_bell, Err(Errno::MFile));
}

#[cfg(feature = "async")]
mod async_hosts {
    use super::*;
    use std::task::{Context, Poll, Waker};
    use std::time::Instant;
    use tokio::runtime::Builder;

    #[test]
    fn a_wait_that_is_dropped_half_way_leaves_nothing() {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let (poller, notify, a, b) = (Poller::default(), Notify::default(), quiet(), quiet());
            let waits = [
                Wait::Readable(a.as_fd()),
                Wait::Readable(a.as_fd()),
                Wait::Readable(b.as_fd()),
                Wait::Notify(notify.watch()),
                Wait::For(Duration::from_secs(60)),
            ];
            let mut before = 0;
            for round in 0..10 {
                let mut ended = Vec::new();
                let mut wait = poller.any_async(&waits, &mut [], &mut ended);
                for _ in 0..3 {
                    let mut cx = Context::from_waker(Waker::noop());
                    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Pending);
                    tokio::task::yield_now().await;
                }
                if round > 0 {
                    assert_eq!(open(), before + 2, "a descriptor is watched once");
                }
                drop(wait);
                // The first round made the runtime's timer.
                if round == 0 {
                    before = open();
                }
                assert_eq!(open(), before);
            }
        });
    }

    #[test]
    fn ten_thousand_sleepers_share_one_descriptor() {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
        for runtime in [
            Builder::new_current_thread().enable_io().build().unwrap(),
            Builder::new_multi_thread().worker_threads(2).enable_io().build().unwrap(),
        ] {
            let before = open();
            let most = runtime.block_on(async {
                let begin = Instant::now();
                let sleepers: Vec<_> = (0..10_000u64)
                    .map(|i| {
                        tokio::spawn(async move {
                            let until =
                                begin + Duration::from_millis(100) + Duration::from_micros(i * 7 % 50_000);
                            let mut ended = Vec::new();
                            Poller::default()
                                .any_async(&[Wait::Until(until)], &mut [], &mut ended)
                                .await
                                .unwrap();
                            assert!(Instant::now() >= until && ended.len() == 1);
                        })
                    })
                    .collect();
                let mut most = 0;
                for sleeper in sleepers {
                    most = most.max(open());
                    sleeper.await.unwrap();
                }
                most
            });
            assert!(most <= before + 3, "{before} before, {most} at most");
            drop(runtime);
        }
    }
}
