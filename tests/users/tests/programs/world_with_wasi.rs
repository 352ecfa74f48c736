//! A world that is WASI's command and one more function of the host.

use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiView};

wasmtime::component::bindgen!({
    inline: "
        package example:wasi;

        world my-world {
            include wasi:cli/command@0.2.12;

            import custom-host;
        }

        interface custom-host {
            my-custom-function: func() -> u32;
        }
    ",
    path: "../../crates/bindings/wit/p2",
    with: {
        "wasi": wasmtime_wasi::bindings,
    },
    imports: { default: async },
    exports: { default: async },
});

struct MyState {
    table: ResourceTable,
    ctx: WasiCtx,
    calls: u32,
}

impl example::wasi::custom_host::Host for MyState {
    async fn my_custom_function(&mut self) -> u32 {
        tokio::task::yield_now().await;
        self.calls += 1;
        self.calls
    }
}

impl WasiView for MyState {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

#[tokio::test]
async fn a_command_of_that_world_runs() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<MyState> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    example::wasi::custom_host::add_to_linker::<_, HasSelf<MyState>>(&mut linker, |state| state)?;

    let stdout = MemoryOutputPipe::new(4096);
    let ctx = WasiCtxBuilder::new().stdout(stdout.clone()).build();
    let mut store = Store::new(&engine, MyState { table: ResourceTable::new(), ctx, calls: 0 });

    let component = Component::from_file(&engine, "guests/hello.wat")?;
    let my_world = MyWorld::instantiate_async(&mut store, &component, &linker).await?;
    assert_eq!(my_world.wasi_cli_run().call_run(&mut store).await?, Ok(()));
    assert_eq!(stdout.contents(), "hello from a component\n");

    let calls_back = Component::new(
        &engine,
        r#"(component
            (import "example:wasi/custom-host" (instance $host
                (export "my-custom-function" (func (result u32)))))
            (core func $f (canon lower (func $host "my-custom-function")))
            (core module $m
                (import "host" "f" (func $f (result i32)))
                (func (export "run") (result i32) (i32.ne (call $f) (i32.const 1))))
            (core instance $i (instantiate $m (with "host" (instance (export "f" (func $f))))))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $run (export "run" (func $run)))
            (export "wasi:cli/run@0.2.12" (instance $run)))"#,
    )?;
    let my_world = MyWorld::instantiate_async(&mut store, &calls_back, &linker).await?;
    assert_eq!(my_world.wasi_cli_run().call_run(&mut store).await?, Ok(()));
    assert_eq!(store.data().calls, 1);
    Ok(())
}
