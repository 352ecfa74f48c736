//! An embedder who answers some interfaces himself, through the raw bindings, and takes the others one by one.

use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::bindings::{cli, clocks, random};
use wasmtime_wasi::pipe::MemoryOutputPipe;
use wasmtime_wasi::{bindings, HasWasi, InputStream, WasiCtx, WasiCtxBuilder, WasiImpl, WasiView};

struct Tenant {
    name: String,
    ctx: WasiCtx,
    table: ResourceTable,
    randoms: u64,
    exited: Option<bool>,
}

impl Tenant {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ctx: WasiCtxBuilder::new().env("NEVER", "seen").build(),
            table: ResourceTable::new(),
            randoms: 0,
            exited: None,
        }
    }
}

impl WasiView for Tenant {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

impl cli::environment::Host for Tenant {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        Ok(vec![("TENANT".to_owned(), self.name.clone())])
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        Ok(vec![])
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(Some(format!("/home/{}", self.name)))
    }
}

impl random::random::Host for Tenant {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        wasmtime::ensure!(len <= 64, "too much randomness at once");
        self.randoms += len;
        Ok(vec![42; len as usize])
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.randoms += 8;
        Ok(42)
    }
}

impl clocks::wall_clock::Host for Tenant {
    fn now(&mut self) -> Result<Datetime> {
        Ok(Datetime { seconds: 12, nanoseconds: 0 })
    }

    fn resolution(&mut self) -> Result<Datetime> {
        Ok(Datetime { seconds: 1, nanoseconds: 0 })
    }
}

impl cli::exit::Host for Tenant {
    fn exit(&mut self, status: Result<(), ()>) -> Result<()> {
        self.exited = Some(status.is_ok());
        Err(wasmtime::format_err!("the tenant has left"))
    }

    fn exit_with_code(&mut self, status_code: u8) -> Result<()> {
        self.exit(if status_code == 0 { Ok(()) } else { Err(()) })
    }
}

/// Helps the compiler to see the lifetimes of the closure.
fn wasi<F>(getter: F) -> F
where
    F: Fn(&mut Tenant) -> WasiImpl<&mut Tenant>,
{
    getter
}

fn linker(engine: &Engine) -> Result<Linker<Tenant>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    cli::environment::add_to_linker::<_, HasSelf<Tenant>>(l, |tenant| tenant)?;
    random::random::add_to_linker::<_, HasSelf<Tenant>>(l, |tenant| tenant)?;
    clocks::wall_clock::add_to_linker::<_, HasSelf<Tenant>>(l, |tenant| tenant)?;
    cli::exit::add_to_linker::<_, HasSelf<Tenant>>(l, |tenant| tenant)?;

    let wasi = wasi(|tenant| WasiImpl(tenant));
    bindings::io::error::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    bindings::sync::io::poll::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    bindings::sync::io::streams::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    bindings::clocks::monotonic_clock::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    bindings::random::insecure::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    bindings::random::insecure_seed::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    bindings::cli::stdout::add_to_linker::<_, HasWasi<Tenant>>(l, wasi)?;
    Ok(linker)
}

#[test]
fn the_tenant_sees_its_own_environment() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let component = Component::from_file(&engine, "guests/environment.wat")?;
    let mut store = Store::new(&engine, Tenant::new("ann"));
    let instance = linker.instantiate(&mut store, &component)?;

    let variables = instance.get_typed_func::<(), (Vec<(String, String)>,)>(&mut store, "variables")?;
    let (list,) = variables.call(&mut store, ())?;
    assert_eq!(list, [("TENANT".to_owned(), "ann".to_owned())]);
    let cwd = instance.get_typed_func::<(), (Option<String>,)>(&mut store, "cwd")?;
    let (dir,) = cwd.call(&mut store, ())?;
    assert_eq!(dir.as_deref(), Some("/home/ann"));
    Ok(())
}

#[test]
fn the_tenants_randomness_is_counted() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let component = Component::from_file(&engine, "guests/random.wat")?;
    let mut store = Store::new(&engine, Tenant::new("bob"));
    let instance = linker.instantiate(&mut store, &component)?;
    let bytes = instance.get_typed_func::<(u64,), (Vec<u8>,)>(&mut store, "bytes")?;
    assert_eq!(bytes.call(&mut store, (4,))?.0, [42; 4]);
    assert_eq!(store.data().randoms, 4);

    let error = bytes.call(&mut store, (65,)).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "too much randomness at once");
    Ok(())
}

#[test]
fn the_tenants_clock_stands_still() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let component = Component::from_file(&engine, "guests/clocks.wat")?;
    let mut store = Store::new(&engine, Tenant::new("eve"));
    let instance = linker.instantiate(&mut store, &component)?;
    let wall = instance.get_typed_func::<(), ((u64, u32),)>(&mut store, "wall-now")?;
    assert_eq!(wall.call(&mut store, ())?.0, (12, 0));
    // the other clock is the crate's own
    let sleep = instance.get_typed_func::<(u64,), ()>(&mut store, "sleep")?;
    sleep.call(&mut store, (1000,))?;
    Ok(())
}

#[test]
fn the_tenant_leaves() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let component = Component::from_file(&engine, "guests/exit.wat")?;
    let mut store = Store::new(&engine, Tenant::new("joe"));
    let instance = linker.instantiate(&mut store, &component)?;
    let exit = instance.get_typed_func::<(std::result::Result<(), ()>,), ()>(&mut store, "exit")?;
    let error = exit.call(&mut store, (Err(()),)).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "the tenant has left");
    assert_eq!(store.data().exited, Some(false));
    Ok(())
}

/// The bindings' traits can be called from Rust as well: here a stream of the table is read as a guest would.
#[test]
fn the_host_acts_as_a_guest() -> Result<()> {
    use wasmtime_wasi::bindings::sync::io::streams::{HostInputStream, HostOutputStream};
    use wasmtime_wasi::pipe::MemoryInputPipe;

    let mut tenant = Tenant::new("tim");
    let input: InputStream = Box::new(MemoryInputPipe::new("some bytes"));
    let input: Resource<InputStream> = tenant.table().push(input)?;
    let rep = input.rep();
    let read = WasiImpl(&mut tenant).blocking_read(input, 4)?;
    assert_eq!(read, b"some");

    let out = MemoryOutputPipe::new(100);
    let stream: wasmtime_wasi::OutputStream = Box::new(out.clone());
    let stream = tenant.table().push(stream)?;
    let spliced =
        WasiImpl(&mut tenant).splice(Resource::new_borrow(stream.rep()), Resource::new_borrow(rep), 100)?;
    assert_eq!((spliced, out.contents()), (6, " bytes".into()));

    HostOutputStream::drop(&mut WasiImpl(&mut tenant), stream)?;
    HostInputStream::drop(&mut WasiImpl(&mut tenant), Resource::new_own(rep))?;
    Ok(())
}
