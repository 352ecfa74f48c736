//! A WASI host for [Wasmtime](wasmtime).
//!
//! A WebAssembly program reaches files, clocks, randomness, sockets and its terminal through WASI; this crate
//! stands between it and them. What a program may reach is a [`WasiCtx`], made by a [`WasiCtxBuilder`]: empty
//! unless something is put in.
//!
//! ```
//! use wasi_host::{WasiCtxBuilder, pipe::MemoryOutputPipe, p1};
//! use wasmtime::{Engine, Linker, Module, Store};
//!
//! # fn main() -> wasmtime::Result<()> {
//! let engine = Engine::default();
//! let mut linker = Linker::new(&engine);
//! p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
//!
//! let stdout = MemoryOutputPipe::new(1 << 20);
//! let ctx = WasiCtxBuilder::new().stdout(stdout.clone()).arg("hello").build_p1();
//!
//! let module = Module::new(&engine, r#"(module
//!     (import "wasi_snapshot_preview1" "fd_write"
//!         (func $write (param i32 i32 i32 i32) (result i32)))
//!     (memory (export "memory") 1)
//!     (data (i32.const 8) "\10\00\00\00\06\00\00\00hello\0a")
//!     (func (export "_start") (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))"#)?;
//! let mut store = Store::new(&engine, ctx);
//! let instance = linker.instantiate(&mut store, &module)?;
//! instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())?;
//! assert_eq!(stdout.contents(), "hello\n");
//! # Ok(())
//! # }
//! ```
//!
//! Components are run in the same way, with a [`WasiView`] and a linker of their own: see [`add_to_linker_sync`], and
//! [`add_to_linker_async`] for hosts on tokio. Those of WASI 0.3 need [`p3::add_to_linker`], or with 0.2 beside it
//! [`add_to_linker_all_async`].
//!
//! # Features
//!
//! | feature | what it brings |
//! |---|---|
//! | `p1` | WASI 0.1, the module [`p1`] |
//! | `p0` | WASI 0.0, the module [`p0`] |
//! | `p2` | WASI 0.2 for components: [`WasiView`], [`add_to_linker_sync`], [`bindings`], … |
//! | `p3` | WASI 0.3, the module [`p3`], and `p2` |
//! | `preview1` | `p0` and `p1` |
//! | `async` | the asynchronous linkers, on tokio; without it neither tokio nor `wasmtime/async` is compiled |

#![cfg_attr(
    not(all(feature = "p1", feature = "p2")),
    allow(dead_code, reason = "only adapters use what a context holds")
)]

mod builder;
#[cfg(feature = "p2")]
mod cli;
mod ctx;
mod delivery;
mod error;
#[cfg(feature = "p2")]
mod filesystem;
mod handle;
mod mode;
mod network;
#[cfg(feature = "p2")]
mod p2;
#[cfg(feature = "p3")]
pub mod p3;
mod preopens;
#[cfg(feature = "p2")]
mod randomness;
#[cfg(feature = "p2")]
mod sockets;
#[cfg(feature = "p2")]
mod view;
mod waiting;

/// Streams for a guest's input and output that lead nowhere, into memory, or to whatever tokio reads and writes.
///
/// ```
/// use wasi_host::{WasiCtxBuilder, pipe::{MemoryInputPipe, MemoryOutputPipe}};
/// let stdout = MemoryOutputPipe::new(1 << 20);
/// let ctx = WasiCtxBuilder::new().stdin(MemoryInputPipe::new("2 + 2\n")).stdout(stdout.clone()).build();
/// // … and when the guest has run:
/// drop(ctx);
/// let said = stdout.try_into_inner();
/// # assert_eq!(said.unwrap(), "");
/// ```
pub mod pipe {
    pub use wasi_host_core::pipe::*;
    #[cfg(feature = "async")]
    pub use wasi_host_native::pipe::{AsyncReadStream, AsyncWriteStream};
}

/// Futures in a synchronous program: on the runtime that there is, or on our own.
///
/// ```
/// use wasi_host::runtime::{in_tokio, spawn};
/// assert_eq!(in_tokio(spawn(async { 6 * 7 })), 42);
/// ```
#[cfg(feature = "async")]
pub mod runtime {
    pub use wasi_host_native::runtime::{
        AbortOnDropJoinHandle, in_tokio, poll_noop, spawn, spawn_blocking, with_ambient_tokio_runtime,
    };
}

#[cfg(feature = "p0")]
pub mod p0;
#[cfg(feature = "p1")]
pub mod p1;
#[cfg(feature = "p0")]
pub use p0 as preview0;
#[cfg(feature = "p1")]
pub use p1 as preview1;

pub use builder::WasiCtxBuilder;
pub use ctx::WasiCtx;
pub use error::{I32Exit, Interrupted};
pub use handle::Handle;
pub use mode::BlockingPolicy;
#[cfg(feature = "p2")]
pub use p2::{
    LinkOptions, add_to_linker_async, add_to_linker_sync, add_to_linker_with_options_async,
    add_to_linker_with_options_sync,
};
#[cfg(feature = "p3")]
pub use p3::add_to_linker_all_async;
#[cfg(feature = "p2")]
pub use view::{HasWasi, WasiImpl, WasiView};
#[cfg(feature = "p2")]
pub use wasi_host_bindings::{
    ClosureFuture, FsError, FsResult, MakeFuture, Network, Pollable, PollableFuture, SocketError,
    SocketResult, TrappableError, p2 as bindings, subscribe,
};
#[cfg(feature = "p2")]
pub use wasmtime::component::{ResourceTable, ResourceTableError};

pub use async_trait::async_trait;
pub use wasi_host_core::clock::{HostMonotonicClock, HostTimezone, HostWallClock};
pub use wasi_host_core::fs::FileInputStream;
pub use wasi_host_core::grant::{DirPerms, FilePerms, Grant};
pub use wasi_host_core::net::SocketAddrUse;
pub use wasi_host_core::random::{Deterministic, RngCore};
pub use wasi_host_core::stdio::{IsATTY, StdinStream, StdoutStream};
pub use wasi_host_core::stream::{
    HostInputStream, HostOutputStream, InputStream, OutputStream, StreamError, StreamResult, Subscribe,
};
pub use wasi_host_core::time::SystemTimeSpec;
pub use wasi_host_core::{Errno, clock, fs, limits, net, random, time, wait};
#[cfg(feature = "async")]
pub use wasi_host_native::pipe::{AsyncStdinStream, AsyncStdoutStream};
pub use wasi_host_native::random::thread_rng;
pub use wasi_host_native::stdio::{InputFile, OutputFile, Stderr, Stdin, Stdout, stderr, stdin, stdout};

/// What is recorded of a context, and what replays it.
#[cfg(feature = "record")]
pub mod record {
    pub use wasi_host_virtual::record::{Divergence, LogError, Recorder, Replay, Setup};
}

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
