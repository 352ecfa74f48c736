//! How the host finds its state in an embedder's.

use crate::ctx::WasiCtx;
use std::marker::PhantomData;
use wasmtime::component::{HasData, ResourceTable};

/// A view of what a store holds for WASI: implemented by the `T` of a [`Store<T>`](wasmtime::Store).
///
/// ```
/// use wasi_host::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiView};
///
/// struct State {
///     ctx: WasiCtx,
///     table: ResourceTable,
/// }
///
/// impl WasiView for State {
///     fn table(&mut self) -> &mut ResourceTable {
///         &mut self.table
///     }
///     fn ctx(&mut self) -> &mut WasiCtx {
///         &mut self.ctx
///     }
/// }
///
/// let state = State { ctx: WasiCtxBuilder::new().inherit_stdout().build(), table: ResourceTable::new() };
/// # let _ = state;
/// ```
pub trait WasiView: Send {
    /// The resources that guests of this store hold.
    fn table(&mut self) -> &mut ResourceTable;

    /// What guests of this store may reach.
    fn ctx(&mut self) -> &mut WasiCtx;
}

impl<T: ?Sized + WasiView> WasiView for &mut T {
    fn table(&mut self) -> &mut ResourceTable {
        T::table(self)
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        T::ctx(self)
    }
}

impl<T: ?Sized + WasiView> WasiView for Box<T> {
    fn table(&mut self) -> &mut ResourceTable {
        T::table(self)
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        T::ctx(self)
    }
}

/// For what the host does itself. The directories are in the hands of the module.
#[cfg(feature = "p1")]
impl WasiView for crate::p1::WasiP1Ctx {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.resources
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

/// Carries the implementations of all [`bindings`](crate::bindings): over any `T` with a [`WasiView`], the traits of
/// WASI are implemented for `WasiImpl<T>`.
///
/// ```
/// use wasi_host::{WasiImpl, WasiView, bindings::random::random::Host};
/// fn dice(view: &mut impl WasiView) -> wasmtime::Result<u64> {
///     Ok(WasiImpl(view).get_random_u64()? % 6 + 1)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub struct WasiImpl<T>(pub T);

impl<T: WasiView> WasiView for WasiImpl<T> {
    fn table(&mut self) -> &mut ResourceTable {
        self.0.table()
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        self.0.ctx()
    }
}

/// Says to an `add_to_linker` of [`bindings`](crate::bindings) that [`WasiImpl`] implements its interface.
///
/// ```
/// use wasi_host::{HasWasi, WasiImpl, WasiView, bindings};
/// fn only_randomness<T: WasiView + 'static>(linker: &mut wasmtime::component::Linker<T>) -> wasmtime::Result<()> {
///     bindings::random::random::add_to_linker::<T, HasWasi<T>>(linker, |state| WasiImpl(state))
/// }
/// ```
#[derive(Debug)]
pub struct HasWasi<T>(PhantomData<T>);

impl<T: 'static> HasData for HasWasi<T> {
    type Data<'a> = WasiImpl<&'a mut T>;
}

/// The context and the table side by side. A view lends one of them at a time, so the table is taken out of it, and
/// put back however this ends: also when a future is dropped while it waits.
pub(crate) struct Both<'a, V: WasiView + ?Sized> {
    view: &'a mut V,
    table: ResourceTable,
}

impl<'a, V: WasiView + ?Sized> Both<'a, V> {
    pub(crate) fn of(view: &'a mut V) -> Self {
        let table = std::mem::take(view.table());
        Self { view, table }
    }

    pub(crate) fn parts(&mut self) -> (&mut WasiCtx, &mut ResourceTable) {
        (self.view.ctx(), &mut self.table)
    }
}

impl<V: WasiView + ?Sized> Drop for Both<'_, V> {
    fn drop(&mut self) {
        *self.view.table() = std::mem::take(&mut self.table);
    }
}
