//! Who can be a view of WASI, and what a library can do with one.

use std::time::Duration;
use wasmtime::component::{Component, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::bindings::cli::environment::Host as _;
use wasmtime_wasi::bindings::clocks::monotonic_clock;
use wasmtime_wasi::bindings::sync::io::poll;
use wasmtime_wasi::bindings::sync::Command;
use wasmtime_wasi::pipe::MemoryOutputPipe;
use wasmtime_wasi::{HostOutputStream, Pollable, StdoutStream, WasiCtx, WasiCtxBuilder, WasiImpl, WasiView};

struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Wasi {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

/// A library's function over any view.
fn arguments<T: WasiView>(view: T) -> Result<Vec<String>> {
    WasiImpl(view).get_arguments()
}

/// And over one whose type is not known.
fn entries(view: &mut dyn WasiView) -> Result<Resource<&'static str>> {
    Ok(view.table().push("an entry")?)
}

#[test]
fn references_and_boxes_are_views() -> Result<()> {
    let ctx = WasiCtxBuilder::new().args(&["a", "b"]).build();
    let mut wasi = Wasi { ctx, table: ResourceTable::new() };
    assert_eq!(arguments(&mut wasi)?, ["a", "b"]);
    assert_eq!(arguments(&mut &mut wasi)?, ["a", "b"]);
    assert_eq!(arguments(WasiImpl(&mut wasi))?, ["a", "b"]);
    let entry = entries(&mut wasi)?;
    assert_eq!(*wasi.table.get(&entry)?, "an entry");
    assert_eq!(arguments(Box::new(wasi))?, ["a", "b"]);
    Ok(())
}

#[test]
fn a_box_of_some_view_is_a_view() -> Result<()> {
    let ctx = WasiCtxBuilder::new().arg("boxed").build();
    let mut boxed: Box<dyn WasiView> = Box::new(Wasi { ctx, table: ResourceTable::new() });
    assert_eq!(arguments(&mut boxed)?, ["boxed"]);
    boxed.ctx();
    boxed.table();
    Ok(())
}

#[test]
fn a_store_may_hold_a_box() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<Box<Wasi>> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    let stdout = MemoryOutputPipe::new(100);
    let ctx = WasiCtxBuilder::new().stdout(stdout.clone()).build();
    let mut store = Store::new(&engine, Box::new(Wasi { ctx, table: ResourceTable::new() }));
    let component = Component::from_file(&engine, "guests/hello.wat")?;
    let command = Command::instantiate(&mut store, &component, &linker)?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store)?, Ok(()));
    assert_eq!(stdout.contents(), "hello from a component\n");
    Ok(())
}

/// The traits of the bindings, called from Rust: a timer, waited for.
#[test]
fn the_host_waits_as_a_guest_does() -> Result<()> {
    let mut wasi = Wasi { ctx: WasiCtxBuilder::new().build(), table: ResourceTable::new() };
    let mut view = WasiImpl(&mut wasi);
    let before = monotonic_clock::Host::now(&mut view)?;
    let timer: Resource<Pollable> =
        monotonic_clock::Host::subscribe_duration(&mut view, Duration::from_millis(5).as_nanos() as u64)?;
    let rep = timer.rep();
    poll::HostPollable::block(&mut view, Resource::new_borrow(rep))?;
    assert!(poll::HostPollable::ready(&mut view, Resource::new_borrow(rep))?);
    assert_eq!(poll::Host::poll(&mut view, vec![Resource::new_borrow(rep)])?, [0]);
    assert!(monotonic_clock::Host::now(&mut view)? >= before + 5_000_000);
    poll::HostPollable::drop(&mut view, timer)?;
    Ok(())
}

#[tokio::test]
async fn the_host_waits_on_tokio_as_a_guest_does() -> Result<()> {
    use wasmtime_wasi::bindings::io::poll;
    let mut wasi = Wasi { ctx: WasiCtxBuilder::new().build(), table: ResourceTable::new() };
    let mut view = WasiImpl(&mut wasi);
    let timer = monotonic_clock::Host::subscribe_duration(&mut view, 5_000_000)?;
    poll::HostPollable::block(&mut view, Resource::new_borrow(timer.rep())).await?;
    assert_eq!(poll::Host::poll(&mut view, vec![Resource::new_borrow(timer.rep())]).await?, [0]);
    poll::HostPollable::drop(&mut view, timer)?;
    Ok(())
}

/// Output to a screen of the application's own.
struct Screen(MemoryOutputPipe);

impl StdoutStream for Screen {
    fn stream(&self) -> Box<dyn HostOutputStream> {
        self.0.stream()
    }

    fn isatty(&self) -> bool {
        true
    }
}

#[test]
fn a_guest_can_tell_a_screen_from_a_file() -> Result<()> {
    use wasmtime_wasi::bindings::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
    let screen = MemoryOutputPipe::new(100);
    let ctx = WasiCtxBuilder::new().stdout(Screen(screen.clone())).stderr(screen.clone()).build();
    let mut wasi = Wasi { ctx, table: ResourceTable::new() };
    let mut view = WasiImpl(&mut wasi);
    assert!(terminal_stdout::Host::get_terminal_stdout(&mut view)?.is_some());
    assert!(terminal_stderr::Host::get_terminal_stderr(&mut view)?.is_none());
    assert!(terminal_stdin::Host::get_terminal_stdin(&mut view)?.is_none());
    let mut stream = Screen(screen.clone()).stream();
    stream.write("seen".into())?;
    assert_eq!(screen.contents(), "seen");
    Ok(())
}

/// The context of a module is a view, too.
#[test]
fn the_context_of_a_module_is_a_view() -> Result<()> {
    let mut ctx = WasiCtxBuilder::new().arg("module").build_p1();
    assert_eq!(arguments(&mut ctx)?, ["module"]);
    Ok(())
}
