//! Adding WASI 0.3 to a linker.

use crate::view::{HasWasi, WasiImpl, WasiView};
use wasi_host_bindings::p3;
use wasmtime::Result;
use wasmtime::component::Linker;

pub use wasi_host_bindings::p3::LinkOptions;

/// Adds every interface of WASI 0.3 to a linker for stores whose guests are called with
/// [`run_concurrent`](wasmtime::Store::run_concurrent). Guests may be built for any version 0.3.
///
/// The engine needs [`concurrency_support`](wasmtime::Config::concurrency_support), which is on unless it was switched off,
/// and [`wasm_component_model_async`](wasmtime::Config::wasm_component_model_async).
///
/// # Errors
///
/// If one of the interfaces is defined already.
///
/// # Example
///
/// ```no_run
/// use wasi_host::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiView, p3::{self, bindings::Command}};
/// use wasmtime::{Config, Engine, Store, component::{Component, Linker}};
///
/// struct State { ctx: WasiCtx, table: ResourceTable }
/// impl WasiView for State {
///     fn table(&mut self) -> &mut ResourceTable { &mut self.table }
///     fn ctx(&mut self) -> &mut WasiCtx { &mut self.ctx }
/// }
///
/// # async fn f() -> wasmtime::Result<()> {
/// let mut config = Config::new();
/// config.wasm_component_model_async(true);
/// let engine = Engine::new(&config)?;
/// let mut linker = Linker::new(&engine);
/// p3::add_to_linker(&mut linker)?;
///
/// let component = Component::from_file(&engine, "app.wasm")?;
/// let ctx = WasiCtxBuilder::new().inherit_stdio().arg("app").build();
/// let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
/// let command = Command::instantiate_async(&mut store, &component, &linker).await?;
/// let ended = store
///     .run_concurrent(async |store| command.wasi_cli_run().call_run(store).await)
///     .await??;
/// assert_eq!(ended, Ok(()));
/// # Ok(()) }
/// ```
pub fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    add_to_linker_with_options(linker, &LinkOptions::default())
}

/// [`add_to_linker`], and of the unstable interfaces those that `options` name.
///
/// ```
/// # use wasi_host::{WasiView, p3};
/// # fn f<T: WasiView + 'static>(linker: &mut wasmtime::component::Linker<T>) -> wasmtime::Result<()> {
/// p3::add_to_linker_with_options(linker, p3::LinkOptions::default().clocks_timezone(true))
/// # }
/// ```
///
/// # Errors
///
/// If one of the interfaces is defined already.
pub fn add_to_linker_with_options<T: WasiView + 'static>(
    linker: &mut Linker<T>,
    options: &LinkOptions,
) -> Result<()> {
    macro_rules! add {
        ($($($interface:ident)::+),* $(,)?) => {
            $(p3::$($interface)::+::add_to_linker::<T, HasWasi<T>>(linker, |t| WasiImpl(t))?;)*
        };
    }
    p3::clocks::timezone::add_to_linker::<T, HasWasi<T>>(linker, &options.into(), |t| WasiImpl(t))?;
    add!(
        cli::environment,
        cli::exit,
        cli::types,
        cli::stdin,
        cli::stdout,
        cli::stderr,
        cli::terminal_input,
        cli::terminal_output,
        cli::terminal_stdin,
        cli::terminal_stdout,
        cli::terminal_stderr,
        clocks::types,
        clocks::monotonic_clock,
        clocks::system_clock,
        filesystem::types,
        filesystem::preopens,
        random::random,
        random::insecure,
        random::insecure_seed,
        sockets::types,
        sockets::ip_name_lookup,
    );
    Ok(())
}

/// Adds WASI 0.2 and WASI 0.3 to one linker, for stores whose guests are called asynchronously: what
/// [`add_to_linker_async`](crate::add_to_linker_async) adds and what [`add_to_linker`] does. Programs in Rust that are
/// built for 0.3 need both.
///
/// A call of 0.2 that waits, `pollable.block` for one, holds its whole store: as long as it waits no task of that store
/// goes on, those that wait by means of 0.3 included. That is how the component model has it, and a guest that waits by 0.2 for
/// what its own task of 0.3 is to bring about waits for ever; [`WasiCtx::interrupt`](crate::WasiCtx::interrupt) ends
/// such a wait.
///
/// # Errors
///
/// If one of the interfaces is defined already.
///
/// # Example
///
/// ```
/// use wasi_host::{ResourceTable, WasiCtx, WasiView, add_to_linker_all_async};
/// use wasmtime::{Engine, component::Linker};
/// # struct State { ctx: WasiCtx, table: ResourceTable }
/// # impl WasiView for State {
/// #     fn table(&mut self) -> &mut ResourceTable { &mut self.table }
/// #     fn ctx(&mut self) -> &mut WasiCtx { &mut self.ctx }
/// # }
/// # fn main() -> wasmtime::Result<()> {
/// let mut linker = Linker::<State>::new(&Engine::default());
/// add_to_linker_all_async(&mut linker)?;
/// # Ok(()) }
/// ```
pub fn add_to_linker_all_async<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    crate::add_to_linker_async(linker)?;
    add_to_linker(linker)
}
