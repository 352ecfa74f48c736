//! Adding all of WASI 0.2 to a linker.

use super::fast;
use crate::view::{HasWasi, WasiImpl, WasiView};
use wasi_host_bindings::p2;
use wasmtime::Result;
use wasmtime::component::Linker;

pub use wasi_host_bindings::p2::LinkOptions;

/// Adds interfaces that are implemented for [`WasiImpl`].
macro_rules! add {
    ($linker:ident; $($($interface:ident)::+),* $(,)?) => {
        $(p2::$($interface)::+::add_to_linker::<T, HasWasi<T>>($linker, |t| WasiImpl(t))?;)*
    };
}

/// Adds every interface of WASI 0.2 to a linker for synchronous stores. None of them enters an async runtime, and all
/// run on the thread that calls the guest.
///
/// Guests may be built for any version from 0.2.0 on. With an engine whose
/// [`concurrency_support`](wasmtime::Config::concurrency_support) is off, which is right for all components that do
/// not use the asynchronous component model, each call costs some 70 ns less.
///
/// # Errors
///
/// If one of the interfaces is defined already.
///
/// # Example
///
/// ```no_run
/// use wasi_host::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiView, add_to_linker_sync, bindings::sync::Command};
/// use wasmtime::{Engine, Store, component::{Component, Linker}};
///
/// struct State { ctx: WasiCtx, table: ResourceTable }
/// impl WasiView for State {
///     fn table(&mut self) -> &mut ResourceTable { &mut self.table }
///     fn ctx(&mut self) -> &mut WasiCtx { &mut self.ctx }
/// }
///
/// # fn main() -> wasmtime::Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// add_to_linker_sync(&mut linker)?;
///
/// let component = Component::from_file(&engine, "app.wasm")?;
/// let ctx = WasiCtxBuilder::new().inherit_stdio().arg("app").build();
/// let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
/// let command = Command::instantiate(&mut store, &component, &linker)?;
/// let ended = command.wasi_cli_run().call_run(&mut store)?;
/// assert_eq!(ended, Ok(()));
/// # Ok(()) }
/// ```
pub fn add_to_linker_sync<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    add_to_linker_with_options_sync(linker, &LinkOptions::default())
}

/// Adds every interface of WASI 0.2 to a linker for stores whose guests are called with `call_async`. What may wait
/// awaits, on tokio.
///
/// # Errors
///
/// If one of the interfaces is defined already.
///
/// # Example
///
/// As that of [`add_to_linker_sync`], with [`bindings::Command`](crate::bindings::Command):
///
/// ```no_run
/// # use wasi_host::{WasiView, add_to_linker_async, bindings::Command};
/// # use wasmtime::{Store, component::{Component, Linker}};
/// # async fn f<T: WasiView>(mut store: Store<T>, component: Component) -> wasmtime::Result<()> {
/// let mut linker = Linker::new(store.engine());
/// add_to_linker_async(&mut linker)?;
/// let command = Command::instantiate_async(&mut store, &component, &linker).await?;
/// let ended = command.wasi_cli_run().call_run(&mut store).await?;
/// assert_eq!(ended, Ok(()));
/// # Ok(()) }
/// ```
pub fn add_to_linker_async<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    add_to_linker_with_options_async(linker, &LinkOptions::default())
}

/// [`add_to_linker_sync`], and of the unstable interfaces those that `options` name.
///
/// ```
/// # use wasi_host::{LinkOptions, WasiView, add_to_linker_with_options_sync};
/// # fn f<T: WasiView + 'static>(linker: &mut wasmtime::component::Linker<T>) -> wasmtime::Result<()> {
/// add_to_linker_with_options_sync(linker, LinkOptions::default().clocks_timezone(true))
/// # }
/// ```
///
/// # Errors
///
/// If one of the interfaces is defined already.
pub fn add_to_linker_with_options_sync<T: WasiView + 'static>(
    linker: &mut Linker<T>,
    options: &LinkOptions,
) -> Result<()> {
    add(linker, options)?;
    add!(linker;
        sync::io::poll, sync::io::streams, sync::filesystem::types, sync::sockets::tcp, sync::sockets::udp,
    );
    fast::shadow(linker, fast::blocking)
}

/// [`add_to_linker_async`], and of the unstable interfaces those that `options` name.
///
/// ```
/// # use wasi_host::{LinkOptions, WasiView, add_to_linker_with_options_async};
/// # fn f<T: WasiView + 'static>(linker: &mut wasmtime::component::Linker<T>) -> wasmtime::Result<()> {
/// add_to_linker_with_options_async(linker, LinkOptions::default().network_error_code(true))
/// # }
/// ```
///
/// # Errors
///
/// If one of the interfaces is defined already.
pub fn add_to_linker_with_options_async<T: WasiView + 'static>(
    linker: &mut Linker<T>,
    options: &LinkOptions,
) -> Result<()> {
    add(linker, options)?;
    add!(linker; io::poll, io::streams, filesystem::types, sockets::tcp, sockets::udp);
    fast::shadow(linker, fast::awaiting)
}

/// What is the same in both.
fn add<T: WasiView + 'static>(linker: &mut Linker<T>, options: &LinkOptions) -> Result<()> {
    p2::clocks::timezone::add_to_linker::<T, HasWasi<T>>(linker, &options.into(), |t| WasiImpl(t))?;
    p2::sockets::network::add_to_linker::<T, HasWasi<T>>(linker, &options.into(), |t| WasiImpl(t))?;
    add!(linker;
        cli::environment, cli::exit, cli::stdin, cli::stdout, cli::stderr,
        cli::terminal_input, cli::terminal_output, cli::terminal_stdin, cli::terminal_stdout, cli::terminal_stderr,
        clocks::monotonic_clock, clocks::wall_clock,
        filesystem::preopens,
        io::error,
        random::random, random::insecure, random::insecure_seed,
        sockets::instance_network, sockets::ip_name_lookup,
        sockets::tcp_create_socket, sockets::udp_create_socket,
    );
    Ok(())
}
