//! Virtual time: by hand, by itself, for one and for several, with threads and with tasks.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;
use wasi_host_core::clock::{HostMonotonicClock, HostWallClock};
use wasi_host_core::conformance::clock;
use wasi_host_core::wait::{Event, Notify, Wait, Waiter};
use wasi_host_native::clock as native;
use wasi_host_native::wait::Poller;
use wasi_host_virtual::time::{AutoAdvance, Frozen, VirtualTime};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;

fn auto(time: &VirtualTime) -> AutoAdvance {
    time.waiter(Arc::new(Poller::default()))
}

/// Sleeps as a guest does, which looks again.
fn sleep_until(time: &VirtualTime, waiter: &dyn Waiter, when: u64) {
    while time.now() < when {
        waiter.any(&[time.wait_until(when)], &mut [], &mut Vec::new()).unwrap();
    }
}

async fn sleep_until_async(time: &VirtualTime, waiter: &dyn Waiter, when: u64) {
    while time.now() < when {
        waiter.any_async(&[time.wait_until(when)], &mut [], &mut Vec::new()).await.unwrap();
    }
}

#[test]
fn clocks_show_one_time() {
    let time = VirtualTime::starting_at(Duration::from_secs(1000));
    let (monotonic, wall) = (time.monotonic(), time.wall());
    assert_eq!((monotonic.now(), wall.now()), (0, Duration::from_secs(1000)));
    time.clone().advance(Duration::from_millis(1500));
    assert_eq!((monotonic.now(), wall.now()), (1_500_000_000, Duration::from_millis(1_001_500)));
    assert!(matches!(wall.wait_until(Duration::from_secs(1001)), Wait::Ready));
    assert!(matches!(wall.wait_until(Duration::from_secs(1002)), Wait::Clock(_, when) if when == 2 * SECOND));
    assert!(matches!(wall.wait_until(Duration::MAX), Wait::Forever));
}

/// Looking moves it, by either clock, and wakes who waits; the host's own looks do not.
#[test]
fn it_goes_on_by_a_step() {
    let time = VirtualTime::new().with_step(Duration::from_millis(400));
    let (monotonic, wall) = (time.monotonic(), time.wall());
    let before = (monotonic.now(), wall.now());
    assert_eq!((monotonic.now(), wall.now()), before);
    assert_eq!(monotonic.read(), SECOND * 4 / 10);
    assert_eq!(wall.read(), before.1 + Duration::from_millis(800));
    let waiter = time.clone();
    let sleeper = thread::spawn(move || {
        // It moves nothing by itself: an ordinary waiter.
        sleep_until(&waiter, &Poller::default(), 2 * SECOND);
        waiter.now()
    });
    while !sleeper.is_finished() {
        monotonic.read();
        thread::yield_now();
    }
    assert!(sleeper.join().unwrap() >= 2 * SECOND);
    let still = VirtualTime::new();
    assert_eq!((still.monotonic().read(), still.monotonic().read()), (0, 0));
    assert_eq!(VirtualTime::new().with_step(Duration::MAX).monotonic().read(), u64::MAX);
}

/// A guest with many timers that are over, but have not been polled, pays for them once and not at each look.
#[test]
fn who_was_told_is_told_no_more() {
    let time = VirtualTime::new().with_step(VirtualTime::STEP);
    let (waiter, _busy) = (auto(&time), auto(&time));
    let sleepers: Vec<_> = (0..1000)
        .map(|n| {
            let (time, waiter) = (&time, &waiter);
            let mut sleeper = Box::pin(sleep_until_async(time, waiter, 1 + n % 2 * HOUR));
            let mut context = Context::from_waker(Waker::noop());
            assert!(sleeper.as_mut().poll(&mut context).is_pending());
            sleeper
        })
        .collect();
    let clock = time.monotonic();
    let told = allocation_counter::measure(|| _ = clock.read());
    assert!(told.count_total > 0, "half of them are over");
    let looks = allocation_counter::measure(|| (0..1000).for_each(|_| _ = clock.read()));
    assert_eq!(looks.count_total, 0);
    drop(sleepers);
}

#[test]
fn it_ends_after_584_years() {
    let time = VirtualTime::new();
    assert!(matches!(time.wait_until(u64::MAX), Wait::Forever));
    time.advance(Duration::MAX);
    assert_eq!(time.now(), u64::MAX);
    assert!(matches!(time.wait_until(u64::MAX), Wait::Ready));
    time.advance(Duration::from_secs(1));
    assert_eq!(time.now(), u64::MAX);
}

#[test]
fn by_hand_it_is_moved_by_another_thread() {
    let time = VirtualTime::new();
    thread::scope(|s| {
        let sleeper = s.spawn(|| sleep_until(&time, &Poller::default(), 3 * SECOND));
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(2));
            assert!(!sleeper.is_finished());
            time.advance(Duration::from_secs(1));
        }
    });
}

#[test]
fn what_has_happened_comes_before_what_is_to_come() {
    let (time, told) = (VirtualTime::new(), Notify::default());
    let waiter = auto(&time);
    let watch = told.watch();
    told.notify();
    let mut ended = Vec::new();
    waiter.any(&[time.wait_until(HOUR), Wait::Notify(watch)], &mut [], &mut ended).unwrap();
    assert_eq!(ended, [Event::new(1)]);
    assert_eq!(time.now(), 0);

    ended.clear();
    let both = [time.wait_until(HOUR), Wait::Notify(told.watch()), time.wait_until(2 * HOUR)];
    waiter.any(&both, &mut [], &mut ended).unwrap();
    assert_eq!(time.now(), HOUR);
    assert!(ended.contains(&Event::new(0)) && !ended.contains(&Event::new(1)), "{ended:?}");
}

#[test]
fn a_real_descriptor_does_not_hold_it() {
    let time = VirtualTime::new();
    let (reader, _writer) = std::io::pipe().unwrap();
    let waits = [Wait::Readable(std::os::fd::AsFd::as_fd(&reader)), time.wait_until(HOUR)];
    let mut ended = Vec::new();
    auto(&time).any(&waits, &mut [], &mut ended).unwrap();
    assert_eq!(ended, [Event::new(1)]);
}

#[test]
fn another_time_is_not_moved() {
    let (mine, other) = (VirtualTime::new(), VirtualTime::new());
    let waiter = auto(&mine);
    let mut ended = Vec::new();
    waiter.any(&[other.wait_until(SECOND), mine.wait_until(HOUR)], &mut [], &mut ended).unwrap();
    assert_eq!((mine.now(), other.now()), (HOUR, 0));
    assert_eq!(ended, [Event::new(1)]);
}

#[test]
fn threads_that_share_a_time_meet_in_it() {
    let (time, seen) = (VirtualTime::new(), Mutex::new(Vec::new()));
    let waiters: Vec<_> = (0..4).map(|_| auto(&time)).collect();
    thread::scope(|s| {
        for (i, waiter) in (1..).zip(waiters) {
            let (time, seen) = (&time, &seen);
            s.spawn(move || {
                for n in 1..=50u64 {
                    sleep_until(time, &waiter, n * i * SECOND);
                    seen.lock().unwrap().push((time.now(), n * i * SECOND));
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 200);
    // Nobody overslept, and they woke in the order of time.
    assert!(seen.iter().all(|(woke, wanted)| woke == wanted), "{seen:?}");
    assert!(seen.is_sorted(), "{seen:?}");
}

#[test]
fn who_was_sent_something_has_it_before_its_timeout() {
    let (time, told) = (VirtualTime::new(), Notify::default());
    let (sender, receiver) = (auto(&time), auto(&time));
    for round in 1..=100u64 {
        let watch = told.watch();
        let timeout = time.wait_until(round * HOUR);
        thread::scope(|s| {
            s.spawn(|| {
                let mut ended = Vec::new();
                receiver.any(&[timeout, Wait::Notify(watch)], &mut [], &mut ended).unwrap();
                assert_eq!(ended, [Event::new(1)], "round {round}");
                sleep_until(&time, &receiver, round * HOUR);
            });
            s.spawn(|| {
                sleep_until(&time, &sender, (round - 1) * HOUR + SECOND);
                told.notify();
                sleep_until(&time, &sender, round * HOUR);
            });
        });
        assert_eq!(time.now(), round * HOUR);
    }
}

#[test]
fn who_is_busy_holds_it_and_who_has_gone_does_not() {
    let time = VirtualTime::new();
    let (busy, waiter) = (auto(&time), auto(&time));
    thread::scope(|s| {
        let sleeper = s.spawn(|| sleep_until(&time, &waiter, HOUR));
        thread::sleep(Duration::from_millis(20));
        assert_eq!(time.now(), 0);
        assert!(!sleeper.is_finished());
        drop(busy);
    });
    assert_eq!(time.now(), HOUR);
}

/// Polls a future until it is ready, so many times at most. It says how often it was woken meanwhile.
fn drive<R>(future: impl Future<Output = R>, most: u32) -> (Option<R>, u32) {
    #[derive(Default)]
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (mut future, count) = (pin!(future), Arc::<Count>::default());
    let waker = Waker::from(count.clone());
    for _ in 0..most {
        let before = count.0.load(Ordering::Relaxed);
        if let Poll::Ready(r) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (Some(r), count.0.load(Ordering::Relaxed));
        }
        if count.0.load(Ordering::Relaxed) == before {
            break;
        }
    }
    (None, count.0.load(Ordering::Relaxed))
}

#[test]
fn tasks_of_one_context_wake_in_order() {
    let (time, order) = (VirtualTime::new(), Mutex::new(Vec::new()));
    let waiter = auto(&time);
    let task = |seconds: u64| {
        let (time, order, waiter) = (&time, &order, &waiter);
        async move {
            sleep_until_async(time, waiter, seconds * SECOND).await;
            order.lock().unwrap().push((seconds, time.now()));
        }
    };
    let all = async {
        let (mut a, mut b, mut c) = (pin!(task(30)), pin!(task(10)), pin!(task(20)));
        let mut done = [false; 3];
        std::future::poll_fn(|cx| {
            done[0] = done[0] || a.as_mut().poll(cx).is_ready();
            done[1] = done[1] || b.as_mut().poll(cx).is_ready();
            done[2] = done[2] || c.as_mut().poll(cx).is_ready();
            if done == [true; 3] { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    };
    assert!(drive(all, 10_000).0.is_some());
    assert_eq!(*order.lock().unwrap(), [10, 20, 30].map(|s| (s, s * SECOND)));
}

#[test]
fn a_sibling_that_works_without_waiting_is_not_overtaken() {
    let time = VirtualTime::new();
    let waiter = auto(&time);
    let both = async {
        let mut sleep = pin!(sleep_until_async(&time, &waiter, HOUR));
        let (mut polls, mut slept) = (0, false);
        std::future::poll_fn(|cx| {
            slept = slept || sleep.as_mut().poll(cx).is_ready();
            polls += 1;
            if polls == 20 {
                // What a task does that has been busy all the while.
                assert_eq!(time.now(), 0);
            }
            if slept { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        polls
    };
    assert!(drive(both, 10_000).0.unwrap() > 20);
}

#[test]
fn a_task_does_not_spin_while_others_are_busy_or_nothing_can_move() {
    let time = VirtualTime::new();
    let (waiter, busy) = (auto(&time), auto(&time));
    let mut sleep = pin!(sleep_until_async(&time, &waiter, HOUR));
    let (done, woken) = drive(sleep.as_mut(), 10_000);
    assert!(done.is_none() && woken == 0, "{woken}");
    drop(busy);
    assert!(drive(sleep, 10_000).0.is_some());
    assert_eq!(time.now(), HOUR);

    let never = Notify::default();
    let (done, woken) =
        drive(waiter.any_async(&[Wait::Notify(never.watch())], &mut [], &mut Vec::new()), 10_000);
    assert!(done.is_none() && woken < 1000, "{woken}");
}

#[test]
fn a_task_and_a_thread_share_a_time() {
    let time = VirtualTime::new();
    let (thread, task) = (auto(&time), auto(&time));
    thread::scope(|s| {
        s.spawn(|| {
            for n in 1..=100 {
                sleep_until(&time, &thread, n * 2 * SECOND);
                assert_eq!(time.now(), n * 2 * SECOND);
            }
            drop(thread);
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            for n in 1..=100 {
                sleep_until_async(&time, &task, n * 3 * SECOND).await;
                assert_eq!(time.now(), n * 3 * SECOND);
            }
        });
    });
}

#[test]
fn thousands_of_tasks_sleep() {
    const TASKS: u64 = 3000;
    let time = VirtualTime::new();
    let waiter = Arc::new(auto(&time));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                let (time, waiter) = (time.clone(), waiter.clone());
                tokio::spawn(async move {
                    let when = (n * 7919 % TASKS + 1) * SECOND;
                    sleep_until_async(&time, &*waiter, when).await;
                    assert!(time.now() >= when);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(time.now(), TASKS * SECOND);
}

#[test]
fn a_wait_that_is_given_up_holds_nobody() {
    let time = VirtualTime::new();
    let waiter = auto(&time);
    {
        let mut early = pin!(sleep_until_async(&time, &waiter, SECOND));
        assert!(early.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert!(drive(sleep_until_async(&time, &waiter, HOUR), 10_000).0.is_some());
    assert_eq!(time.now(), HOUR);
}

#[test]
fn a_wait_that_is_forgotten_holds_nobody() {
    let time = VirtualTime::new();
    let (gone, waiter) = (auto(&time), auto(&time));
    let waits = [time.wait_until(SECOND)];
    let mut ended = Vec::new();
    let mut forgotten = gone.any_async(&waits, &mut [], &mut ended);
    assert!(forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::mem::forget(forgotten);
    drop(gone);
    sleep_until(&time, &waiter, HOUR);
    assert_eq!(time.now(), HOUR);
}

#[test]
fn clocks_conform() {
    let time = VirtualTime::new();
    let waiter = auto(&time);
    clock::all(&time.monotonic(), &time.wall(), &waiter);
    let stepping = VirtualTime::new().with_step(VirtualTime::STEP);
    clock::all(&stepping.monotonic(), &stepping.wall(), &auto(&stepping));
    clock::wall(&Frozen(Duration::from_secs(1)), &waiter);
    let poller = Poller::default();
    clock::all(&native::MonotonicClock::default(), &native::WallClock, &poller);

    // By hand: somebody else moves it.
    let by_hand = VirtualTime::new();
    let conforms = AtomicU32::new(0);
    thread::scope(|s| {
        s.spawn(|| {
            clock::all(&by_hand.monotonic(), &by_hand.wall(), &poller);
            conforms.store(1, Ordering::Relaxed);
        });
        for _ in 0..100_000 {
            if conforms.load(Ordering::Relaxed) == 1 {
                return;
            }
            by_hand.advance(Duration::from_millis(1));
            thread::sleep(Duration::from_micros(100));
        }
        panic!("moved on again and again, it does not conform");
    });
}
