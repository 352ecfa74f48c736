//! How much of the host a guest may use.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bounds on what one guest may make its host hold or do. Beyond each, the call fails with an error that the guest sees;
/// where the function has none to give, as is so with some of WASI 0.2, it traps. What does so says so below.
///
/// ```
/// use wasi_host_core::limits::Limits;
/// let mut strict = Limits::default();
/// strict.descriptors = 16;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Descriptors open at once; `MFile` beyond. To a component also count its streams of files, each of which may hold
    /// 64 KiB, its listings, and those calls of WASI 0.3 under way that bring a path or a datagram. Default: 16,384.
    pub descriptors: usize,
    /// Bytes in a path or a symlink's target; `NameTooLong` beyond. Default: 4,096.
    pub path: usize,
    /// Random bytes in one call; beyond, `Inval` in WASI 0.1, a trap in 0.2 (`get-random-bytes`,
    /// `get-insecure-random-bytes`), fewer in 0.3, or a trap if it is none. Default: 64 MiB.
    pub random: u64,
    /// Subscriptions in one poll; beyond, `Inval` in WASI 0.1, a trap in 0.2 (`poll`). Default: 65,536.
    pub subscriptions: usize,
    /// Bytes of bookkeeping (a list of buffers, of subscriptions, a path) that the host copies at a time; `NoMem`
    /// beyond. Payload that is read and written in place does not count. Default: 16 MiB.
    ///
    /// It concerns WASI 0.1 alone. What a component hands to its host is copied by the engine, which has a bound of
    /// its own: `wasmtime::Store::set_hostcall_fuel`.
    pub hostcall: usize,
    /// Sockets open at once; beyond, none is made. A connection counts until all that was written to it is delivered.
    /// Default: 4,096.
    pub sockets: usize,
    /// Names being looked up at once; beyond, the resolver fails for the time being. Default: 16.
    pub lookups: usize,
    /// The largest file a guest may make by writing, growing or allocating, in bytes; `FBig` beyond.
    /// Default: none.
    pub file_size: u64,
}

impl Limits {
    /// Nothing is bounded but what the operating system bounds.
    pub const UNLIMITED: Self = Self {
        descriptors: usize::MAX,
        path: usize::MAX,
        random: u64::MAX,
        subscriptions: usize::MAX,
        hostcall: usize::MAX,
        sockets: usize::MAX,
        lookups: usize::MAX,
        file_size: u64::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            descriptors: 16 << 10,
            path: 4096,
            random: 64 << 20,
            subscriptions: 64 << 10,
            hostcall: 16 << 20,
            sockets: 4096,
            lookups: 16,
            file_size: u64::MAX,
        }
    }
}

/// The [`Limits`] that hold now for all that goes by them: clones are the same, and who changes one changes all.
///
/// Each limit changes by itself. A call that is under way may still go by what held when it began.
///
/// ```
/// use wasi_host_core::limits::{Limits, SharedLimits};
/// let limits = SharedLimits::from(Limits::default());
/// let same = limits.clone();
/// same.set(&Limits::UNLIMITED);
/// assert_eq!(limits.get(), Limits::UNLIMITED);
/// assert_eq!(limits.path(), usize::MAX);
/// ```
#[derive(Clone)]
pub struct SharedLimits(Arc<Cells>);

/// Read with each call, so each is a plain load.
macro_rules! shared {
    ($($limit:ident: $number:ty, $atomic:ident;)*) => {
        struct Cells {
            $($limit: $atomic,)*
        }

        impl From<Limits> for SharedLimits {
            fn from(limits: Limits) -> Self {
                Self(Arc::new(Cells { $($limit: $atomic::new(limits.$limit),)* }))
            }
        }

        impl SharedLimits {
            /// All of them. While somebody else is changing them, some old and some new ones.
            pub fn get(&self) -> Limits {
                Limits { $($limit: self.$limit(),)* }
            }

            /// Changes all of them. Nothing is closed that is open: where there is more than is allowed now, nothing new
            /// is made until there is less.
            pub fn set(&self, limits: &Limits) {
                $(self.0.$limit.store(limits.$limit, Ordering::Relaxed);)*
            }

            $(
                #[doc = concat!("[`Limits::", stringify!($limit), "`] as it is now.")]
                #[inline]
                pub fn $limit(&self) -> $number {
                    self.0.$limit.load(Ordering::Relaxed)
                }
            )*
        }
    };
}

shared! {
    descriptors: usize, AtomicUsize;
    path: usize, AtomicUsize;
    random: u64, AtomicU64;
    subscriptions: usize, AtomicUsize;
    hostcall: usize, AtomicUsize;
    sockets: usize, AtomicUsize;
    lookups: usize, AtomicUsize;
    file_size: u64, AtomicU64;
}

impl Default for SharedLimits {
    fn default() -> Self {
        Limits::default().into()
    }
}

/// They are the same, or allow the same now.
impl PartialEq for SharedLimits {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.get() == other.get()
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
