//! What a hostile component of WASI 0.3 may try with one call after the other, without ever waiting for one; and with a
//! handle that two versions know.

#[path = "../support/view.rs"]
mod view;

use std::sync::Arc;
use view::State;
use wasi_host::fs::Dir;
use wasi_host::{DirPerms, FilePerms, ResourceTable, WasiCtxBuilder, add_to_linker_all_async};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::component::{Component, ComponentNamedList, Instance, Lift, Linker, Lower};
use wasmtime::{Config, Engine, Store};

/// One more than the code's place in the standard.
const READ_ONLY: u32 = 33;

struct Guest {
    store: Store<State>,
    instance: Instance,
}

impl Guest {
    async fn new(root: Arc<dyn Dir>) -> Self {
        let mut builder = WasiCtxBuilder::new();
        builder.preopened_shared(root, "/", DirPerms::all(), FilePerms::all()).inherit_network();
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let component = Component::new(&engine, include_str!("guest.wat")).unwrap();
        let mut linker = Linker::new(&engine);
        add_to_linker_all_async(&mut linker).unwrap();
        let mut store = Store::new(&engine, State { ctx: builder.build(), table: ResourceTable::new() });
        let instance = linker.instantiate_async(&mut store, &component).await.unwrap();
        Self { store, instance }
    }

    async fn call<P>(&mut self, name: &str, arguments: P) -> u32
    where
        P: ComponentNamedList + Lower + Lift + Send + Sync + 'static,
    {
        let Self { store, instance } = self;
        let function = instance.get_typed_func::<P, (u32,)>(&mut *store, name).unwrap();
        function.call_async(store, arguments).await.unwrap().0
    }
}

fn backends(disk: &tempfile::TempDir) -> [Arc<dyn Dir>; 2] {
    let memory = MemoryFs::new();
    memory.write("file", "").unwrap();
    std::fs::write(disk.path().join("file"), "").unwrap();
    [memory.root(), Arc::new(NativeDir::open_ambient(disk.path()).unwrap())]
}

/// A file that was reached through a directory that may not be changed has its times changed through nothing.
#[tokio::test]
async fn what_is_opened_through_a_directory_for_reading_keeps_its_times() {
    let disk = tempfile::tempdir().unwrap();
    for root in backends(&disk) {
        assert_eq!(Guest::new(root).await.call("through", ()).await, READ_ONLY);
    }
}

/// A component may say that both versions' descriptors are one kind of resource. The handle may no more than before.
#[tokio::test]
async fn a_directory_for_reading_is_one_to_the_older_version_too() {
    let disk = tempfile::tempdir().unwrap();
    for root in backends(&disk) {
        // 0.2 has one code more before it.
        assert_eq!(Guest::new(root).await.call("older", ()).await, READ_ONLY + 1);
    }
}

/// Else the host would hold each of them for as long as the guest does not wait.
#[tokio::test]
async fn paths_that_are_too_long_are_not_kept() {
    let disk = tempfile::tempdir().unwrap();
    for root in backends(&disk) {
        assert_eq!(Guest::new(root).await.call("paths", (20_u32,)).await, 0);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn many_who_wait_for_one_socket_take_no_descriptor_each() {
    const MANY: u32 = 3000;
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let mut guest = Guest::new(MemoryFs::new().root()).await;
    assert_eq!(guest.call("receives", (MANY,)).await, MANY);
    // Other tests run beside this one.
    let held = open();
    assert!(held < 500, "{held}");
}
