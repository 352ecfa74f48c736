//! The two ways to instantiate a component and to call it.

use super::Guest;
use super::entry::Entry;
use crate::outcome::{Ended, Stop};
use anyhow::Context;
use std::future::poll_fn;
use std::path::Path;
use tokio::runtime;
use wasmtime::component::{Func, Instance, InstancePre, Val};
use wasmtime::{Result, Store, format_err};

/// All that is known before there is a store.
pub(super) struct Start<'a> {
    pub(super) file: &'a Path,
    pub(super) ready: InstancePre<Guest>,
    pub(super) entry: Entry,
}

impl Start<'_> {
    /// Where one thing is done after the other. No call enters an async runtime.
    pub(super) fn alone(&self, store: &mut Store<Guest>) -> Result<Ended, Stop> {
        let instance =
            self.ready.instantiate(&mut *store).map_err(|error| Stop::instantiating(self.file, error))?;
        let mut results = self.results();
        let called = self
            .function(store, instance)
            .and_then(|function| function.call(store, &self.entry.arguments, &mut results));
        called.map_err(|error| Stop::within(self.file, error))?;
        Ok(self.entry.ended(&results))
    }

    /// Where tasks go on beside each other, some when the call has returned: the program ends with the last one.
    pub(super) fn concurrent(&self, store: &mut Store<Guest>) -> Result<Ended, Stop> {
        // One thread, and no timer: that is the waiter's own.
        let runtime = runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .context("cannot start the runtime that the program waits with")?;
        runtime.block_on(async {
            let instance = self.ready.instantiate_async(&mut *store).await;
            let instance = instance.map_err(|error| Stop::instantiating(self.file, error))?;
            let mut results = self.results();
            let called = self.call(store, instance, &mut results).await;
            called.map_err(|error| Stop::within(self.file, error))?;
            Ok(self.entry.ended(&results))
        })
        // The runtime ends before the store: what is still to be delivered is the store's, on this thread.
    }

    async fn call(&self, store: &mut Store<Guest>, instance: Instance, results: &mut [Val]) -> Result<()> {
        let function = self.function(store, instance)?;
        // Unlike `call_concurrent` it notices that all tasks wait for each other.
        function.call_async(&mut *store, &self.entry.arguments, results).await?;
        store.run_concurrent(async |store| poll_fn(|cx| store.poll_no_interesting_tasks(cx)).await).await
    }

    fn function(&self, store: &mut Store<Guest>, instance: Instance) -> Result<Func> {
        let function = &self.entry.function;
        instance.get_func(store, function.index).ok_or_else(|| format_err!("`{}` is gone", function.name()))
    }

    fn results(&self) -> Vec<Val> {
        vec![Val::Bool(false); self.entry.function.ty.results().len()]
    }
}
