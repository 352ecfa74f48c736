//! Contexts on a tape: recorded, or replayed.

use super::WasiCtxBuilder;
use crate::ctx::WasiCtx;
use crate::mode::BlockingPolicy;
use crate::network::NetworkAccess;
use crate::preopens::Preopens;
use std::sync::Arc;
use wasi_host_core::fs::{Access, Descriptor, Node};
use wasi_host_core::grant::Grant;
use wasi_host_core::net::AddrCheck;
use wasi_host_native::net::NativeNetwork;
use wasi_host_virtual::record::{NetworkUse, Preopen, Recorder, Replay, Setup, Tape};

/// What is to be done with a context once it is known.
#[derive(Debug)]
pub(super) enum Taping {
    Record(Recorder),
    Replay(Replay),
}

impl WasiCtxBuilder {
    /// Writes down all that the guest will be given: its arguments, what it reads, what its clocks show, what comes in
    /// from the network, who wakes first. [`replay`](Self::replay) gives it again.
    ///
    /// Everything is done on the guest's thread, and in an asynchronous host one wait ends at a time; what the guest has
    /// sent is delivered while it waits, and at the end of its context, as a synchronous host does it.
    ///
    /// ```
    /// use wasi_host::WasiCtxBuilder;
    /// use wasi_host::record::{Recorder, Replay};
    /// # use std::sync::{Arc, Mutex};
    /// # #[derive(Clone, Default)]
    /// # struct Shared(Arc<Mutex<Vec<u8>>>);
    /// # impl std::io::Write for Shared {
    /// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
    /// #         self.0.lock().unwrap().write(bytes)
    /// #     }
    /// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
    /// # }
    /// # let file = Shared::default();
    /// let recorder = Recorder::new(file.clone());
    /// let ctx = WasiCtxBuilder::new().arg("program").record(&recorder).build();
    /// // The guest runs, and its store is dropped.
    /// drop(ctx);
    /// recorder.finish()?;
    ///
    /// # let bytes = file.0.lock().unwrap().clone();
    /// let replay = Replay::open(bytes)?;
    /// let ctx = WasiCtxBuilder::new().inherit_stdout().replay(&replay).build();
    /// // The guest runs again.
    /// drop(ctx);
    /// replay.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record(&mut self, recorder: &Recorder) -> &mut Self {
        self.taping = Some(Taping::Record(recorder.clone()));
        self
    }

    /// Gives the guest what was recorded, and nothing else: no directory, network or clock of this builder is used.
    /// Standard output and error go where the builder says. Arguments and environment are those of the recording, unless
    /// the builder has some.
    ///
    /// Where the program does other than what was recorded its calls fail, and it is
    /// [interrupted](WasiCtx::interrupt) if it waits. [`Replay::finish`] says where that was.
    ///
    /// [`record`](Self::record) has an example.
    pub fn replay(&mut self, replay: &Replay) -> &mut Self {
        self.taping = Some(Taping::Replay(replay.clone()));
        self
    }
}

impl Taping {
    pub(super) fn apply(self, mut ctx: WasiCtx) -> WasiCtx {
        // In a recording, too: so that there is as much to wait for in both.
        let interrupt = ctx.interrupt();
        let tape = match self {
            Self::Record(recorder) => {
                let tape = recorder.begin(&setup(&mut ctx));
                ctx.shared_mut().preopens.decorate(|name, node| match node {
                    Node::Dir(dir) => Node::Dir(tape.dir(Some(dir), name)),
                    Node::File(file) => Node::File(tape.file(Some(file), name)),
                });
                for listener in &mut ctx.listeners {
                    *listener = tape.listener(Some(listener.clone()));
                }
                tape
            }
            Self::Replay(replay) => {
                let tape = replay.begin(interrupt);
                give(&mut ctx, replay.setup(), &tape);
                tape
            }
        };
        wrap(ctx, &tape)
    }
}

/// What `ctx` has besides its capabilities.
fn setup(ctx: &mut WasiCtx) -> Setup {
    let preopen = |(descriptor, name): &(Descriptor, String)| {
        let (dir, file) = descriptor.grant().permissions();
        let limits = descriptor.grant().limits().get();
        Preopen {
            name: name.clone(),
            is_dir: descriptor.is_dir(),
            dir,
            file,
            access: descriptor.access(),
            limits,
        }
    };
    let NetworkAccess { tcp, udp, lookup, ref check, .. } = ctx.shared.network;
    let check_knows = check.as_ref().is_none_or(AddrCheck::knows);
    let network = NetworkUse { tcp, udp, lookup, check_knows };
    Setup {
        args: ctx.args.clone(),
        env: ctx.env.clone(),
        initial_cwd: ctx.initial_cwd.clone(),
        preopens: ctx.shared.preopens.current().iter().map(preopen).collect(),
        listeners: ctx.listeners.len() as u64,
        network,
        limits: ctx.limits.get(),
        system_time: ctx.system_time,
        insecure_random_seed: ctx.insecure_random_seed(),
    }
}

/// Gives to `ctx` what the recorded one had.
fn give(ctx: &mut WasiCtx, setup: &Setup, tape: &Tape) {
    if ctx.args.is_empty() {
        ctx.args.clone_from(&setup.args);
    }
    if ctx.env.is_empty() {
        ctx.env.clone_from(&setup.env);
    }
    ctx.initial_cwd.clone_from(&setup.initial_cwd);
    let preopen = |given: &Preopen| {
        let grant = Arc::new(Grant::new(given.dir, given.file, given.limits.clone()));
        let descriptor = match given.is_dir {
            true => Descriptor::preopen(tape.dir(None, &given.name), grant),
            false => Descriptor::file(tape.file(None, &given.name), given.access, grant),
        };
        let for_reading = given.is_dir && !given.access.contains(Access::WRITE);
        (if for_reading { descriptor.for_reading() } else { descriptor }, given.name.clone())
    };
    ctx.limits.set(&setup.limits);
    let shared = ctx.shared_mut();
    shared.preopens = Preopens::default();
    for given in &setup.preopens {
        let (descriptor, name) = preopen(given);
        shared.preopens.add(descriptor, name);
    }
    let NetworkUse { tcp, udp, lookup, check_knows } = setup.network;
    (shared.network.tcp, shared.network.udp, shared.network.lookup) = (tcp, udp, lookup);
    shared.network.check = Some(match check_knows {
        true => AddrCheck::deny_all(),
        false => AddrCheck::new(|_, _| Box::pin(async { false })),
    });
    ctx.listeners = (0..setup.listeners).map(|_| tape.listener(None)).collect();
    ctx.system_time = setup.system_time;
    ctx.insecure_random_seed = Some(setup.insecure_random_seed);
}

/// Puts `tape` between the guest and everything else.
fn wrap(mut ctx: WasiCtx, tape: &Tape) -> WasiCtx {
    let waiting = ctx.waiting_mut();
    let waiter = waiting.waiter.clone();
    waiting.waiter = tape.waiter(waiter.clone());
    waiting.policy = BlockingPolicy::Inline;
    waiting.delivery.without_task = true;
    let replaced = waiting.waiter.clone();
    let network = &mut ctx.shared_mut().network;
    let inner = network.network.take().unwrap_or_else(|| Arc::new(NativeNetwork));
    network.network = Some(tape.network(inner));
    network.check = Some(tape.check(network.check.take().unwrap_or_default()));
    network.waiter = Some(replaced);
    WasiCtx {
        stdin: tape.stdin(ctx.stdin),
        stdout: tape.stdout(ctx.stdout, "standard output", &waiter),
        stderr: tape.stdout(ctx.stderr, "standard error", &waiter),
        wall_clock: tape.wall_clock(ctx.wall_clock),
        monotonic_clock: tape.monotonic_clock(ctx.monotonic_clock),
        timezone: tape.timezone(ctx.timezone),
        random: tape.random(ctx.random, "the source of randomness"),
        insecure_random: tape.random(ctx.insecure_random, "the insecure source of randomness"),
        ..ctx
    }
}
