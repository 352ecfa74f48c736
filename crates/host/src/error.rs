//! What ends a guest from within a call.

/// The guest asked to exit, with this status. Calls that end a guest return it as their error.
///
/// ```
/// use wasi_host::{I32Exit, WasiCtxBuilder};
/// # use wasmtime::{Engine, Linker, Module, Store};
/// # fn main() -> wasmtime::Result<()> {
/// # let engine = Engine::default();
/// # let mut linker = Linker::new(&engine);
/// # wasi_host::p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
/// # let module = Module::new(&engine, r#"(module
/// #     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
/// #     (memory (export "memory") 0)
/// #     (func (export "_start") (call $exit (i32.const 3))))"#)?;
/// # let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
/// # let instance = linker.instantiate(&mut store, &module)?;
/// # let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
/// let status = match start.call(&mut store, ()) {
///     Ok(()) => 0,
///     // A guest that calls `exit` ends by an error of this type; any other is a trap.
///     Err(e) => e.downcast::<I32Exit>()?.0,
/// };
/// assert_eq!(status, 3);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Exited with i32 exit status {0}")]
pub struct I32Exit(pub i32);

impl I32Exit {
    /// The status as a process can give it: its low eight bits.
    ///
    /// ```no_run
    /// use std::process::ExitCode;
    /// # fn run() -> wasmtime::Result<()> { Ok(()) }
    /// fn main() -> wasmtime::Result<ExitCode> {
    ///     match run() {
    ///         Ok(()) => Ok(ExitCode::SUCCESS),
    ///         Err(e) => Ok(e.downcast::<wasi_host::I32Exit>()?.process_exit_code()),
    ///     }
    /// }
    /// ```
    pub fn process_exit_code(&self) -> std::process::ExitCode {
        std::process::ExitCode::from(self.0 as u8)
    }
}

/// A wait of the guest was ended by [`Interrupt::interrupt`](crate::wait::Interrupt::interrupt).
///
/// [`WasiCtx::interrupt`](crate::WasiCtx::interrupt) has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted while waiting in a host call")]
pub struct Interrupted;
