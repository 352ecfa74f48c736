//! One wait for any list, in both kinds of host, wherever the caller stands.

#[path = "support/view.rs"]
mod view;

use std::io::{PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use view::State;
use wasi_host::bindings::clocks::monotonic_clock::Host as _;
use wasi_host::bindings::io::poll as awaiting;
use wasi_host::bindings::sync::io::poll as blocking;
use wasi_host::wait::{Interrupt, Notify, Wait};
use wasi_host::{
    HostInputStream, HostMonotonicClock, InputFile, InputStream, Interrupted, Pollable, ResourceTable,
    StdinStream, StreamResult, Subscribe, WasiCtxBuilder, WasiImpl, async_trait, subscribe,
};
use wasmtime::component::Resource;

impl State {
    fn new(builder: &mut WasiCtxBuilder) -> Self {
        Self { ctx: builder.build(), table: ResourceTable::new() }
    }
    fn poll(&mut self, list: &[Resource<Pollable>]) -> wasmtime::Result<Vec<u32>> {
        blocking::Host::poll(&mut WasiImpl(self), borrowed(list))
    }
    async fn poll_async(&mut self, list: &[Resource<Pollable>]) -> wasmtime::Result<Vec<u32>> {
        awaiting::Host::poll(&mut WasiImpl(self), borrowed(list)).await
    }
    fn ready(&mut self, pollable: &Resource<Pollable>) -> bool {
        blocking::HostPollable::ready(&mut WasiImpl(self), Resource::new_borrow(pollable.rep())).unwrap()
    }
    fn after(&mut self, ms: u64) -> Resource<Pollable> {
        WasiImpl(self).subscribe_duration(ms * 1_000_000).unwrap()
    }
    fn of<S: Subscribe>(&mut self, parent: &Resource<S>) -> Resource<Pollable> {
        subscribe(&mut self.table, Resource::<S>::new_borrow(parent.rep())).unwrap()
    }
}

fn borrowed(list: &[Resource<Pollable>]) -> Vec<Resource<Pollable>> {
    list.iter().map(|p| Resource::new_borrow(p.rep())).collect()
}

fn state() -> State {
    State::new(&mut WasiCtxBuilder::new())
}

/// A stream as users write them: it knows when it is ready as a future and in no other way.
struct Sleepy(Duration, bool);

#[async_trait]
impl Subscribe for Sleepy {
    async fn ready(&mut self) {
        if !self.1 {
            tokio::time::sleep(self.0).await;
            self.1 = true;
        }
    }
}

#[async_trait]
impl HostInputStream for Sleepy {
    fn read(&mut self, _: usize) -> StreamResult<bytes::Bytes> {
        Ok(bytes::Bytes::new())
    }
}

/// What each place of the list is ready after, in milliseconds; a byte in the pipe counts as 0.
struct Mix {
    byte: bool,
    timer: u64,
    sleepy: u64,
    other: u64,
}

/// `[a pipe, a timer, a user's sleep, the same sleep once more, another one]`
fn mixed(mix: &Mix) -> (State, Vec<Resource<Pollable>>, PipeWriter) {
    let mut state = state();
    let (reader, mut writer) = std::io::pipe().unwrap();
    if mix.byte {
        writer.write_all(b"x").unwrap();
    }
    let pipe: InputStream = InputFile::new(std::fs::File::from(OwnedFd::from(reader))).stream();
    let sleepy = |ms| Box::new(Sleepy(Duration::from_millis(ms), false)) as InputStream;
    let pipe = state.table.push(pipe).unwrap();
    let (a, b) =
        (state.table.push(sleepy(mix.sleepy)).unwrap(), state.table.push(sleepy(mix.other)).unwrap());
    let list = vec![state.of(&pipe), state.after(mix.timer), state.of(&a), state.of(&a), state.of(&b)];
    (state, list, writer)
}

const LATE: u64 = 60_000;
const CASES: [(Mix, &[u32], u64); 5] = [
    (Mix { byte: true, timer: LATE, sleepy: LATE, other: LATE }, &[0], 0),
    (Mix { byte: false, timer: 5, sleepy: LATE, other: LATE }, &[1], 5),
    (Mix { byte: false, timer: LATE, sleepy: 10, other: LATE }, &[2, 3], 10),
    (Mix { byte: false, timer: LATE, sleepy: LATE, other: 10 }, &[4], 10),
    (Mix { byte: true, timer: 0, sleepy: LATE, other: LATE }, &[0, 1], 0),
];

fn all_blocking() {
    for (mix, ready, least) in CASES {
        let (mut state, list, _writer) = mixed(&mix);
        let begun = Instant::now();
        assert_eq!(state.poll(&list).unwrap(), ready);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(least) && took < Duration::from_secs(30), "{ready:?} {took:?}");
        // The table is whole again: the same list once more, and each alone.
        let again = state.poll(&list).unwrap();
        assert!(ready.iter().all(|r| again.contains(r)), "{again:?}");
        for (place, pollable) in list.iter().enumerate() {
            assert_eq!(state.ready(pollable), ready.contains(&(place as u32)), "{place}");
        }
    }
    let late = Mix { byte: false, timer: LATE, sleepy: LATE, other: LATE };
    let (mut state, list, mut writer) = mixed(&late);
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(10));
        writer.write_all(b"x").unwrap();
        writer
    });
    assert_eq!(state.poll(&list).unwrap(), [0]);
    drop(other.join().unwrap());
}

async fn all_awaiting() {
    for (mix, ready, least) in CASES {
        let (mut state, list, _writer) = mixed(&mix);
        let begun = Instant::now();
        assert_eq!(state.poll_async(&list).await.unwrap(), ready);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(least) && took < Duration::from_secs(30), "{ready:?} {took:?}");
        let again = state.poll_async(&list).await.unwrap();
        assert!(ready.iter().all(|r| again.contains(r)), "{again:?}");
        for (place, pollable) in list.iter().enumerate() {
            let mut host = WasiImpl(&mut state);
            let is_ready = awaiting::HostPollable::ready(&mut host, Resource::new_borrow(pollable.rep()));
            assert_eq!(is_ready.await.unwrap(), ready.contains(&(place as u32)), "{place}");
        }
    }
}

#[test]
fn a_mixed_list_outside_of_any_runtime() {
    all_blocking();
}

#[test]
fn a_mixed_list_inside_tasks() {
    let one = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    one.block_on(async { all_blocking() });
    one.block_on(all_awaiting());
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    many.block_on(many.spawn(async { all_blocking() })).unwrap();
    many.block_on(many.spawn(all_awaiting())).unwrap();
}

/// Needs more polls of its leaves than one task is allowed at a time.
struct Greedy(tokio::sync::mpsc::UnboundedReceiver<()>, usize);

#[async_trait]
impl Subscribe for Greedy {
    async fn ready(&mut self) {
        while self.1 > 0 {
            self.0.recv().await;
            self.1 -= 1;
        }
    }
}

#[test]
fn a_users_future_does_not_starve_inside_a_task() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (0..1000).for_each(|_| sender.send(()).unwrap());
        let mut state = state();
        let greedy = state.table.push(Greedy(receiver, 1000)).unwrap();
        let pollable = state.of(&greedy);
        assert_eq!(state.poll(&[pollable]).unwrap(), [0]);
    });
}

/// A clock that only moves when it is told to.
#[derive(Default)]
struct Hand {
    now: AtomicU64,
    moved: Notify,
}

struct ByHand(Arc<Hand>);

impl HostMonotonicClock for ByHand {
    fn resolution(&self) -> u64 {
        1
    }
    fn now(&self) -> u64 {
        self.0.now.load(Ordering::SeqCst)
    }
    fn wait_until(&self, when: u64) -> Wait<'_> {
        let watch = self.0.moved.watch();
        if self.now() >= when { Wait::Ready } else { Wait::Notify(watch) }
    }
}

#[test]
fn a_virtual_clock_is_what_a_guest_sleeps_by() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for round in 0..100 {
        let hand = Arc::new(Hand::default());
        let mut state = State::new(WasiCtxBuilder::new().monotonic_clock(ByHand(hand.clone())));
        let hour = state.after(3_600_000);
        let users: InputStream = Box::new(Sleepy(Duration::from_secs(3600), false));
        let users = state.table.push(users).unwrap();
        // With futures in the list and without.
        let list = if round % 2 == 0 { vec![hour] } else { vec![hour, state.of(&users)] };
        let mover = std::thread::spawn({
            let hand = hand.clone();
            move || {
                for _ in 0..60 {
                    hand.now.fetch_add(60_000_000_000, Ordering::SeqCst);
                    hand.moved.notify();
                }
            }
        });
        let ready = if round % 4 < 2 {
            state.poll(&list).unwrap()
        } else {
            runtime.block_on(state.poll_async(&list)).unwrap()
        };
        assert_eq!(ready, [0]);
        assert_eq!(hand.now.load(Ordering::SeqCst), 3_600_000_000_000, "woken too early");
        mover.join().unwrap();
    }
}

#[test]
fn an_interrupt_ends_a_wait_that_cannot_end() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let interrupt_soon = |interrupt: Interrupt| {
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            interrupt.interrupt();
        })
    };
    for awaits in [false, true] {
        let mut state = state();
        let never = WasiImpl(&mut state).subscribe_duration(u64::MAX).unwrap();
        let other = interrupt_soon(state.ctx.interrupt());
        let list = [never];
        let ended = if awaits { runtime.block_on(state.poll_async(&list)) } else { state.poll(&list) };
        assert_eq!(ended.unwrap_err().downcast_ref::<Interrupted>(), Some(&Interrupted));
        other.join().unwrap();
    }
}

#[test]
fn a_wait_that_is_dropped_leaves_the_table_whole() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut state, list, _writer) = mixed(&Mix { byte: false, timer: LATE, sleepy: LATE, other: LATE });
        let waited = tokio::time::timeout(Duration::from_millis(5), state.poll_async(&list)).await;
        assert!(waited.is_err());
        let soon = state.after(0);
        assert_eq!(state.poll_async(&[Resource::new_borrow(list[0].rep()), soon]).await.unwrap(), [1]);
    });
}

#[test]
fn misuse_is_a_trap_that_says_what_was_wrong() {
    let mut state = state();
    let says = |r: wasmtime::Result<Vec<u32>>, what: &str| {
        let e = format!("{:?}", r.unwrap_err());
        assert!(e.contains(what), "{e}");
    };
    says(state.poll(&[]), "empty");
    says(state.poll(&[Resource::new_borrow(99)]), "not present");
    let one = state.after(0);
    let many: Vec<_> = (0..65_537).map(|_| Resource::new_borrow(one.rep())).collect();
    says(state.poll(&many), "65536");
    // An entry of another type.
    let number = state.table.push(7_u32).unwrap();
    says(state.poll(&[Resource::new_borrow(number.rep())]), "type");

    let parent = state.table.push(Sleepy(Duration::ZERO, true)).unwrap();
    let child = state.of(&parent);
    assert!(state.table.delete(Resource::<Sleepy>::new_own(parent.rep())).is_err(), "it has a child");
    blocking::HostPollable::drop(&mut WasiImpl(&mut state), child).unwrap();
    state.table.delete(parent).unwrap();
}

#[test]
fn a_pollable_that_owns_its_resource_takes_it_along() {
    let mut state = state();
    let owned = state.table.push(Sleepy(Duration::ZERO, false)).unwrap();
    let rep = owned.rep();
    let pollable = subscribe(&mut state.table, owned).unwrap();
    blocking::HostPollable::block(&mut WasiImpl(&mut state), Resource::new_borrow(pollable.rep())).unwrap();
    assert!(state.table.get(&Resource::<Sleepy>::new_borrow(rep)).unwrap().1);
    blocking::HostPollable::drop(&mut WasiImpl(&mut state), pollable).unwrap();
    assert!(state.table.get(&Resource::<Sleepy>::new_borrow(rep)).is_err());
    assert!(state.table.is_empty());
}
