//! What one guest may reach.

#[cfg(doc)]
use crate::Interrupted;
use crate::handle::{Handle, Shared};
use crate::wait::Interrupt;
use crate::waiting::Waiting;
use std::sync::Arc;
use wasi_host_core::clock::{HostMonotonicClock, HostTimezone, HostWallClock};
#[cfg(feature = "p2")]
use wasi_host_core::fs::Descriptor;
use wasi_host_core::limits::SharedLimits;
use wasi_host_core::net::TcpSocket;
use wasi_host_core::random::RngCore;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::Scratch;
use wasi_host_core::time::Timestamp;

/// Everything that one guest may reach. Made by [`WasiCtxBuilder`](crate::WasiCtxBuilder).
///
/// [`WasiCtxBuilder`](crate::WasiCtxBuilder) has an example, and so has each of its methods or a link to one.
pub struct WasiCtx {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) listeners: Vec<Arc<dyn TcpSocket>>,
    pub(crate) stdin: Box<dyn StdinStream>,
    pub(crate) stdout: Box<dyn StdoutStream>,
    pub(crate) stderr: Box<dyn StdoutStream>,
    pub(crate) wall_clock: Box<dyn HostWallClock>,
    /// Whether `wall_clock` is the operating system's, which then may set file times itself.
    pub(crate) system_time: bool,
    pub(crate) monotonic_clock: Box<dyn HostMonotonicClock>,
    #[cfg_attr(not(feature = "p2"), allow(dead_code, reason = "0.1 knows no zones"))]
    pub(crate) timezone: Box<dyn HostTimezone>,
    pub(crate) random: Box<dyn RngCore + Send>,
    pub(crate) insecure_random: Box<dyn RngCore + Send>,
    /// Drawn at first use unless it was set.
    pub(crate) insecure_random_seed: Option<u128>,
    pub(crate) initial_cwd: Option<String>,
    /// What others may change: directories, the network, limits.
    pub(crate) shared: Arc<Shared>,
    /// The same as there, at hand.
    pub(crate) limits: SharedLimits,
    /// Shared with what waits without holding the context: streams and tasks of WASI 0.3.
    pub(crate) waiting: Arc<Waiting>,
    /// What a component's reads are made into.
    pub(crate) scratch: Scratch,
}

impl WasiCtx {
    /// Begins to make a context.
    ///
    /// ```
    /// let ctx = wasi_host::WasiCtx::builder().arg("hello").build();
    /// # drop(ctx);
    /// ```
    pub fn builder() -> crate::WasiCtxBuilder {
        crate::WasiCtxBuilder::new()
    }

    /// A handle that ends this guest's waiting from another thread, for time limits and shutdown. The call in
    /// which it waits then fails with [`Interrupted`]. Running code is the engine's to end (epochs, fuel).
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// use wasi_host::{Interrupted, WasiCtx};
    /// # fn run(_: WasiCtx) -> wasmtime::Result<()> { Ok(()) }
    /// let ctx = WasiCtx::builder().inherit_stdio().build();
    /// let interrupt = ctx.interrupt();
    /// std::thread::spawn(move || {
    ///     std::thread::sleep(Duration::from_secs(60));
    ///     interrupt.interrupt();
    /// });
    /// if run(ctx).is_err_and(|e| e.is::<Interrupted>()) {
    ///     eprintln!("it has waited for too long");
    /// }
    /// ```
    pub fn interrupt(&self) -> Interrupt {
        self.waiting.interrupt.get_or_init(Interrupt::default).clone()
    }

    /// A handle that changes what this guest may reach, also while it runs: takes directories or the network back, gives
    /// more of them, changes limits.
    ///
    /// [`Handle`] has an example.
    pub fn handle(&self) -> Handle {
        Handle::new(&self.shared, self.interrupt())
    }

    /// What a guest seeds its hash tables with: drawn at first use, unless the embedder said what it is. Not from the
    /// guest's own source, whose order would change by it.
    #[cfg(any(feature = "p2", feature = "record"))]
    pub(crate) fn insecure_random_seed(&mut self) -> u128 {
        *self.insecure_random_seed.get_or_insert_with(|| {
            let mut random = wasi_host_native::random::thread_rng();
            (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64())
        })
    }

    /// A place for one thing more that a component holds open.
    #[cfg(feature = "p2")]
    pub(crate) fn slot(&self) -> wasi_host_core::Result<wasi_host_core::slots::Slot> {
        self.shared.open().take().ok_or(wasi_host_core::Errno::MFile)
    }

    /// One more user of what a descriptor has open, which may outlive it.
    #[cfg(feature = "p2")]
    pub(crate) fn counted(&self, descriptor: &Descriptor) -> wasi_host_core::Result<Descriptor> {
        Ok(descriptor.clone().counted(self.slot()?))
    }

    /// What others may change, while it is being built.
    pub(crate) fn shared_mut(&mut self) -> &mut Shared {
        Arc::get_mut(&mut self.shared).expect("nobody has a handle before it is built")
    }

    /// How it waits, while it is being built.
    pub(crate) fn waiting_mut(&mut self) -> &mut Waiting {
        Arc::get_mut(&mut self.waiting).expect("nobody waits before it is built")
    }

    /// What a guest calls now, where that is not what the operating system calls so.
    pub(crate) fn virtual_now(&self) -> Option<Timestamp> {
        (!self.system_time).then(|| self.wall_clock.now().into())
    }
}

/// Fills `bytes` from one of a context's sources.
#[cfg(feature = "p2")]
pub(crate) fn fill_random(source: &mut (dyn RngCore + Send), bytes: &mut [u8]) -> wasmtime::Result<()> {
    let failed = |e| wasmtime::Error::msg(format!("the source of randomness failed: {e}"));
    source.try_fill_bytes(bytes).map_err(failed)
}

impl std::fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiCtx")
            .field("args", &self.args)
            .field(
                "preopens",
                &self.shared.preopens.current().iter().map(|(_, name)| name).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
