//! WASI 0.1 (`wasi_snapshot_preview1`), straight on the core [`Linker`].
//!
//! One list of functions expands to both linkers. Those that never wait are plain functions;
//! those that may are `async fn`s, which a synchronous host finds finished at the first poll.
//!
//! Errors are numbers, given back to the guest. It is stopped only by what the documents of 0.1 call a trap, a pointer
//! that is out of bounds or not aligned; by a module without a memory to lend; by a stream of the embedder's that
//! says so; by an [`Interrupt`]; and by `proc_exit`, whose error is [`I32Exit`](crate::I32Exit).
//!
//! See [the crate's front page](crate) for an example.

mod abi;
mod fd;
mod file;
mod io;
mod memory;
mod path;
mod poll;
mod proc;
mod readdir;
mod sock;
mod strings;
mod table;

use crate::ctx::WasiCtx;
use crate::handle::Handle;
#[cfg(feature = "async")]
use crate::mode::{Awaits, Tries};
use crate::mode::{Blocks, Pause, now};
use crate::wait::Interrupt;
use abi::{FdFlags, Rights};
#[cfg(feature = "async")]
use memory::MOST_ASYNC;
use memory::{MOST, Memory};
#[cfg(feature = "async")]
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use strings::Strings;
use table::{Entry, Object, Socket, Table};
use wasi_host_core::Errno;
use wasmtime::{Caller, Extern, Linker};

/// The state of one guest that speaks WASI 0.1 or 0.0: what it may reach, and its descriptors.
///
/// Made by [`WasiCtxBuilder::build_p1`](crate::WasiCtxBuilder::build_p1). It belongs to one instance.
/// [The crate's front page](crate) has an example.
pub struct WasiP1Ctx {
    pub(crate) ctx: WasiCtx,
    /// Nothing of the module's: what the host keeps when it uses this context as a view.
    #[cfg(feature = "p2")]
    pub(crate) resources: wasmtime::component::ResourceTable,
    table: Table,
    /// So many of the directories that were ever given are in the table.
    given: usize,
    args: Strings,
    env: Strings,
    memory: Option<wasmtime::Memory>,
}

impl WasiP1Ctx {
    pub(crate) fn new(mut ctx: WasiCtx) -> Self {
        if !ctx.listeners.is_empty() {
            ctx.env.push(("LISTEN_FDS".to_owned(), ctx.listeners.len().to_string()));
        }
        let args = Strings::new(ctx.args.iter().map(|a| [a.as_str(), "", ""]));
        let env = Strings::new(ctx.env.iter().map(|(k, v)| [k.as_str(), "=", v.as_str()]));
        let mut given = 0;
        let table = preopened(&mut ctx, &mut given);
        Self {
            ctx,
            given,
            #[cfg(feature = "p2")]
            resources: Default::default(),
            table,
            args,
            env,
            memory: None,
        }
    }

    /// Tells the context which memory is its guest's, which saves looking the export `memory` up at each call.
    ///
    /// ```no_run
    /// # fn f(mut store: wasmtime::Store<wasi_host::p1::WasiP1Ctx>, instance: wasmtime::Instance) {
    /// if let Some(memory) = instance.get_memory(&mut store, "memory") {
    ///     store.data_mut().set_memory(memory);
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Calls of the guest panic if the memory belongs to another store.
    pub fn set_memory(&mut self, memory: wasmtime::Memory) {
        self.memory = Some(memory);
    }

    /// See [`WasiCtx::interrupt`].
    pub fn interrupt(&self) -> Interrupt {
        self.ctx.interrupt()
    }

    /// See [`WasiCtx::handle`]. A directory that is added gets the lowest free number when the guest asks for the names of
    /// those that it was given. One that is revoked keeps its number and its name, so that those behind it are found.
    pub fn handle(&self) -> Handle {
        self.ctx.handle()
    }

    /// Takes in the directories that were added since.
    fn take_in(&mut self) {
        for dir in directories(&self.ctx, &mut self.given) {
            let inserted = self.table.give(dir);
            debug_assert!(inserted.is_ok(), "there are numbers enough");
        }
    }
}

impl std::fmt::Debug for WasiP1Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiP1Ctx").field("ctx", &self.ctx).finish_non_exhaustive()
    }
}

/// The descriptors a guest begins with: its streams, then directories, then listeners.
fn preopened(ctx: &mut WasiCtx, given: &mut usize) -> Table {
    let mut table = Table::new(ctx.limits.clone());
    let stream = Rights::STREAM - Rights::FD_READ - Rights::FD_WRITE;
    let (input, output) = (stream | Rights::FD_READ, stream | Rights::FD_WRITE);
    let out = |to: &dyn crate::StdoutStream| Object::Output { stream: to.stream(), terminal: to.isatty() };
    let streams = [
        (Object::Input { stream: ctx.stdin.stream(), terminal: ctx.stdin.isatty() }, input),
        (out(&*ctx.stdout), output),
        (out(&*ctx.stderr), output),
    ];
    let streams = streams.into_iter().map(|(object, base)| entry(object, base, Rights::empty()));
    let listeners: Vec<_> = ctx.listeners.drain(..).collect();
    let listeners = listeners.into_iter().map(|socket| {
        let object = Object::Socket(Socket::new(socket, ctx.sockets().clone()));
        entry(object, Rights::LISTENER, Rights::CONNECTION)
    });
    for entry in streams.chain(directories(ctx, given)).chain(listeners) {
        let inserted = table.give(entry);
        debug_assert!(inserted.is_ok(), "the table has room");
    }
    table
}

/// The directories of a context that are not in the table yet; `given` is how many were ever given then.
fn directories(ctx: &WasiCtx, given: &mut usize) -> impl Iterator<Item = Entry> + use<> {
    let (so_many, new) = ctx.shared.preopens.take();
    *given = so_many;
    new.into_iter().map(|(descriptor, name)| {
        let object = Object::Dir { descriptor, preopen: Some(name.into()), listing: None };
        entry(object, Rights::DIRECTORY, Rights::DIRECTORY | Rights::FILE)
    })
}

fn entry(object: Object, base: Rights, inheriting: Rights) -> Entry {
    Entry { object, flags: FdFlags::empty(), base, inheriting }
}

/// Which of the two ABIs a guest speaks.
pub(crate) trait Version: Send + Sync + 'static {
    /// 0.0, whose differences are: `whence`, `filestat`, the clock subscription, no `sock_accept`.
    const UNSTABLE: bool;
    /// The length of a `filestat`, in bytes.
    const FILESTAT: usize;
    /// The length of a `subscription`, in bytes.
    const SUBSCRIPTION: usize;
}

/// WASI 0.1.
pub(crate) struct V1;

impl Version for V1 {
    const UNSTABLE: bool = false;
    const FILESTAT: usize = 64;
    const SUBSCRIPTION: usize = 48;
}

/// WASI 0.0.
#[cfg(any(feature = "p0", test))]
pub(crate) struct Unstable;

#[cfg(any(feature = "p0", test))]
impl Version for Unstable {
    const UNSTABLE: bool = true;
    const FILESTAT: usize = 56;
    const SUBSCRIPTION: usize = 56;
}

/// Why a call gives no result. Its tag is a word, as results are moved in words: a byte that is written and read back
/// with its neighbours costs as much as a short call.
#[repr(u64)]
pub(crate) enum Stop {
    /// The guest is told this number.
    Errno(Errno),
    /// The guest is stopped.
    Trap(wasmtime::Error),
    /// It would have to wait, and was only tried.
    Later,
}

/// A call that is done and has succeeded. Without a size: its box is no allocation.
#[cfg(feature = "async")]
struct Success;

#[cfg(feature = "async")]
impl Future for Success {
    type Output = wasmtime::Result<u32>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(0))
    }
}

impl Stop {
    #[cold]
    fn trap(message: String) -> Self {
        Self::Trap(wasmtime::Error::msg(message))
    }
}

impl From<Errno> for Stop {
    fn from(e: Errno) -> Self {
        Self::Errno(e)
    }
}

impl From<Pause> for Stop {
    fn from(p: Pause) -> Self {
        match p {
            Pause::Interrupted(i) => Self::Trap(wasmtime::Error::new(i)),
            Pause::Errno(e) => Self::Errno(e),
            Pause::Later => Self::Later,
        }
    }
}

/// What the guest sees of a call's end.
#[inline]
fn finish(function: &'static str, result: Result<(), Stop>) -> wasmtime::Result<u32> {
    match result {
        Ok(()) => Ok(0),
        Err(Stop::Errno(e)) => Ok(u32::from(e.raw())),
        Err(Stop::Trap(e)) => Err(trap(function, e)),
        Err(Stop::Later) => unreachable!("only what is tried gives up"),
    }
}

#[cold]
fn trap(function: &'static str, e: wasmtime::Error) -> wasmtime::Error {
    e.context(format!("in `{function}`"))
}

/// The guest's memory and its context, borrowed side by side.
#[inline]
fn enter<'a, T: 'static>(
    caller: &'a mut Caller<'_, T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx,
    most: usize,
) -> wasmtime::Result<(Memory<'a>, &'a mut WasiP1Ctx)> {
    let memory = match get(caller.data_mut()).memory {
        Some(memory) => memory,
        None => exported_memory(caller)?,
    };
    let (bytes, data) = memory.data_and_store_mut(caller);
    let ctx = get(data);
    Ok((Memory::new(bytes, ctx.ctx.limits.hostcall(), most), ctx))
}

fn exported_memory<T: 'static>(caller: &mut Caller<'_, T>) -> wasmtime::Result<wasmtime::Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        Some(Extern::SharedMemory(_)) => {
            Err(wasmtime::Error::msg("the module's `memory` is shared, which WASI 0.1 cannot lend to a host"))
        }
        _ => {
            Err(wasmtime::Error::msg("the module calls WASI 0.1 but does not export a memory named `memory`"))
        }
    }
}

/// Every function: `plain` ones never wait, `waits` ones may, `tries` ones may but mostly do not. `[V]` marks those
/// in which the versions differ.
macro_rules! functions {
    ($define:ident $($context:tt)*) => {
        $define! { $($context)*;
            plain strings::args_get(argv: u32, buf: u32);
            plain strings::args_sizes_get(argc: u32, size: u32);
            plain strings::environ_get(environ: u32, buf: u32);
            plain strings::environ_sizes_get(count: u32, size: u32);
            plain proc::clock_res_get(id: u32, resolution: u32);
            plain proc::clock_time_get(id: u32, precision: u64, time: u32);
            waits file::fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
            waits file::fd_allocate(fd: u32, offset: u64, len: u64);
            plain fd::fd_close(fd: u32);
            waits file::fd_datasync(fd: u32);
            plain fd::fd_fdstat_get(fd: u32, fdstat: u32);
            plain fd::fd_fdstat_set_flags(fd: u32, flags: u32);
            plain fd::fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            plain file::fd_filestat_get[V](fd: u32, filestat: u32);
            waits file::fd_filestat_set_size(fd: u32, size: u64);
            waits file::fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
            tries io::fd_pread(fd: u32, iovs: u32, n: u32, offset: u64, nread: u32);
            plain fd::fd_prestat_get(fd: u32, prestat: u32);
            plain fd::fd_prestat_dir_name(fd: u32, name: u32, len: u32);
            tries io::fd_pwrite(fd: u32, iovs: u32, n: u32, offset: u64, nwritten: u32);
            tries io::fd_read(fd: u32, iovs: u32, n: u32, nread: u32);
            waits file::fd_readdir(fd: u32, buf: u32, len: u32, cookie: u64, used: u32);
            plain fd::fd_renumber(from: u32, to: u32);
            plain fd::fd_seek[V](fd: u32, offset: u64, whence: u32, position: u32);
            waits file::fd_sync(fd: u32);
            plain fd::fd_tell(fd: u32, position: u32);
            tries io::fd_write(fd: u32, iovs: u32, n: u32, nwritten: u32);
            waits path::path_create_directory(fd: u32, path: u32, len: u32);
            tries path::path_filestat_get[V](fd: u32, lookup: u32, path: u32, len: u32, filestat: u32);
            waits path::path_filestat_set_times(fd: u32, lookup: u32, path: u32, len: u32,
                accessed: u64, modified: u64, flags: u32);
            waits path::path_link(fd: u32, lookup: u32, path: u32, len: u32,
                to_fd: u32, to_path: u32, to_len: u32);
            tries path::path_open(fd: u32, lookup: u32, path: u32, len: u32,
                oflags: u32, base: u64, inheriting: u64, fdflags: u32, opened: u32);
            waits path::path_readlink(fd: u32, path: u32, len: u32, buf: u32, buf_len: u32, used: u32);
            waits path::path_remove_directory(fd: u32, path: u32, len: u32);
            waits path::path_rename(fd: u32, path: u32, len: u32, to_fd: u32, to_path: u32, to_len: u32);
            waits path::path_symlink(target: u32, target_len: u32, fd: u32, path: u32, len: u32);
            waits path::path_unlink_file(fd: u32, path: u32, len: u32);
            tries poll::poll_oneoff[V](subscriptions: u32, events: u32, n: u32, nevents: u32);
            plain proc::proc_raise(signal: u32);
            plain proc::random_get(buf: u32, len: u32);
            plain proc::sched_yield();
            waits sock::sock_recv(fd: u32, iovs: u32, n: u32, flags: u32, nread: u32, oflags: u32);
            waits sock::sock_send(fd: u32, iovs: u32, n: u32, flags: u32, nwritten: u32);
            plain sock::sock_shutdown(fd: u32, how: u32);
        }
    };
}

/// What 0.0 does not have.
macro_rules! functions_of_v1 {
    ($define:ident $($context:tt)*) => {
        $define! { $($context)*; waits sock::sock_accept(fd: u32, flags: u32, accepted: u32); }
    };
}

/// Defines the functions of a list in a linker, each as its kind and the linker's ask.
macro_rules! define {
    ($mode:ident $linker:ident $module:ident $get:ident;
     $($kind:ident $file:ident::$f:ident $([$v:ident])? ($($arg:ident: $ty:ident),*);)*) => {
        $(define!(@$mode $kind $linker $module $get ($file $f $($v)?) $($arg: $ty),*);)*
    };
    (@$mode:ident plain $linker:ident $module:ident $get:ident
     ($file:ident $f:ident $($v:ident)?) $($arg:ident: $ty:ident),*) => {
        $linker.func_wrap($module, stringify!($f), move |mut caller: Caller<'_, T>, $($arg: $ty),*| {
            let (mut memory, ctx) = enter(&mut caller, $get, MOST)?;
            finish(stringify!($f), $file::$f::<$($v)?>(&mut memory, ctx, $($arg),*))
        })?
    };
    (@blocking tries $($rest:tt)*) => { define!(@blocking waits $($rest)*) };
    (@blocking waits $linker:ident $module:ident $get:ident
     ($file:ident $f:ident $($v:ident)?) $($arg:ident: $ty:ident),*) => {
        $linker.func_wrap($module, stringify!($f), move |mut caller: Caller<'_, T>, $($arg: $ty),*| {
            let (mut memory, ctx) = enter(&mut caller, $get, MOST)?;
            finish(stringify!($f), now($file::$f::<Blocks $(, $v)?>(&mut memory, ctx, $($arg),*)))
        })?
    };
    (@awaiting tries $linker:ident $module:ident $get:ident
     ($file:ident $f:ident $($v:ident)?) $($arg:ident: $ty:ident),*) => {
        $linker.func_wrap_async(
            $module,
            stringify!($f),
            move |mut caller: Caller<'_, T>, ($($arg,)*): ($($ty,)*)| {
                let tried = enter(&mut caller, $get, MOST_ASYNC).map_err(Stop::Trap).and_then(|(mut memory, ctx)| {
                    now($file::$f::<Tries $(, $v)?>(&mut memory, ctx, $($arg),*))
                });
                match tried {
                    Ok(()) => Box::new(Success),
                    Err(Stop::Later) => Box::new(async move {
                        let (mut memory, ctx) = enter(&mut caller, $get, MOST_ASYNC)?;
                        finish(stringify!($f), $file::$f::<Awaits $(, $v)?>(&mut memory, ctx, $($arg),*).await)
                    }),
                    Err(stop) => Box::new(std::future::ready(finish(stringify!($f), Err(stop)))),
                }
            },
        )?
    };
    (@awaiting waits $linker:ident $module:ident $get:ident
     ($file:ident $f:ident $($v:ident)?) $($arg:ident: $ty:ident),*) => {
        $linker.func_wrap_async(
            $module,
            stringify!($f),
            move |mut caller: Caller<'_, T>, ($($arg,)*): ($($ty,)*)| {
                Box::new(async move {
                    let (mut memory, ctx) = enter(&mut caller, $get, MOST_ASYNC)?;
                    finish(stringify!($f), $file::$f::<Awaits $(, $v)?>(&mut memory, ctx, $($arg),*).await)
                })
            },
        )?
    };
}

/// The name under which guests import WASI 0.1.
const MODULE: &str = "wasi_snapshot_preview1";

/// Adds every function to a linker for synchronous stores: none of them enters an async runtime.
///
/// `get` finds the context in the store's data. All calls run on the thread that calls the guest.
/// [The crate's front page](crate) has an example.
///
/// # Errors
///
/// If one of the functions is defined already.
pub fn add_to_linker_sync<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    add_blocking::<V1, T>(linker, MODULE, get)?;
    functions_of_v1!(define blocking linker MODULE get);
    Ok(())
}

/// Adds every function to a linker for stores whose guests are called with `call_async`: those that may wait
/// await, on tokio. [The crate's front page](crate) has an example of the other kind; here the functions are called with
/// `instantiate_async` and `call_async`.
///
/// A call that is dropped while it waits has done nothing. One that is dropped while a file operation goes on elsewhere
/// is done there to its end: a write lands, and the descriptor's position stays where it was.
///
/// # Errors
///
/// If one of the functions is defined already.
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    add_awaiting::<V1, T>(linker, MODULE, get)?;
    functions_of_v1!(define awaiting linker MODULE get);
    Ok(())
}

/// What both versions have, for synchronous stores.
pub(crate) fn add_blocking<V: Version, T: Send + 'static>(
    linker: &mut Linker<T>,
    module: &str,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    linker.func_wrap(module, "proc_exit", proc::proc_exit)?;
    functions!(define blocking linker module get);
    Ok(())
}

/// What both versions have, for asynchronous stores.
#[cfg(feature = "async")]
pub(crate) fn add_awaiting<V: Version, T: Send + 'static>(
    linker: &mut Linker<T>,
    module: &str,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    linker.func_wrap(module, "proc_exit", proc::proc_exit)?;
    functions!(define awaiting linker module get);
    Ok(())
}
