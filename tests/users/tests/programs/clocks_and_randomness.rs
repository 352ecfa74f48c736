//! A simulation: clocks that it sets itself and randomness that repeats itself.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Component, Instance, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{
    thread_rng, Deterministic, HostMonotonicClock, HostWallClock, RngCore, WasiCtx, WasiCtxBuilder, WasiView,
};

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

fn start(path: &str, ctx: WasiCtx) -> Result<(Store<State>, Instance)> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, path)?;
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let instance = linker.instantiate(&mut store, &component)?;
    Ok((store, instance))
}

/// The simulation's time, in nanoseconds.
#[derive(Clone, Default)]
struct Simulated(Arc<AtomicU64>);

impl HostMonotonicClock for Simulated {
    fn resolution(&self) -> u64 {
        10
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl HostWallClock for Simulated {
    fn resolution(&self) -> Duration {
        Duration::from_millis(2)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_000_000_000) + Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn a_guest_sees_the_simulations_time() -> Result<()> {
    let time = Simulated::default();
    let ctx = WasiCtxBuilder::new().monotonic_clock(time.clone()).wall_clock(time.clone()).build();
    let (mut store, instance) = start("guests/clocks.wat", ctx)?;
    let now = instance.get_typed_func::<(), (u64,)>(&mut store, "now")?;
    let resolution = instance.get_typed_func::<(), (u64,)>(&mut store, "resolution")?;
    let wall = instance.get_typed_func::<(), ((u64, u32),)>(&mut store, "wall-now")?;
    let wall_resolution = instance.get_typed_func::<(), ((u64, u32),)>(&mut store, "wall-resolution")?;

    for expected in [0, 2_500_000_000] {
        time.0.store(expected, Ordering::SeqCst);
        assert_eq!(now.call(&mut store, ())?, (expected,));
    }
    assert_eq!(resolution.call(&mut store, ())?, (10,));
    assert_eq!(wall.call(&mut store, ())?, ((1_000_000_002, 500_000_000),));
    assert_eq!(wall_resolution.call(&mut store, ())?, ((0, 2_000_000),));
    Ok(())
}

/// Ticks at each look. It may go to another thread, but not be used by two.
struct Ticking(Cell<u64>);

impl HostMonotonicClock for Ticking {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

impl HostWallClock for Ticking {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0.set(self.0.get() + 1);
        Duration::from_secs(self.0.get())
    }
}

#[test]
fn a_clock_need_not_be_shared_between_threads() -> Result<()> {
    let ctx = WasiCtxBuilder::new()
        .monotonic_clock(Ticking(Cell::new(0)))
        .wall_clock(Ticking(Cell::new(100)))
        .build();
    let (mut store, instance) = start("guests/clocks.wat", ctx)?;
    let now = instance.get_typed_func::<(), (u64,)>(&mut store, "now")?;
    let wall = instance.get_typed_func::<(), ((u64, u32),)>(&mut store, "wall-now")?;
    let (first,) = now.call(&mut store, ())?;
    let (second,) = now.call(&mut store, ())?;
    assert!(second > first);
    let ((first, _),) = wall.call(&mut store, ())?;
    let ((second, _),) = wall.call(&mut store, ())?;
    assert!(first > 100 && second > first);
    Ok(())
}

/// A sleeper wakes in real time where the clock does not know better.
#[test]
fn a_clock_that_stands_still_holds_nobody() -> Result<()> {
    let began = std::time::Instant::now();
    let ctx = WasiCtxBuilder::new().monotonic_clock(Simulated::default()).build();
    let (mut store, instance) = start("guests/clocks.wat", ctx)?;
    let sleep = instance.get_typed_func::<(u64,), ()>(&mut store, "sleep")?;
    sleep.call(&mut store, (3_000_000,))?;
    assert!(began.elapsed() >= Duration::from_millis(3));

    let ctx = WasiCtxBuilder::new().monotonic_clock(Ticking(Cell::new(0))).build();
    let (mut store, instance) = start("guests/clocks.wat", ctx)?;
    let sleep = instance.get_typed_func::<(u64,), ()>(&mut store, "sleep")?;
    sleep.call(&mut store, (3_000_000,))?;
    Ok(())
}

/// A generator of the application's own.
struct Counting(u64);

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for byte in dest {
            *byte = self.next_u64() as u8;
        }
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> std::result::Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

#[test]
fn randomness_repeats_itself() -> Result<()> {
    let ctx = WasiCtxBuilder::new()
        .secure_random(Counting(0))
        .insecure_random(Deterministic::new(vec![7, 8, 9]))
        .insecure_random_seed((5 << 64) | 6)
        .build();
    let (mut store, instance) = start("guests/random.wat", ctx)?;
    let bytes = instance.get_typed_func::<(u64,), (Vec<u8>,)>(&mut store, "bytes")?;
    let number = instance.get_typed_func::<(), (u64,)>(&mut store, "number")?;
    let insecure = instance.get_typed_func::<(u64,), (Vec<u8>,)>(&mut store, "insecure-bytes")?;
    let insecure_number = instance.get_typed_func::<(), (u64,)>(&mut store, "insecure-number")?;
    let seed = instance.get_typed_func::<(), ((u64, u64),)>(&mut store, "seed")?;

    assert_eq!(bytes.call(&mut store, (3,))?, (vec![1, 2, 3],));
    assert_eq!(number.call(&mut store, ())?, (4,));
    assert_eq!(insecure.call(&mut store, (5,))?, (vec![7, 8, 9, 7, 8],));
    assert_eq!(insecure_number.call(&mut store, ())?, (0x0907_0809_0708_0907,));
    assert_eq!(seed.call(&mut store, ())?, ((6, 5),));
    Ok(())
}

#[test]
fn the_secure_generator_can_be_named() -> Result<()> {
    let mut random: Box<dyn RngCore + Send> = thread_rng();
    assert_ne!((random.next_u64(), random.next_u64()), (random.next_u64(), random.next_u64()));
    let ctx = WasiCtxBuilder::new().secure_random(thread_rng()).insecure_random(thread_rng()).build();
    let (mut store, instance) = start("guests/random.wat", ctx)?;
    let bytes = instance.get_typed_func::<(u64,), (Vec<u8>,)>(&mut store, "bytes")?;
    let (first,) = bytes.call(&mut store, (32,))?;
    let (second,) = bytes.call(&mut store, (32,))?;
    assert_eq!((first.len(), second.len()), (32, 32));
    assert_ne!(first, second);
    Ok(())
}
