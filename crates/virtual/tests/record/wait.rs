//! Waiting.

use super::{record, replay, same};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use wasi_host_core::net::{AddrCheck, SocketAddrUse};
use wasi_host_core::wait::{BoxFuture, Event, Notify, Wait, Waiter};
use wasi_host_core::{Errno, Result};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::Denied;
use wasi_host_virtual::record::Tape;

#[test]
fn who_was_first_is_first_again() {
    let ended = same(|tape| {
        let waiter = tape.waiter(Arc::new(Poller::default()));
        let long = if tape.replays() { Duration::ZERO } else { Duration::from_secs(60) };
        let mut ended = Vec::new();
        waiter.any(&[Wait::For(long), Wait::For(Duration::from_millis(20))], &mut [], &mut ended).unwrap();
        ended
    });
    assert_eq!(ended, [Event::new(1)]);
}

/// Ends when it is told to. Those who wait are at their places in the list.
struct ByHand;

impl Waiter for ByHand {
    fn any(&self, _: &[Wait<'_>], _: &mut [(usize, BoxFuture<'_, ()>)], _: &mut Vec<Event>) -> Result<()> {
        Err(Errno::NotSup)
    }

    fn any_async<'a, 'f: 'a>(
        &'a self,
        waits: &'a [Wait<'a>],
        _: &'a mut [(usize, BoxFuture<'f, ()>)],
        ended: &'a mut Vec<Event>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Wait::Notify(watch) = waits[0] else { return Err(Errno::Inval) };
            watch.wait().await;
            ended.push(Event::new(0));
            Ok(())
        })
    }
}

type Trace = Arc<Mutex<Vec<usize>>>;

/// Three tasks on one thread that wait for one thing each, in turn until all have ended. `tell` is called at each look.
fn three(tape: &Tape, mut tell: impl FnMut(usize, &[Notify; 3])) -> Vec<usize> {
    let waiter = tape.waiter(Arc::new(ByHand));
    let (things, trace) = ([(); 3].map(|()| Notify::default()), Trace::default());
    let clock = tape.monotonic_clock(Box::<wasi_host_native::clock::MonotonicClock>::default());
    let clock = Mutex::new(clock);
    let mut tasks: Vec<BoxFuture<'_, ()>> = things
        .iter()
        .enumerate()
        .map(|(i, thing)| {
            let (waiter, clock, trace) = (&waiter, &clock, trace.clone());
            Box::pin(async move {
                waiter.any_async(&[Wait::Notify(thing.watch())], &mut [], &mut Vec::new()).await.unwrap();
                clock.lock().unwrap().now();
                trace.lock().unwrap().push(i);
            }) as BoxFuture<'_, ()>
        })
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    for look in 0.. {
        assert!(look < 100_000, "they never end");
        tasks.retain_mut(|task| task.as_mut().poll(&mut cx) == Poll::Pending);
        if tasks.is_empty() {
            break;
        }
        tell(look, &things);
    }
    let trace = trace.lock().unwrap();
    trace.clone()
}

#[test]
fn one_at_a_time_in_the_recorded_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (log, recorded) = record(|tape| {
            three(tape, |look, things| {
                if look % 40 == 5 && look / 40 < 3 {
                    things[order[look / 40]].notify();
                }
            })
        });
        assert_eq!(recorded, order);
        // Nothing ever happens in a replay.
        assert_eq!(replay(log, |tape| three(tape, |_, _| {})), (recorded, Ok(())));
    }
}

#[test]
fn all_at_once_is_one_after_the_other() {
    let (log, recorded) = record(|tape| {
        three(tape, |look, things| {
            if look == 3 {
                things.iter().rev().for_each(Notify::notify);
            }
        })
    });
    assert_eq!(recorded.len(), 3);
    assert_eq!(replay(log, |tape| three(tape, |_, _| {})), (recorded, Ok(())));
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An embedder that does not run its guest is not the guest's fault.
#[test]
fn a_pause_is_no_divergence() {
    let program = |tape: &Tape| {
        let waiter = tape.waiter(Arc::new(ByHand));
        let clock = tape.monotonic_clock(Box::<wasi_host_native::clock::MonotonicClock>::default());
        let (thing, mut ended) = (Notify::default(), Vec::new());
        let waits_for = [Wait::Notify(thing.watch())];
        let mut wait = waiter.any_async(&waits_for, &mut [], &mut ended);
        let mut cx = Context::from_waker(Waker::noop());
        for pause in [0, 6] {
            thread::sleep(Duration::from_secs(if tape.replays() { pause } else { 0 }));
            assert!((0..100).all(|_| wait.as_mut().poll(&mut cx).is_pending()));
        }
        clock.now()
    };
    let (log, recorded) = record(program);
    assert_eq!(replay(log, program), (recorded, Ok(())));
}

/// Nor does it take much to find it.
#[test]
fn a_wait_where_there_was_none_is_found() {
    let program = |waits: bool| {
        move |tape: &Tape| {
            let waiter = tape.waiter(Arc::new(ByHand));
            let thing = Notify::default();
            let clock = tape.monotonic_clock(Box::<wasi_host_native::clock::MonotonicClock>::default());
            let mut ended = Vec::new();
            let waits_for = [Wait::Notify(thing.watch())];
            let mut wait = waiter.any_async(&waits_for, &mut [], &mut ended);
            let mut cx = Context::from_waker(Waker::noop());
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            if !waits {
                drop(wait);
                clock.now();
                return None;
            }
            let woken = Waker::from(Arc::new(Unpark(thread::current())));
            let began = Instant::now();
            for _ in 0..2000 {
                if let Poll::Ready(result) = wait.as_mut().poll(&mut Context::from_waker(&woken)) {
                    return Some(result);
                }
                assert!(began.elapsed() < Duration::from_secs(100), "it hangs");
                thread::park_timeout(Duration::from_secs(1));
            }
            panic!("it looks without end");
        }
    };
    let (log, _) = record(program(false));
    assert_eq!(replay(log.clone(), program(false)), (None, Ok(())));
    let (result, ended) = replay(log, program(true));
    assert_eq!(result, Some(Err(Errno::Io)));
    let e = ended.unwrap_err();
    assert!(e.expected.contains("now on the monotonic clock") && e.found.contains("waits"), "{e}");
}

/// Whoever has to be asked about an address answers by the time that the wait for it ends, and in a replay, too.
#[test]
fn who_is_asked_about_addresses_is_not_asked_again() {
    let allowed = same(|tape| {
        let allows = !tape.replays();
        let check =
            tape.check(AddrCheck::new(move |addr, _| Box::pin(async move { allows && addr.port() == 80 })));
        let waiter = tape.waiter(Arc::new(Poller::default()));
        [80, 81].map(|port| {
            let checking = check.check(([127, 0, 0, 1], port).into(), SocketAddrUse::TcpConnect);
            assert!(checking.known().is_none());
            let mut answer = None;
            let future: BoxFuture<'_, ()> = Box::pin(async { answer = Some(checking.await.is_ok()) });
            waiter.any(&[Wait::Future], &mut [(0, future)], &mut Vec::new()).unwrap();
            answer
        })
    });
    assert_eq!(allowed, [Some(true), Some(false)]);
}

/// A log may say anything; one that says twice that a wait has ended does not have its future polled when that is over.
#[test]
fn what_has_ended_ends_once() {
    struct Twice;
    impl Waiter for Twice {
        fn any(
            &self,
            _: &[Wait<'_>],
            _: &mut [(usize, BoxFuture<'_, ()>)],
            ended: &mut Vec<Event>,
        ) -> Result<()> {
            ended.extend([Event::new(0), Event::new(0)]);
            Ok(())
        }

        fn any_async<'a, 'f: 'a>(
            &'a self,
            _: &'a [Wait<'a>],
            _: &'a mut [(usize, BoxFuture<'f, ()>)],
            _: &'a mut Vec<Event>,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Err(Errno::NotSup) })
        }
    }
    let program = |tape: &Tape| {
        let (waiter, mut ended) = (tape.waiter(Arc::new(Twice)), Vec::new());
        waiter.any(&[Wait::Future], &mut [(0, Box::pin(async {}))], &mut ended).unwrap();
        ended
    };
    let (log, _) = record(program);
    assert_eq!(replay(log, program), (vec![Event::new(0)], Ok(())));
}

/// What a task leaves behind when it goes may be more of what is on the tape.
#[test]
fn a_waker_may_call_when_it_goes() {
    struct Task(#[expect(dead_code, reason = "it is dropped")] Box<dyn std::any::Any + Send + Sync>);
    impl std::task::Wake for Task {
        fn wake(self: Arc<Self>) {}
    }
    let (done, over) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        record(|tape| {
            let waiter = tape.waiter(Arc::new(ByHand));
            let (first, second) = (Notify::default(), Notify::default());
            let (waits, more) = ([Wait::Notify(first.watch())], [Wait::Notify(second.watch())]);
            let (mut ended, mut later) = (Vec::new(), Vec::new());
            let mut before = waiter.any_async(&waits, &mut [], &mut ended);
            let mut behind = waiter.any_async(&more, &mut [], &mut later);
            let poll = |wait: &mut BoxFuture<'_, Result<()>>| {
                let waker = Waker::from(Arc::new(Task(Box::new(tape.network(Arc::new(Denied))))));
                wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            };
            assert!(poll(&mut before) && poll(&mut behind));
            [&first, &second].into_iter().for_each(Notify::notify);
            // The second waits for the turn of the first, is polled by another task, and gives up.
            assert!(poll(&mut before) && poll(&mut behind) && poll(&mut behind));
            drop((behind, before));
        });
        done.send(()).unwrap();
    });
    assert_eq!(over.recv_timeout(Duration::from_secs(20)), Ok(()));
}
