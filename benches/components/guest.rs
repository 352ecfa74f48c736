//! The measured guest, in any host.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Engine, Result, Store};

/// An instance whose exports make the measured calls.
pub(crate) struct Guest<T: 'static> {
    inner: Option<Inner<T>>,
    runtime: Option<Arc<Runtime>>,
}

struct Inner<T: 'static> {
    store: Store<T>,
    run: TypedFunc<(u32, u32, u32, u32), (i64,)>,
    path: TypedFunc<(String,), ()>,
}

impl<T: Send + 'static> Guest<T> {
    /// An instance in a synchronous store, or in one whose calls are tasks of `runtime`.
    pub(crate) fn new(
        engine: &Engine,
        linker: &Linker<T>,
        component: &Component,
        data: T,
        runtime: Option<Arc<Runtime>>,
    ) -> Result<Self> {
        let mut store = Store::new(engine, data);
        let instance = match &runtime {
            None => linker.instantiate(&mut store, component)?,
            Some(r) => r.block_on(linker.instantiate_async(&mut store, component))?,
        };
        let run = instance.get_typed_func(&mut store, "run")?;
        let path = instance.get_typed_func(&mut store, "path")?;
        Ok(Self { inner: Some(Inner { store, run, path }), runtime })
    }
}

/// A guest, whatever its host.
pub(crate) trait Measured {
    /// Says which path the operations take that take one.
    fn set_path(&mut self, path: &str);
    /// What `n` operations gave, and how long they took.
    fn run(&mut self, op: u32, n: u32, a: u32, b: u32) -> (i64, Duration);
}

impl<T: Send + 'static> Measured for Guest<T> {
    fn set_path(&mut self, path: &str) {
        let Inner { store, path: export, .. } = self.inner.as_mut().expect("given back");
        let args = (path.to_owned(),);
        match &self.runtime {
            None => export.call(store, args),
            Some(r) => r.block_on(export.call_async(store, args)),
        }
        .expect("no trap");
    }

    fn run(&mut self, op: u32, n: u32, a: u32, b: u32) -> (i64, Duration) {
        let args = (op, n, a, b);
        let ((result,), took) = match &self.runtime {
            None => {
                let Inner { store, run, .. } = self.inner.as_mut().expect("given back");
                let begin = Instant::now();
                let result = run.call(store, args).expect("no trap");
                (result, begin.elapsed())
            }
            Some(runtime) => {
                let mut inner = self.inner.take().expect("given back");
                let task = runtime.spawn(async move {
                    let begin = Instant::now();
                    let result = inner.run.call_async(&mut inner.store, args).await.expect("no trap");
                    (result, begin.elapsed(), inner)
                });
                let (result, took, inner) = runtime.block_on(task).expect("no panic");
                self.inner = Some(inner);
                (result, took)
            }
        };
        assert!(result >= 0, "operation {op} failed: {result}");
        (result, took)
    }
}
