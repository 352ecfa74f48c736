//! A host that decides where its guests may connect to. Everything here stays on the loopback interface.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use wasmtime::component::{Component, Instance, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{SocketAddrUse, WasiCtx, WasiCtxBuilder, WasiView};

/// What the guest answers where it succeeds; anything else is the number of an error code.
const SUCCESS: u8 = 255;
const ACCESS_DENIED: u8 = 1;

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

fn start(ctx: WasiCtx) -> Result<(Store<State>, Instance)> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, "guests/network.wat")?;
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let instance = linker.instantiate(&mut store, &component)?;
    Ok((store, instance))
}

fn connect(ctx: WasiCtx, port: u16) -> Result<u8> {
    let (mut store, instance) = start(ctx)?;
    let connect = instance.get_typed_func::<(u16,), (u8,)>(&mut store, "connect")?;
    Ok(connect.call(&mut store, (port,))?.0)
}

fn bind_udp(ctx: WasiCtx) -> Result<u8> {
    let (mut store, instance) = start(ctx)?;
    let bind = instance.get_typed_func::<(), (u8,)>(&mut store, "bind-udp")?;
    Ok(bind.call(&mut store, ())?.0)
}

fn resolve(ctx: WasiCtx, name: &str) -> Result<u8> {
    let (mut store, instance) = start(ctx)?;
    let resolve = instance.get_typed_func::<(&str,), (u8,)>(&mut store, "resolve")?;
    Ok(resolve.call(&mut store, (name,))?.0)
}

fn server() -> Result<(TcpListener, u16)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

#[test]
fn nothing_is_allowed_unless_said() -> Result<()> {
    let (_listener, port) = server()?;
    assert_eq!(connect(WasiCtxBuilder::new().build(), port)?, ACCESS_DENIED);
    assert_eq!(bind_udp(WasiCtxBuilder::new().build())?, ACCESS_DENIED);
    assert_ne!(resolve(WasiCtxBuilder::new().build(), "localhost")?, SUCCESS);
    Ok(())
}

#[test]
fn the_hosts_network_can_be_given() -> Result<()> {
    let (_listener, port) = server()?;
    let network = || WasiCtxBuilder::new().inherit_network().build();
    assert_eq!(connect(network(), port)?, SUCCESS);
    assert_eq!(bind_udp(network())?, SUCCESS);
    // names are asked for separately
    assert_ne!(resolve(network(), "localhost")?, SUCCESS);
    assert_eq!(resolve(WasiCtxBuilder::new().allow_ip_name_lookup(true).build(), "localhost")?, SUCCESS);
    Ok(())
}

#[test]
fn one_protocol_can_be_forbidden() -> Result<()> {
    let (_listener, port) = server()?;
    assert_eq!(
        connect(WasiCtxBuilder::new().inherit_network().allow_tcp(false).build(), port)?,
        ACCESS_DENIED
    );
    assert_eq!(connect(WasiCtxBuilder::new().inherit_network().allow_udp(false).build(), port)?, SUCCESS);
    assert_eq!(bind_udp(WasiCtxBuilder::new().inherit_network().allow_udp(false).build())?, ACCESS_DENIED);
    Ok(())
}

/// One port is allowed, and every question is written down.
#[test]
fn each_address_is_asked_for() -> Result<()> {
    let (_listener, allowed) = server()?;
    let (_other, forbidden) = server()?;
    let asked: Arc<Mutex<Vec<(SocketAddr, SocketAddrUse)>>> = Default::default();
    let ctx = || {
        let asked = asked.clone();
        WasiCtxBuilder::new()
            .socket_addr_check(move |addr, reason| {
                asked.lock().unwrap().push((addr, reason));
                Box::pin(async move { matches!(reason, SocketAddrUse::TcpConnect) && addr.port() == allowed })
            })
            .build()
    };
    assert_eq!(connect(ctx(), allowed)?, SUCCESS);
    assert_eq!(connect(ctx(), forbidden)?, ACCESS_DENIED);
    assert_eq!(bind_udp(ctx())?, ACCESS_DENIED);
    let asked = asked.lock().unwrap();
    let connects: Vec<_> = asked
        .iter()
        .filter(|(_, reason)| matches!(reason, SocketAddrUse::TcpConnect))
        .map(|(a, _)| a.port())
        .collect();
    assert_eq!(connects, [allowed, forbidden]);
    assert!(asked.iter().any(|(_, reason)| matches!(reason, SocketAddrUse::UdpBind)));
    Ok(())
}

/// The answer may take its time.
#[tokio::test]
async fn a_check_asks_elsewhere() -> Result<()> {
    let (_listener, port) = server()?;
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, "guests/network.wat")?;
    let ctx = WasiCtxBuilder::new()
        .socket_addr_check(move |addr, _| {
            Box::pin(async move {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                addr.ip().is_loopback()
            })
        })
        .build();
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let connect = instance.get_typed_func::<(u16,), (u8,)>(&mut store, "connect")?;
    assert_eq!(connect.call_async(&mut store, (port,)).await?.0, SUCCESS);
    Ok(())
}
