//! How much of the host a guest may use.

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
