//! A guest sleeps and reads in one poll list, with no operating system: the clock moves when it is told to, the
//! socket is a queue in memory, and the waiter parks its thread. Each test runs as a synchronous host and as an
//! asynchronous one. Nothing here takes real time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use wasi_host_core::clock::HostMonotonicClock;
use wasi_host_core::fs::Interest;
use wasi_host_core::net::{Shutdown, TcpOption, TcpOptionName, TcpSocket};
use wasi_host_core::wait::{BoxFuture, Changed, Event, Interrupt, Notify, Registration, Wait, Waiter};
use wasi_host_core::{Errno, Result};

/// Shows what it was told last.
#[derive(Default)]
struct ManualClock {
    now: AtomicU64,
    moved: Notify,
}

impl ManualClock {
    fn advance(&self, by: u64) {
        self.now.fetch_add(by, Ordering::Release);
        self.moved.notify();
    }
}

impl HostMonotonicClock for ManualClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    fn wait_until(&self, when: u64) -> Wait<'_> {
        let watch = self.moved.watch();
        if self.now() >= when { Wait::Ready } else { Wait::Notify(watch) }
    }
}

/// One direction of a connection: what is sent can be received.
#[derive(Default)]
struct Loopback {
    bytes: Mutex<VecDeque<u8>>,
    ended: AtomicBool,
    changed: Notify,
}

impl TcpSocket for Loopback {
    fn recv(&self, bufs: &mut [IoSliceMut<'_>], peek: bool) -> Result<usize> {
        let mut bytes = self.bytes.lock().unwrap();
        if bytes.is_empty() {
            return if self.ended.load(Ordering::Acquire) { Ok(0) } else { Err(Errno::Again) };
        }
        let mut n = 0;
        for (to, from) in bufs.iter_mut().flat_map(|b| b.iter_mut()).zip(&*bytes) {
            *to = *from;
            n += 1;
        }
        if !peek {
            bytes.drain(..n);
        }
        Ok(n)
    }

    fn send(&self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let n = bufs.iter().map(|b| b.len()).sum();
        self.bytes.lock().unwrap().extend(bufs.iter().flat_map(|b| b.iter()));
        self.changed.notify();
        Ok(n)
    }

    fn shutdown(&self, _: Shutdown) -> Result<()> {
        self.ended.store(true, Ordering::Release);
        self.changed.notify();
        Ok(())
    }

    fn wait(&self, interest: Interest) -> Wait<'_> {
        let watch = self.changed.watch();
        let quiet = self.bytes.lock().unwrap().is_empty() && !self.ended.load(Ordering::Acquire);
        if interest == Interest::Read && quiet { Wait::Notify(watch) } else { Wait::Ready }
    }

    fn is_listening(&self) -> bool {
        false
    }

    fn bind(&self, _: SocketAddr) -> Result<()> {
        Err(Errno::NotSup)
    }

    fn connect(&self, _: SocketAddr) -> Result<()> {
        Err(Errno::NotSup)
    }

    fn listen(&self, _: u32) -> Result<()> {
        Err(Errno::NotSup)
    }

    fn accept(&self) -> Result<(Arc<dyn TcpSocket>, SocketAddr)> {
        Err(Errno::NotSup)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        Err(Errno::NotSup)
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        Err(Errno::NotSup)
    }

    fn get(&self, _: TcpOptionName) -> Result<TcpOption> {
        Err(Errno::NotSup)
    }

    fn set(&self, _: TcpOption) -> Result<()> {
        Err(Errno::NotSup)
    }
}

/// A waiter for what has no descriptor.
struct Park;

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn unpark_this() -> Waker {
    Arc::new(Unpark(thread::current())).into()
}

fn collect(waits: &[Wait<'_>], ended: &mut Vec<Event>) -> Result<()> {
    for (index, wait) in waits.iter().enumerate() {
        match wait {
            Wait::Ready => ended.push(Event::new(index)),
            Wait::Notify(watch) if watch.changed() => ended.push(Event::new(index)),
            Wait::Notify(_) | Wait::Forever | Wait::Future => {}
            _ => return Err(Errno::NotSup),
        }
    }
    Ok(())
}

fn poll_each(futures: &mut [(usize, BoxFuture<'_, ()>)], ended: &mut Vec<Event>, cx: &mut Context<'_>) {
    for (index, future) in futures {
        if future.as_mut().poll(cx).is_ready() {
            ended.push(Event::new(*index));
        }
    }
}

impl Waiter for Park {
    fn any(
        &self,
        waits: &[Wait<'_>],
        futures: &mut [(usize, BoxFuture<'_, ()>)],
        ended: &mut Vec<Event>,
    ) -> Result<()> {
        let (before, waker) = (ended.len(), unpark_this());
        let mut registered: Vec<Option<Registration<'_>>> = Vec::new();
        registered.extend(waits.iter().map(|wait| match wait {
            Wait::Notify(watch) => watch.register(&waker),
            _ => None,
        }));
        loop {
            poll_each(futures, ended, &mut Context::from_waker(&waker));
            collect(waits, ended)?;
            if ended.len() > before {
                return Ok(());
            }
            thread::park();
        }
    }

    fn any_async<'a, 'f: 'a>(
        &'a self,
        waits: &'a [Wait<'a>],
        futures: &'a mut [(usize, BoxFuture<'f, ()>)],
        ended: &'a mut Vec<Event>,
    ) -> BoxFuture<'a, Result<()>> {
        let before = ended.len();
        let mut changes: Vec<Changed<'_>> = Vec::new();
        changes.extend(waits.iter().filter_map(|wait| match wait {
            Wait::Notify(watch) => Some(watch.wait()),
            _ => None,
        }));
        Box::pin(poll_fn(move |cx| {
            poll_each(futures, ended, cx);
            for change in &mut changes {
                let _ = Pin::new(change).poll(cx);
            }
            collect(waits, ended)?;
            if ended.len() > before { Poll::Ready(Ok(())) } else { Poll::Pending }
        }))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let (mut future, waker) = (pin!(future), unpark_this());
    loop {
        if let Poll::Ready(out) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return out;
        }
        thread::park();
    }
}

#[derive(Clone, Copy)]
enum Host {
    Synchronous,
    Asynchronous,
}

impl Host {
    const BOTH: [Self; 2] = [Self::Synchronous, Self::Asynchronous];

    fn any(self, waits: &[Wait<'_>], futures: &mut [(usize, BoxFuture<'_, ()>)]) -> Vec<usize> {
        let mut ended = Vec::new();
        match self {
            Self::Synchronous => Park.any(waits, futures, &mut ended),
            Self::Asynchronous => block_on(Park.any_async(waits, futures, &mut ended)),
        }
        .unwrap();
        ended.into_iter().map(|e| e.index).collect()
    }

    /// What a guest does: it waits for a byte until a time has come, and looks again after each event.
    fn read_before(self, clock: &ManualClock, when: u64, socket: &dyn TcpSocket) -> Option<Result<u8>> {
        let mut byte = [0];
        loop {
            match socket.recv(&mut [IoSliceMut::new(&mut byte)], false) {
                Err(Errno::Again) => {}
                Ok(0) => return Some(Err(Errno::Pipe)),
                done => return Some(done.map(|_| byte[0])),
            }
            if clock.now() >= when {
                return None;
            }
            let ended = self.any(&[clock.wait_until(when), socket.wait(Interest::Read)], &mut []);
            assert!(!ended.is_empty());
        }
    }
}

fn send(socket: &Loopback, byte: u8) {
    assert_eq!(socket.send(&[IoSlice::new(&[byte])]), Ok(1));
}

#[test]
fn a_byte_before_the_time_and_the_time_before_a_byte() {
    for host in Host::BOTH {
        let (clock, socket) = (ManualClock::default(), Loopback::default());
        thread::scope(|s| {
            s.spawn(|| {
                clock.advance(50);
                send(&socket, b'x');
            });
            assert_eq!(host.read_before(&clock, 100, &socket), Some(Ok(b'x')));
        });
        assert_eq!(clock.now(), 50);
        thread::scope(|s| {
            s.spawn(|| (0..60).for_each(|_| clock.advance(1)));
            assert_eq!(host.read_before(&clock, 100, &socket), None);
            assert!(clock.now() >= 100);
        });
        thread::scope(|s| {
            s.spawn(|| socket.shutdown(Shutdown::Both));
            assert_eq!(host.read_before(&clock, 200, &socket), Some(Err(Errno::Pipe)));
        });
    }
}

#[test]
fn all_that_has_ended_is_reported() {
    for host in Host::BOTH {
        let (clock, socket) = (ManualClock::default(), Loopback::default());
        let waits = [
            Wait::Forever,
            clock.wait_until(10),
            socket.wait(Interest::Read),
            clock.wait_until(0),
            socket.wait(Interest::Write),
        ];
        assert_eq!(host.any(&waits, &mut []), [3, 4]);
        send(&socket, b'x');
        clock.advance(1);
        // A change is a hint: the clock has moved, though not far enough.
        assert_eq!(host.any(&waits, &mut []), [1, 2, 3, 4]);
        assert!(matches!(clock.wait_until(10), Wait::Notify(_)));
        assert!(matches!(socket.wait(Interest::Read), Wait::Ready));
    }
}

/// What happens between looking and waiting is not lost, however it falls.
#[test]
fn nothing_is_lost() {
    for host in Host::BOTH {
        let (clock, socket) = (ManualClock::default(), Loopback::default());
        let answer = Loopback::default();
        thread::scope(|s| {
            s.spawn(|| {
                for n in 0..5000u64 {
                    if n % 2 == 0 {
                        send(&socket, 1)
                    } else {
                        clock.advance(1)
                    }
                    // Not before the guest has seen it.
                    assert_eq!(host.read_before(&ManualClock::default(), 1, &answer), Some(Ok(1)));
                }
            });
            for n in 0..5000 {
                let seen = host.read_before(&clock, n / 2 + 1, &socket);
                assert_eq!(seen, (n % 2 == 0).then_some(Ok(1)), "in round {n}");
                send(&answer, 1);
            }
        });
    }
}

#[test]
fn a_future_beside_them() {
    for host in Host::BOTH {
        let (clock, socket, users) = (ManualClock::default(), Loopback::default(), Notify::default());
        let mut futures: Vec<(usize, BoxFuture<'_, ()>)> = vec![(0, Box::pin(users.watch().wait()))];
        let waits = [Wait::Future, clock.wait_until(1), socket.wait(Interest::Read)];
        thread::scope(|s| {
            s.spawn(|| send(&socket, b'x'));
            assert_eq!(host.any(&waits, &mut futures), [2]);
        });
        let waits = [Wait::Future, clock.wait_until(1)];
        // The same future, asked again.
        thread::scope(|s| {
            s.spawn(|| users.notify());
            assert_eq!(host.any(&waits, &mut futures), [0]);
        });
    }
}

#[test]
fn an_interrupt_ends_what_would_never_end() {
    for host in Host::BOTH {
        let (clock, socket, interrupt) = (ManualClock::default(), Loopback::default(), Interrupt::default());
        let waits = [clock.wait_until(1), socket.wait(Interest::Read), Wait::Notify(interrupt.watch())];
        assert!(!interrupt.is_set());
        thread::scope(|s| {
            s.spawn(|| interrupt.interrupt());
            assert_eq!(host.any(&waits, &mut []), [2]);
        });
        assert!(interrupt.is_set());
        interrupt.clear();
        assert!(!interrupt.is_set());
    }
}

/// Two futures of one task wait for the same thing; one that is dropped takes only its own waker along.
#[test]
fn a_future_that_is_dropped_forgets_itself_alone() {
    let notify = Notify::default();
    let (mut kept, mut dropped) = (notify.watch().wait(), notify.watch().wait());
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut kept).poll(&mut cx).is_pending());
    assert!(Pin::new(&mut dropped).poll(&mut cx).is_pending());
    drop(dropped);
    notify.notify();
    assert!(woken.0.load(Ordering::Acquire));
    assert!(Pin::new(&mut kept).poll(&mut cx).is_ready());
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_watch_that_borrows_nothing_sees_what_changed_since_it_was_taken() {
    let notify = Notify::default();
    let watch = notify.watch();
    notify.notify();
    let old = watch.to_owned();
    assert!(old.as_watch().changed());
    let new = notify.watch().to_owned();
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    let mut changed = new.as_watch().wait();
    assert!(Pin::new(&mut changed).poll(&mut Context::from_waker(&waker)).is_pending());
    // From anywhere: it is the same thing wherever the original has gone.
    std::thread::spawn(move || notify.notify()).join().unwrap();
    assert!(woken.0.load(Ordering::Acquire));
    assert!(Pin::new(&mut changed).poll(&mut Context::from_waker(&waker)).is_ready());
    assert!(new.clone().as_watch().changed());
}
