//! The measured guest, in any host.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wasmtime::{Engine, Linker, Memory, Module, Result, Store, TypedFunc};

/// An instance whose exports make the measured calls.
pub(crate) struct Guest<T: 'static> {
    inner: Option<Inner<T>>,
    runtime: Option<Arc<Runtime>>,
    path: usize,
}

pub(crate) struct Inner<T: 'static> {
    store: Store<T>,
    run: TypedFunc<(u32, u32, u32, u32), i64>,
    open: TypedFunc<(u32, u32, u64), i32>,
    memory: Memory,
}

impl<T: Send + 'static> Inner<T> {
    pub(crate) async fn run(&mut self, op: u32, n: u32, a: u32, b: u32) -> i64 {
        self.run.call_async(&mut self.store, (op, n, a, b)).await.expect("no trap")
    }
}

impl<T: Send + 'static> Guest<T> {
    /// An instance in a synchronous store, or in one whose calls are tasks of `runtime`. `told` hears of its memory.
    pub(crate) fn new(
        engine: &Engine,
        linker: &Linker<T>,
        module: &Module,
        data: T,
        runtime: Option<Arc<Runtime>>,
        told: impl FnOnce(&mut T, Memory),
    ) -> Result<Self> {
        let mut store = Store::new(engine, data);
        let instance = match &runtime {
            None => linker.instantiate(&mut store, module)?,
            Some(r) => r.block_on(linker.instantiate_async(&mut store, module))?,
        };
        let memory = instance.get_memory(&mut store, "memory").expect("an export");
        told(store.data_mut(), memory);
        let run = instance.get_typed_func(&mut store, "run")?;
        let open = instance.get_typed_func(&mut store, "open")?;
        let buffer = instance.get_typed_func::<(), u32>(&mut store, "path_buffer")?;
        let path = match &runtime {
            None => buffer.call(&mut store, ())?,
            Some(r) => r.block_on(buffer.call_async(&mut store, ()))?,
        };
        Ok(Self { inner: Some(Inner { store, run, open, memory }), runtime, path: path as usize })
    }

    pub(crate) fn lend(&mut self) -> Inner<T> {
        self.inner.take().expect("given back")
    }

    pub(crate) fn give_back(&mut self, inner: Inner<T>) {
        self.inner = Some(inner);
    }
}

/// A guest, whatever its host.
pub(crate) trait Measured {
    /// Puts a path where the calls take theirs from.
    fn set_path(&mut self, path: &str);
    /// Opens a path in the directory given to the guest.
    fn open(&mut self, path: &str, oflags: u32, rights: u64) -> u32;
    /// What `n` operations gave, and how long they took.
    fn run(&mut self, op: u32, n: u32, a: u32, b: u32) -> (i64, Duration);
}

impl<T: Send + 'static> Measured for Guest<T> {
    fn set_path(&mut self, path: &str) {
        let inner = self.inner.as_mut().expect("given back");
        inner.memory.write(&mut inner.store, self.path, path.as_bytes()).expect("room");
    }

    fn open(&mut self, path: &str, oflags: u32, rights: u64) -> u32 {
        self.set_path(path);
        let inner = self.inner.as_mut().expect("given back");
        let args = (path.len() as u32, oflags, rights);
        let fd = match &self.runtime {
            None => inner.open.call(&mut inner.store, args),
            Some(r) => r.block_on(inner.open.call_async(&mut inner.store, args)),
        };
        u32::try_from(fd.expect("no trap")).unwrap_or_else(|_| panic!("cannot open {path}"))
    }

    fn run(&mut self, op: u32, n: u32, a: u32, b: u32) -> (i64, Duration) {
        let mut inner = self.lend();
        let ((inner, result), took) = match &self.runtime {
            None => {
                let begin = Instant::now();
                let result = inner.run.call(&mut inner.store, (op, n, a, b)).expect("no trap");
                let took = begin.elapsed();
                ((inner, result), took)
            }
            Some(runtime) => {
                let task = runtime.spawn(async move {
                    let begin = Instant::now();
                    let result = inner.run(op, n, a, b).await;
                    let took = begin.elapsed();
                    ((inner, result), took)
                });
                runtime.block_on(task).expect("no panic")
            }
        };
        self.give_back(inner);
        assert!(result >= 0, "operation {op} failed: {result}");
        (result, took)
    }
}
