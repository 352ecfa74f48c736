//! A program that wants to know how its guests ended.

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store, Trap};
use wasmtime_wasi::bindings::{sync, LinkOptions};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxBuilder, WasiView};

#[derive(Debug, PartialEq)]
enum End {
    Returned,
    Exited(i32),
    Trapped(Option<Trap>),
}

fn end(result: Result<()>) -> End {
    match result {
        Ok(()) => End::Returned,
        Err(error) => match error.downcast::<I32Exit>() {
            Ok(I32Exit(code)) => End::Exited(code),
            Err(error) => End::Trapped(error.downcast_ref::<Trap>().copied()),
        },
    }
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

fn store(engine: &Engine) -> Store<State> {
    Store::new(engine, State { ctx: WasiCtxBuilder::new().build(), table: ResourceTable::new() })
}

#[test]
fn a_code_arrives() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    let mut options = sync::LinkOptions::default();
    options.cli_exit_with_code(true);
    wasmtime_wasi::add_to_linker_with_options_sync(&mut linker, &options)?;
    let component = Component::from_file(&engine, "guests/exit.wat")?;

    for code in [0, 7, 255] {
        let mut store = store(&engine);
        let instance = linker.instantiate(&mut store, &component)?;
        let exit = instance.get_typed_func::<(u8,), ()>(&mut store, "exit-with-code")?;
        assert_eq!(end(exit.call(&mut store, (code,))), End::Exited(code.into()));
    }
    for (status, code) in [(Ok(()), 0), (Err(()), 1)] {
        let mut store = store(&engine);
        let instance = linker.instantiate(&mut store, &component)?;
        let exit = instance.get_typed_func::<(Result<(), ()>,), ()>(&mut store, "exit")?;
        assert_eq!(end(exit.call(&mut store, (status,))), End::Exited(code));
    }
    Ok(())
}

#[tokio::test]
async fn a_code_arrives_on_tokio() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    let mut options = LinkOptions::default();
    options.cli_exit_with_code(true).network_error_code(true);
    wasmtime_wasi::add_to_linker_with_options_async(&mut linker, &options)?;
    let component = Component::from_file(&engine, "guests/exit.wat")?;
    let mut store = store(&engine);
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let exit = instance.get_typed_func::<(u8,), ()>(&mut store, "exit-with-code")?;
    assert_eq!(end(exit.call_async(&mut store, (3,)).await), End::Exited(3));
    Ok(())
}

#[test]
fn a_trap_is_not_an_exit() -> Result<()> {
    let engine = Engine::default();
    let linker: Linker<State> = Linker::new(&engine);
    let component = Component::new(
        &engine,
        r#"(component
            (core module $m (func (export "fail") unreachable))
            (core instance $i (instantiate $m))
            (func (export "fail") (canon lift (core func $i "fail"))))"#,
    )?;
    let mut store = store(&engine);
    let instance = linker.instantiate(&mut store, &component)?;
    let fail = instance.get_typed_func::<(), ()>(&mut store, "fail")?;
    assert_eq!(end(fail.call(&mut store, ())), End::Trapped(Some(Trap::UnreachableCodeReached)));
    Ok(())
}

#[test]
fn an_exit_is_an_error_like_others() {
    let exit = I32Exit(2);
    assert!(exit.to_string().contains('2'));
    let error: anyhow::Error = exit.into();
    assert_eq!(error.downcast_ref::<I32Exit>().map(|e| e.0), Some(2));
}
