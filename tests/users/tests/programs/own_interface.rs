//! An interface of the application's own, whose functions fail in the way that WASI's do: with a code that the guest
//! gets, or with a trap.

use std::collections::HashMap;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::pipe::MemoryInputPipe;
use wasmtime_wasi::{InputStream, TrappableError, WasiCtx, WasiCtxBuilder, WasiView};

mod bindings {
    wasmtime::component::bindgen!({
        inline: "
            package example:vault;

            interface secrets {
                use wasi:io/error@0.2.3.{error as io-error};

                enum error { unknown, locked }

                get: func(name: string) -> result<string, error>;
                length: func(name: string) -> result<u32, error>;
                explain: func() -> io-error;
            }

            world client {
                import secrets;
                export run: func() -> u32;
            }
        ",
        path: "wit",
        world: "example:vault/client",
        imports: {
            "example:vault/secrets.get": async | trappable,
            default: trappable,
        },
        trappable_error_type: {
            "example:vault/secrets.error" => super::SecretError,
        },
        with: {
            "wasi": wasmtime_wasi::bindings,
        },
    });
}

use bindings::example::vault::secrets;

pub type SecretError = TrappableError<secrets::Error>;

struct Vault {
    ctx: WasiCtx,
    table: ResourceTable,
    secrets: HashMap<String, Option<String>>,
}

impl WasiView for Vault {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

impl Vault {
    fn find(&self, name: &str) -> Result<String, SecretError> {
        if name.contains('/') {
            return Err(SecretError::trap(anyhow::anyhow!("a name is not a path")));
        }
        let secret = self.secrets.get(name).ok_or(secrets::Error::Unknown)?;
        Ok(secret.clone().ok_or(secrets::Error::Locked)?)
    }
}

impl secrets::Host for Vault {
    fn convert_error(&mut self, error: SecretError) -> Result<secrets::Error> {
        error.downcast()
    }

    async fn get(&mut self, name: String) -> Result<String, SecretError> {
        tokio::task::yield_now().await;
        self.find(&name)
    }

    fn length(&mut self, name: String) -> Result<u32, SecretError> {
        Ok(self.find(&name)?.len() as u32)
    }

    /// WASI's own resources can be made by the host.
    fn explain(&mut self) -> Result<Resource<anyhow::Error>> {
        let stream: InputStream = Box::new(MemoryInputPipe::new(""));
        let parent = self.table.push(stream)?;
        let error = self.table.push_child(anyhow::anyhow!("it is locked"), &parent)?;
        Ok(error)
    }
}

/// What `length` answers for the name, as a number: 1000 and the code where it is an error.
async fn ask(name: &str) -> Result<u32> {
    let engine = Engine::default();
    let mut linker: Linker<Vault> = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    secrets::add_to_linker::<_, HasSelf<Vault>>(&mut linker, |vault| vault)?;
    let component = Component::new(
        &engine,
        format!(
            r#"(component
                (import "wasi:io/error@0.2.3" (instance $io (export "error" (type (sub resource)))))
                (import "example:vault/secrets" (instance $secrets
                    (type $error-def (enum "unknown" "locked"))
                    (export "error" (type $error (eq $error-def)))
                    (export "length" (func (param "name" string) (result (result u32 (error $error)))))))
                (core module $libc (memory (export "memory") 1) (data (i32.const 64) "{name}"))
                (core instance $libc (instantiate $libc))
                (core func $length (canon lower (func $secrets "length") (memory (core memory $libc "memory"))))
                (core module $m
                    (import "libc" "memory" (memory 1))
                    (import "host" "length" (func $length (param i32 i32 i32)))
                    (func (export "run") (result i32)
                        (call $length (i32.const 64) (i32.const {len}) (i32.const 0))
                        (if (result i32) (i32.load8_u (i32.const 0))
                            (then (i32.add (i32.const 1000) (i32.load8_u (i32.const 4))))
                            (else (i32.load (i32.const 4))))))
                (core instance $i (instantiate $m
                    (with "libc" (instance $libc))
                    (with "host" (instance (export "length" (func $length))))))
                (func (export "run") (result u32) (canon lift (core func $i "run"))))"#,
            len = name.len()
        ),
    )?;
    let secrets = HashMap::from([("door".to_owned(), Some("sesame".to_owned())), ("safe".to_owned(), None)]);
    let vault = Vault { ctx: WasiCtxBuilder::new().build(), table: ResourceTable::new(), secrets };
    let mut store = Store::new(&engine, vault);
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run")?;
    Ok(run.call_async(&mut store, ()).await?.0)
}

#[tokio::test]
async fn codes_arrive_and_traps_stop() -> Result<()> {
    assert_eq!(ask("door").await?, 6);
    assert_eq!(ask("window").await?, 1000);
    assert_eq!(ask("safe").await?, 1001);
    let trap = ask("safe/door").await.unwrap_err();
    assert_eq!(trap.root_cause().to_string(), "a name is not a path");
    Ok(())
}

#[tokio::test]
async fn the_host_can_ask_as_well() -> Result<()> {
    use secrets::Host;
    let secrets = HashMap::from([("door".to_owned(), Some("sesame".to_owned()))]);
    let mut vault = Vault { ctx: WasiCtxBuilder::new().build(), table: ResourceTable::new(), secrets };
    assert_eq!(vault.get("door".to_owned()).await?, "sesame");
    let error = vault.get("gate".to_owned()).await.unwrap_err();
    assert_eq!(vault.convert_error(error)?, secrets::Error::Unknown);

    let explanation = vault.explain()?;
    let text = wasmtime_wasi::bindings::io::error::HostError::to_debug_string(
        &mut wasmtime_wasi::WasiImpl(&mut vault),
        Resource::new_borrow(explanation.rep()),
    )?;
    assert!(text.contains("it is locked"));
    Ok(())
}
