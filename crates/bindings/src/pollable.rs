//! What a guest waits for: a value, and a way from a table's entry to what it waits for.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use wasi_host_core::stream::Subscribe;
use wasi_host_core::wait::Wait;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};

/// What [`Pollable`]s are made of elsewhere in this field: a future that ends when something is ready.
///
/// [`ClosureFuture`] has an example.
pub type PollableFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Makes a [`PollableFuture`] from an entry of a [`ResourceTable`].
///
/// ```
/// use wasi_host_bindings::MakeFuture;
/// let at_once: MakeFuture = |_entry| Box::pin(std::future::ready(()));
/// # let _ = at_once;
/// ```
pub type MakeFuture = for<'a> fn(&'a mut dyn Any) -> PollableFuture<'a>;

/// Makes a [`PollableFuture`] that borrows nothing.
///
/// ```
/// use wasi_host_bindings::ClosureFuture;
/// let second = std::time::Duration::from_secs(1);
/// let pause: ClosureFuture = Box::new(move || Box::pin(tokio::time::sleep(second)));
/// # drop(pause);
/// ```
pub type ClosureFuture = Box<dyn Fn() -> PollableFuture<'static> + Send + 'static>;

/// The resource behind `wasi:io/poll`'s `pollable`. [`subscribe`] makes one, and has an example.
#[derive(Debug)]
pub struct Pollable(Awaited);

/// What a [`Pollable`] stands for.
#[derive(Clone, Copy, Debug)]
pub enum Awaited {
    /// That the context's monotonic clock shows this.
    Clock(u64),
    /// That the table's entry of this number is ready.
    Entry(u32, &'static Source),
}

/// How to look at an entry whose type the poll does not know.
#[derive(Debug)]
pub struct Source {
    /// What it waits for.
    pub wait: for<'a> fn(&'a ResourceTable, u32) -> Result<Wait<'a>, ResourceTableError>,
    /// The same entry for itself alone, if it is of the type that was subscribed to.
    pub entry: for<'a> fn(&'a mut (dyn Any + 'static)) -> Option<&'a mut dyn Subscribe>,
    /// What removes it together with the pollable that owns it.
    delete: Option<Delete>,
}

type Delete = fn(&mut ResourceTable, u32) -> Result<(), ResourceTableError>;

trait Sources: Subscribe + Sized {
    const LENT: &'static Source = &Source { wait: wait::<Self>, entry: entry::<Self>, delete: None };
    const OWNED: &'static Source =
        &Source { wait: wait::<Self>, entry: entry::<Self>, delete: Some(delete::<Self>) };
}

impl<S: Subscribe> Sources for S {}

fn wait<S: Subscribe>(table: &ResourceTable, rep: u32) -> Result<Wait<'_>, ResourceTableError> {
    Ok(table.get(&Resource::<S>::new_borrow(rep))?.wait())
}

fn entry<'a, S: Subscribe>(entry: &'a mut (dyn Any + 'static)) -> Option<&'a mut dyn Subscribe> {
    entry.downcast_mut::<S>().map(|s| s as _)
}

fn delete<S: Subscribe>(table: &mut ResourceTable, rep: u32) -> Result<(), ResourceTableError> {
    table.delete(Resource::<S>::new_own(rep)).map(drop)
}

impl Pollable {
    /// Ready when the context's monotonic clock shows `when`.
    pub fn clock(when: u64) -> Self {
        Self(Awaited::Clock(when))
    }

    /// What it stands for.
    #[inline]
    pub fn awaited(&self) -> Awaited {
        self.0
    }

    /// Removes a pollable from its table, and what it owns with it.
    ///
    /// # Errors
    ///
    /// Those of the table: there is no such entry, or it has children.
    pub fn delete(table: &mut ResourceTable, pollable: Resource<Self>) -> Result<(), ResourceTableError> {
        match table.delete(pollable)?.0 {
            Awaited::Entry(rep, Source { delete: Some(delete), .. }) => delete(table, rep),
            _ => Ok(()),
        }
    }
}

/// Makes a [`Pollable`] of a resource of any type that can be waited for.
///
/// One that is given by value belongs to the pollable and goes with it; else the pollable is its child, and it cannot
/// be removed from the table before the pollable is.
///
/// # Errors
///
/// Those of the table: there is no such entry, or it is full.
///
/// # Example
///
/// ```
/// use wasi_host_bindings::{Pollable, subscribe};
/// use wasi_host_core::stream::Subscribe;
/// use wasmtime::component::{Resource, ResourceTable};
///
/// struct Timer(std::time::Instant);
///
/// #[async_trait::async_trait]
/// impl Subscribe for Timer {
///     async fn ready(&mut self) {
///         tokio::time::sleep_until(self.0.into()).await;
///     }
/// }
///
/// fn timer(table: &mut ResourceTable, after: std::time::Duration) -> wasmtime::Result<Resource<Pollable>> {
///     let timer = table.push(Timer(std::time::Instant::now() + after))?;
///     subscribe(table, timer)
/// }
/// ```
pub fn subscribe<S: Subscribe>(
    table: &mut ResourceTable,
    resource: Resource<S>,
) -> wasmtime::Result<Resource<Pollable>> {
    let source = if resource.owned() { S::OWNED } else { S::LENT };
    Ok(table.push_child(Pollable(Awaited::Entry(resource.rep(), source)), &resource)?)
}
