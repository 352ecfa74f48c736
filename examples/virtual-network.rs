//! Two programs that talk over a network which is not there: it has addresses, names and a slow link, and neither a socket of
//! the operating system nor, since its time is virtual too, a moment of waiting.
//!
//! ```text
//! cargo run --example virtual-network
//! ```

use std::thread;
use std::time::Duration;
use wasi_host::bindings::sync::Command;
use wasi_host::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiView, add_to_linker_sync};
use wasi_host_virtual::net::{Host, Link, Loopback};
use wasi_host_virtual::stdio::{Captured, Full};
use wasi_host_virtual::time::VirtualTime;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result, Store};

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

fn main() -> Result<()> {
    let engine = Engine::default();
    let component = Component::from_file(&engine, "guests/prebuilt/p2_talk.wasm")?;
    let mut linker = Linker::new(&engine);
    add_to_linker_sync(&mut linker)?;

    let time = VirtualTime::new();
    let net = Loopback::in_time(time.clone());
    net.set_link(Link { latency: Duration::from_secs(60), ..Link::default() });
    let server = net.host(["10.0.0.1".parse()?])?.named("oracle.internal");
    let client = net.host(["10.0.0.2".parse()?])?;

    // Both contexts are made before either runs: time moves only while all of them wait.
    let program = |host: Host, words: &[&str]| {
        let out = Captured::new(1 << 20, Full::Truncate);
        let mut ctx = WasiCtxBuilder::new();
        ctx.arg("talk").args(words).stdout(out.clone()).inherit_stderr();
        ctx.network(host).allow_ip_name_lookup(true).virtual_time(time.clone());
        (State { ctx: ctx.build(), table: ResourceTable::new() }, out)
    };
    let (asked, server_said) = program(server, &["serve", "7", "1"]);
    let (asks, client_said) = program(client, &["ask", "oracle.internal", "7", "is anybody there?"]);

    let run = |state| -> Result<()> {
        let mut store = Store::new(&engine, state);
        let command = Command::instantiate(&mut store, &component, &linker)?;
        command.wasi_cli_run().call_run(&mut store)?.map_err(|()| wasmtime::format_err!("it has failed"))
    };
    thread::scope(|scope| {
        let server = scope.spawn(|| run(asked));
        // It listens before it is asked.
        while server_said.contents().is_empty() && !server.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        run(asks)?;
        server.join().expect("it does not panic")
    })?;

    print!("{}", String::from_utf8_lossy(&server_said.contents()));
    print!("{}", String::from_utf8_lossy(&client_said.contents()));
    println!("it took {} minutes", Duration::from_nanos(time.now()).as_secs() / 60);
    Ok(())
}
