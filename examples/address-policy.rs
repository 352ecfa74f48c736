//! Which addresses and names a program may use, changed while it runs.
//!
//! The network behind the rules is a virtual one, so that this example talks to nobody; `NativeNetwork` would be the system's.
//!
//! ```text
//! cargo run --example address-policy
//! ```

use wasi_host::bindings::sync::Command;
use wasi_host::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiView, add_to_linker_sync};
use wasi_host_virtual::net::{Loopback, Rules};
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

    let net = Loopback::new();
    let _api = net.host(["203.0.113.7".parse()?])?.named("api.example.com");
    // Somebody has a public name stand for an address within.
    let _secret = net.host(["169.254.169.254".parse()?])?.named("rebound.example.com");

    // Names below example.com, on port 443, wherever they lead but to this host and its surroundings.
    let rules = Rules::new(net.host(["203.0.113.99".parse()?])?);
    let parse = |text: &str| text.parse().map_err(wasmtime::Error::msg::<String>);
    let names = rules.allow(parse("*.example.com:443")?);
    for internal in Rules::INTERNAL {
        rules.deny(parse(internal)?);
    }

    let ask = |name: &str, port: &str| -> Result<()> {
        println!("asking {name}:{port}");
        let ctx = WasiCtxBuilder::new()
            .args(&["talk", "ask", name, port, "hello"])
            .stderr(wasi_host_virtual::stdio::Callback::lines(1024, |line| {
                println!("  {}", String::from_utf8_lossy(line));
            }))
            .network(rules.clone())
            .allow_ip_name_lookup(true)
            .build();
        let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
        let command = Command::instantiate(&mut store, &component, &linker)?;
        let _failed = command.wasi_cli_run().call_run(&mut store)?;
        Ok(())
    };
    // Allowed, and nobody listens there; a port that is not; a name that is not; and one that leads to where none may.
    ask("api.example.com", "443")?;
    ask("api.example.com", "22")?;
    ask("example.org", "443")?;
    ask("rebound.example.com", "443")?;
    // From now on nothing is allowed; sockets that were open would be closed.
    rules.revoke(names);
    ask("api.example.com", "443")
}
