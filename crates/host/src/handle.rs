//! Changing what a guest may reach while it runs.

use crate::network::NetworkAccess;
use crate::preopens::{Given, Preopens};
use crate::wait::Interrupt;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use wasi_host_core::fs::Dir;
use wasi_host_core::grant::{DirPerms, FilePerms};
use wasi_host_core::limits::{Limits, SharedLimits};
use wasi_host_core::net::{AddrCheck, Sockets};
use wasi_host_core::slots::Slots;
use wasi_host_virtual::stable::Stable;

/// What of a context can be changed while its guest runs.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) limits: SharedLimits,
    pub(crate) preopens: Preopens,
    pub(crate) network: NetworkAccess,
    /// What is around all directories, where a run shall be the same each time.
    pub(crate) stable: Option<Stable>,
    /// What a component holds open. Made at first use: many contexts live for a single call.
    open: OnceLock<Slots>,
    /// Held by who changes the limits: they are kept in several places, which shall agree.
    changing: Mutex<()>,
}

impl Shared {
    /// The places for what a component holds open.
    pub(crate) fn open(&self) -> &Slots {
        self.open.get_or_init(|| Slots::new(self.limits.descriptors()))
    }

    /// Where this guest's sockets and look-ups are made.
    pub(crate) fn sockets(&self) -> &Sockets {
        self.network.sockets(&self.limits)
    }

    fn set_limits(&self, limits: &Limits) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.limits.set(limits);
        // Made now if they were not: who makes them meanwhile may have seen the old ones.
        self.open().set_most(limits.descriptors);
        self.sockets().set_limits(limits);
    }
}

/// Changes what a guest may reach, from any thread, before it runs and while it does, also while it waits. Clones are the
/// same one. [`WasiCtx::handle`](crate::WasiCtx::handle) gives it.
///
/// ```
/// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
/// # let fs = wasi_host_virtual::memory::MemoryFs::new();
/// let mut builder = WasiCtxBuilder::new();
/// builder.preopened_shared(fs.root(), "/data", DirPerms::all(), FilePerms::all());
/// let ctx = builder.build();
/// let handle = ctx.handle();
/// let elsewhere = std::thread::spawn(move || {
///     // The guest has had it for long enough.
///     assert!(handle.revoke_preopen("/data"));
///     assert!(!handle.revoke_preopen("/data"), "there is none any more");
/// });
/// # elsewhere.join().unwrap();
/// ```
///
/// Once the context is gone it does nothing, and says so.
///
/// # What a change does
///
/// What was revoked answers `EBADF` (`bad-descriptor`) to every call that begins from then on, and who waits for it is
/// woken and told the same. Only what is under way on another thread at that moment, such as a write that has left for
/// the disk, is done to its end. What a guest has read it has read, and what it has written stays.
///
/// # A directory for a guest that runs
///
/// A guest asks for its directories when it begins, and that is all that it knows of. One that asks again finds what was
/// [added](Self::add_preopen); for others mount what comes later in a directory that they have:
///
/// ```
/// use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
/// use wasi_host_virtual::{memory::MemoryFs, mount::MountFs};
/// let fs = MountFs::new(MemoryFs::new().root());
/// let mut builder = WasiCtxBuilder::new();
/// builder.preopened_shared(fs.root(), "/", DirPerms::all(), FilePerms::all());
/// let ctx = builder.build();
/// // Later, from any thread; the guest finds it at `/plugins/new`:
/// let plugin = MemoryFs::new();
/// plugin.write("code", "return 1")?;
/// fs.mount("plugins/new", plugin.root())?;
/// # Ok::<(), wasi_host::Errno>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Weak<Shared>,
    interrupt: Interrupt,
}

impl Handle {
    pub(crate) fn new(shared: &Arc<Shared>, interrupt: Interrupt) -> Self {
        Self { shared: Arc::downgrade(shared), interrupt }
    }

    /// Does it, if the context is there still, and has the guest look again.
    fn change<R>(&self, change: impl FnOnce(&Shared) -> R) -> Option<R> {
        let changed = change(&*self.shared.upgrade()?);
        self.interrupt.look_again();
        Some(changed)
    }

    /// What ends the guest's waiting: see [`WasiCtx::interrupt`](crate::WasiCtx::interrupt).
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Takes back the directories that were given under this name, with all that was opened beneath them: files,
    /// directories, streams, listings. Whether there were any.
    ///
    /// Those that share a [`Grant`](crate::Grant) are taken back together, whatever their names are.
    ///
    /// The [handle](Self) has an example.
    pub fn revoke_preopen(&self, guest_path: impl AsRef<str>) -> bool {
        self.change(|shared| shared.preopens.revoke(guest_path.as_ref())).unwrap_or(false)
    }

    /// Gives one directory more, to guests that ask for their directories from now on. Whether the context is there
    /// still.
    ///
    /// In WASI 0.1 it takes the lowest free number: a guest that asks by number finds it if it did not close or open others
    /// before that.
    ///
    /// What it does there is not in a recording.
    ///
    /// ```
    /// # use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder};
    /// # let fs = wasi_host_virtual::memory::MemoryFs::new();
    /// let ctx = WasiCtxBuilder::new().build();
    /// assert!(ctx.handle().add_preopen(fs.root(), "/tmp", DirPerms::all(), FilePerms::all()));
    /// ```
    pub fn add_preopen(
        &self,
        dir: Arc<dyn Dir>,
        guest_path: impl AsRef<str>,
        dir_perms: DirPerms,
        file_perms: FilePerms,
    ) -> bool {
        let name = guest_path.as_ref().to_owned();
        let add = |shared: &Shared| {
            let given = Given::Dir(dir, dir_perms, file_perms);
            shared.preopens.add(given.descriptor(&shared.limits, shared.stable.as_ref()), name);
        };
        self.change(add).is_some()
    }

    /// Takes the network back, for good: connections are shut down, and no address and no name can be used any more.
    /// Whether the context is there still.
    ///
    /// In WASI 0.1 a socket answers `BADF`. The others have no such code for sockets: there one is in an `invalid-state`,
    /// a stream of a connection fails with `connection-aborted`, and who asks for a socket or a name is told
    /// `access-denied`.
    ///
    /// ```
    /// # use wasi_host::WasiCtxBuilder;
    /// let ctx = WasiCtxBuilder::new().inherit_network().build();
    /// let handle = ctx.handle();
    /// // Later, from any thread:
    /// handle.revoke_network();
    /// ```
    pub fn revoke_network(&self) -> bool {
        self.change(|shared| shared.sockets().revoke()).is_some()
    }

    /// Changes which addresses the guest may use from now on, in place of what the builder was told. What is bound or
    /// connected stays so; each datagram is checked. Whether the context is there still.
    ///
    /// ```
    /// # use wasi_host::{WasiCtxBuilder, net::AddrCheck};
    /// let ctx = WasiCtxBuilder::new().inherit_network().build();
    /// ctx.handle().set_addr_check(AddrCheck::when(|addr, _| addr.ip().is_loopback()));
    /// ```
    pub fn set_addr_check(&self, check: AddrCheck) -> bool {
        self.change(|shared| shared.sockets().set_check(check)).is_some()
    }

    /// Changes how much of the host the guest may use from now on. Nothing is closed: where more is open than is allowed
    /// now nothing more is, until there is less. Directories that were given with a [`Grant`](crate::Grant) of their own
    /// keep the limits in that. Whether the context is there still.
    ///
    /// ```
    /// # use wasi_host::{WasiCtxBuilder, limits::Limits};
    /// let ctx = WasiCtxBuilder::new().build();
    /// let handle = ctx.handle();
    /// let mut strict = Limits::default();
    /// strict.descriptors = 16;
    /// handle.set_limits(strict);
    /// assert_eq!(handle.limits().unwrap().descriptors, 16);
    /// ```
    pub fn set_limits(&self, limits: Limits) -> bool {
        self.change(|shared| shared.set_limits(&possible(limits))).is_some()
    }

    /// How much of the host the guest may use; `None` once the context is gone.
    pub fn limits(&self) -> Option<Limits> {
        self.shared.upgrade().map(|shared| shared.limits.get())
    }
}

/// These limits as far as the system has them: a signal would end who writes beyond its own.
pub(crate) fn possible(mut limits: Limits) -> Limits {
    limits.file_size = limits.file_size.min(wasi_host_native::fs::largest_file());
    limits
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("limits", &self.limits()).finish_non_exhaustive()
    }
}
