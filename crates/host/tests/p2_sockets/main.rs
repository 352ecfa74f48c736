//! `wasi:sockets` as guests see it, synchronous and asynchronous. Loopback only.

mod checks;
mod delivery;
mod guest;
mod tcp;
mod udp;

/// Each interface once, with what is unstable in them.
#[test]
fn both_linkers_have_them() {
    let mut options = wasi_host::LinkOptions::default();
    options.network_error_code(true);
    let engine = wasmtime::Engine::default();
    let component = r#"(component
        (import "wasi:io/error@0.2.12" (instance $error (export "error" (type (sub resource)))))
        (alias export $error "error" (type $e))
        (import "wasi:sockets/network@0.2.0" (instance $network
            (export "network" (type (sub resource)))
            (alias outer 1 $e (type $outer))
            (export "error" (type $error (eq $outer)))))
        (alias export $network "network" (type $n))
        (import "wasi:sockets/instance-network@0.2.3" (instance
            (alias outer 1 $n (type $outer))
            (export "network" (type $network (eq $outer)))
            (export "instance-network" (func (result (own $network)))))))"#;
    let component = wasmtime::component::Component::new(&engine, component).unwrap();
    for kind in guest::KINDS {
        let mut linker = wasmtime::component::Linker::<guest::State>::new(&engine);
        match kind {
            guest::Kind::Sync => wasi_host::add_to_linker_with_options_sync(&mut linker, &options),
            guest::Kind::Async => wasi_host::add_to_linker_with_options_async(&mut linker, &options),
        }
        .unwrap();
        linker.instantiate_pre(&component).unwrap();
    }
}
