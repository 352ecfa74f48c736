//! Waiting on the calling thread, against a real kernel.

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{read, write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use wasi_host_core::conformance::stream::Parker;
use wasi_host_core::wait::{Deadline, Event, Interrupt, Notify, Wait, Waiter};
use wasi_host_native::wait::Poller;

/// What no test that works ever waits for.
const LONG: Duration = Duration::from_secs(60);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).unwrap()
}

fn any(waits: &[Wait<'_>]) -> Vec<Event> {
    let mut ended = Vec::new();
    Poller::default().any(waits, &mut [], &mut ended).unwrap();
    ended
}

fn ended(indices: &[usize]) -> Vec<Event> {
    indices.iter().copied().map(Event::new).collect()
}

#[test]
fn timers_end_in_order_and_never_early() {
    let begin = Instant::now();
    let deadlines = [ms(30), ms(5), ms(15)];
    let mut left = vec![0, 1, 2];
    for next in [1, 2, 0] {
        let waits: Vec<_> = left.iter().map(|&i: &usize| Wait::Until(begin + deadlines[i])).collect();
        let events = any(&waits);
        assert!(begin.elapsed() >= deadlines[next]);
        // A machine that is busy may let several run out.
        assert!(events.iter().any(|e| left[e.index] == next), "{events:?}");
        left.retain(|&i| i != next);
    }
    assert!(begin.elapsed() < LONG);
}

#[test]
fn a_span_counts_from_the_beginning_of_the_wait() {
    let begin = Instant::now();
    assert_eq!(any(&[Wait::For(LONG), Wait::For(ms(10)), Wait::Forever]), ended(&[1]));
    assert!(begin.elapsed() >= ms(10) && begin.elapsed() < LONG);
    assert_eq!(any(&[Wait::For(Duration::MAX), Wait::For(Duration::ZERO)]), ended(&[1]));
}

#[test]
fn a_microsecond_is_not_a_millisecond() {
    let shortest = (0..50)
        .map(|_| {
            let begin = Instant::now();
            assert_eq!(any(&[Wait::For(Duration::from_micros(1))]), ended(&[0]));
            begin.elapsed()
        })
        .min();
    // 50 µs of timer slack, and a busy machine; a timer of milliseconds would need one at least.
    assert!(shortest < Some(Duration::from_micros(900)), "{shortest:?}");
}

#[test]
fn all_that_is_ready_is_reported_in_order() {
    let (r, w) = pipe();
    write(&w, b"x").unwrap();
    let (quiet, _open) = pipe();
    let notify = Notify::default();
    let (old, new) = (notify.watch(), Notify::default());
    notify.notify();
    let waits = [
        Wait::Readable(quiet.as_fd()),
        Wait::Notify(old),
        Wait::Readable(r.as_fd()),
        Wait::Forever,
        Wait::Until(Instant::now()),
        Wait::Notify(new.watch()),
        Wait::Writable(w.as_fd()),
        Wait::Ready,
        Wait::For(LONG),
    ];
    assert_eq!(any(&waits), ended(&[1, 2, 4, 6, 7]));
}

#[test]
fn events_are_appended() {
    let mut events = ended(&[7]);
    Poller::default().any(&[Wait::Forever, Wait::Ready], &mut [], &mut events).unwrap();
    assert_eq!(events, ended(&[7, 1]));
}

#[test]
fn a_pipe_has_bytes_or_has_been_hung_up_or_both() {
    let (r, w) = pipe();
    let writer = thread::spawn(move || {
        sleep(ms(10));
        write(&w, b"x").unwrap();
        w
    });
    assert_eq!(any(&[Wait::Readable(r.as_fd())]), ended(&[0]));
    drop(writer.join().unwrap());
    let hangup = [Event { index: 0, hangup: true }];
    // A process that another test starts has the pipe until it runs its program.
    let until = Instant::now() + Duration::from_secs(10);
    while any(&[Wait::Readable(r.as_fd())]) != hangup {
        assert!(Instant::now() < until, "bytes, and nobody who writes more");
    }
    assert_eq!(read(&r, &mut [0; 8]), Ok(1));
    assert_eq!(any(&[Wait::Readable(r.as_fd())]), hangup);
}

#[test]
fn a_full_pipe_is_writable_when_read_or_hung_up() {
    let (r, w) = pipe();
    while write(&w, &[0; 4096]).is_ok() {}
    assert_eq!(any(&[Wait::Writable(w.as_fd()), Wait::For(ms(5))]), ended(&[1]));
    let reader = thread::spawn(move || {
        sleep(ms(10));
        read(&r, &mut [0; 8192]).unwrap();
        r
    });
    assert_eq!(any(&[Wait::Writable(w.as_fd()), Wait::For(LONG)]), ended(&[0]));
    while write(&w, &[0; 4096]).is_ok() {}
    drop(reader.join().unwrap());
    assert_eq!(any(&[Wait::Writable(w.as_fd()), Wait::For(LONG)]), [Event { index: 0, hangup: true }]);
}

#[test]
fn both_directions_of_one_descriptor() {
    let (a, b) = std::os::unix::net::UnixStream::pair().unwrap();
    let waits = [Wait::Readable(a.as_fd()), Wait::Writable(a.as_fd()), Wait::Readable(a.as_fd())];
    assert_eq!(any(&waits), ended(&[1]));
    write(&b, b"x").unwrap();
    assert_eq!(any(&waits), ended(&[0, 1, 2]));
}

#[test]
fn an_eventfd() {
    let fd = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
    assert_eq!(any(&[Wait::Readable(fd.as_fd()), Wait::For(ms(5))]), ended(&[1]));
    write(&fd, &1u64.to_ne_bytes()).unwrap();
    assert_eq!(any(&[Wait::Readable(fd.as_fd()), Wait::For(LONG)]), ended(&[0]));
}

#[test]
fn regular_files_are_always_ready() {
    let file = tempfile::tempfile().unwrap();
    assert_eq!(any(&[Wait::Readable(file.as_fd()), Wait::Writable(file.as_fd())]), ended(&[0, 1]));
}

/// Two threads hand a number to and fro. A wake-up that is lost shows as a minute that passes.
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
        fn wait_for(&self, poller: &Poller, n: u64) {
            loop {
                let watch = self.changed.watch();
                if self.number.load(Ordering::Acquire) == n {
                    return;
                }
                let mut events = Vec::new();
                poller.any(&[Wait::Notify(watch), Wait::For(LONG)], &mut [], &mut events).unwrap();
                assert_eq!(events, ended(&[0]), "lost in round {n}");
            }
        }
    }
    let (ping, pong, poller) = (Place::default(), Place::default(), Poller::default());
    thread::scope(|s| {
        s.spawn(|| {
            for n in 1..=ROUNDS {
                ping.wait_for(&poller, n);
                pong.put(n);
            }
        });
        for n in 1..=ROUNDS {
            ping.put(n);
            pong.wait_for(&poller, n);
        }
    });
}

#[test]
fn a_change_or_a_moment_whichever_comes_first() {
    let waiters: [&dyn Waiter; 2] = [&Poller::default(), &Parker];
    for waiter in waiters {
        let wait = |waits: &[Wait<'_>]| {
            let mut ended = Vec::new();
            waiter.any(waits, &mut [], &mut ended).unwrap();
            ended
        };
        let (notify, moved) = (Notify::default(), Notify::default());
        let (soon, late) = (Instant::now() + ms(10), Instant::now() + LONG);
        let by = |deadline| Wait::NotifyBy(notify.watch(), deadline);
        assert_eq!(wait(&[by(Deadline::Until(late)), by(Deadline::Until(soon))]), ended(&[1]));
        assert!(Instant::now() >= soon);
        for told in [&notify, &moved] {
            let waits = [Wait::Forever, by(Deadline::Clock(moved.watch(), 1)), Wait::For(LONG)];
            thread::scope(|s| {
                s.spawn(|| {
                    sleep(ms(20));
                    told.notify();
                });
                assert_eq!(wait(&waits), ended(&[1]));
            });
            assert_eq!(wait(&waits), ended(&[1]), "it has changed already");
        }
        let waits = [by(Deadline::Until(late)), Wait::For(LONG)];
        notify.notify();
        assert_eq!(wait(&waits), ended(&[0]));
    }
}

#[test]
fn two_that_wait_at_once_on_one_poller_hear_each_their_own() {
    let poller = Arc::new(Poller::default());
    let notifies = [Notify::default(), Notify::default(), Notify::default()];
    thread::scope(|s| {
        for notify in &notifies {
            let poller = poller.clone();
            s.spawn(move || {
                let mut events = Vec::new();
                let waits = [Wait::Notify(notify.watch()), Wait::For(LONG)];
                poller.any(&waits, &mut [], &mut events).unwrap();
                assert_eq!(events, ended(&[0]));
            });
        }
        sleep(ms(30));
        notifies.iter().for_each(Notify::notify);
    });
}

#[test]
fn an_interrupt_ends_a_wait() {
    let interrupt = Interrupt::default();
    let (quiet, _open) = pipe();
    thread::scope(|s| {
        s.spawn(|| {
            sleep(ms(10));
            interrupt.interrupt();
        });
        let waits = [Wait::Readable(quiet.as_fd()), Wait::For(LONG), Wait::Notify(interrupt.watch())];
        assert_eq!(any(&waits), ended(&[2]));
    });
    assert!(interrupt.is_set());
}

#[test]
fn a_long_list_takes_no_longer_than_its_length() {
    let pipes: Vec<_> = (0..100).map(|_| pipe()).collect();
    let notify = Notify::default();
    let watch = notify.watch();
    let far = Instant::now() + LONG;
    let mut waits: Vec<_> = (0..65_536)
        .map(|i| match i % 4 {
            0 => Wait::Readable(pipes[i % 100].0.as_fd()),
            1 => Wait::Notify(watch),
            2 => Wait::Until(far + Duration::from_nanos(i as u64)),
            _ => Wait::Forever,
        })
        .collect();
    waits.push(Wait::For(ms(5)));
    let begin = Instant::now();
    assert_eq!(any(&waits), ended(&[65_536]));
    waits.pop();
    write(&pipes[4].1, b"x").unwrap();
    let events = any(&waits);
    assert!(events.iter().all(|e| e.index % 100 == 4));
    assert_eq!(events.len(), (0..65_536).filter(|i| i % 100 == 4).count());
    thread::scope(|s| {
        s.spawn(|| {
            sleep(ms(20));
            notify.notify();
        });
        read(&pipes[4].0, &mut [0; 1]).unwrap();
        assert_eq!(any(&waits).len(), 16_384);
    });
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn ten_thousand_descriptors() {
    let fds: Vec<_> = (0..10_000).map(|_| eventfd(0, EventfdFlags::NONBLOCK).unwrap()).collect();
    let waits: Vec<_> = fds.iter().map(|fd| Wait::Readable(fd.as_fd())).collect();
    thread::scope(|s| {
        s.spawn(|| {
            sleep(ms(20));
            write(&fds[9_999], &1u64.to_ne_bytes()).unwrap();
        });
        assert_eq!(any(&waits), ended(&[9_999]));
    });
}

/// Signals that a handler takes end `ppoll`. They reach the main thread, so this one test runs there, in a process of
/// its own.
#[test]
fn a_signal_does_not_cut_a_sleep_short() {
    if std::env::var_os("WASI_HOST_SIGNALS").is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_signal_does_not_cut_a_sleep_short", "--test-threads=1"])
            .env("WASI_HOST_SIGNALS", "")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let _handler = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::user_defined1()).unwrap();
    let signals = thread::spawn(|| {
        for _ in 0..20 {
            sleep(ms(5));
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::USR1).unwrap();
        }
    });
    let begin = Instant::now();
    let (quiet, _open) = pipe();
    assert_eq!(any(&[Wait::For(ms(150)), Wait::Readable(quiet.as_fd())]), ended(&[0]));
    assert!(begin.elapsed() >= ms(150));
    signals.join().unwrap();
}
