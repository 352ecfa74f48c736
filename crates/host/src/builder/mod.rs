//! Making a context.

mod deterministic;
mod network;
mod preopens;
#[cfg(feature = "record")]
mod record;

use crate::ctx::WasiCtx;
use crate::delivery::Delivery;
use crate::handle;
use crate::mode::BlockingPolicy;
use crate::preopens::Given;
use crate::wait::Waiter;
use crate::waiting::Waiting;
use std::sync::{Arc, OnceLock};
use wasi_host_core::clock::{HostMonotonicClock, HostTimezone, HostWallClock, Utc};
use wasi_host_core::limits::{Limits, SharedLimits};
use wasi_host_core::pipe::{ClosedInputStream, SinkOutputStream};
use wasi_host_core::random::RngCore;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::Scratch;
use wasi_host_native::clock::{MonotonicClock, WallClock};
use wasi_host_native::random::thread_rng;
use wasi_host_native::stdio::{Stderr, Stdin, Stdout};
use wasi_host_native::wait::Poller;
use wasi_host_virtual::time::VirtualTime;

/// Makes a [`WasiCtx`].
///
/// What is not named here the guest does not get. A builder that was used begins anew: standard input is at its
/// end, standard output and error are taken and forgotten, there are no arguments, no environment, no directory,
/// no network; clocks and randomness are the system's.
///
/// ```no_run
/// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
/// # fn main() -> anyhow::Result<()> {
/// let ctx = WasiCtxBuilder::new()
///     .inherit_stdio()
///     .args(&["sort", "names.txt"])
///     .env("LANG", "C")
///     .preopened_dir("data", "/", DirPerms::all(), FilePerms::READ)?
///     .build_p1();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct WasiCtxBuilder {
    ctx: WasiCtx,
    /// Directories and files, in order, under their names.
    given: Vec<(Given, String)>,
    /// What the guest takes part in, once there is a waiter.
    time: Option<VirtualTime>,
    /// Whether the directories shall say the same of themselves in every run.
    stable: bool,
    #[cfg(feature = "record")]
    taping: Option<record::Taping>,
}

impl Default for WasiCtxBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// One poller serves all contexts: it keeps nothing but spare eventfds.
fn poller() -> Arc<dyn Waiter> {
    static POLLER: OnceLock<Arc<Poller>> = OnceLock::new();
    POLLER.get_or_init(Arc::default).clone()
}

impl WasiCtxBuilder {
    /// A context with nothing in it.
    ///
    /// The [builder](Self) has an example.
    pub fn new() -> Self {
        Self {
            ctx: WasiCtx {
                args: Vec::new(),
                env: Vec::new(),
                listeners: Vec::new(),
                stdin: Box::new(ClosedInputStream),
                stdout: Box::new(SinkOutputStream),
                stderr: Box::new(SinkOutputStream),
                wall_clock: Box::new(WallClock),
                system_time: true,
                monotonic_clock: Box::new(MonotonicClock::default()),
                timezone: Box::new(Utc),
                random: thread_rng(),
                insecure_random: thread_rng(),
                insecure_random_seed: None,
                initial_cwd: None,
                shared: Arc::default(),
                limits: SharedLimits::default(),
                waiting: Arc::new(Waiting {
                    waiter: poller(),
                    interrupt: OnceLock::new(),
                    policy: BlockingPolicy::default(),
                    delivery: Delivery::default(),
                    jobs: OnceLock::new(),
                }),
                scratch: Scratch::default(),
            },
            given: Vec::new(),
            time: None,
            stable: false,
            #[cfg(feature = "record")]
            taping: None,
        }
    }

    /// Where standard input comes from.
    ///
    /// ```
    /// use wasi_host::{WasiCtxBuilder, pipe::MemoryInputPipe};
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.stdin(MemoryInputPipe::new("what the guest reads\n"));
    /// ```
    ///
    /// [`StdinStream`] is the trait for sources of your own.
    pub fn stdin(&mut self, stdin: impl StdinStream + 'static) -> &mut Self {
        self.ctx.stdin = Box::new(stdin);
        self
    }

    /// Where standard output goes.
    ///
    /// ```
    /// use wasi_host::{WasiCtxBuilder, pipe::MemoryOutputPipe};
    /// let stdout = MemoryOutputPipe::new(1 << 20);
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.stdout(stdout.clone());
    /// // `stdout.contents()` is what the guest has written.
    /// ```
    ///
    /// [`StdoutStream`] is the trait for targets of your own.
    pub fn stdout(&mut self, stdout: impl StdoutStream + 'static) -> &mut Self {
        self.ctx.stdout = Box::new(stdout);
        self
    }

    /// Where standard error goes.
    ///
    /// [`stdout`](Self::stdout) has an example.
    pub fn stderr(&mut self, stderr: impl StdoutStream + 'static) -> &mut Self {
        self.ctx.stderr = Box::new(stderr);
        self
    }

    /// Gives this process's standard input.
    ///
    /// [`inherit_stdio`](Self::inherit_stdio) has an example.
    pub fn inherit_stdin(&mut self) -> &mut Self {
        self.stdin(Stdin)
    }

    /// Gives this process's standard output.
    ///
    /// [`inherit_stdio`](Self::inherit_stdio) has an example.
    pub fn inherit_stdout(&mut self) -> &mut Self {
        self.stdout(Stdout)
    }

    /// Gives this process's standard error.
    ///
    /// [`inherit_stdio`](Self::inherit_stdio) has an example.
    pub fn inherit_stderr(&mut self) -> &mut Self {
        self.stderr(Stderr)
    }

    /// Gives all three of this process's standard streams.
    ///
    /// ```
    /// use wasi_host::WasiCtxBuilder;
    /// let all = WasiCtxBuilder::new().inherit_stdio().build();
    /// let only_output = WasiCtxBuilder::new().inherit_stdout().inherit_stderr().build();
    /// # drop((all, only_output));
    /// ```
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Adds variables to the environment, in order, without removing earlier ones of the same name.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let ctx = WasiCtxBuilder::new().envs(&[("LANG", "C"), ("TZ", "UTC")]).env("HOME", "/").build();
    /// # drop(ctx);
    /// ```
    pub fn envs(&mut self, env: &[(impl AsRef<str>, impl AsRef<str>)]) -> &mut Self {
        let owned = env.iter().map(|(k, v)| (k.as_ref().to_owned(), v.as_ref().to_owned()));
        self.ctx.env.extend(owned);
        self
    }

    /// Adds a variable to the environment.
    ///
    /// [`envs`](Self::envs) has an example.
    pub fn env(&mut self, key: impl AsRef<str>, value: impl AsRef<str>) -> &mut Self {
        self.envs(&[(key, value)])
    }

    /// Gives all of this process's environment that is UTF-8.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let ctx = WasiCtxBuilder::new().inherit_env().env("ONE", "more").build();
    /// # drop(ctx);
    /// ```
    pub fn inherit_env(&mut self) -> &mut Self {
        let utf8 = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
            Some((k.into_string().ok()?, v.into_string().ok()?))
        };
        self.ctx.env.extend(std::env::vars_os().filter_map(utf8));
        self
    }

    /// Adds arguments; the first of all is the program's name.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let ctx = WasiCtxBuilder::new().args(&["sort", "-r"]).arg("names.txt").build();
    /// # drop(ctx);
    /// ```
    pub fn args(&mut self, args: &[impl AsRef<str>]) -> &mut Self {
        self.ctx.args.extend(args.iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Adds an argument.
    ///
    /// [`args`](Self::args) has an example.
    pub fn arg(&mut self, arg: impl AsRef<str>) -> &mut Self {
        self.args(&[arg])
    }

    /// Gives this process's arguments.
    ///
    /// # Panics
    ///
    /// If one of them is not UTF-8, as [`std::env::args`] does.
    ///
    /// # Example
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let ctx = WasiCtxBuilder::new().inherit_args().build();
    /// # drop(ctx);
    /// ```
    pub fn inherit_args(&mut self) -> &mut Self {
        self.ctx.args.extend(std::env::args());
        self
    }

    /// The source of randomness for keys and secrets.
    ///
    /// ```
    /// use wasi_host::{Deterministic, WasiCtxBuilder};
    /// let mut same_each_time = WasiCtxBuilder::new();
    /// same_each_time
    ///     .secure_random(Deterministic::new(vec![1, 2, 3]))
    ///     .insecure_random(Deterministic::new(vec![4, 5, 6]))
    ///     .insecure_random_seed(7);
    /// ```
    pub fn secure_random(&mut self, random: impl RngCore + Send + 'static) -> &mut Self {
        self.ctx.random = Box::new(random);
        self
    }

    /// The source of randomness that need not be unpredictable.
    ///
    /// [`secure_random`](Self::secure_random) has an example.
    pub fn insecure_random(&mut self, random: impl RngCore + Send + 'static) -> &mut Self {
        self.ctx.insecure_random = Box::new(random);
        self
    }

    /// What a guest seeds its hash tables with. The default is a number that nobody can predict.
    ///
    /// [`secure_random`](Self::secure_random) has an example.
    pub fn insecure_random_seed(&mut self, seed: u128) -> &mut Self {
        self.ctx.insecure_random_seed = Some(seed);
        self
    }

    /// The directory, as the guest names it, in which a component's relative paths begin. WASI 0.1 has no such thing.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.initial_cwd("/home/guest");
    /// ```
    pub fn initial_cwd(&mut self, path: impl AsRef<str>) -> &mut Self {
        self.ctx.initial_cwd = Some(path.as_ref().to_owned());
        self
    }

    /// Where the clock on the guest's wall hangs. The default is UTC, whatever the host's own zone is.
    ///
    /// [`HostTimezone`] has an example of a zone.
    pub fn timezone(&mut self, timezone: impl HostTimezone + 'static) -> &mut Self {
        self.ctx.timezone = Box::new(timezone);
        self
    }

    /// The clock on the guest's wall.
    ///
    /// [`HostWallClock`] has an example of a clock.
    pub fn wall_clock(&mut self, clock: impl HostWallClock + 'static) -> &mut Self {
        self.ctx.wall_clock = Box::new(clock);
        self.ctx.system_time = false;
        self
    }

    /// The clock by which the guest measures and sleeps.
    ///
    /// [`HostMonotonicClock`] has an example of a clock.
    pub fn monotonic_clock(&mut self, clock: impl HostMonotonicClock + 'static) -> &mut Self {
        self.ctx.monotonic_clock = Box::new(clock);
        self
    }

    /// Whether an asynchronous host does file operations on the calling thread: `true` means
    /// [`BlockingPolicy::Inline`], `false` the default. Synchronous hosts always do.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let mut builder = WasiCtxBuilder::new();
    /// // A thread of its own serves this guest alone: nobody else waits for its disk.
    /// builder.allow_blocking_current_thread(true);
    /// ```
    pub fn allow_blocking_current_thread(&mut self, allow: bool) -> &mut Self {
        self.blocking(if allow { BlockingPolicy::Inline } else { BlockingPolicy::default() })
    }

    /// Where an asynchronous host does what may wait for a disk.
    ///
    /// ```
    /// use wasi_host::{BlockingPolicy, WasiCtxBuilder};
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.blocking(BlockingPolicy::Offload);
    /// ```
    pub fn blocking(&mut self, policy: BlockingPolicy) -> &mut Self {
        self.ctx.waiting_mut().policy = policy;
        self
    }

    /// How much of the host the guest may use, in every directory given to it before or after.
    ///
    /// ```
    /// use wasi_host::{WasiCtxBuilder, limits::Limits};
    /// let mut strict = Limits::default();
    /// strict.descriptors = 16;
    /// let mut builder = WasiCtxBuilder::new();
    /// builder.limits(strict);
    /// ```
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.ctx.limits.set(&limits);
        self
    }

    /// What waits on the guest's behalf.
    ///
    /// [`Waiter`] has an example of one.
    pub fn waiter(&mut self, waiter: impl Waiter + 'static) -> &mut Self {
        self.ctx.waiting_mut().waiter = Arc::new(waiter);
        self
    }

    /// The context; the builder begins anew.
    ///
    /// [`WasiView`](crate::WasiView) has an example.
    pub fn build(&mut self) -> WasiCtx {
        #[cfg(feature = "record")]
        let taping = self.taping.take();
        #[cfg(feature = "record")]
        let replays = matches!(taping, Some(record::Taping::Replay(_)));
        #[cfg(not(feature = "record"))]
        let replays = false;
        // What is replayed has nothing of this builder, nor a part in its time.
        let stable = if replays { None } else { self.determined() };
        let Self { mut ctx, given, .. } = std::mem::take(self);
        ctx.limits.set(&handle::possible(ctx.limits.get()));
        let (limits, waiter) = (ctx.limits.clone(), ctx.waiting.waiter.clone());
        let shared = ctx.shared_mut();
        for (given, name) in given {
            shared.preopens.add(given.descriptor(&limits, stable.as_ref()), name);
        }
        (shared.limits, shared.stable, shared.network.waiter) = (limits, stable, Some(waiter));
        #[cfg(feature = "record")]
        if let Some(taping) = taping {
            return taping.apply(ctx);
        }
        ctx
    }

    /// The context for a core module that speaks WASI 0.1 or 0.0.
    ///
    /// The [builder](Self) has an example.
    #[cfg(feature = "p1")]
    pub fn build_p1(&mut self) -> crate::p1::WasiP1Ctx {
        crate::p1::WasiP1Ctx::new(self.build())
    }
}
