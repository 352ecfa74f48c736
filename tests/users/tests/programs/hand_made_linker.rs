//! Linkers filled interface by interface, for those who leave some of them out: here all but the sockets, in an
//! asynchronous and in a synchronous host, for whatever data its stores hold.

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::bindings::{self, LinkOptions};
use wasmtime_wasi::pipe::MemoryOutputPipe;
use wasmtime_wasi::{HasWasi, WasiCtx, WasiCtxBuilder, WasiImpl, WasiView};

fn type_annotate<T: WasiView, F>(val: F) -> F
where
    F: Fn(&mut T) -> WasiImpl<&mut T>,
{
    val
}

fn add_async<T: WasiView + 'static>(l: &mut Linker<T>) -> Result<()> {
    let closure = type_annotate::<T, _>(|t| WasiImpl(t));
    bindings::clocks::wall_clock::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::clocks::monotonic_clock::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::filesystem::types::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::filesystem::preopens::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::io::error::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::io::poll::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::io::streams::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::random::random::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::random::insecure::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::random::insecure_seed::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::exit::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::environment::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::stdin::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::stdout::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::stderr::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_input::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_output::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_stdin::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_stdout::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_stderr::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    Ok(())
}

fn add_sync<T: WasiView + 'static>(l: &mut Linker<T>) -> Result<()> {
    let closure = type_annotate::<T, _>(|t| WasiImpl(t));
    bindings::clocks::wall_clock::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::clocks::monotonic_clock::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sync::filesystem::types::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::filesystem::preopens::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::io::error::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sync::io::poll::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sync::io::streams::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::random::random::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::random::insecure::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::random::insecure_seed::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::exit::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::environment::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::stdin::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::stdout::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::stderr::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_input::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_output::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_stdin::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_stdout::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::cli::terminal_stderr::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    Ok(())
}

/// The sockets too, by themselves.
fn add_sockets<T: WasiView + 'static>(l: &mut Linker<T>, options: &LinkOptions) -> Result<()> {
    let closure = type_annotate::<T, _>(|t| WasiImpl(t));
    bindings::sockets::tcp::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sockets::tcp_create_socket::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sockets::udp::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sockets::udp_create_socket::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sockets::instance_network::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    bindings::sockets::network::add_to_linker::<T, HasWasi<T>>(l, &options.into(), closure)?;
    bindings::sockets::ip_name_lookup::add_to_linker::<T, HasWasi<T>>(l, closure)?;
    Ok(())
}

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

fn state(stdout: &MemoryOutputPipe) -> State {
    State { ctx: WasiCtxBuilder::new().stdout(stdout.clone()).build(), table: ResourceTable::new() }
}

#[tokio::test]
async fn it_is_enough_for_a_command() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<State> = Linker::new(&engine);
    add_async(&mut linker)?;
    let component = Component::from_file(&engine, "guests/hello.wat")?;
    let stdout = MemoryOutputPipe::new(100);
    let mut store = Store::new(&engine, state(&stdout));
    let command = bindings::Command::instantiate_async(&mut store, &component, &linker).await?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store).await?, Ok(()));
    assert_eq!(stdout.contents(), "hello from a component\n");

    // no sockets, as was meant
    let network = Component::from_file(&engine, "guests/network.wat")?;
    assert!(linker.instantiate_async(&mut store, &network).await.is_err());
    add_sockets(&mut linker, &LinkOptions::default())?;
    linker.instantiate_async(&mut store, &network).await?;
    Ok(())
}

#[test]
fn it_is_enough_for_a_command_without_tokio() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<State> = Linker::new(&engine);
    add_sync(&mut linker)?;
    let component = Component::from_file(&engine, "guests/hello.wat")?;
    let stdout = MemoryOutputPipe::new(100);
    let mut store = Store::new(&engine, state(&stdout));
    let command = bindings::sync::Command::instantiate(&mut store, &component, &linker)?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store)?, Ok(()));
    assert_eq!(stdout.contents(), "hello from a component\n");
    Ok(())
}

/// What is there already is not silently replaced.
#[test]
fn twice_is_an_error() -> Result<()> {
    let mut linker: Linker<State> = Linker::new(&Engine::default());
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    assert!(wasmtime_wasi::add_to_linker_sync(&mut linker).is_err());
    Ok(())
}
