//! A program that the test plays itself, call by call.

use std::time::Duration;
use wasi_host::{ResourceTable, WasiCtx, p3};
use wasmtime::component::{Accessor, Component, Instance, Linker, TypedFunc};
use wasmtime::{Config, Engine, Store};

#[path = "../support/view.rs"]
mod view;
use view::State;

/// What a built-in said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Blocked,
    Completed(usize),
    Dropped(usize),
    Cancelled(usize),
}

impl From<i32> for Said {
    fn from(code: i32) -> Self {
        let n = (code >> 4) as usize;
        match code {
            -1 => Self::Blocked,
            _ if code & 0xf == 0 => Self::Completed(n),
            _ if code & 0xf == 1 => Self::Dropped(n),
            _ => Self::Cancelled(n),
        }
    }
}

/// What the future of a stream gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result3 {
    Ok,
    Io,
    IllegalByteSequence,
    Pipe,
}

/// A store with the program in it.
pub struct Guest {
    store: Store<State>,
    instance: Instance,
}

/// Its functions, while the store runs.
pub struct Calls<'a> {
    store: &'a Accessor<State>,
    numbers: Vec<(&'static str, TypedFunc<(), (i32,)>)>,
    nothing: Vec<(&'static str, TypedFunc<(), ()>)>,
    read: TypedFunc<(u32,), (i32,)>,
    write: TypedFunc<(Vec<u8>,), (i32,)>,
    taken: TypedFunc<(u32,), (Vec<u8>,)>,
}

impl Guest {
    pub async fn new(ctx: WasiCtx) -> Self {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        config.wasm_component_model_more_async_builtins(true);
        let engine = Engine::new(&config).unwrap();
        let component = Component::new(&engine, include_str!("guest.wat")).unwrap();
        let mut linker = Linker::new(&engine);
        p3::add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
        let instance = linker.instantiate_async(&mut store, &component).await.unwrap();
        Self { store, instance }
    }

    /// Plays the program, for a minute at most.
    pub async fn play<R: 'static>(
        &mut self,
        script: impl AsyncFnOnce(Calls<'_>) -> R,
    ) -> wasmtime::Result<R> {
        let Self { store, instance } = self;
        let numbers = ["cancel-read", "cancel-write", "await-result", "result", "poll"];
        let nothing = ["open-input", "open-output", "pass", "drop-input", "drop-output", "drop-result"];
        let numbers =
            numbers.map(|name| (name, instance.get_typed_func(&mut *store, name).unwrap())).to_vec();
        let nothing =
            nothing.map(|name| (name, instance.get_typed_func(&mut *store, name).unwrap())).to_vec();
        let read = instance.get_typed_func(&mut *store, "read").unwrap();
        let write = instance.get_typed_func(&mut *store, "write").unwrap();
        let taken = instance.get_typed_func(&mut *store, "taken").unwrap();
        let played = store.run_concurrent(async |store| {
            script(Calls { store, numbers, nothing, read, write, taken }).await
        });
        tokio::time::timeout(Duration::from_secs(60), played).await.expect("it hangs")
    }

    /// What the guest holds of the host.
    pub fn resources(&mut self) -> usize {
        self.store.data_mut().table.iter_mut().count()
    }
}

impl Calls<'_> {
    async fn number(&self, name: &str) -> i32 {
        let function = self.numbers.iter().find(|(n, _)| *n == name).unwrap().1;
        function.call_concurrent(self.store, ()).await.unwrap().0
    }

    pub async fn call(&self, name: &str) {
        let function = self.nothing.iter().find(|(n, _)| *n == name).unwrap().1;
        function.call_concurrent(self.store, ()).await.unwrap();
    }

    pub async fn say(&self, name: &str) -> Said {
        self.number(name).await.into()
    }

    pub async fn read(&self, len: u32) -> Said {
        self.read.call_concurrent(self.store, (len,)).await.unwrap().0.into()
    }

    pub async fn write(&self, bytes: &[u8]) -> Said {
        self.write.call_concurrent(self.store, (bytes.to_vec(),)).await.unwrap().0.into()
    }

    /// The first bytes of what was read.
    pub async fn taken(&self, len: usize) -> Vec<u8> {
        self.taken.call_concurrent(self.store, (len as u32,)).await.unwrap().0
    }

    /// The same, once it has ended.
    pub async fn ended(&self, said: Said) -> Said {
        let mut said = said;
        while said == Said::Blocked {
            tokio::time::sleep(Duration::from_micros(200)).await;
            said = self.say("poll").await;
        }
        said
    }

    /// A read that is waited for; what it gave, and whether the stream has ended.
    pub async fn read_some(&self, len: u32) -> (Vec<u8>, bool) {
        let said = self.read(len).await;
        match self.ended(said).await {
            Said::Completed(n) => (self.taken(n).await, false),
            Said::Dropped(n) => (self.taken(n).await, true),
            said => panic!("{said:?}"),
        }
    }

    /// All that is to come, by reads of so many bytes.
    pub async fn read_all(&self, len: u32) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let (bytes, ended) = self.read_some(len).await;
            all.extend(bytes);
            if ended {
                return all;
            }
        }
    }

    /// What the future says, once it does.
    pub async fn result(&self) -> Result3 {
        let said = self.say("await-result").await;
        assert!(matches!(self.ended(said).await, Said::Completed(_)));
        match self.number("result").await {
            0 => Result3::Ok,
            1 => Result3::Io,
            2 => Result3::IllegalByteSequence,
            3 => Result3::Pipe,
            n => panic!("{n}"),
        }
    }
}
