//! An application that gives its plugins timers of its own, beside WASI: resources that can be waited for in one
//! list with whatever else a plugin waits for.

use std::time::Duration;
use tokio::time::Instant;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{async_trait, subscribe, Pollable, Subscribe, WasiCtx, WasiCtxBuilder, WasiView};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "wasi": wasmtime_wasi::bindings,
            "example:events/timers.countdown": super::Countdown,
        },
    });
}

mod blocking {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin",
        imports: { default: trappable },
        with: {
            "wasi": wasmtime_wasi::bindings::sync,
            "example:events/timers.countdown": super::Countdown,
        },
        require_store_data_send: true,
    });
}

pub struct Countdown {
    end: Instant,
}

#[async_trait]
impl Subscribe for Countdown {
    async fn ready(&mut self) {
        tokio::time::sleep_until(self.end).await;
    }
}

struct App {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl App {
    fn new() -> Self {
        Self { ctx: WasiCtxBuilder::new().build(), table: ResourceTable::new() }
    }
}

impl WasiView for App {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

/// Whoever has a view of WASI can make pollables. One that owns its resource deletes it.
fn after(cx: &mut dyn WasiView, duration: Duration) -> Result<Resource<Pollable>> {
    let countdown = cx.table().push(Countdown { end: Instant::now() + duration })?;
    subscribe(cx.table(), countdown)
}

impl bindings::example::events::timers::Host for App {
    async fn after(&mut self, milliseconds: u64) -> Result<Resource<Pollable>> {
        after(self, Duration::from_millis(milliseconds))
    }
}

impl bindings::example::events::timers::HostCountdown for App {
    async fn new(&mut self, milliseconds: u64) -> Result<Resource<Countdown>> {
        Ok(self.table.push(Countdown { end: Instant::now() + Duration::from_millis(milliseconds) })?)
    }

    /// One that borrows its resource is a child of it.
    async fn subscribe(&mut self, countdown: Resource<Countdown>) -> Result<Resource<Pollable>> {
        subscribe(&mut self.table, countdown)
    }

    async fn finished(&mut self, countdown: Resource<Countdown>) -> Result<bool> {
        Ok(self.table.get(&countdown)?.end <= Instant::now())
    }

    async fn drop(&mut self, countdown: Resource<Countdown>) -> Result<()> {
        self.table.delete(countdown)?;
        Ok(())
    }
}

impl blocking::example::events::timers::Host for App {
    fn after(&mut self, milliseconds: u64) -> Result<Resource<Pollable>> {
        after(self, Duration::from_millis(milliseconds))
    }
}

impl blocking::example::events::timers::HostCountdown for App {
    fn new(&mut self, milliseconds: u64) -> Result<Resource<Countdown>> {
        Ok(self.table.push(Countdown { end: Instant::now() + Duration::from_millis(milliseconds) })?)
    }

    fn subscribe(&mut self, countdown: Resource<Countdown>) -> Result<Resource<Pollable>> {
        subscribe(&mut self.table, countdown)
    }

    fn finished(&mut self, countdown: Resource<Countdown>) -> Result<bool> {
        Ok(self.table.get(&countdown)?.end <= Instant::now())
    }

    fn drop(&mut self, countdown: Resource<Countdown>) -> Result<()> {
        self.table.delete(countdown)?;
        Ok(())
    }
}

async fn plugin() -> Result<(Store<App>, bindings::Plugin)> {
    let engine = Engine::default();
    let mut linker: Linker<App> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    bindings::example::events::timers::add_to_linker::<_, HasSelf<App>>(&mut linker, |app| app)?;
    let component = Component::from_file(&engine, "guests/events.wat")?;
    let mut store = Store::new(&engine, App::new());
    let plugin = bindings::Plugin::instantiate_async(&mut store, &component, &linker).await?;
    Ok((store, plugin))
}

fn blocking_plugin() -> Result<(Store<App>, blocking::Plugin)> {
    let engine = Engine::default();
    let mut linker: Linker<App> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    blocking::example::events::timers::add_to_linker::<_, HasSelf<App>>(&mut linker, |app| app)?;
    let component = Component::from_file(&engine, "guests/events.wat")?;
    let mut store = Store::new(&engine, App::new());
    let plugin = blocking::Plugin::instantiate(&mut store, &component, &linker)?;
    Ok((store, plugin))
}

#[tokio::test]
async fn a_plugin_waits_for_what_the_application_made() -> Result<()> {
    let (mut store, plugin) = plugin().await?;
    let began = Instant::now();
    assert!(plugin.call_count_down(&mut store, 20).await?);
    assert!(began.elapsed() >= Duration::from_millis(20));
    plugin.call_wait(&mut store, 20).await?;
    assert!(began.elapsed() >= Duration::from_millis(40));
    Ok(())
}

#[tokio::test]
async fn the_first_of_several_ends_the_wait() -> Result<()> {
    let (mut store, plugin) = plugin().await?;
    assert_eq!(plugin.call_race(&mut store, 60_000, 5).await?, [2]);
    assert_eq!(plugin.call_race(&mut store, 5, 60_000).await?, [0, 1]);
    Ok(())
}

#[tokio::test]
async fn what_has_a_pollable_cannot_go() -> Result<()> {
    let (mut store, plugin) = plugin().await?;
    let error = plugin.call_drop_early(&mut store).await.unwrap_err();
    assert!(matches!(
        error.downcast_ref::<wasmtime_wasi::ResourceTableError>(),
        Some(wasmtime_wasi::ResourceTableError::HasChildren)
    ));
    Ok(())
}

/// In a synchronous host the same futures are driven by the host.
#[test]
fn a_synchronous_host_waits_for_them_too() -> Result<()> {
    let (mut store, plugin) = blocking_plugin()?;
    let began = Instant::now();
    assert!(plugin.call_count_down(&mut store, 20)?);
    plugin.call_wait(&mut store, 20)?;
    assert!(began.elapsed() >= Duration::from_millis(40));
    assert_eq!(plugin.call_race(&mut store, 60_000, 5)?, [2]);
    assert_eq!(plugin.call_race(&mut store, 5, 60_000)?, [0, 1]);
    Ok(())
}
